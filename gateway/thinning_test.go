package gateway_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// thinTo makes a site spare on the way to a peer.
func thinTo(peer, keys string) func(shore, ship *site) {
	return func(shore, _ *site) { shore.more += "\n[peer." + peer + ".thin]\n" + keys + "\n" }
}

// broadcast is presence by somebody of a.example; show "gone" is unavailable.
func broadcast(id, user, show, more string) string {
	switch show {
	case "gone":
		return fmt.Sprintf("<presence id='%s' from='%s@a.example/r' to='v@b.example' type='unavailable'>%s</presence>", id, user, more)
	case "":
		return fmt.Sprintf("<presence id='%s' from='%s@a.example/r' to='v@b.example'>%s</presence>", id, user, more)
	}
	return fmt.Sprintf("<presence id='%s' from='%s@a.example/r' to='v@b.example'><show>%s</show>%s</presence>", id, user, show, more)
}

// says lets presence come in on shore.
func (e *ends) says(user, show, more string) string {
	id := freshID()
	e.shore.arrive(broadcast(id, user, show, more))
	return id
}

const coarse = "presence = \"coarse\"\ninterval = \"5m\""

func recordsOf(x *end, kinds ...string) (n int) {
	for _, r := range x.records(settlements) {
		if slices.Contains(kinds, r.Outcome) {
			n++
		}
	}
	for _, r := range x.records(decisions) {
		if slices.Contains(kinds, r.Outcome) {
			n++
		}
	}
	return n
}

func TestPresenceAtMostOncePerInterval(t *testing.T) {
	between(t, thinTo("b", coarse), func(t *testing.T, e *ends) {
		e.settle(time.Second)
		want := []string{e.says("u", "", "")}
		e.settle(time.Second)
		for _, show := range []string{"away", "xa", "dnd"} {
			e.says("u", show, "<status>never mind</status>")
			e.settle(time.Second)
		}
		last := e.says("u", "away", "<status>never mind</status>")
		other := e.says("w", "", "") // somebody else waits for nobody
		e.settle(time.Minute)
		want = append(want, other)
		wantSame(t, e.ship.got("b.example"), want)
		if c := e.counts(e.shore); c.Superseded != 3 || c.Folded != 0 || c.Queued != 1 || e.shore.receipts.settled() != 6 {
			t.Errorf("%+v, %d acknowledged", c, e.shore.receipts.settled())
		}
		if n := recordsOf(e.shore, "superseded"); n != 3 {
			t.Errorf("%d records", n)
		}
		e.settle(5 * time.Minute)
		want = append(want, last)
		wantSame(t, e.ship.got("b.example"), want)
		for _, d := range e.ship.node.link.to("b.example") {
			if strings.Contains(d.text(), "<status>") {
				t.Errorf("crossed whole: %s", d.text())
			}
		}
		e.says("u", "away", "") // no news
		gone := e.says("u", "gone", "")
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), append(want, gone))
		if c := e.counts(e.shore); c.Superseded != 4 || c.Folded != 1 || c.Queued != 0 || c.Delivered != 4 {
			t.Errorf("%+v", c)
		}
	})
}

func TestPresenceOffKeepsWhatMustNotBeLost(t *testing.T) {
	between(t, thinTo("b", `presence = "off"`), func(t *testing.T, e *ends) {
		e.settle(time.Second)
		e.says("u", "", "")
		e.settle(time.Second)
		gone := e.says("u", "gone", "")
		ask := freshID()
		e.shore.arrive(fmt.Sprintf("<presence id='%s' from='u@a.example' to='v@b.example' type='subscribe'/>", ask))
		joins := freshID()
		e.shore.arrive(fmt.Sprintf("<presence id='%s' from='u@a.example/r' to='room@b.example/nick'><x xmlns='http://jabber.org/protocol/muc'/></presence>", joins))
		e.settle(time.Minute)
		got := e.ship.got("b.example")
		for _, id := range []string{gone, ask, joins} {
			if !slices.Contains(got, id) {
				t.Errorf("%s is not among %s", id, got)
			}
		}
		if len(got) != 3 {
			t.Errorf("%s", got)
		}
	})
}

func TestDecorationIsCutAndFolded(t *testing.T) {
	between(t, thinTo("b", `strip = ["chat-states", "xhtml"]`), func(t *testing.T, e *ends) {
		e.settle(time.Second)
		chat := func(id, more string) string {
			return fmt.Sprintf("<message id='%s' from='u@a.example/r' to='v@b.example' type='chat'>%s</message>", id, more)
		}
		const writes = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
		const states, asks = "<active xmlns='http://jabber.org/protocol/chatstates'/>", "<request xmlns='urn:xmpp:receipts'/>"
		ids := []string{freshID(), freshID(), freshID()}
		e.shore.arrive(chat(ids[0], writes), chat(ids[1], "<body>hello</body>"+states+asks), chat(ids[2], writes))
		e.settle(time.Minute)
		wantSame(t, e.ship.got("b.example"), ids[1:2])
		if text := e.ship.node.link.to("b.example")[0].text(); strings.Contains(text, "chatstates") || !strings.Contains(text, "receipts") {
			t.Errorf("crossed as %s", text)
		}
		if c := e.counts(e.shore); c.Superseded != 2 || c.Folded != 2 || c.Delivered != 1 || e.shore.receipts.settled() != 3 {
			t.Errorf("%+v, %d acknowledged", c, e.shore.receipts.settled())
		}
		if n := recordsOf(e.shore, "folded"); n != 2 {
			t.Errorf("%d records", n)
		}
	})
}

// TestFoldedAfterAReload: what waits is cut by what is configured when it leaves.
func TestFoldedAfterAReload(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.wires.cut(sat)
		e.wires.cut(hf)
		e.shore.arrive("<message id='c1' from='u@a.example/r' to='v@b.example' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
		e.settle(time.Second)
		thinTo("b", `strip = ["chat-states"]`)(e.shore.site, nil)
		e.shore.site.write(t)
		e.shore.reloads <- struct{}{}
		e.settle(time.Second)
		e.mend()
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), nil)
		if c := e.counts(e.shore); c.Superseded != 1 || c.Folded != 1 || recordsOf(e.shore, "folded") != 1 {
			t.Errorf("%+v, %d records", c, recordsOf(e.shore, "folded"))
		}
		wantSame(t, e.shore.got("a.example"), nil)
	})
}

// TestWhatWaitsIsFreedByAReload: presence is whole again, and what was held goes out at once.
func TestWhatWaitsIsFreedByAReload(t *testing.T) {
	between(t, thinTo("b", coarse), func(t *testing.T, e *ends) {
		e.settle(time.Second)
		want := []string{e.says("u", "", "")}
		e.settle(time.Second)
		want = append(want, e.says("u", "away", "<status>out</status>"))
		e.settle(time.Second)
		e.shore.site.more = strings.ReplaceAll(e.shore.site.more, "coarse", "all")
		e.shore.site.write(t)
		e.shore.reloads <- struct{}{}
		e.settle(10 * time.Second)
		wantSame(t, e.ship.got("b.example"), want)
		if all := e.ship.node.link.to("b.example"); len(all) != 2 || !strings.Contains(all[1].text(), "<status>") {
			t.Error("it did not cross whole")
		}
		for _, show := range []string{"dnd", "xa"} {
			want = append(want, e.says("u", show, ""))
			e.settle(10 * time.Second)
		}
		wantSame(t, e.ship.got("b.example"), want)
	})
}

func TestCapabilitiesAreSaidOnce(t *testing.T) {
	between(t, thinTo("b", "caps-once = true"), func(t *testing.T, e *ends) {
		const caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:x' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>"
		e.settle(time.Second)
		says := func(show string) {
			e.says("u", show, caps)
			e.settle(time.Minute)
		}
		says("")
		says("away")
		e.ship.arrive("<presence from='v@b.example' to='u@a.example' type='probe'/>") // has forgotten all
		e.settle(time.Second)
		says("dnd")
		says("xa")
		var with []bool
		for _, d := range e.ship.node.link.to("b.example") {
			with = append(with, strings.Contains(d.text(), "protocol/caps"))
		}
		if !slices.Equal(with, []bool{true, false, true, false}) {
			t.Errorf("with capabilities: %v", with)
		}
	})
}

// showOf is what a presence says.
func showOf(text string) string {
	for _, show := range []string{"away", "dnd"} {
		if strings.Contains(text, "<show>"+show) {
			return show
		}
	}
	if strings.Contains(text, "unavailable") {
		return "gone"
	}
	return ""
}

// TestPacedPresenceSurvives: whatever is killed when, what somebody said last is what the far side believes.
func TestPacedPresenceSurvives(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			between(t, thinTo("b", coarse), func(t *testing.T, e *ends) {
				r := rand.New(rand.NewPCG(seed, 5))
				e.wires.delay, e.ship.spool.sync, e.shore.spool.sync = 30*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond
				e.settle(time.Second)
				users, last, believed := []string{"u", "w", "x"}, map[string]string{}, map[string]string{}
				look := func() {
					for _, d := range e.ship.node.link.to("b.example") {
						believed[strings.Split(d.from, "@")[0]] = showOf(d.text())
					}
				}
				for range 12 {
					for range r.IntN(8) {
						user := users[r.IntN(len(users))]
						last[user] = []string{"", "away", "dnd", "gone"}[r.IntN(4)]
						e.says(user, last[user], "<status>"+freshID()+"</status>")
						e.settle(time.Duration(r.IntN(20)) * time.Millisecond)
					}
					e.settle(time.Duration(r.IntN(150)) * time.Millisecond)
					switch r.IntN(3) {
					case 0:
						e.acknowledged()
						e.kill(e.shore, r.IntN)
						e.mend()
						e.shore.start(t, e.shore.site)
					case 1:
						look()
						e.kill(e.ship, r.IntN)
						e.mend()
						e.ship.start(t, e.ship.site)
					}
					e.settle(time.Duration(r.IntN(300)) * time.Second)
				}
				e.settle(30 * time.Minute)
				look()
				for user, show := range last {
					if was, heard := believed[user]; was != show || !heard {
						t.Errorf("%s said %q last, believed is %q", user, show, was)
					}
				}
				if c := e.counts(e.shore); c.Queued != 0 {
					t.Errorf("shore %+v", c)
				}
			})
		})
	}
}
