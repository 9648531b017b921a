package scenario

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"

	"sallyport/testbed/peers"
)

// alpn is the protocol name of direct TLS between servers (XEP-0368 §2.1).
const alpn = "xmpp-server"

// DirectTLS makes both servers listen for direct TLS too.
func DirectTLS() Setup {
	direct := func(s *peers.Settings, _ *peers.CA) error {
		s.DirectTLS = true
		return nil
	}
	return Setup{Peers: peers.Options{Prosody: direct, Ejabberd: direct}}
}

// TappedGateway speaks direct TLS with both servers, each way through a tap.
type TappedGateway struct {
	*Gateway
	taps []*peers.Tap
}

var _ Middle = (*TappedGateway)(nil)

// Tapped makes a TappedGateway.
func Tapped(o GatewayOptions) Middle { return &TappedGateway{Gateway: &Gateway{Options: o}} }

// Start implements Middle.
func (g *TappedGateway) Start(b *peers.Bed) error {
	inside, outside := g.Options.listen(b)
	for i, to := range []netip.AddrPort{b.Prosody.DirectServers(), b.Ejabberd.DirectServers(), inside.Direct, outside.Direct} {
		tap, err := peers.ListenTap(netip.AddrPortFrom(b.Spare(byte(i)), to.Port()), to)
		if err != nil {
			return err
		}
		g.taps = append(g.taps, tap)
	}
	g.Options.Inside = both(g.Options.Inside, by(g.taps[0].Addr))
	g.Options.Outside = both(g.Options.Outside, by(g.taps[1].Addr))
	if err := g.setUp(b); err != nil {
		return err
	}
	b.PublishDirectTLS(g.taps[2].Addr, g.taps[3].Addr)
	return nil
}

// Close implements Middle.
func (g *TappedGateway) Close() error { return errors.Join(g.Gateway.Close(), closeTaps(g.taps)) }

func closeTaps(taps []*peers.Tap) error {
	var all []error
	for _, t := range taps {
		all = append(all, t.Close())
	}
	return errors.Join(all...)
}

// by sends what is for a peer to an address with direct TLS.
func by(at netip.AddrPort) func(*PeerOptions) {
	return func(p *PeerOptions) { p.Route, p.DirectTLS = at, true }
}

// both applies two changes, the first of which may be nil.
func both(first, second func(*PeerOptions)) func(*PeerOptions) {
	return func(p *PeerOptions) {
		if first != nil {
			first(p)
		}
		second(p)
	}
}

// directTLS: messages cross both ways, on four legs that all speak TLS from the first byte, name the domain that is
// called, and the protocol (XEP-0368 §2.1).
func directTLS(t *testing.T, w *World) {
	messagesBothWays(t, w)
	g, ok := w.Middle.(*TappedGateway)
	if !ok {
		t.Fatal("nobody listens on the wire")
	}
	inside, outside := w.Bed.Prosody.Domain, w.Bed.Ejabberd.Domain
	for i, leg := range []struct{ name, calls string }{
		{"gateway to Prosody", inside},
		{"gateway to ejabberd", outside},
		{"Prosody to gateway", outside},
		{"ejabberd to gateway", inside},
	} {
		wantDirect(t, leg.name, g.taps[i], leg.calls)
	}
	for _, peer := range []string{insidePeer, outsidePeer} {
		shown, err := g.Peer(peer)
		if err != nil {
			t.Fatal(err)
		}
		if len(shown.Open) < 2 {
			t.Errorf("%d streams with %s, want one each way", len(shown.Open), peer)
		}
		for _, s := range shown.Open {
			if s.Proof != "external" {
				t.Errorf("a stream with %s is proven by %q", peer, s.Proof)
			}
		}
	}
	_, at := g.Options.listen(w.Bed)
	wantProtocol(t, at.Direct, inside)
}

// wantDirect checks every connection on a tap.
func wantDirect(t *testing.T, leg string, tap *peers.Tap, domain string) {
	t.Helper()
	hellos := tap.Hellos()
	if len(hellos) == 0 {
		t.Errorf("%s: no connection", leg)
	}
	for _, h := range hellos {
		if !h.TLS || h.ServerName != domain || !slices.Equal(h.Protocols, []string{alpn}) {
			t.Errorf("%s: began with %+v, want TLS to %q for %q", leg, h, domain, alpn)
		}
	}
}

// wantProtocol calls the gateway by hand: with the right protocol it answers with it, with another it hangs up (RFC 7301 §3.2).
func wantProtocol(t *testing.T, at netip.AddrPort, domain string) {
	t.Helper()
	for _, c := range []struct {
		offer  []string
		chosen string
		fails  bool
	}{
		{offer: []string{alpn}, chosen: alpn},
		{offer: []string{"xmpp-client", alpn}, chosen: alpn},
		{offer: nil}, // old servers name none
		{offer: []string{"h2", "http/1.1"}, fails: true},
	} {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: Patience}, "tcp", at.String(), &tls.Config{
			ServerName: domain, NextProtos: c.offer, MinVersion: tls.VersionTLS12,
			InsecureSkipVerify: true, // who it is is not asked here
		})
		if err != nil {
			if !c.fails {
				t.Errorf("%q: %v", c.offer, err)
			}
			continue
		}
		state := conn.ConnectionState()
		if c.fails || state.NegotiatedProtocol != c.chosen {
			t.Errorf("%q: accepted with %q", c.offer, state.NegotiatedProtocol)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}
