package scenario

import (
	"strings"
	"testing"
	"time"

	"sallyport/testbed/client"
)

// airPatience is how long one thing may take to cross: a frame that was lost on its way, and behind others.
const airPatience = 3 * Patience

// overRadio: two people whose sites have only HF radio between them talk, see each other come and change, and meet in a room. Each message
// and each presence arrives once and in order, although frames get lost on the air.
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
	alice.patience, bob.patience = airPatience, airPatience
	t.Logf("the first message each way after %v", time.Since(begun).Round(100*time.Millisecond))
	alice.Befriends(bob)
	t.Logf("friends after %v", time.Since(begun).Round(100*time.Millisecond))
	alice.receives(bob, w.Room(w.Bed.Prosody))
	t.Logf("met in a room after %v", time.Since(begun).Round(100*time.Millisecond))
	const turns = 2
	for i := range turns {
		out.Send(4)
		in.Send(4)
		alice.changes(bob, i)
		bob.changes(alice, i)
	}
	if !out.Arrived(out.Sent(), airPatience) || !in.Arrived(in.Sent(), airPatience) {
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
	t.Logf("%s, %.0f %% of frames of usual size lost: all there after %v, in %d transmissions", s.Waveform, 100*s.Loss, took.Round(100*time.Millisecond), n)
}

// receives lets somebody come into a room of this user's server, and both speak in it.
func (u *User) receives(guest *User, room string) {
	u.t.Helper()
	u.must(u.Join(room, "host"))
	u.SeesPresence("", room+"/host")
	guest.must(guest.Join(room, "guest"))
	guest.SeesPresence("", room+"/guest")
	u.SeesPresence("", room+"/guest")
	u.must(u.Send(client.Message{To: room, Type: "groupchat", Body: "welcome aboard"}))
	guest.must(guest.Send(client.Message{To: room, Type: "groupchat", Body: "glad to be here"}))
	for _, who := range []*User{u, guest} {
		for nick, body := range map[string]string{"host": "welcome aboard", "guest": "glad to be here"} {
			if e := who.Hears(body); e.From != room+"/"+nick {
				u.t.Errorf("%s heard %q from %q, want %s/%s", who.JID, body, e.From, room, nick)
			}
		}
	}
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
