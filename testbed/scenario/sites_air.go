package scenario

import (
	"strings"
	"testing"
	"time"

	"sallyport/testbed/client"
)

// airTime is how long overRadio may take, from the first message until nothing waits any more.
const airTime = 3 * time.Minute

// overRadio: two people whose sites have only HF radio between them talk, and see each other come and change. Each message and each
// presence arrives once and in order, although frames get lost on the air.
func overRadio(t *testing.T, w *World) {
	s, ok := w.Middle.(*RadioSites)
	if !ok {
		t.Fatal("there is no radio")
	}
	for _, g := range s.both() {
		g.wantLink(t, radioLink, true)
	}
	begun := time.Now()
	out, in := w.flows(t)
	alice, bob := out.from, in.from
	t.Logf("the first message each way after %v", time.Since(begun).Round(100*time.Millisecond))
	alice.Befriends(bob)
	t.Logf("friends after %v", time.Since(begun).Round(100*time.Millisecond))
	const turns = 2
	for i := range turns {
		out.Send(4)
		in.Send(4)
		alice.changes(bob, i)
		bob.changes(alice, i)
	}
	if !out.Arrived(out.Sent(), 2*Patience) || !in.Arrived(in.Sent(), Patience) {
		t.Errorf("%d of %d arrived outward, %d of %d inward", len(out.arrived), out.Sent(), len(in.arrived), in.Sent())
	}
	for _, g := range s.both() {
		g.wantDrained(t)
		g.wantLink(t, radioLink, true)
	}
	took := time.Since(begun)
	out.WantAllArrived(t, Quiet) // only now, so that what came twice has come
	in.WantAllArrived(t, Quiet)
	for _, pair := range [][2]*User{{alice, bob}, {bob, alice}} {
		if again := pair[1].Received(saysOfItself(pair[0], "turn ")); len(again) > 0 {
			t.Errorf("%s saw presence of %s more than once: %v", pair[1].JID, pair[0].JID, again)
		}
	}
	n, err := s.Transmissions()
	if err != nil {
		t.Fatal(err)
	}
	if n < 2*turns {
		t.Errorf("%d transmissions on the air, which cannot have carried that", n)
	}
	if took > airTime {
		t.Errorf("took %v, want %v at most", took, airTime)
	}
	t.Logf("%s, %.0f %% of frames of usual size lost: all there after %v, in %d transmissions", s.Waveform, 100*s.Loss, took.Round(100*time.Millisecond), n)
}

// changes lets somebody say something new of himself, and the other see it.
func (u *User) changes(other *User, turn int) {
	u.t.Helper()
	status := "turn " + string(rune('a'+turn))
	u.must(u.Presence("", "", status))
	other.Sees(saysOfItself(u, status))
}

// saysOfItself matches presence of somebody with such a status.
func saysOfItself(who *User, status string) func(client.Event) bool {
	return func(e client.Event) bool {
		return e.Kind == "presence" && e.From == who.JID && strings.Contains(e.XML, status)
	}
}
