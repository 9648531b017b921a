package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/cable"
	"sallyport/testbed/client"
)

// sites is what stands between in the scenarios of this file.
func (w *World) sites(t *testing.T) *Sites {
	t.Helper()
	s, ok := w.Middle.(*Sites)
	if !ok {
		t.Fatal("there are no two sites")
	}
	return s
}

// overALink: people of two sites do what people do, over a link of custody.
func overALink(t *testing.T, w *World) {
	s := w.sites(t)
	messagesBothWays(t, w)
	presenceSubscription(t, w)
	roomsAcross(t, w)
	discovery(t, w)
	vCards(t, w)
	for _, g := range s.both() {
		for name := range s.Cables {
			g.wantLink(t, name, true)
		}
		g.wantDrained(t)
	}
}

// linkCut: the link breaks under traffic and is away for a while. Nothing is lost, doubled or out of order, what waits is seen, and it
// is gone after the link has returned.
func linkCut(t *testing.T, w *World) {
	s := w.sites(t)
	f := w.traffic(t)
	f.flows(t)
	for range 3 {
		before := f.out.Sent()
		s.Cables["satellite"].Set(cable.Broken)
		if !eventually(Patience, func() bool { return f.out.Sent() > before+100 }) {
			t.Fatal("nobody speaks")
		}
		for _, g := range s.both() {
			g.wantLink(t, "satellite", false)
			g.wantWaiting(t, 20)
			if shown := g.spool(t); shown.Entries < 20 || len(shown.Lanes) != 1 || shown.Lanes[0].Oldest.IsZero() {
				t.Errorf("the operator is shown %+v, want 20 at least", shown)
			}
		}
		s.Cables["satellite"].Set(cable.Whole)
		at := len(f.out.arrived)
		if !f.out.Arrived(at+50, Patience) {
			t.Fatal("nothing flows after the cut")
		}
	}
	f.allArrived(t)
	s.wantBothDrained(t)
}

// linkSilent: the link says nothing for a while and keeps its connection. What waits goes over it as soon as it speaks again.
func linkSilent(t *testing.T, w *World) {
	s := w.sites(t)
	f := w.traffic(t)
	f.flows(t)
	before := f.out.Sent()
	s.Cables["satellite"].Set(cable.Silent)
	if !eventually(Patience, func() bool { return f.out.Sent() > before+100 }) { // far less than what makes a carrier dead, on any machine
		t.Fatal("nobody speaks")
	}
	s.Cables["satellite"].Set(cable.Whole)
	f.allArrived(t)
	if n := s.Cables["satellite"].Stats().Connections; n != 1 {
		t.Errorf("%d connections, want the one that was there before", n)
	}
}

// holdTime is how long a better link has to work before traffic goes back to it, and some time to do so.
const holdTime = 30*time.Second + Patience/2

// failOver: under traffic the better of two links breaks, and the other carries; the better returns, and carries again.
func failOver(t *testing.T, w *World) {
	s := w.sites(t)
	f := w.traffic(t)
	satellite, radio := s.Cables["satellite"], s.Cables["radio"]
	carries := func(c *cable.Cable, what string, limit time.Duration) {
		t.Helper()
		before, arrived := c.Stats().Bytes, len(f.out.arrived)
		if !f.out.Arrived(arrived+50, limit) || !eventually(limit, func() bool { return c.Stats().Bytes > before+20_000 }) {
			t.Fatalf("%s: %d bytes more, %d messages more", what, c.Stats().Bytes-before, len(f.out.arrived)-arrived)
		}
	}
	carries(satellite, "the satellite, at first", Patience)
	quiet := radio.Stats().Bytes
	if quiet > 20_000 {
		t.Errorf("%d bytes over the radio while the satellite works", quiet)
	}
	satellite.Set(cable.Broken)
	carries(radio, "the radio, after the satellite broke", Patience)
	s.Gateway.wantCarries(t, "radio")
	satellite.Set(cable.Whole)
	carries(satellite, "the satellite, after it returned", holdTime)
	s.Gateway.wantCarries(t, "satellite")
	radio.Set(cable.Broken) // it does not matter any more
	carries(satellite, "the satellite, after the radio broke", Patience)
	f.allArrived(t)
	s.wantBothDrained(t)
}

// overDatagrams: the same over datagrams, compressed, with a key in place of certificates; under traffic they vanish for a while, and then
// the ship comes from another address.
func overDatagrams(t *testing.T, w *World) {
	s := w.sites(t)
	overALink(t, w)
	f := w.traffic(t)
	for _, state := range []cable.State{cable.Silent, cable.Broken} {
		at := len(f.out.arrived)
		if !f.out.Arrived(at+50, Patience) {
			t.Fatal("traffic does not flow")
		}
		before := f.out.Sent()
		s.Cables["mesh"].Set(state)
		if !eventually(Patience, func() bool { return f.out.Sent() > before+100 }) {
			t.Fatal("nobody speaks")
		}
		s.Cables["mesh"].Set(cable.Whole)
	}
	at := len(f.out.arrived)
	if !f.out.Arrived(at+50, 2*Patience) {
		t.Fatal("nothing flows from another address")
	}
	f.allArrived(t)
	for _, g := range s.both() {
		g.wantDrained(t)
		shown := g.links(t)["mesh"]
		if shown.Saved <= 0 || shown.RoundTrip == "" || shown.Fingerprint == "" || shown.Fingerprint != s.links(t)["mesh"].Fingerprint {
			t.Errorf("the operator is shown %+v of a compressed link", shown)
		}
	}
}

// datagramsFirst: datagrams vanish without anybody saying so, and what was on the way goes over the second link.
func datagramsFirst(t *testing.T, w *World) {
	s := w.sites(t)
	f := w.traffic(t)
	f.flows(t)
	if n := s.Cables["mesh"].Stats().Bytes; n < 20_000 {
		t.Errorf("%d bytes in datagrams", n)
	}
	s.Cables["mesh"].Set(cable.Silent)
	at := f.out.Sent()
	if !f.out.Arrived(at+100, 2*Patience) {
		t.Fatal("nothing flows over the second link")
	}
	f.allArrived(t)
	s.wantBothDrained(t)
}

// shipKilled: the gateway of the ship is killed in the middle of traffic, several times. Nothing that was accepted is lost, nothing
// arrives twice; what came back was in doubt between it and the server behind it, which cannot acknowledge, and is recorded as such.
func shipKilled(t *testing.T, w *World) {
	s := w.sites(t)
	f := w.traffic(t)
	out, in := f.out, f.in
	flows := func() {
		outward, inward := len(out.arrived), len(in.arrived)
		if !out.Arrived(outward+60, Patience) || !in.Arrived(inward+1, 2*Patience) {
			t.Fatalf("traffic does not flow: %d more outward, %d more inward", len(out.arrived)-outward, len(in.arrived)-inward)
		}
	}
	for range 4 {
		flows()
		s.Ship.Kill()
		if err := s.Ship.Run(); err != nil {
			t.Fatal(err)
		}
	}
	flows()
	f.end()
	out.Settle(t, 2*Patience)
	lines, err := s.AuditShip()
	if err != nil {
		t.Fatal(err)
	}
	out.WantExcused(t, lines)
	// COMPAT(ejabberd, 23.01): what it had written to a gateway that was killed it does not write again, since it cannot be acknowledged
	// on server links. So of this direction only order and number are asked.
	in.collect()
	in.wantOnceInOrder(t)
	if out, err := s.Ship.command("audit", "verify"); err != nil {
		t.Errorf("audit verify after the kills: %v\n%s", err, out)
	}
	s.wantBothDrained(t)
}

// linkClearance: what the better link is not cleared for takes the other; while that is broken it waits, with the reason, and does not
// hold up what may go.
func linkClearance(t *testing.T, w *World) {
	s := w.sites(t)
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	internal := LabelXML("INTERNAL", "GBR", "")
	alice.Says(bob.JID, "for everybody", essPublic)
	bob.Hears("for everybody")
	before := s.Cables["radio"].Stats().Bytes
	alice.Says(bob.JID, "for us alone", internal)
	bob.Hears("for us alone")
	if after := s.Cables["radio"].Stats().Bytes; after < before+300 {
		t.Errorf("%d bytes over the link that is cleared", after-before)
	}
	s.Cables["radio"].Set(cable.Broken)
	s.Gateway.wantLink(t, "radio", false)
	alice.Says(bob.JID, "for us alone, later", internal)
	other := w.Inside(t, "carol")
	other.Says(bob.JID, "for everybody, too", essPublic)
	bob.Hears("for everybody, too")
	s.Gateway.wantAside(t, "radio")
	bob.HearsNothing(func(e client.Event) bool { return strings.Contains(e.XML, "for us alone, later") })
	s.Cables["radio"].Set(cable.Whole)
	bob.Hears("for us alone, later")
	s.Gateway.wantDrained(t)
}

// refusedWhileWaiting: what was accepted waits for the link, and the policy changes. What the new one refuses does not leave, there is a
// record, and the sender is told; the rest leaves.
func refusedWhileWaiting(t *testing.T, w *World) {
	s := w.sites(t)
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	alice.Says(bob.JID, "for everybody", essPublic)
	bob.Hears("for everybody")
	s.Cables["satellite"].Set(cable.Broken)
	s.Gateway.wantLink(t, "satellite", false)
	alice.Says(bob.JID, "for us alone", LabelXML("INTERNAL", "GBR", ""))
	alice.Says(bob.JID, "for everybody, too", essPublic)
	s.Gateway.wantWaiting(t, 2)
	options := s.Gateway.Options
	options.Outside = both(options.Outside, func(p *PeerOptions) { p.Clearance = publicClearance() })
	if err := s.Gateway.Write(options); err != nil {
		t.Fatal(err)
	}
	if err := s.Gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	if !eventually(Patience, func() bool { return reloads(t, s.Gateway)["active"] > 0 }) {
		t.Fatal("the new policy is not active")
	}
	s.Cables["satellite"].Set(cable.Whole)
	alice.SeesError(refusals...)
	bob.Hears("for everybody, too")
	bob.HearsNothing(func(e client.Event) bool { return strings.Contains(e.XML, "for us alone") })
	s.Gateway.wantSettled(t, "refused", alice.JID)
	s.Gateway.wantDrained(t)
}

// warm has somebody inside say hello until it is heard outside: the logins of the servers on the way may take longer than a message lives.
func (w *World) warm(t *testing.T, outside *User) {
	t.Helper()
	const longer = 15 * time.Second // than it lives
	carol, n := w.Inside(t, "carol"), 0
	if !eventually(2*Patience, func() bool {
		n++
		hello := fmt.Sprintf("hello %d", n)
		carol.Says(outside.JID, hello)
		_, err := outside.Expect(longer, func(e client.Event) bool { return e.Kind == "message" && e.Body == hello })
		return err == nil
	}) {
		t.Fatal("nothing crosses")
	}
}

// lifetimeOver: a link is away for longer than a message lives. Its sender is told so in words, there is a record, and it does not
// arrive later.
func lifetimeOver(t *testing.T, w *World) {
	s := w.sites(t)
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	s.Gateway.wantLink(t, "satellite", true)
	w.warm(t, bob)
	s.Cables["satellite"].Set(cable.Broken)
	s.Gateway.wantLink(t, "satellite", false)
	alice.Says(bob.JID, "too late")
	e := alice.SeesError("remote-server-timeout")
	if !strings.Contains(e.XML, "Not delivered: the connection to this domain has been down for longer than the lifetime.") {
		t.Errorf("the error says nothing in words: %s", e.XML)
	}
	s.Gateway.wantDrained(t)
	s.Gateway.wantSettled(t, "link-down", alice.JID)
	s.Cables["satellite"].Set(cable.Whole)
	s.Gateway.wantLink(t, "satellite", true)
	alice.Says(bob.JID, "in time")
	bob.Hears("in time")
	bob.HearsNothing(func(e client.Event) bool { return strings.Contains(e.XML, "too late") })
}
