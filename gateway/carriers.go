package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"go.uber.org/zap"

	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/deflate"
	"sallyport/links/dtls"
	"sallyport/links/hf"
	"sallyport/links/s2s"
	"sallyport/links/x2x"
	"sallyport/peering"
)

// bearer is one link to one peer, as a dispatcher uses it.
type bearer interface {
	links.Outlet
	links.Turns
	// giveBack takes the room of a Reserve that no Deliver will follow.
	giveBack(local, remote jid.JID)
	inboundOnly() bool
	profile() links.Profile
}

// ownLink is a link of package x2x or dtls.
type ownLink interface {
	links.Outlet
	links.Turns
	Unreserve()
	Status() links.Status
}

// zeroHandshake is one of these, with what the configuration says of it.
type zeroHandshake struct {
	ownLink
	inbound bool
	like    links.Profile
}

func (z zeroHandshake) giveBack(_, _ jid.JID)  { z.Unreserve() }
func (z zeroHandshake) inboundOnly() bool      { return z.inbound }
func (z zeroHandshake) profile() links.Profile { return z.like }

// streams is the server-to-server link, for a peer that is sent to from the spool. It connects when there is something to send, so
// that it always takes, and it has no turns: what it says is that nothing was written, or that nobody knows.
type streams struct{ link }

func (s streams) Turn() uint64                   { return 1 }
func (s streams) giveBack(local, remote jid.JID) { s.Unreserve(local, remote) }
func (s streams) inboundOnly() bool              { return false }
func (s streams) profile() links.Profile         { return links.Profile{} }

// carriers are all links but the server-to-server one.
type carriers struct {
	*x2x.Set
	datagrams *datagrams
	radios    *radioLinks
}

// carrierConfigs are the configurations of all of them.
type carrierConfigs struct {
	streams   []x2x.Config
	datagrams []datagramConfig
	radios    []radioConfig
	policy    *peering.Policy
}

func carriersOf(cfg *config.Config, policy *peering.Policy) (out carrierConfigs, err error) {
	if out.streams, err = x2xConfigs(cfg, policy); err != nil {
		return out, err
	}
	out.policy = policy
	if out.datagrams, err = datagramConfigs(cfg); err != nil {
		return out, err
	}
	out.radios, err = radioConfigs(cfg)
	return out, err
}

// makeCarriers makes the links of a configuration. Nothing runs yet.
func (g *Gateway) makeCarriers(cfg *config.Config, policy *peering.Policy, env x2x.Env) error {
	cfgs, err := carriersOf(cfg, policy)
	if err != nil {
		return err
	}
	env.Log, env.Observer, env.Watcher, env.Custodian = g.log, (*observer)(g), g.depot, g.depot
	set, err := x2x.New(cfgs.streams, g, env)
	if err != nil {
		return err
	}
	over := dtls.LinkEnv{Log: g.log, Custodian: g.depot, Watcher: g.depot, Observer: (*observer)(g)}
	radio := hf.Env{Custodian: g.depot, Watcher: g.depot, Observer: newRadioObserver((*observer)(g))}
	if env.Dial != nil {
		radio.Network.Dial = func(ctx context.Context, address string) (net.Conn, error) { return env.Dial(ctx, "tcp", address) }
	}
	radios, err := newRadioLinks(cfgs, g.state, g, radio, g.log)
	if err != nil {
		return err
	}
	g.carriers = carriers{set, newDatagrams(cfgs, g, over), radios}
	return nil
}

// named returns the link of that name, or nil.
func (c carriers) named(name string) ownLink {
	if l := c.Link(name); l != nil {
		return l
	}
	if l := c.datagrams.link(name); l != nil {
		return l
	}
	if l := c.radios.link(name); l != nil {
		return l
	}
	return nil
}

// all returns every link, by name.
func (c carriers) all() (out []ownLink) {
	for _, l := range c.Links() {
		out = append(out, l)
	}
	for _, l := range c.datagrams.running() {
		out = append(out, l)
	}
	for _, l := range c.radios.all() {
		out = append(out, l)
	}
	slices.SortStableFunc(out, func(a, b ownLink) int { return strings.Compare(a.Status().Name, b.Status().Name) })
	return out
}

func (c carriers) start(ctx context.Context) error {
	if err := c.Start(ctx); err != nil {
		return err
	}
	if err := c.datagrams.start(ctx); err != nil {
		return err
	}
	c.radios.start()
	return nil
}

func (c carriers) prepare(cfgs carrierConfigs) (use, drop func(), err error) {
	streams, drop, err := c.Prepare(cfgs.streams)
	if err != nil {
		return nil, nil, err
	}
	return func() {
		streams()
		c.datagrams.use(cfgs)
		c.radios.use(cfgs)
	}, drop, nil
}

func (c carriers) shutdown(ctx context.Context) error {
	c.radios.shutdown()
	return errors.Join(c.datagrams.shutdown(), c.Shutdown(ctx))
}

// x2xConfigs makes the configuration of the zero-handshake links, files included.
func x2xConfigs(cfg *config.Config, policy *peering.Policy) ([]x2x.Config, error) {
	store, err := tlsid.OpenStore(identityFiles(cfg))
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	var out []x2x.Config
	for i := range cfg.Links {
		l := &cfg.Links[i]
		if l.Kind != config.KindX2X {
			continue
		}
		one, err := x2xConfig(cfg, l, policy, store)
		if err != nil {
			return nil, fmt.Errorf("link %s: %w", l.Name, err)
		}
		out = append(out, one)
	}
	return out, nil
}

func x2xConfig(cfg *config.Config, l *config.Link, policy *peering.Policy, store *tlsid.Store) (x2x.Config, error) {
	p := cfg.Peer(l.Peer)
	if p == nil {
		return x2x.Config{}, fmt.Errorf("no peer %q", l.Peer)
	}
	mode, err := x2x.ParseMode(string(l.Framing))
	if err != nil {
		return x2x.Config{}, err
	}
	side := p.Side
	out := x2x.Config{
		Name: l.Name, Side: side, Mode: mode, Profile: profileOf(l), Listen: l.Listen, Keys: store.Keys(),
		Peer:          x2x.Peer{Name: p.Name, Domains: patterns(p.Domains), SpeaksFor: patterns(p.SpeaksFor)},
		Hosts:         func(domain jid.JID) bool { return hosts(policy, side, domain) },
		DefaultDomain: defaultDomain(cfg, side), CertificateName: l.CertificateName, MaxStanzaBytes: int(l.MaxStanzaBytes),
	}
	for _, t := range l.Connect {
		out.Connect = append(out.Connect, resolve.Target{Host: t.Host, Port: t.Port, Direct: true, Static: true})
	}
	for _, n := range l.From {
		out.From = append(out.From, n.Prefix)
	}
	switch l.Security {
	case config.LinkTLS:
		out.Security = x2x.TLS
		out.Identity = tlsid.Policy{Trust: store.Trust(side), Usage: usage(p.Usage), MinTLS: tls.VersionTLS13, Pins: l.Pins}
	case config.LinkClear:
		out.Security = x2x.Clear
	}
	out.Compression, err = compression(l)
	return out, err
}

func compression(l *config.Link) (*deflate.Config, error) {
	var out deflate.Config
	switch l.Compression {
	case config.CompressNone:
		return nil, nil //nolint:nilnil // none is configured
	case config.CompressShared:
		out.Context = deflate.Shared
	case config.CompressFresh:
		out.Context = deflate.Fresh
	}
	if l.Dictionary == "" {
		return &out, nil
	}
	text, err := os.ReadFile(string(l.Dictionary))
	if err == nil {
		out.Dictionary, err = deflate.NewDictionary(text)
	}
	return &out, err
}

func profileOf(l *config.Link) links.Profile {
	p := links.Profile{
		BitsPerSecond: int64(l.BitsPerSecond), RoundTrip: l.RoundTrip, HalfDuplex: l.HalfDuplex, KeepAlive: l.KeepAlive,
		IdleClose: l.Idle, Patience: l.Patience, Compressed: l.Compression != config.CompressNone,
	}
	for lane, b := range []config.Budget{l.Budget.Routine, l.Budget.Priority, l.Budget.Immediate} {
		p.Budgets[lane] = links.Budget{Bytes: int(b.Bytes), Period: b.Period}
		if b.Percent > 0 {
			p.Budgets[lane] = p.AirTime(float64(b.Percent) / 100)
		}
	}
	for _, w := range l.Windows {
		p.Windows = append(p.Windows, links.Window(w))
	}
	return p
}

// linkFloors are what links of their own security must have proved.
func linkFloors(cfg *config.Config) map[string]*peering.Floor {
	floors := make(map[string]*peering.Floor)
	for i := range cfg.Links {
		l := &cfg.Links[i]
		switch {
		case l.IsS2S():
		case l.Security == config.LinkClear, l.Kind == config.KindHF:
			floors[l.Name] = &peering.Floor{Methods: []peering.Method{peering.SourceAddress}}
		case l.SharedKey != "":
			floors[l.Name] = &peering.Floor{Methods: []peering.Method{peering.SharedKey}}
		default:
			floors[l.Name] = &peering.Floor{Methods: []peering.Method{peering.External}, MinTLS: tls.VersionTLS12, Pinned: len(l.Pins) > 0}
		}
	}
	return floors
}

// Incident implements x2x.Observer: what links note goes the way of all such notes.
func (o *observer) Incident(i x2x.Incident) {
	e := s2s.Event{
		Kind: i.Kind, Link: i.Link, Side: i.Side, Peer: i.Peer, Address: i.Address, Reason: i.Reason, Detail: i.Detail, Bytes: i.Bytes,
	}
	o.Observe(e)
}

// noteSecurity writes down something about a peer that is no decision.
func (g *Gateway) noteSecurity(kind, link, peer, what string) {
	g.log.Warn("a peer needs a look", zap.String("kind", kind), zap.String("link", link), zap.String("peer", peer), zap.String("what", what))
	rec := audit.Record{
		Kind: audit.SecurityEvent, Time: g.now(), Node: g.node, Link: link, FromPeer: peer, Rule: kind, Reason: what, Outcome: "noted",
	}
	if _, err := g.audit.Append(&rec, nil, 0); err != nil {
		g.auditDown(err)
	}
}
