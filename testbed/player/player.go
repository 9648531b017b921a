package player

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
	"sallyport/labels"
	"sallyport/links"
	"sallyport/links/s2s"
	"sallyport/peering"
)

// endTime is for streams to close in order.
const endTime = 30 * time.Second

// glance is the time between two looks at something that will happen soon.
const glance = 10 * time.Millisecond

// Options are a player. All are needed.
type Options struct {
	Name   string         // for errors
	Domain string         // its own
	Other  string         // the domain that its users write to
	Listen netip.AddrPort // for the gateway
	Node   netip.AddrPort // where the gateway listens

	Cert, Key, CA         string // files
	Labels                *labels.Policy
	Clearance, Unlabelled string // files: of everybody, and the label of what has none
}

// Player is one domain. Its methods are safe for concurrent use.
type Player struct {
	opts   Options
	domain jid.JID
	other  jid.JID
	link   *s2s.Link
	engine *peering.Engine
	serial atomic.Uint64
	mail   mailbox
	sent   sync.Map // id -> *xmlstream.Element that left
	failed chan error
}

var (
	_ links.Sink     = (*Player)(nil)
	_ links.Reporter = (*Player)(nil)
)

// New makes a player that does nothing before Start.
func New(o Options) (*Player, error) {
	p := &Player{opts: o, failed: make(chan error, 8)}
	if err := p.prepare(); err != nil {
		return nil, fmt.Errorf("player %s: %w", o.Name, err)
	}
	return p, nil
}

func (p *Player) prepare() error {
	policy, err := p.opts.permissive()
	if err != nil {
		return err
	}
	p.engine = peering.NewEngine(policy)
	if p.domain, err = jid.ParseDomain(p.opts.Domain); err != nil {
		return err
	}
	if p.other, err = jid.ParseDomain(p.opts.Other); err != nil {
		return err
	}
	cfg, err := p.config()
	if err != nil {
		return err
	}
	p.link, err = s2s.New(cfg, p, s2s.Env{})
	return err
}

func (p *Player) config() (s2s.Config, error) {
	const trust = "demo"
	store, err := tlsid.OpenStore(tlsid.StoreSpec{
		Keys:  []tlsid.KeyPair{{CertFile: p.opts.Cert, KeyFile: p.opts.Key, Default: true}},
		Trust: map[string]tlsid.TrustSpec{trust: {AnchorFiles: []string{p.opts.CA}}},
	})
	if err != nil {
		return s2s.Config{}, err
	}
	return s2s.Config{
		Name: linkName, Keys: store.Keys(),
		Sides: []s2s.Side{{
			Name: world, Listen: []netip.AddrPort{p.opts.Listen}, DefaultDomain: p.domain,
			Hosts: func(d jid.JID) bool { return d == p.domain },
		}},
		Peers: []s2s.Peer{{
			Name: world, Side: world, Domains: []peering.Pattern{peering.Pattern(p.other.Domain())},
			Proofs: s2s.Proofs{External: true}, Identity: tlsid.Policy{Trust: store.Trust(trust)},
			Route: []resolve.Target{{Host: p.opts.Node.Addr().String(), Port: p.opts.Node.Port(), Static: true}},
			Bidi:  true, StreamManagement: true,
		}},
	}, nil
}

// Start listens.
func (p *Player) Start(ctx context.Context) error {
	if err := p.link.Start(ctx); err != nil {
		return fmt.Errorf("player %s: %w", p.opts.Name, err)
	}
	return nil
}

// Close ends the streams in order, for a while.
func (p *Player) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	if err := p.link.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("player %s: %w", p.opts.Name, err)
	}
	return nil
}

// Domain is its own, Other that of those its users write to.
func (p *Player) Domain() jid.JID { return p.domain }

// Other is the domain that its users write to.
func (p *Player) Other() jid.JID { return p.other }

// Node is where its gateway listens.
func (p *Player) Node() netip.AddrPort { return p.opts.Node }

// Streams is how many streams with the gateway are up.
func (p *Player) Streams() (n int) {
	for _, s := range p.link.Status().Streams {
		if s.Ready {
			n++
		}
	}
	return n
}

// Send judges a stanza by the player's own policy and hands it to his link. It returns what leaves.
func (p *Player) Send(ctx context.Context, s stanza.Stanza) (*xmlstream.Element, error) {
	v := p.engine.Judge(&peering.Arrival{
		Stanza: s, Link: linkName, Peer: home, Domain: p.domain, LocalDomain: p.other, Time: time.Now(), Node: p.opts.Name,
		Serial: p.serial.Add(1), Proof: peering.Proof{Method: peering.Local},
		Facts: peering.Facts{Awaited: peering.AwaitedIQ{Found: s.IsResponse()}, Asked: true},
	})
	r, ok := v.Released()
	if !ok {
		return nil, fmt.Errorf("player %s does not send %s: %s: %s", p.opts.Name, s.ID(), v.Refusal.Reason, v.Refusal.Detail)
	}
	if err := p.link.Reserve(ctx, r.Local(), r.Remote(), 0); err != nil {
		return nil, err
	}
	p.sent.Store(s.ID(), r.Element())
	p.link.Deliver(links.Consignment{Released: r, Reporter: p})
	return r.Element(), nil
}

// Sent is what left under that id, answers included; nil for nothing.
func (p *Player) Sent(id string) *xmlstream.Element {
	e, _ := p.sent.Load(id)
	left, _ := e.(*xmlstream.Element)
	return left
}

// Report hears what became of a delivery to the node; only trouble is news.
func (p *Player) Report(_ uint64, d links.Disposition, cause error) {
	switch d {
	case links.Delivered:
	case links.Unknown, links.Failed, links.InDoubt, links.Expired, links.Returned:
		select {
		case p.failed <- fmt.Errorf("the node did not take what %s sent (%v): %w", p.opts.Name, d, cause):
		default: // enough is known already
		}
	}
}

// Accept takes what the node delivers: keeps it for whoever waits, and answers requests as a server would.
func (p *Player) Accept(ctx context.Context, in links.Inbound) {
	in.Settle()
	if in.Malformed != nil {
		return
	}
	p.mail.put(in.Stanza)
	if !in.Stanza.IsRequest() {
		return
	}
	if _, err := p.Send(ctx, answer(in.Stanza)); err != nil {
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

// Received is everything that has arrived so far.
func (p *Player) Received() []stanza.Stanza {
	p.mail.mu.Lock()
	defer p.mail.mu.Unlock()
	return append([]stanza.Stanza(nil), p.mail.list...)
}

// Receive waits until a stanza that is meant has arrived.
func (p *Player) Receive(ctx context.Context, meant func(stanza.Stanza) bool) (stanza.Stanza, error) {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		select {
		case err := <-p.failed:
			return stanza.Stanza{}, err
		default:
		}
		if got, ok := p.mail.find(meant); ok {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return stanza.Stanza{}, ctx.Err()
		case <-tick.C:
		}
	}
}
