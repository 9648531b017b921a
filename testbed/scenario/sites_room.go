package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sallyport/testbed/cable"
	"sallyport/testbed/client"
)

// mergedRooms lets what a room on shore says cross once for all who are on the ship.
func mergedRooms(o SiteOptions) SiteOptions {
	o.Near.Outside = func(p *PeerOptions) { p.More = `thin = { rooms = "merged" }` }
	o.Spool = `merge-window = "300ms"`
	return o
}

// aboard is how many people on the ship are in the room.
const aboard = 6

// chorus is a room in which one speaks, and what each of the others has heard of it.
type chorus struct {
	room    string
	speaker *User
	hearers []*User
	said    int
	heard   [][]int
}

// joined lets somebody in, and waits until the room tells the speaker.
func (c *chorus) joined(u *User) {
	nick := fmt.Sprintf("occupant-%d", len(c.hearers))
	u.must(u.Join(c.room, nick))
	c.speaker.SeesPresence("", c.room+"/"+nick)
	c.hearers, c.heard = append(c.hearers, u), append(c.heard, nil)
}

func (c *chorus) says() {
	c.said++
	body := "line " + strconv.Itoa(c.said)
	c.speaker.must(c.speaker.Send(client.Message{To: c.room, Type: "groupchat", ID: fmt.Sprintf("line-%d", c.said), Body: body}))
}

// complete reports whether everybody has heard everything since a line.
func (c *chorus) complete(since int) bool {
	for i, u := range c.hearers {
		for _, e := range u.Received(func(e client.Event) bool { return e.Kind == "message" && strings.HasPrefix(e.Body, "line ") }) {
			n, err := strconv.Atoi(strings.TrimPrefix(e.Body, "line "))
			if err == nil && e.Type == "groupchat" {
				c.heard[i] = append(c.heard[i], n)
			}
		}
	}
	return !slices.ContainsFunc(c.heard, func(h []int) bool { return len(h) < c.said-since })
}

// wantAll wants each line since one heard by everybody, once and in order.
func (c *chorus) wantAll(t *testing.T, since int) {
	t.Helper()
	var want []int
	for n := since + 1; n <= c.said; n++ {
		want = append(want, n)
	}
	eventually(2*Patience, func() bool { return c.complete(since) })
	for i, h := range c.heard {
		if !slices.Equal(h, want) {
			t.Errorf("%s heard %v, want %d to %d", c.hearers[i].JID, h, since+1, c.said)
		}
		c.heard[i] = nil
	}
}

// roomMerged: people on the ship are in a room of the server on shore. What it says crosses once for all of them, everybody gets it once and
// in order, and the same when the link is cut in the middle.
func roomMerged(t *testing.T, w *World) {
	s := w.sites(t)
	c := &chorus{room: w.Room(w.Bed.Prosody), speaker: w.Inside(t, "alice")}
	c.speaker.must(c.speaker.Join(c.room, "alice"))
	c.joined(w.Outside(t, "bob"))
	lines := func() (bytes, stanzas int64) {
		t.Helper()
		const n = 10
		since, crossed, sent := c.said, s.Cables["satellite"].Stats().Bytes, s.links(t)["satellite"].StanzasOut
		for range n {
			c.says()
			if !eventually(Patience, func() bool { return c.complete(since) }) {
				break
			}
		}
		c.wantAll(t, since)
		s.Gateway.wantDrained(t)
		return int64(s.Cables["satellite"].Stats().Bytes-crossed) / n, int64(s.links(t)["satellite"].StanzasOut - sent)
	}
	lines() // the room has told who is there
	one, _ := lines()
	for len(c.hearers) < aboard {
		c.joined(w.Outside(t, "bob"))
	}
	s.Gateway.wantDrained(t)
	all, stanzas := lines()
	t.Logf("a line for one took %d bytes over the link, for %d %d bytes", one, aboard, all)
	if all > one*aboard/2 {
		t.Errorf("%d bytes for %d, %d for one", all, aboard, one)
	}
	if stanzas < 10 || stanzas > 20 { // a room that is held up for longer than the window in the middle of a line makes two of it
		t.Errorf("%d consignments for 10 lines", stanzas)
	}
	if folded := s.links(t)["satellite"].Folded; folded == 0 {
		t.Error("the operator is shown nothing as spared")
	}
	c.throughCuts(t, s.Cables["satellite"])
	s.wantBothDrained(t)
}

// throughCuts speaks while the link is cut again and again, at no matter which moment of a line.
func (c *chorus) throughCuts(t *testing.T, link *cable.Cable) {
	t.Helper()
	since := c.said
	for i, state := range []cable.State{cable.Broken, cable.Silent, cable.Broken, cable.Broken} {
		for range 20 + 5*i {
			c.says()
		}
		link.Set(state)
		for range 10 {
			c.says()
		}
		link.Set(cable.Whole)
		if at := c.said - 5; !eventually(2*Patience, func() bool { c.complete(since); return len(c.heard[0]) > at-since }) {
			t.Fatalf("nothing is heard after the cut: %d of %d", len(c.heard[0]), c.said-since)
		}
	}
	c.wantAll(t, since)
}
