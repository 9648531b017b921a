package scenario

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"sallyport/testbed/peers"
)

// NamedGateway finds both servers by DNS alone.
type NamedGateway struct {
	*Gateway
	hangsUp, light, last *peers.Tap
}

var _ Middle = (*NamedGateway)(nil)

// Named makes a NamedGateway.
func Named(o GatewayOptions) Middle { return &NamedGateway{Gateway: &Gateway{Options: o}} }

// nowhere is an address to which no packet gets (RFC 6666).
var nowhere = netip.MustParseAddr("100::1")

// Start publishes for the gateway:
//
//   - Prosody's domain with services in order of priority: one where nobody listens, one that hangs up, then two that share a
//     place, of which Prosody has all the weight, and one that need not be tried;
//   - ejabberd's domain without services, with an address that leads nowhere and the right one (RFC 6120 §3.2.2);
//   - ejabberd's rooms with a service where nobody listens before the right one.
func (g *NamedGateway) Start(b *peers.Bed) error {
	refused := netip.AddrPortFrom(b.Spare(0), 5269)
	for i, tap := range []**peers.Tap{&g.hangsUp, &g.light, &g.last} {
		var err error
		if *tap, err = peers.ListenTap(netip.AddrPortFrom(b.Spare(byte(i+1)), 5269), refused); err != nil {
			return err
		}
	}
	names, inside, outside := b.Between, b.Prosody, b.Ejabberd
	for host, at := range map[string]netip.Addr{
		"dead.test": refused.Addr(), "hangs-up.test": g.hangsUp.Addr.Addr(), "light.test": g.light.Addr.Addr(), "last.test": g.last.Addr.Addr(),
		"prosody.test": inside.Addr, "ejabberd.test": outside.Addr,
	} {
		names.PublishHost(host, at)
	}
	names.PublishService(
		inside.Domain,
		peers.Service{Direct: true, Priority: 1, Host: "dead.test", Port: 5269},
		peers.Service{Direct: true, Priority: 2, Host: "hangs-up.test", Port: 5269},
		peers.Service{Direct: true, Priority: 3, Weight: 0, Host: "light.test", Port: 5269},
		peers.Service{Direct: true, Priority: 3, Weight: 65535, Host: "prosody.test", Port: inside.DirectServers().Port()},
		peers.Service{Priority: 4, Host: "last.test", Port: 5269},
	)
	names.PublishHost(outside.Domain, nowhere, outside.Addr)
	names.PublishService(
		outside.Rooms(),
		peers.Service{Priority: 2, Host: "ejabberd.test", Port: outside.Servers().Port()},
		peers.Service{Priority: 1, Host: "dead.test", Port: 5269},
	)
	return g.Gateway.Start(b)
}

// Close implements Middle.
func (g *NamedGateway) Close() error {
	return errors.Join(g.Gateway.Close(), closeTaps([]*peers.Tap{g.hangsUp, g.light, g.last}))
}

// foundByName: the gateway, which has no route, finds both servers and the rooms of one.
func foundByName(t *testing.T, w *World) {
	messagesBothWays(t, w)
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	meet(t, w.Room(w.Bed.Ejabberd), alice, bob)
	g, ok := w.Middle.(*NamedGateway)
	if !ok {
		t.Fatal("the gateway does not ask for names")
	}
	for _, c := range []struct {
		name  string
		tap   *peers.Tap
		tried bool
	}{{"that hangs up", g.hangsUp, true}, {"without weight", g.light, false}, {"of the last priority", g.last, false}} {
		if n := len(c.tap.Hellos()); n > 0 != c.tried {
			t.Errorf("the service %s was tried %d times", c.name, n)
		}
	}
	for _, c := range []struct {
		peer string
		at   netip.AddrPort
	}{{insidePeer, w.Bed.Prosody.DirectServers()}, {outsidePeer, w.Bed.Ejabberd.Servers()}} {
		found := outward(t, g.Gateway, c.peer)
		if len(found) == 0 || slices.ContainsFunc(found, func(s stream) bool { return s.address != c.at.String() }) {
			t.Errorf("streams to %s: %v, want all to %v", c.peer, found, c.at)
		}
	}
}
