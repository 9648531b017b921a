package gateway

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/s2s"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/c2s"
	"sallyport/server/disco"
	"sallyport/server/pep"
	"sallyport/server/push"
	"sallyport/server/roster"
	"sallyport/server/store"
	"sallyport/server/token"
	"sallyport/server/upload"
)

// clients is the server of this node: its store, the people who are connected, and where they connect. It is made and opened before
// anything listens, serves after the links do, and ends in three steps: stop (nobody is connected any more), end (nothing is said
// any more), close (the store).
type clients struct {
	g          *Gateway
	store      *store.Store // nil in tests that have a server of their own, as c2s
	server     serves
	c2s        *c2s.Server
	events     *pep.Service
	push       *push.Service
	registrar  *registrar
	register   func(*config.Server)           // has the registrar do as a configuration says
	beyond     atomic.Pointer[server.Feature] // services that clients are told of
	disco      *disco.Disco
	files      *upload.Service               // nil where none are taken
	components *components                   // nil in tests that have a server of their own
	serving    atomic.Pointer[config.Server] // whose domains are served
	gate       *gate
	admin      *administration
	outlet     *local
	secure     atomic.Pointer[tls.Config]   // of the certificates that are active
	people     atomic.Pointer[tlsid.Policy] // of certificates that people log in with

	cancel  context.CancelFunc // ends the streams of clients
	endWeb  context.CancelFunc // ends HTTP around those of them that are inside
	running sync.WaitGroup
	web     sync.WaitGroup
	mu      sync.Mutex
	at      []net.Addr // where clients connect
}

// serves is what the node needs of the server itself.
type serves interface {
	delivers
	Census() server.Census
	Close()
}

var _ serves = (*server.Server)(nil)

// StoreOptions are those of the store that a configuration names. It reads the file with the password of the database.
func StoreOptions(c *config.ServerStore) (store.Options, error) {
	o := store.Options{DSN: c.DSN()}
	if c.Password != "" {
		b, err := os.ReadFile(string(c.Password))
		if err != nil {
			return o, fmt.Errorf("password of the database: %w", err)
		}
		o.Password = strings.TrimRight(string(b), "\r\n")
	}
	return o, nil
}

// Directory is the way to the accounts in a store, under the rules of a configuration.
func Directory(s *store.Store, c *config.Server, now nowFunc) *account.Directory {
	return &account.Directory{
		Store: s, Random: rand.Reader, Now: now,
		Policy: account.Policy{MinLength: c.Passwords.MinLength, Iterations: c.Passwords.Iterations},
	}
}

// openClients opens the store and makes the server; nobody can connect yet.
func (g *Gateway) openClients(cfg *config.Config, s *seams) (err error) {
	if !cfg.Server.Open() {
		return nil
	}
	c := &clients{g: g, gate: &gate{g: g, side: cfg.Server.Side}}
	if s.server != nil {
		var known account.Accounts
		c.server, known = s.server(c.gate)
		c.outlet = c.newOutlet(&cfg.Server, c.server)
		g.people.open(known, &cfg.Server, g.now)
		g.clients = c
		return nil
	}
	options, err := StoreOptions(&cfg.Server.Store)
	if err != nil {
		return err
	}
	options.Alone = true // what is remembered of rosters and of who is there would not be true
	if c.store, err = store.Open(g.ctx, options); err != nil {
		return err
	}
	if err := c.make(cfg); err != nil {
		return errors.Join(err, c.store.Close())
	}
	g.clients = c
	return nil
}

func (c *clients) make(cfg *config.Config) (err error) {
	g := c.g
	domains, err := domainsOf(&cfg.Server)
	if err != nil {
		return err
	}
	g.people.open(c.store, &cfg.Server, g.now)
	c.serving.Store(&cfg.Server)
	g.people.serves = func(domain string) bool { return c.serving.Load().Serves(domain) } // more of them after a reload
	g.outsiders.store, g.outsiders.serves = c.store, g.people.serves
	if err := g.outsiders.open(g.ctx, domains); err != nil {
		return err
	}
	of := &core{}
	if c.files, err = c.openFiles(&cfg.Server); err != nil {
		return err
	}
	directory := Directory(c.store, &cfg.Server, g.now)
	directory.Leaves = func(ctx context.Context, who jid.JID) (gone func()) {
		told := of.is.Load().Leave(ctx, who)
		return func() {
			g.people.forget(who)
			told()
		}
	}
	if c.components, err = c.openComponents(&cfg.Server); err != nil {
		return err
	}
	features, err := c.features(&cfg.Server, of, directory)
	if err != nil {
		return err
	}
	made, err := server.New(server.Config{
		Gate: c.gate, Directory: directory, Domains: domains, Link: linkLocal, Offline: c.store, Features: features,
		Book:   &roster.Book{Store: c.store, Node: g.node, Now: g.now},
		Limits: limitsOf(&cfg.Server.Limits),
		Now:    g.now, Log: g.log,
	})
	if err != nil {
		return err
	}
	of.is.Store(made)
	c.server = made
	c.outlet = c.newOutlet(&cfg.Server, &shared{made, c.components})
	show, err := c.certificates(cfg)
	if err != nil {
		return err
	}
	show()
	c.c2s, err = c2s.New(c2s.Config{
		Stream: c.streams(cfg, domains), Tokens: &token.Book{Store: c.store, Random: rand.Reader, Now: g.now},
		TLS:     c.tls(&cfg.Server),
		Clients: c.certified(&cfg.Server.Login), Registrar: c.registrar,
		Accounts: made, Sessions: made, Observe: c.observe, Log: g.log,
	})
	if err != nil {
		return err
	}
	c.c2s.SetPending(cfg.Limits.UnauthenticatedPerAddress, cfg.Limits.Unauthenticated)
	return nil
}

func (c *clients) newOutlet(cfg *config.Server, to delivers) *local {
	return newLocal(to, cfg.Limits.QueueStanzas, int(cfg.Limits.QueueBytes))
}

func limitsOf(l *config.ServerLimits) server.Limits {
	return server.Limits{Resources: l.Resources, PerSecond: l.StanzaRate, AccountPerSecond: l.AccountRate, AddressPerSecond: l.AddressRate}
}

func domainsOf(c *config.Server) (out []jid.JID, err error) {
	for _, d := range c.Domains {
		j, err := jid.ParseDomain(string(d))
		if err != nil {
			return nil, fmt.Errorf("server.domains: %q: %w", string(d), err)
		}
		out = append(out, j)
	}
	return out, nil
}

// streams is what a client's stream has to satisfy.
func (c *clients) streams(cfg *config.Config, domains []jid.JID) stream.ClientConfig {
	login, l := &cfg.Server.Login, &cfg.Limits
	policy := stream.ClientPolicy{
		TLS: stream.RequireTLS, SASL2: true, Tokens: true, Manage: true, ClientState: true,
		Compress: login.Compression, Register: offeredRegistration(&cfg.Server), RequireBinding: login.Binding == config.BindingRequire, NoBinding: login.Binding == config.BindingNever, Legacy: login.Legacy,
	}
	for _, m := range login.Mechanisms {
		policy.Mechanisms = append(policy.Mechanisms, string(m))
	}
	served := map[jid.JID]bool{}
	for _, d := range domains {
		served[d] = true
	}
	limits := xmlstream.ClientLimits()
	limits.ElementBytes = int(cfg.Server.Limits.MaxStanzaBytes)
	return stream.ClientConfig{
		Local: domains[0], Rand: rand.Reader, Elements: limits, Features: append(server.StreamFeatures(), c.disco.Caps()...), Inline: server.InlineFeatures(),
		Hosted: func(d jid.JID) bool { return served[d] },
		Policy: func(d jid.JID) stream.ClientPolicy {
			if served[d] {
				return policy
			}
			return stream.ClientPolicy{}
		},
		Timing: stream.Timing{Negotiation: l.AuthenticateTimeout, Close: l.CloseTimeout, Handshake: l.HandshakeTimeout},
		Shown:  c.shown, MayHave: c.mayHave,
		Manage: stream.ManageConfig{MaxItems: l.UnackedStanzas, MaxBytes: int(l.UnackedBytes), ResumeFor: resumeFor(l.ResumeWindow)},
	}
}

// shown is what a client is shown of a stanza that was released to it.
func (c *clients) shown(client jid.JID, e *xmlstream.Element) *xmlstream.Element {
	return c.g.engine.Policy().Shown(peerLocal, e, func() bool { return c.events.KnowsLabels(client) })
}

// start begins to listen.
func (c *clients) start(cfg *config.Server) error {
	if c.c2s == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	around, endWeb := context.WithCancel(context.Background())
	c.cancel, c.endWeb = cancel, endWeb
	var open []io.Closer
	begin := func(address string, serving *sync.WaitGroup, serve func(context.Context, net.Listener) error) error {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return err
		}
		open = append(open, l)
		c.mu.Lock()
		c.at = append(c.at, l.Addr())
		c.mu.Unlock()
		serving.Go(func() {
			if err := serve(ctx, l); err != nil {
				c.g.log.Error("clients cannot connect any more", zap.Stringer("address", l.Addr()), zap.Error(err))
			}
		})
		return nil
	}
	var err error
	for _, a := range cfg.Listen {
		err = errors.Join(err, begin(a.String(), &c.running, c.c2s.Serve))
	}
	for _, a := range cfg.ListenDirect {
		err = errors.Join(err, begin(a.String(), &c.running, c.c2s.ServeTLS))
	}
	for _, a := range cfg.Web.Listen {
		err = errors.Join(err, begin(a.String(), &c.web, func(ctx context.Context, l net.Listener) error {
			return c.serveWeb(around, l, c.pages(ctx, cfg))
		}))
	}
	if c.components != nil {
		err = errors.Join(err, c.components.start(ctx))
	}
	if c.files != nil {
		c.running.Go(func() { c.expireFiles(ctx) })
	}
	if c.store != nil {
		c.running.Go(func() { c.expireMessages(ctx) })
		c.running.Go(func() { c.watchStore(ctx) })
	}
	if err != nil {
		cancel()
		endWeb() // which is why those that could be opened end; most close what they listen on themselves
		for _, l := range open {
			_ = l.Close()
		}
	}
	return err
}

// observe writes down what was noticed of clients, as of links. Logins are what access is proved by, and are all recorded.
func (c *clients) observe(o c2s.Observation) {
	(*observer)(c.g).Observe(s2s.Event{
		Kind: clientKind + o.What.String(), Link: linkLocal, Side: c.gate.side, Peer: peerLocal, Remote: o.Account,
		Address: netip.AddrPortFrom(o.From, 0), Detail: o.Detail, Bytes: o.Bytes,
	})
}

// clientKind begins the kinds of events about clients.
const clientKind = "client-"

// status is the server at a glance.
func (c *clients) status(cfg *config.Server) *control.ServerStatus {
	s := &control.ServerStatus{}
	for _, d := range cfg.Domains {
		s.Domains = append(s.Domains, string(d))
	}
	c.mu.Lock()
	for i, a := range c.at {
		text := a.String()
		switch direct := i - len(cfg.Listen); {
		case direct >= len(cfg.ListenDirect):
			text += " (HTTPS)"
		case direct >= 0:
			text += " (direct TLS)"
		}
		s.Listen = append(s.Listen, text)
	}
	c.mu.Unlock()
	if c.components != nil {
		s.Listen = append(s.Listen, c.components.at()...)
	}
	n := c.server.Census()
	s.Users, s.Sessions, s.Available = n.Users, n.Sessions, n.Available
	if c.store != nil {
		s.Store = c.store.Kind()
	}
	return s
}

// stop ends all sessions: people are told, and what they say before they know is taken; HTTP goes on until those inside it have been told, and
// components hear what people said last. What was sent to people meanwhile is kept for them.
func (c *clients) stop() {
	if c.cancel == nil { // never started
		return
	}
	c.cancel()
	c.running.Wait()
	c.c2s.Close()
	c.endWeb()
	c.web.Wait()
	if c.components != nil {
		c.components.stop()
	}
}

// end is called when nothing comes in on a link any more and all that did has been delivered.
func (c *clients) end() {
	c.server.Close()
	if c.events != nil {
		c.events.Close()
		c.push.Close()
	}
	c.g.entrance.close()
	c.outlet.close()
}

// close closes the store.
func (c *clients) close() error {
	if c.store == nil {
		return nil
	}
	var err error
	if c.files != nil {
		err = c.files.Close()
	}
	return errors.Join(err, c.store.Close())
}
