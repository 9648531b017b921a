package component

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
	"sallyport/server"
)

const (
	// MinSecret is the least length of a secret, in bytes.
	MinSecret = 16

	maxConns         = 100 // of all components, those included that have proven nothing
	maxQueue         = 1000
	handshakeTimeout = 30 * time.Second
	writeTimeout     = 30 * time.Second
)

// Config is what components need.
type Config struct {
	Gate    server.Gate // Submit
	Secrets map[jid.JID]string
	Link    string // by which the gate reaches components
	// TLS for the listener; nil: none, and only for addresses of this machine.
	TLS *tls.Config
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

	mu     sync.Mutex
	closed bool
	conns  map[*conn]bool
	by     map[jid.JID]*conn // that have proven a domain
}

// New holds the configuration to the rules. Whoever makes components closes them.
func New(cfg Config) (*Components, error) {
	if cfg.Gate == nil {
		return nil, errors.New("components: a gate is needed")
	}
	for d, secret := range cfg.Secrets {
		if !d.IsDomain() || len(secret) < MinSecret {
			return nil, fmt.Errorf("component %s: it needs a domain and a secret of at least %d bytes", d, MinSecret)
		}
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Components{cfg: cfg, ctx: ctx, cancel: cancel, conns: make(map[*conn]bool), by: make(map[jid.JID]*conn)}, nil
}

// Serve takes connections until the listener is closed, and closes it with an error where it may not be used.
func (c *Components) Serve(ln net.Listener) error {
	if a, ok := ln.Addr().(*net.TCPAddr); c.cfg.TLS == nil && (!ok || !a.IP.IsLoopback()) {
		return errors.Join(errors.New("components: without TLS they can only be on this machine"), ln.Close())
	}
	if c.cfg.TLS != nil {
		ln = tls.NewListener(ln, c.cfg.TLS)
	}
	for {
		socket, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("take a component's connection: %w", err)
		}
		if !c.start(socket) {
			_ = socket.Close() // there are too many, or all is over
		}
	}
}

func (c *Components) start(socket net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.conns) >= maxConns {
		return false
	}
	n := newConn(c, socket)
	c.conns[n] = true
	c.tasks.Go(n.read)
	c.tasks.Go(n.write)
	return true
}

// Close ends all connections and waits for them. The listeners are those who made them's to close.
func (c *Components) Close() {
	c.mu.Lock()
	c.closed = true
	for n := range c.conns {
		n.stop()
	}
	c.mu.Unlock()
	c.cancel()
	c.tasks.Wait()
}

// Connected reports whether a component is there.
func (c *Components) Connected(domain jid.JID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[domain] != nil
}

// claim gives a proven domain to a connection; false where another has it.
func (c *Components) claim(domain jid.JID, n *conn) bool {
	c.mu.Lock()
	taken := c.by[domain] != nil
	if !taken {
		c.by[domain] = n
	}
	c.mu.Unlock()
	if !taken {
		c.cfg.Log.Info("a component has come", zap.Stringer("domain", domain))
		if c.cfg.Changed != nil {
			c.cfg.Changed(domain, true)
		}
	}
	return !taken
}

func (c *Components) gone(n *conn) {
	c.mu.Lock()
	delete(c.conns, n)
	domain := n.stream.domain
	had := c.by[domain] == n
	if had {
		delete(c.by, domain)
	}
	c.mu.Unlock()
	if had {
		c.cfg.Log.Info("a component is gone", zap.Stringer("domain", domain))
		if c.cfg.Changed != nil {
			c.cfg.Changed(domain, false)
		}
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
