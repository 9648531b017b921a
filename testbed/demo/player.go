package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/s2s"
	"sallyport/peering"
)

// player is one domain: a server with one user, who writes to the other domain.
type player struct {
	name   string // inside, outside
	peer   string // what the node calls it
	domain jid.JID
	other  jid.JID
	node   netip.AddrPort // where the node listens for it
	cert   string         // name of its certificate
	link   *s2s.Link
	engine *peering.Engine
	serial atomic.Uint64
	mail   mailbox
	sent   sync.Map // id -> *xmlstream.Element that left
	failed chan error
}

var (
	_ links.Sink     = (*player)(nil)
	_ links.Reporter = (*player)(nil)
)

// castOf makes the two players that the configuration expects.
func castOf(st *state) (inside, outside *player, err error) {
	if inside, err = newPlayer(st, "inside", insidePeer, insideDomain, outsideDomain); err != nil {
		return nil, nil, fmt.Errorf("player inside: %w", err)
	}
	if outside, err = newPlayer(st, "outside", outsidePeer, outsideDomain, insideDomain); err != nil {
		return nil, nil, fmt.Errorf("player outside: %w", err)
	}
	return inside, outside, nil
}

func newPlayer(st *state, name, peer, own, other string) (*player, error) {
	policy, err := permissive(st, own, other)
	if err != nil {
		return nil, err
	}
	p := &player{name: name, peer: peer, cert: name, engine: peering.NewEngine(policy), failed: make(chan error, 8)}
	if p.domain, err = jid.ParseDomain(own); err != nil {
		return nil, err
	}
	if p.other, err = jid.ParseDomain(other); err != nil {
		return nil, err
	}
	own1, err := p.addresses(st)
	if err != nil {
		return nil, err
	}
	cfg, err := p.config(st, own1)
	if err != nil {
		return nil, err
	}
	p.link, err = s2s.New(cfg, p, s2s.Env{})
	return p, err
}

// addresses finds where the player is expected to listen, and notes where the node does.
func (p *player) addresses(st *state) (own netip.AddrPort, err error) {
	for i := range st.cfg.Peers {
		c := &st.cfg.Peers[i]
		if c.Name != p.peer {
			continue
		}
		for j := range st.cfg.Sides {
			if s := &st.cfg.Sides[j]; s.Name == c.Side && len(s.Listen) > 0 {
				p.node = s.Listen[0]
			}
		}
		if len(c.Route) > 0 {
			addr, err := netip.ParseAddr(c.Route[0].Host)
			if err != nil {
				return own, fmt.Errorf("the route of peer %s has to be an IP address for the demonstration: %w", c.Name, err)
			}
			own = netip.AddrPortFrom(addr, c.Route[0].Port)
		}
	}
	if !own.IsValid() || !p.node.IsValid() {
		return own, fmt.Errorf("%s has no peer %s with a route, on a side that listens", shown(st.config), p.peer)
	}
	return own, nil
}

func (p *player) config(st *state, own netip.AddrPort) (s2s.Config, error) {
	const trust = "demo"
	store, err := tlsid.OpenStore(tlsid.StoreSpec{
		Keys:  []tlsid.KeyPair{{CertFile: st.path("certs", p.cert+".pem"), KeyFile: st.path("certs", p.cert+".key"), Default: true}},
		Trust: map[string]tlsid.TrustSpec{trust: {AnchorFiles: []string{st.path("certs", "ca.pem")}}},
	})
	if err != nil {
		return s2s.Config{}, err
	}
	return s2s.Config{
		Name: linkName, Keys: store.Keys(),
		Sides: []s2s.Side{{
			Name: world, Listen: []netip.AddrPort{own}, DefaultDomain: p.domain,
			Hosts: func(d jid.JID) bool { return d == p.domain },
		}},
		Peers: []s2s.Peer{{
			Name: world, Side: world, Domains: []peering.Pattern{peering.Pattern(p.other.Domain())},
			Proofs: s2s.Proofs{External: true}, Identity: tlsid.Policy{Trust: store.Trust(trust)},
			Route: []resolve.Target{{Host: p.node.Addr().String(), Port: p.node.Port(), Static: true}},
			Bidi:  true, StreamManagement: true,
		}},
	}, nil
}

func (p *player) start(ctx context.Context) error {
	if err := p.link.Start(ctx); err != nil {
		return fmt.Errorf("player %s: %w", p.name, err)
	}
	return nil
}

func (p *player) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	if err := p.link.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("player %s: %w", p.name, err)
	}
	return nil
}

// send judges a stanza by the player's own policy and hands it to his link. It returns what leaves.
func (p *player) send(ctx context.Context, s stanza.Stanza) (*xmlstream.Element, error) {
	v := p.engine.Judge(&peering.Arrival{
		Stanza: s, Link: linkName, Peer: home, Domain: p.domain, LocalDomain: p.other, Time: time.Now(), Node: p.name,
		Serial: p.serial.Add(1), Proof: peering.Proof{Method: peering.Local},
		Facts: peering.Facts{Awaited: peering.AwaitedIQ{Found: s.IsResponse()}, Asked: true},
	})
	r, ok := v.Released()
	if !ok {
		return nil, fmt.Errorf("player %s does not send %s: %s: %s", p.name, s.ID(), v.Refusal.Reason, v.Refusal.Detail)
	}
	if err := p.link.Reserve(ctx, r.Local(), r.Remote(), 0); err != nil {
		return nil, err
	}
	p.sent.Store(s.ID(), r.Element())
	p.link.Deliver(links.Consignment{Released: r, Reporter: p})
	return r.Element(), nil
}

// Report hears what became of a delivery to the node; only trouble is news.
func (p *player) Report(_ uint64, d links.Disposition, cause error) {
	switch d {
	case links.Delivered:
	case links.Unknown, links.Failed, links.InDoubt, links.Expired:
		select {
		case p.failed <- fmt.Errorf("the node did not take what %s sent (%v): %w", p.name, d, cause):
		default: // enough is known already
		}
	}
}

// Accept takes what the node delivers: keeps it for whoever waits, and answers requests as a server would.
func (p *player) Accept(ctx context.Context, in links.Inbound) {
	in.Settle()
	if in.Malformed != nil {
		return
	}
	p.mail.put(in.Stanza)
	if !in.Stanza.IsRequest() {
		return
	}
	if _, err := p.send(ctx, answer(in.Stanza)); err != nil {
		p.Report(0, links.Failed, err)
	}
}

// mailbox keeps what has arrived.
type mailbox struct {
	mu   sync.Mutex
	list []stanza.Stanza
}

func (m *mailbox) put(s stanza.Stanza) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, s)
}

func (m *mailbox) find(meant func(stanza.Stanza) bool) (stanza.Stanza, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.list {
		if meant(s) {
			return s, true
		}
	}
	return stanza.Stanza{}, false
}

// receive waits until a stanza that is meant has arrived.
func (p *player) receive(ctx context.Context, meant func(stanza.Stanza) bool) (got stanza.Stanza, err error) {
	err = look(ctx, func() (bool, error) {
		select {
		case err := <-p.failed:
			return false, err
		default:
		}
		var ok bool
		got, ok = p.mail.find(meant)
		return ok, nil
	})
	return got, err
}
