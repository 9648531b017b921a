package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"sallyport/gateway/config"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
	"sallyport/server"
	"sallyport/server/component"
	"sallyport/server/disco"
)

// components are the programs beside the server that are domains of their own (XEP-0114), and where they connect. Which there are changes
// with the configuration, while the others stay connected.
type components struct {
	all *component.Components
	are atomic.Pointer[companions]
	log *zap.Logger

	serving   sync.WaitGroup
	mu        sync.Mutex
	listens   bool // between start and stop
	listeners map[netip.AddrPort]net.Listener
}

// companions are the components of one configuration. They do not change.
type companions struct {
	secrets map[jid.JID]string
	domains []jid.JID // as they stand in the configuration
	listen  []netip.AddrPort
	tls     bool
}

// companionsOf reads the secrets of the components that a configuration names.
func companionsOf(cfg *config.Server) (*companions, error) {
	are := &companions{secrets: map[jid.JID]string{}, tls: cfg.Components.TLS}
	for i := range cfg.ComponentList {
		p := &cfg.ComponentList[i]
		domain, err := jid.ParseDomain(string(p.Domain))
		secret, unread := readSecret(p.Secret)
		if err := errors.Join(err, unread); err != nil {
			return nil, fmt.Errorf("component %s: %w", p.Name, err)
		}
		are.secrets[domain] = secret
		are.domains = append(are.domains, domain)
	}
	if len(are.domains) > 0 {
		are.listen = cfg.Components.Listen
	}
	return are, component.CheckSecrets(are.secrets)
}

// openComponents makes what components connect to.
func (c *clients) openComponents(cfg *config.Server) (*components, error) {
	are, err := companionsOf(cfg)
	if err != nil {
		return nil, err
	}
	x := &components{log: c.g.log, listeners: make(map[netip.AddrPort]net.Listener)}
	x.are.Store(are)
	secure := c.tls(cfg)
	x.all, err = component.New(component.Config{
		Gate: c.gate, Secrets: are.secrets, Link: linkLocal, Log: c.g.log,
		Shown: func(e *xmlstream.Element) *xmlstream.Element { return c.g.engine.Policy().Shown(peerLocal, e, nil) },
		TLS: func() *tls.Config {
			if x.are.Load().tls {
				return secure
			}
			return nil
		},
	})
	return x, err
}

// start begins to listen.
func (x *components) start(ctx context.Context) error {
	x.mu.Lock()
	x.listens = true
	x.mu.Unlock()
	use, _, err := x.prepare(ctx, x.are.Load())
	if err == nil {
		use()
	}
	return err
}

// prepare does what can fail of having other components. One of use and drop is called then, and cannot fail.
func (x *components) prepare(ctx context.Context, next *companions) (use, drop func(), err error) {
	opened := make(map[netip.AddrPort]net.Listener)
	drop = func() {
		for _, l := range opened {
			_ = l.Close()
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, a := range next.listen {
		if x.listeners[a] != nil || opened[a] != nil || !x.listens {
			continue
		}
		if opened[a], err = (&net.ListenConfig{}).Listen(ctx, "tcp", a.String()); err != nil {
			delete(opened, a)
			drop()
			return nil, nil, fmt.Errorf("listen for components: %w", err)
		}
	}
	return func() { x.use(next, opened) }, drop, nil
}

func (x *components) use(next *companions, opened map[netip.AddrPort]net.Listener) {
	x.are.Store(next)
	if err := x.all.SetSecrets(next.secrets); err != nil {
		x.log.Error("components stay as they were", zap.Error(err)) // companionsOf has looked: it cannot be
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for a, l := range x.listeners {
		if !slices.Contains(next.listen, a) {
			_ = l.Close()
			delete(x.listeners, a)
		}
	}
	for a, l := range opened {
		if !x.listens { // the node has begun to end
			_ = l.Close()
			continue
		}
		x.listeners[a] = l
		x.serving.Go(func() {
			if err := x.all.Serve(l); err != nil {
				x.log.Error("components cannot connect any more", zap.Stringer("address", l.Addr()), zap.Error(err))
			}
		})
	}
}

// stop ends all connections. What components said before they knew is taken.
func (x *components) stop() {
	x.mu.Lock()
	x.listens = false
	for a, l := range x.listeners {
		_ = l.Close()
		delete(x.listeners, a)
	}
	x.mu.Unlock()
	x.serving.Wait()
	x.all.Close()
}

// at is where components connect.
func (x *components) at() (list []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, a := range x.are.Load().listen {
		if l := x.listeners[a]; l != nil {
			list = append(list, l.Addr().String()+" (components)")
		}
	}
	return list
}

// items are what disco tells of a domain: the components.
func (x *components) items(jid.JID) (list []disco.Item) {
	for _, d := range x.are.Load().domains {
		list = append(list, disco.Item{JID: d})
	}
	return list
}

// shared is the server together with the components beside it.
type shared struct {
	*server.Server
	beside *components
}

var _ rewrites = (*shared)(nil)

// Deliver implements delivers: what is for the domain of a component is its.
func (s *shared) Deliver(r peering.Released, done server.Delivered) { s.DeliverWritten(r, nil, done) }

// DeliverWritten implements rewrites.
func (s *shared) DeliverWritten(r peering.Released, form *xmlstream.Written, done server.Delivered) {
	if of := s.beside.are.Load().secrets; len(of) > 0 {
		if _, its := of[r.To().DomainJID()]; its {
			s.beside.all.Deliver(r, done)
			return
		}
	}
	s.Server.DeliverWritten(r, form, done)
}
