package component

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/accept"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
	"sallyport/server"
)

const (
	// MinSecret is the least length of a secret, in bytes.
	MinSecret = 16

	// Connections that have proven nothing, of one address (of IPv6: of one /64) and of all. Those that have proven a domain are not counted:
	// there is one of each domain at most, and no stranger can take its place.
	maxStrangersEach = 50
	maxStrangers     = 500

	maxQueue         = 1000
	handshakeTimeout = 30 * time.Second // from the first byte of TLS on, all of it
	writeTimeout     = 30 * time.Second
	closeTimeout     = 2 * time.Second // for the component to end its side, and for all of them together to read that ours has ended
)

// Config is what components need.
type Config struct {
	Gate    server.Gate        // Submit
	Secrets map[jid.JID]string // see SetSecrets
	Link    string             // by which the gate reaches components
	// TLS for a connection that comes now; nil, or where it gives nil: none, and only at addresses of this machine.
	TLS func() *tls.Config
	// Shown is what a component is shown of what was released to it; nil: all of it.
	Shown func(e *xmlstream.Element) *xmlstream.Element
	// Changed is told when a component has come or is gone; nil: nobody is.
	Changed func(domain jid.JID, connected bool)
	Log     *zap.Logger // nil: none
}

// Components are the connections of all components. It is safe for concurrent use.
type Components struct {
	cfg    Config
	ctx    context.Context //nolint:containedctx // ends what waits for the gate when all is closed
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	strangers *accept.Crowd // those that have proven nothing
	tellCrowd accept.Seldom // that they are too many

	mu      sync.Mutex
	closed  bool
	secrets map[jid.JID]string // not changed, but for another map
	conns   map[*conn]bool
	by      map[jid.JID]*conn // that have proven a domain
}

// New holds the configuration to the rules. Whoever makes components closes them.
func New(cfg Config) (*Components, error) {
	if cfg.Gate == nil {
		return nil, errors.New("components: a gate is needed")
	}
	if err := CheckSecrets(cfg.Secrets); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.TLS == nil {
		cfg.TLS = func() *tls.Config { return nil }
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Components{
		cfg: cfg, ctx: ctx, cancel: cancel, strangers: accept.NewCrowd(maxStrangersEach, maxStrangers),
		secrets: maps.Clone(cfg.Secrets), conns: make(map[*conn]bool), by: make(map[jid.JID]*conn),
	}, nil
}

// CheckSecrets says what New and SetSecrets would have against the secrets of domains.
func CheckSecrets(of map[jid.JID]string) error {
	for d, secret := range of {
		if !d.IsDomain() || len(secret) < MinSecret {
			return fmt.Errorf("component %s: it needs a domain and a secret of at least %d bytes", d, MinSecret)
		}
	}
	return nil
}

// SetSecrets has these domains from now on, and no others. Whoever has proven one by a secret that is not its any more is disconnected, and
// nothing that it says is taken from now on: with host-gone where there is no such domain any more, else with reset (RFC 6120 §4.9.3.5,
// §4.9.3.16). The others notice nothing. With an error nothing has changed.
func (c *Components) SetSecrets(next map[jid.JID]string) error {
	if err := CheckSecrets(next); err != nil {
		return err
	}
	next = maps.Clone(next)
	gone := make(map[jid.JID]*conn)
	c.mu.Lock()
	for d, n := range c.by {
		if secret, known := next[d]; !known || secret != c.secrets[d] {
			gone[d] = n
			delete(c.by, d) // so that whoever has the new secret need not wait
		}
	}
	c.secrets = next
	c.mu.Unlock()
	for d, n := range gone {
		why := stanza.StreamReset
		if _, known := next[d]; !known {
			why = stanza.StreamHostGone
		}
		n.revoke(why)
		c.changed(d, false)
	}
	return nil
}

// secret is what a domain has to be proven by at this moment.
func (c *Components) secret(domain jid.JID) (secret string, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	secret, known = c.secrets[domain]
	return secret, known
}

// changed says that a component has come, or is gone.
func (c *Components) changed(domain jid.JID, connected bool) {
	what := "a component is gone"
	if connected {
		what = "a component has come"
	}
	c.cfg.Log.Info(what, zap.Stringer("domain", domain))
	if c.cfg.Changed != nil {
		c.cfg.Changed(domain, connected)
	}
}

// Serve takes connections until the listener is closed, and closes it with an error where it may not be used.
func (c *Components) Serve(ln net.Listener) error {
	a, ok := ln.Addr().(*net.TCPAddr)
	here := ok && a.IP.IsLoopback()
	if !here && c.cfg.TLS() == nil {
		return errors.Join(errors.New("components: without TLS they can only be on this machine"), ln.Close())
	}
	failed := func(err error) { c.cfg.Log.Error("take a component's connection", zap.Error(err)) }
	_ = accept.Each(context.Background(), ln.Accept, failed, func(socket net.Conn) { // until the listener is closed, as said
		secure := c.cfg.TLS()
		if secure != nil {
			socket = tls.Server(socket, secure)
		}
		if secure == nil && !here || !c.start(socket) {
			_ = socket.Close() // there are too many, or all is over
		}
	})
	return nil
}

func (c *Components) start(socket net.Conn) bool {
	from := addressOf(socket)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if !c.strangers.Enter(from) {
		if c.tellCrowd.May(time.Now()) {
			c.cfg.Log.Warn("too many connections of components that have proven nothing", zap.Stringer("address", from))
		}
		return false
	}
	n := newConn(c, socket)
	n.from = from
	c.conns[n] = true
	c.tasks.Go(n.read)
	c.tasks.Go(n.write)
	return true
}

// addressOf is where a connection comes from. All that come from no address are one.
func addressOf(socket net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(socket.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// Close ends all connections with system-shutdown and waits for them: what components said before they knew is taken, and what waits for them
// written, as far as they are quick about both. The listeners are those who made them's to close.
func (c *Components) Close() {
	c.mu.Lock()
	c.closed = true
	all, proven := maps.Clone(c.conns), maps.Clone(c.by)
	c.mu.Unlock()
	for _, n := range proven {
		n.shutDown()
		delete(all, n)
	}
	for n := range all { // they have proven nothing, or are ending
		if ending, _ := n.standing(); !ending {
			n.stop()
		}
	}
	late := time.AfterFunc(2*closeTimeout, func() {
		c.cancel()
		c.mu.Lock()
		rest := maps.Clone(c.conns)
		c.mu.Unlock()
		for n := range rest {
			n.stop()
		}
	})
	c.tasks.Wait()
	late.Stop()
	c.cancel()
}

// Connected reports whether a component is there.
func (c *Components) Connected(domain jid.JID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[domain] != nil
}

// claim gives a domain to a connection that has proven it by a secret; false where another has it, or it is to be proven by another one
// by now.
func (c *Components) claim(domain jid.JID, secret string, n *conn) bool {
	c.mu.Lock()
	now, known := c.secrets[domain]
	may := c.by[domain] == nil && known && now == secret && !c.closed
	if may {
		c.by[domain], n.proven = n, true
		c.strangers.Leave(n.from)
	}
	c.mu.Unlock()
	if may {
		c.changed(domain, true)
	}
	return may
}

func (c *Components) gone(n *conn) {
	c.mu.Lock()
	delete(c.conns, n)
	if !n.proven {
		c.strangers.Leave(n.from)
	}
	domain := n.stream.domain
	had := c.by[domain] == n
	if had {
		delete(c.by, domain)
	}
	c.mu.Unlock()
	if had {
		c.changed(domain, false)
	}
}

// Deliver sends a component what the gate released for it. It does not wait; done is called once.
func (c *Components) Deliver(r peering.Released, done server.Delivered) {
	domain := r.To().DomainJID()
	if err := r.Check(c.cfg.Link, domain); err != nil {
		done(&server.Bounce{Condition: stanza.InternalServerError, Cause: err})
		return
	}
	c.deliver(r.Stanza(), done)
}

func (c *Components) deliver(m stanza.Stanza, done server.Delivered) {
	c.mu.Lock()
	n := c.by[m.To().DomainJID()]
	c.mu.Unlock()
	if n == nil {
		done(&server.Bounce{Condition: stanza.ServiceUnavailable, Cause: errors.New("the component is not connected")})
		return
	}
	if c.cfg.Shown != nil {
		shown, err := m.WithElement(c.cfg.Shown(m.Element()))
		if err != nil {
			done(&server.Bounce{Condition: stanza.InternalServerError, Cause: err})
			return
		}
		m = shown
	}
	n.send(m, done)
}
