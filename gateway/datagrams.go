package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"sallyport/gateway/config"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/dtls"
	"sallyport/links/x2x"
	"sallyport/peering"
)

// datagramConfig is one link over datagrams, with the socket that is its own.
type datagramConfig struct {
	link   dtls.LinkConfig
	socket dtls.Config
	owned  []peering.Pattern // domains that the peer may speak for
}

// datagrams are all links of kind dtls. A link whose configuration stays is not touched by a reload.
type datagrams struct {
	sink links.Sink
	env  dtls.LinkEnv

	policy  atomic.Pointer[peering.Policy] // says whom we speak for
	mu      sync.Mutex
	links   map[string]*datagramLink
	started bool
}

// datagramLink is one of them while it runs.
type datagramLink struct {
	*dtls.Link
	cfg      datagramConfig
	endpoint *dtls.Endpoint
	cancel   context.CancelFunc
	served   chan struct{}
}

func newDatagrams(cfgs carrierConfigs, sink links.Sink, env dtls.LinkEnv) *datagrams {
	d := &datagrams{sink: sink, env: env, links: map[string]*datagramLink{}}
	d.policy.Store(cfgs.policy)
	for _, one := range cfgs.datagrams {
		d.links[one.link.Name] = &datagramLink{cfg: one}
	}
	return d
}

// datagramConfigs makes the configuration of the links of kind dtls, files included.
func datagramConfigs(cfg *config.Config) ([]datagramConfig, error) {
	store, err := tlsid.OpenStore(identityFiles(cfg))
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	var out []datagramConfig
	for i := range cfg.Links {
		l := &cfg.Links[i]
		if l.Kind != config.KindDTLS {
			continue
		}
		one, err := datagramConfigOf(cfg, l, store)
		if err == nil {
			err = one.socket.Validate()
		}
		if err != nil {
			return nil, fmt.Errorf("link %s: %w", l.Name, err)
		}
		out = append(out, one)
	}
	return out, nil
}

func datagramConfigOf(cfg *config.Config, l *config.Link, store *tlsid.Store) (out datagramConfig, err error) {
	p := cfg.Peer(l.Peer)
	if p == nil {
		return out, fmt.Errorf("no peer %q", l.Peer)
	}
	side := p.Side
	out.owned = patterns(slices.Concat(p.Domains, p.SpeaksFor))
	peer := dtls.Peer{
		Name: p.Name, Profile: profileOf(l),
		Identity: tlsid.Policy{Trust: store.Trust(side), Usage: usage(p.Usage), Pins: l.Pins},
	}
	for _, d := range p.Domains {
		if _, sub := d.Base(); !sub {
			peer.Domains = append(peer.Domains, string(d))
		}
	}
	if l.CertificateName != "" {
		peer.Domains = []string{l.CertificateName}
	}
	for _, n := range l.From {
		peer.From = append(peer.From, n.Prefix)
	}
	out.link = dtls.LinkConfig{
		Name: l.Name, Side: side, Peer: p.Name, Dial: len(l.Connect) > 0, LocalDomain: defaultDomain(cfg, side),
	}
	if len(peer.Domains) > 0 {
		if out.link.PeerDomain, err = jid.ParseDomain(peer.Domains[0]); err != nil {
			return out, err
		}
	}
	out.socket = dtls.Config{Keys: store.Keys(), Domain: out.link.LocalDomain.Domain(), MaxMessage: int(l.MaxStanzaBytes) + 32<<10}
	if out.link.Compression, err = compression(l); err != nil {
		return out, err
	}
	if len(l.Listen) > 0 {
		out.socket.Local = l.Listen[0]
	}
	if out.link.Dial {
		if peer.Address, err = netip.ParseAddrPort(l.Connect[0].String()); err != nil {
			return out, fmt.Errorf("connect: %s is not an IP address with a port", l.Connect[0])
		}
	}
	if l.SharedKey != "" {
		secret, err := os.ReadFile(string(l.SharedKey))
		if err != nil {
			return out, err
		}
		peer.Shared = &dtls.SharedKey{Identity: l.SharedKeyName, Secret: secret}
	}
	out.socket.Peers = []dtls.Peer{peer}
	return out, nil
}

// same reports whether a link may go on as it is.
func (c *datagramConfig) same(o *datagramConfig) bool {
	a, b := c.socket, o.socket
	if len(a.Peers) != 1 || len(b.Peers) != 1 {
		return false
	}
	pa, pb := a.Peers[0], b.Peers[0]
	sa, sb := pa.Shared, pb.Shared
	if (sa == nil) != (sb == nil) || sa != nil && (sa.Identity != sb.Identity || !bytes.Equal(sa.Secret, sb.Secret)) {
		return false
	}
	return c.link.Name == o.link.Name && reflect.DeepEqual(c.link.Compression, o.link.Compression) && c.link.Dial == o.link.Dial && c.link.Side == o.link.Side && c.link.LocalDomain == o.link.LocalDomain &&
		a.Local == b.Local && a.MaxMessage == b.MaxMessage && pa.Name == pb.Name && pa.Address == pb.Address && slices.Equal(pa.From, pb.From) &&
		slices.Equal(c.owned, o.owned) && slices.Equal(pa.Domains, pb.Domains) && slices.Equal(pa.Identity.Pins, pb.Identity.Pins) && reflect.DeepEqual(pa.Profile, pb.Profile) &&
		sa != nil // with certificates, revocation and trust may have changed
}

// start opens the sockets and begins to dial or to wait.
func (d *datagrams) start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.started = true
	for name, l := range d.links {
		if err := d.open(ctx, l); err != nil {
			return fmt.Errorf("link %s: %w", name, err)
		}
	}
	return nil
}

// open makes one link run. Caller holds mu.
func (d *datagrams) open(ctx context.Context, l *datagramLink) (err error) {
	if l.endpoint, err = dtls.Open(ctx, l.cfg.socket, dtls.Env{Log: d.env.Log}); err != nil {
		return err
	}
	cfg := l.cfg.link
	cfg.Remote = func(domain jid.JID) bool {
		return slices.ContainsFunc(l.cfg.owned, func(o peering.Pattern) bool { return o.Matches(domain.Domain()) })
	}
	cfg.Local = func(domain jid.JID) bool { return hosts(d.policy.Load(), cfg.Side, domain) }
	if l.Link, err = dtls.NewLink(l.endpoint, cfg, d.sink, d.env); err != nil {
		return errors.Join(err, l.endpoint.Close())
	}
	serve, cancel := context.WithCancel(context.Background())
	l.cancel, l.served = cancel, make(chan struct{})
	go func() {
		defer close(l.served)
		dtls.Serve(serve, l.endpoint, l.Link)
	}()
	l.Start()
	return nil
}

// close ends one link; everything it had has been reported then.
func (l *datagramLink) close() error {
	if l.Link == nil {
		return nil
	}
	l.cancel()
	l.Shutdown()
	err := l.endpoint.Close()
	<-l.served
	return err
}

// use takes another configuration. What could not be opened is logged, and tried again by the next reload.
func (d *datagrams) use(all carrierConfigs) {
	d.policy.Store(all.policy)
	cfgs := all.datagrams
	d.mu.Lock()
	defer d.mu.Unlock()
	next := map[string]*datagramLink{}
	for i := range cfgs {
		name := cfgs[i].link.Name
		if old := d.links[name]; old != nil && old.Link != nil && old.cfg.same(&cfgs[i]) {
			next[name] = old
			delete(d.links, name)
			continue
		}
		next[name] = &datagramLink{cfg: cfgs[i]}
	}
	for name, old := range d.links {
		if err := old.close(); err != nil {
			d.env.Log.Warn("a datagram link did not end in order", zap.String("link", name), zap.Error(err))
		}
	}
	d.links = next
	for name, l := range next {
		if l.Link != nil || !d.started {
			continue
		}
		if err := d.open(context.Background(), l); err != nil {
			d.env.Log.Error("a datagram link cannot be opened; it stays down until the next reload", zap.String("link", name), zap.Error(err))
			l.Link = nil
		}
	}
}

func (d *datagrams) shutdown() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, l := range d.links {
		errs = append(errs, l.close())
	}
	return errors.Join(errs...)
}

// link returns the one of that name while it runs, or nil.
func (d *datagrams) link(name string) *dtls.Link {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.links[name]; l != nil {
		return l.Link
	}
	return nil
}

func (d *datagrams) running() (out []*dtls.Link) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.links {
		if l.Link != nil {
			out = append(out, l.Link)
		}
	}
	return out
}

var _ x2x.Observer = (*observer)(nil)
