package scenario

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sallyport/gateway/control"
	"sallyport/testbed/peers"
)

// TwoGateways stand behind each other between the servers and speak direct TLS with each other, through a tap each way.
type TwoGateways struct {
	*Gateway // the inner one
	far      *Gateway
	taps     []*peers.Tap // to the far one, to the inner one
}

var _ Middle = (*TwoGateways)(nil)

// Two makes TwoGateways.
func Two(o GatewayOptions) Middle {
	far := o
	far.Far = true
	return &TwoGateways{Gateway: &Gateway{Options: o}, far: &Gateway{Options: far}}
}

// Start implements Middle.
func (g *TwoGateways) Start(b *peers.Bed) error {
	nearIn, nearOut := g.Options.listen(b)
	farIn, farOut := g.far.Options.listen(b)
	for i, to := range []netip.AddrPort{farIn.Direct, nearOut.Direct} {
		tap, err := peers.ListenTap(netip.AddrPortFrom(b.Spare(byte(i)), to.Port()), to)
		if err != nil {
			return err
		}
		g.taps = append(g.taps, tap)
	}
	g.Options.Outside = both(g.Options.Outside, by(g.taps[0].Addr))
	g.far.Options.Inside = both(g.far.Options.Inside, by(g.taps[1].Addr))
	if err := errors.Join(g.setUp(b), g.far.setUp(b)); err != nil {
		return err
	}
	b.PublishThrough(nearIn.StartTLS, farOut.StartTLS)
	return nil
}

// Close implements Middle.
func (g *TwoGateways) Close() error {
	return errors.Join(g.Gateway.Close(), g.far.Close(), closeTaps(g.taps))
}

// twoGateways: people meet through two gateways, which speak TLS 1.3 from the first byte with each other, both with
// certificates, on streams that carry both directions under stream management.
func twoGateways(t *testing.T, w *World) {
	messagesBothWays(t, w)
	presenceSubscription(t, w)
	roomsAcross(t, w)
	g, ok := w.Middle.(*TwoGateways)
	if !ok {
		t.Fatal("there are no two gateways")
	}
	if len(g.taps[0].Hellos())+len(g.taps[1].Hellos()) == 0 {
		t.Error("the gateways do not speak with each other")
	}
	for i, way := range []string{"outward", "inward"} {
		for _, h := range g.taps[i].Hellos() {
			if !h.TLS || !slices.Equal(h.Protocols, []string{alpn}) {
				t.Errorf("%s: began with %+v, want TLS for %q", way, h, alpn)
			}
		}
	}
	shown, err := g.Peer(outsidePeer)
	if err != nil {
		t.Fatal(err)
	}
	if len(shown.Open) == 0 {
		t.Error("no stream between the gateways")
	}
	for _, s := range shown.Open {
		if s.Proof != "external" || !strings.HasPrefix(s.TLS, "TLS 1.3") || !s.Management {
			t.Errorf("a stream between the gateways is %+v", s)
		}
	}
	if !slices.ContainsFunc(shown.Open, func(s control.StreamStatus) bool { return s.Direction == "both" }) {
		t.Errorf("no stream between the gateways carries both directions: %+v", shown.Open)
	}
}
