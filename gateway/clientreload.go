package gateway

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"sallyport/gateway/config"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/server"
	"sallyport/server/account"
)

// serverLive begins the keys of the server that change while it runs: at once, or for the streams that begin from then on.
var serverLive = []string{
	"server.admins.", "server.labels.", "server.clearance.", "server.catalogue.", // the policy and the operations look them up
	"server.login.mechanisms", "server.login.channel-binding", "server.login.compression", "server.login.legacy", "server.login.trust", "server.login.crl",
	"server.limits.max-stanza-bytes", "server.limits.stanza-rate", "server.limits.account-stanza-rate", "server.limits.address-stanza-rate",
	"server.registration.", "server.invitations.", "server.service.", "server.store.keep-messages", "server.limits.resources", "server.passwords.",
	"server.contacts.", "server.component.", "server.components.",
}

// fixedServer gives the keys of the server that differ and cannot change while it runs.
func fixedServer(old, next *config.Server) (keys []string) {
	if !old.Open() && !next.Open() {
		return nil // only commands use it, which read it themselves
	}
	for _, key := range old.Changed(next) {
		if !slices.ContainsFunc(serverLive, func(live string) bool { return strings.HasPrefix(key, live) }) {
			keys = append(keys, key)
		}
	}
	if slices.Contains(keys, domainsKey) && grows(old.Domains, next.Domains) {
		keys = slices.DeleteFunc(keys, func(key string) bool { return key == domainsKey })
	}
	for _, announced := range []struct {
		key  string
		same bool
	}{
		{"server.login.mechanisms (EXTERNAL)", byCertificate(old) || !byCertificate(next)},
		{"server.registration (all of it on, or off)", registers(old) == registers(next)},
		{"server.service (the first, or the last)", (len(old.Services) > 0) == (len(next.Services) > 0)},
	} {
		if !announced.same {
			keys = append(keys, announced.key)
		}
	}
	return keys
}

// domainsKey is of the domains that have accounts. More of them can be served at once; the first is the one that the server goes by itself.
const domainsKey = "server.domains"

// grows reports whether all of the old domains are still there, the first one at its place.
func grows(old, next []config.Pattern) bool {
	for _, d := range old {
		if !slices.Contains(next, d) {
			return false
		}
	}
	return len(old) > 0 && old[0] == next[0]
}

func byCertificate(s *config.Server) bool {
	return slices.Contains(s.Login.Mechanisms, config.ByCertificate)
}

// registers reports whether clients are told that there is registration.
func registers(s *config.Server) bool {
	r := &s.Registration
	return r.Open || r.ChangePassword || r.Remove || s.Invitations.MakeAccounts()
}

// passwordPolicy is what a configuration wants of passwords.
func passwordPolicy(s *config.Server) account.Policy {
	return account.Policy{MinLength: s.Passwords.MinLength, Iterations: s.Passwords.Iterations}
}

// amendable is what changes of a server while it runs; *server.Server does.
type amendable interface {
	SetLimits(l server.Limits)
	AddDomains(list []jid.JID) error
}

var _ amendable = (*server.Server)(nil)

// serveAs reads all that a configuration names for people and components. One of serve, which has the server do as it says, and drop is
// called then.
func (g *Gateway) serveAs(cfg *config.Config) (serve, drop func(), err error) {
	c := g.clients
	if !cfg.Server.Open() || c == nil || c.c2s == nil { // that does not change while a node runs
		return func() {}, func() {}, nil
	}
	show, err := c.certificates(cfg)
	if err != nil {
		return nil, nil, err
	}
	domains, err := domainsOf(&cfg.Server)
	if err != nil {
		return nil, nil, err
	}
	if err := g.outsiders.open(g.ctx, domains); err != nil {
		return nil, nil, err
	}
	var beyond *server.Feature
	if len(cfg.Server.Services) > 0 {
		f, err := c.services(&cfg.Server)
		if err != nil {
			return nil, nil, err
		}
		beyond = &f
	}
	tell, err := c.disco.Prepare(c.forms(&cfg.Server))
	if err != nil {
		return nil, nil, err
	}
	are, err := companionsOf(&cfg.Server)
	if err != nil {
		return nil, nil, err
	}
	connect, drop, err := c.components.prepare(g.ctx, are)
	if err != nil {
		return nil, nil, err
	}
	return func() {
		show()
		c.register(&cfg.Server)
		if beyond != nil {
			c.beyond.Store(beyond)
		}
		if s, ok := c.server.(amendable); ok {
			s.SetLimits(limitsOf(&cfg.Server.Limits))
			if err := s.AddDomains(domains); err != nil {
				g.log.Error("no domain is added", zap.Error(err)) // domainsOf has looked: it cannot be
			}
		}
		c.serving.Store(&cfg.Server)
		tell()
		c.c2s.SetStream(c.streams(cfg, domains))
		c.c2s.SetPending(cfg.Limits.UnauthenticatedPerAddress, cfg.Limits.Unauthenticated)
		connect()
	}, drop, nil
}

func (c *clients) certificates(cfg *config.Config) (show func(), err error) {
	if c.c2s == nil && c.store == nil {
		return func() {}, nil
	}
	keys, err := tlsid.OpenStore(identityFiles(cfg))
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	next := tlsid.ServerConfig(tlsid.Options{Keys: keys.Keys(), Domain: string(cfg.Server.Domains[0])})
	login := &cfg.Server.Login
	trust, err := tlsid.LoadTrust(trustFiles(login.Trust, login.CRL, login.CRLRequired))
	if err != nil {
		return nil, fmt.Errorf("certificates that people log in with: %w", err)
	}
	people := &tlsid.Policy{Trust: trust, Usage: tlsid.ClientOnly, MinTLS: tlsVersion(login.MinTLS)}
	return func() { c.secure.Store(next); c.people.Store(people) }, nil
}

// certified is what a person's certificate must show; nil where nobody logs in by one.
func (c *clients) certified(login *config.ServerLogin) func() *tlsid.Policy {
	if !slices.Contains(login.Mechanisms, config.ByCertificate) {
		return nil
	}
	return c.people.Load
}

// tls is what the server's own ports have: those of clients, of the web and of components. The certificate is that of now.
func (c *clients) tls(cfg *config.Server) *tls.Config {
	return &tls.Config{MinVersion: tlsVersion(cfg.Login.MinTLS), GetCertificate: c.certificate, CipherSuites: tlsid.Suites()}
}

func (c *clients) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.secure.Load().GetCertificate(hello)
}
