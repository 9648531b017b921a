package main

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	contract "sallyport/links"
	"sallyport/links/deflate"
	"sallyport/links/dtls"
	"sallyport/links/s2s"
	"sallyport/links/x2x"
	"sallyport/peering"
	"sallyport/testbed/badnet"
)

// heard is the receiving side of a link, and the custodian where there is custody: what arrived counts as committed.
type heard struct {
	epoch   uint64
	arrived chan struct{}
	settled chan contract.Disposition
}

func newHeard(epoch uint64) *heard {
	return &heard{epoch: epoch, arrived: make(chan struct{}, 1000), settled: make(chan contract.Disposition, 1000)}
}

var (
	_ contract.Custodian = (*heard)(nil)
	_ contract.Reporter  = (*heard)(nil)
)

// Accept implements links.Sink.
func (h *heard) Accept(_ context.Context, in contract.Inbound) {
	if in.Malformed == nil {
		h.arrived <- struct{}{}
	}
	in.Settle()
}

// Report implements links.Reporter.
func (h *heard) Report(_ uint64, d contract.Disposition, _ error) { h.settled <- d }

// Epoch implements links.Custodian.
func (h *heard) Epoch() uint64 { return h.epoch }

// Marks implements links.Custodian.
func (h *heard) Marks(string) []contract.Mark { return nil }

// Greeted implements links.Custodian.
func (h *heard) Greeted(_, _ string, _ uint64, _ []contract.Mark) {}

// end is one end of a pair of links.
type end struct {
	*heard
	outlet contract.Outlet
	number uint64
}

// pair is two gateways' links over a bad network. Each end sends with its own outlet.
type pair struct {
	near, far *end
	status    func() contract.Status // of the near end, for links that close themselves; or nil
	close     func()
}

// send delivers one chat without waiting for it.
func (e *end) send(ctx context.Context, r peering.Released) error {
	if err := e.outlet.Reserve(ctx, r.Local(), r.Remote(), 500); err != nil {
		return err
	}
	e.number++
	c := contract.Consignment{Released: r, Reporter: e, Frame: contract.Frame{Epoch: e.epoch, Number: e.number}}
	if turns, ok := e.outlet.(contract.Turns); ok {
		for c.Turn = turns.Turn(); c.Turn == 0 && ctx.Err() == nil; c.Turn = turns.Turn() {
			pause(ctx, 10*time.Millisecond)
		}
	}
	e.outlet.Deliver(c)
	return nil
}

// pairWay is a kind of link between two gateways.
type pairWay struct {
	name    string
	custody bool
	open    func(ctx context.Context, id *linkIdentity, n *badnet.Net) (*pair, error)
}

// sideOf is what both kinds of end need of a side.
func sideOf(s badnet.Side) (own, other string, far badnet.Side) {
	if s == badnet.Near {
		return nearDomain, farDomain, badnet.Far
	}
	return farDomain, nearDomain, badnet.Near
}

func dialIn(n *badnet.Net, s badnet.Side) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (c net.Conn, err error) {
		err = n.Do(s, func() (e error) { c, e = new(net.Dialer).DialContext(ctx, network, address); return e })
		return c, err
	}
}

func listenIn(n *badnet.Net, s badnet.Side) func(context.Context, string, string) (net.Listener, error) {
	return func(ctx context.Context, network, address string) (l net.Listener, err error) {
		err = n.Do(s, func() (e error) { l, e = new(net.ListenConfig).Listen(ctx, network, address); return e })
		return l, err
	}
}

// openStreams makes standard server-to-server links: STARTTLS, static addresses (no DNS), no stream management, nothing pinged.
func openStreams(proofs s2s.Proofs, bidi bool) func(context.Context, *linkIdentity, *badnet.Net) (*pair, error) {
	return func(ctx context.Context, id *linkIdentity, n *badnet.Net) (*pair, error) {
		var all []*s2s.Link
		open := func(s badnet.Side, epoch uint64) (*end, error) {
			own, other, far := sideOf(s)
			name, _, _ := cutDomain(other)
			e := &end{heard: newHeard(epoch)}
			l, err := s2s.New(s2s.Config{
				Name: linkName, Secret: "secret of " + own, Keys: id.keys,
				Sides: []s2s.Side{{
					Name: "net", Listen: []netip.AddrPort{netip.AddrPortFrom(s.Address(), linkPort)}, DefaultDomain: jid.MustParse(own),
					Hosts: func(d jid.JID) bool { return d.Domain() == own },
				}},
				Peers: []s2s.Peer{{
					Name: name, Side: "net", Domains: []peering.Pattern{peering.Pattern(other)}, Proofs: proofs, Identity: tlsid.Policy{Trust: id.trust},
					Route: []resolve.Target{{Host: far.Address().String(), Port: linkPort, Static: true}}, Bidi: bidi, Confirm: s2s.ConfirmNone,
				}},
			}, e.heard, s2s.Env{Dial: dialIn(n, s), Listen: listenIn(n, s)})
			if err != nil {
				return nil, err
			}
			all = append(all, l)
			e.outlet = l
			return e, l.Start(ctx)
		}
		return both(open, nil, func(ctx context.Context) {
			for _, l := range all {
				_ = l.Shutdown(ctx) // the measurement is over
			}
		})
	}
}

// both opens the two ends.
func both(open func(badnet.Side, uint64) (*end, error), status func() contract.Status, shut func(context.Context)) (*pair, error) {
	p := &pair{status: status}
	p.close = sync.OnceFunc(func() {
		ctx, stop := context.WithCancel(context.Background())
		stop() // at once
		shut(ctx)
	})
	var err error
	if p.far, err = open(badnet.Far, 2); err == nil {
		p.near, err = open(badnet.Near, 1)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// zero is how a zero-handshake link departs from clear text with custody.
type zero struct {
	mode        x2x.Mode
	security    x2x.Security
	compression *deflate.Config
}

// chatIdle is when links that close themselves do so here: after chats have been counted, and before anybody loses patience.
const chatIdle = 8 * time.Second

// openZero makes zero-handshake links over TCP, which the near end opens for the first stanza.
func openZero(z zero) func(context.Context, *linkIdentity, *badnet.Net) (*pair, error) {
	return func(ctx context.Context, id *linkIdentity, n *badnet.Net) (*pair, error) {
		var all []*x2x.Set
		open := func(s badnet.Side, epoch uint64) (*end, error) {
			own, other, far := sideOf(s)
			name, _, _ := cutDomain(other)
			e := &end{heard: newHeard(epoch)}
			cfg := x2x.Config{
				Name: linkName, Side: "net", Peer: x2x.Peer{Name: name, Domains: []peering.Pattern{peering.Pattern(other)}},
				Hosts: func(d jid.JID) bool { return d.Domain() == own }, DefaultDomain: jid.MustParse(own), Mode: z.mode,
				Profile: contract.Profile{RoundTrip: linkTrip, IdleClose: chatIdle, Compressed: z.compression != nil}, Compression: z.compression,
				Security: z.security, Identity: tlsid.Policy{Trust: id.trust}, Keys: id.keys,
				From: []netip.Prefix{netip.PrefixFrom(far.Address(), far.Address().BitLen())},
			}
			if s == badnet.Far {
				cfg.Listen = []netip.AddrPort{netip.AddrPortFrom(s.Address(), linkPort)}
			} else {
				cfg.Connect = []resolve.Target{{Host: far.Address().String(), Port: linkPort, Direct: true, Static: true}}
			}
			set, err := x2x.New([]x2x.Config{cfg}, e.heard, x2x.Env{Custodian: e.heard, Dial: dialIn(n, s), Listen: listenIn(n, s)})
			if err != nil {
				return nil, err
			}
			all = append(all, set)
			e.outlet = set.Link(linkName)
			return e, set.Start(ctx)
		}
		return both(open, func() contract.Status { return all[1].Link(linkName).Status() }, func(ctx context.Context) {
			for _, s := range all {
				_ = s.Shutdown(ctx) // the measurement is over
			}
		})
	}
}

// openZeroDatagrams makes datagram links, which the near end opens for the first stanza.
func openZeroDatagrams(shared bool, z *deflate.Config) func(context.Context, *linkIdentity, *badnet.Net) (*pair, error) {
	return func(ctx context.Context, id *linkIdentity, n *badnet.Net) (*pair, error) {
		var links []*dtls.Link
		var endpoints []*dtls.Endpoint
		serving, cancel := context.WithCancel(ctx)
		open := func(s badnet.Side, epoch uint64) (*end, error) {
			own, other, _ := sideOf(s)
			name, _, _ := cutDomain(other)
			e := &end{heard: newHeard(epoch)}
			endpoint, err := id.endpoint(ctx, n, s, name, contract.Profile{RoundTrip: linkTrip, IdleClose: chatIdle}, shared)
			if err != nil {
				return nil, err
			}
			endpoints = append(endpoints, endpoint)
			l, err := dtls.NewLink(endpoint, dtls.LinkConfig{
				Name: linkName, Side: "net", Peer: name, Dial: s == badnet.Near, Compression: z,
				Local: func(d jid.JID) bool { return d.Domain() == own }, Remote: func(d jid.JID) bool { return d.Domain() == other },
			}, e.heard, dtls.LinkEnv{Custodian: e.heard})
			if err != nil {
				return nil, err
			}
			links = append(links, l)
			e.outlet = l
			go dtls.Serve(serving, endpoint, l)
			l.Start()
			return e, nil
		}
		return both(open, func() contract.Status { return links[1].Status() }, func(context.Context) {
			cancel()
			for _, l := range links {
				l.Shutdown()
			}
			for _, e := range endpoints {
				_ = e.Close() // the measurement is over
			}
		})
	}
}
