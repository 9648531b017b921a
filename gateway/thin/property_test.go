package thin_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links/fanout"
)

// draw makes traffic of few people, so that it meets.
func draw(t *rapid.T, i int) string {
	who := rapid.SampledFrom([]string{"u@a.example/r", "u@a.example/q", "w@a.example/r"}).Draw(t, "from")
	to := rapid.SampledFrom([]string{"v@b.example", "x@b.example"}).Draw(t, "to")
	at := fmt.Sprintf(" from='%s' to='%s'", who, to)
	part := rapid.SampledFrom([]string{"", composing, request, markable, rich, rtt, label, hints, "<thread>t</thread>", "<q xmlns='urn:q'/>", avatar})
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return "<message type='chat' id='" + fmt.Sprint(i) + "'" + at + "><body>x</body>" + part.Draw(t, "one") + part.Draw(t, "two") + "</message>"
	case 1:
		return "<message type='chat'" + at + ">" + part.Draw(t, "one") + part.Draw(t, "two") + "</message>"
	case 2:
		return "<presence" + at + "><show>" + rapid.SampledFrom([]string{"away", "dnd", "xa"}).Draw(t, "show") + "</show>" + caps + "<status>s</status></presence>"
	case 3:
		return "<presence" + at + " type='" + rapid.SampledFrom([]string{"unavailable", "subscribe", "probe", "unsubscribe"}).Draw(t, "type") + "'/>"
	case 4:
		return "<iq id='" + fmt.Sprint(i) + "' type='get'" + at + "><q xmlns='urn:q'/></iq>"
	case 5:
		return "<presence from='" + who + "' to='room@b.example/n'>" + joins + caps + "</presence>"
	case 6:
		return "<presence from='room@a.example/n' to='v@b.example/r'>" + says + photo + "</presence>"
	default:
		return busyRooms(t, i)
	}
}

func roomMessage(room, id, to string) string {
	if id != "" {
		id = " id='" + id + "'"
	}
	return "<message type='groupchat'" + id + " from='" + room + "@a.example/n' to='" + to + "'><body>x</body></message>"
}

func options(t *rapid.T) thin.Options {
	o := thin.Thinnest()
	o.Presence = thin.Mode(rapid.IntRange(0, 3).Draw(t, "mode"))
	o.Interval = time.Duration(rapid.IntRange(1, 60).Draw(t, "interval")) * time.Second
	o.MergeWindow = time.Duration(rapid.IntRange(0, 3000).Draw(t, "window")) * time.Millisecond
	o.MaxContacts = rapid.SampledFrom([]int{1, 2, 1000}).Draw(t, "contacts")
	o.Receipts = rapid.Bool().Draw(t, "receipts")
	return o
}

type run struct {
	o    thin.Options
	in   []stanza.Stanza
	at   []time.Time
	outs []thin.Out
	when []time.Time
	t    *thin.Thinner
}

func play(t *rapid.T) *run { return playWith(t, draw, 20_000) }

// busyRooms is traffic of rooms alone, close together.
func busyRooms(t *rapid.T, _ int) string {
	return roomMessage(rapid.SampledFrom([]string{"room", "hall"}).Draw(t, "room"), rapid.SampledFrom([]string{"1", "2", ""}).Draw(t, "id"),
		rapid.SampledFrom([]string{"v@b.example/r", "x@b.example/r", "y@b.example/r", "z@c.example/r"}).Draw(t, "occupant"))
}

func playWith(t *rapid.T, draw func(*rapid.T, int) string, pause int) *run {
	r := &run{o: options(t)}
	r.t = thin.New(r.o)
	now := start
	for i := range rapid.IntRange(1, 60).Draw(t, "n") {
		now = now.Add(time.Duration(rapid.IntRange(0, pause).Draw(t, "later")) * time.Millisecond)
		for next := r.t.Next(); !next.IsZero() && !next.After(now); next = r.t.Next() {
			r.took(r.t.Due(nil, next), next)
		}
		r.in, r.at = append(r.in, readRapid(t, draw(t, i))), append(r.at, now)
		r.took(r.t.Put(nil, now, uint64(i), r.in[i]), now)
	}
	for next := r.t.Next(); !next.IsZero(); next = r.t.Next() {
		now = next
		r.took(r.t.Due(nil, now), now)
	}
	return r
}

func readRapid(t *rapid.T, text string) stanza.Stanza {
	s, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func (r *run) took(outs []thin.Out, now time.Time) {
	for _, o := range outs {
		r.outs, r.when = append(r.outs, o), append(r.when, now)
	}
}

// droppable is the whole list of what may ever be dropped, in words of its own.
func droppable(o thin.Options, s stanza.Stanza) bool {
	switch s.Kind() {
	case stanza.Presence:
		if o.Presence == thin.Whole || !s.To().IsBare() || inMUC(s) {
			return false
		}
		switch s.Type() {
		case stanza.PresenceAvailable, stanza.PresenceUnavailable:
			return true
		case stanza.PresenceProbe:
			return o.Presence == thin.Off
		default:
			return false
		}
	case stanza.Message:
		if s.IsError() {
			return false
		}
		for child := range s.Element().Children() {
			switch child.Space() {
			case "jabber:server":
				if child.Local() != "thread" {
					return false
				}
			case "urn:q":
				return false
			case "http://jabber.org/protocol/xhtml-im":
				return false // there is no body beside it, else that is content
			case "urn:xmpp:receipts":
				if !o.Receipts {
					return false
				}
			}
		}
		return true
	default:
		return false
	}
}

func inMUC(s stanza.Stanza) bool {
	for child := range s.Element().Children() {
		if child.Space() == "http://jabber.org/protocol/muc" || child.Space() == "http://jabber.org/protocol/muc#user" {
			return true
		}
	}
	return false
}

// TestEverythingComesOutOnce: each token once, nothing dropped that must not be, what leaves is what came with children left out, and the
// counters add up.
func TestEverythingComesOutOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := play(t)
		seen := map[uint64]int{}
		merged := map[uint64]bool{}
		for _, o := range r.outs {
			seen[o.Token]++
			in := r.in[o.Token]
			switch o.Fate {
			case thin.Dropped:
				if !droppable(r.o, in) {
					t.Fatalf("dropped for %v: %v", o.Reason, in.Element())
				}
			case thin.Merged:
				merged[o.Token] = true
			case thin.Sent:
				subset(t, in, o.Stanza)
				for _, c := range o.Also {
					if !merged[c.Token] || r.in[c.Token].To() != c.To {
						t.Fatalf("copy %d for %v was not merged", c.Token, c.To)
					}
					delete(merged, c.Token)
				}
			}
		}
		for i := range r.in {
			if seen[uint64(i)] != 1 {
				t.Fatalf("%d came out %d times", i, seen[uint64(i)])
			}
		}
		st := r.t.Stats()
		if len(merged) != 0 || st.In != uint64(len(r.in)) || st.In != st.Sent+st.Merged+st.Dropped {
			t.Fatalf("merged and never sent: %v; counted %+v of %d", merged, st, len(r.in))
		}
	})
}

// subset holds that out is in without some of its children.
func subset(t *rapid.T, in, out stanza.Stanza) {
	if in.From() != out.From() || in.To() != out.To() || in.ID() != out.ID() || in.Type() != out.Type() {
		t.Fatalf("another stanza came out: %v for %v", out, in)
	}
	i := 0
	for child := range out.Element().Children() {
		for ; i < in.Element().NumNodes(); i++ {
			if in.Element().NodeAt(i).Element.Equal(child) {
				break
			}
		}
		if i == in.Element().NumNodes() {
			t.Fatalf("%v came out and never went in", child.Name())
		}
		i++
	}
}

// TestTheLastPresenceGetsThrough: what the far side knows in the end is what was said last, folded; with presence off it never takes
// somebody for there who left.
func TestTheLastPresenceGetsThrough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := play(t)
		type pair struct{ from, to jid.JID }
		last, far := map[pair]stanza.Stanza{}, map[pair]stanza.Stanza{}
		for _, s := range r.in {
			if thin.Paced(s) {
				last[pair{s.From(), s.To()}] = s
			}
		}
		for _, o := range r.outs {
			if o.Fate == thin.Sent && thin.Paced(o.Stanza) {
				far[pair{o.Stanza.From(), o.Stanza.To()}] = o.Stanza
			}
		}
		for p, s := range last {
			got := far[p]
			there := s.Type() == stanza.PresenceAvailable
			switch {
			case r.o.Presence == thin.Off:
				if got.Type() == stanza.PresenceAvailable && r.o.MaxContacts > 2 {
					t.Fatalf("presence is off, and %v was sent", p)
				}
			case got.IsZero():
				t.Fatalf("nothing was said of %v", p)
			case there != (got.Type() == stanza.PresenceAvailable):
				t.Fatalf("%v: said %v, was %v", p, got.Type(), s.Type())
			case there:
				a, _ := s.Show()
				if b, _ := got.Show(); a != b {
					t.Fatalf("%v: said %v, was %v", p, b, a)
				}
			}
		}
	})
}

// TestCoarseIsSlow: not more than one change for each contact and interval.
func TestCoarseIsSlow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := play(t)
		if r.o.Presence != thin.Coarse || r.o.MaxContacts < 1000 {
			return
		}
		type contact struct{ from, to jid.JID }
		before := map[contact]time.Time{}
		for i, o := range r.outs {
			if o.Fate != thin.Sent || !thin.Paced(o.Stanza) {
				continue
			}
			c := contact{o.Stanza.From().Bare(), o.Stanza.To()}
			if b, ok := before[c]; ok && r.when[i].Sub(b) < r.o.Interval {
				t.Fatalf("%v: %v after the last, interval %v", c, r.when[i].Sub(b), r.o.Interval)
			}
			before[c] = r.when[i]
		}
	})
}

// TestMergedThenFannedOut: what the far side makes of lists is what rooms sent, in the order of each room and occupant.
func TestMergedThenFannedOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := playWith(t, busyRooms, 1000)
		type pair struct{ room, to jid.JID }
		in, out := map[pair][]string{}, map[pair][]string{}
		for _, s := range r.in {
			if s.Type() == stanza.MessageGroupchat {
				p := pair{s.From().Bare(), s.To()}
				in[p] = append(in[p], s.ID())
			}
		}
		for _, o := range r.outs {
			if o.Fate != thin.Sent || o.Stanza.Type() != stanza.MessageGroupchat {
				continue
			}
			var also []jid.JID
			for _, c := range o.Also {
				also = append(also, c.To)
			}
			list, err := fanout.Elements(o.Stanza, also)
			if err != nil {
				t.Fatal(err)
			}
			back, err := fanout.Parse(o.Stanza, list)
			if err != nil {
				t.Fatal(err)
			}
			copies, err := fanout.Expand(o.Stanza, back)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range copies {
				token := o.Token
				if i > 0 {
					token = o.Also[i-1].Token
				}
				if !s.Element().Equal(r.in[token].Element()) {
					t.Fatalf("copy %d is not what was sent", i)
				}
				p := pair{s.From().Bare(), s.To()}
				out[p] = append(out[p], s.ID())
			}
		}
		for p := range in {
			if !slices.Equal(in[p], out[p]) {
				t.Fatalf("%v: sent %v, fanned out %v", p, in[p], out[p])
			}
		}
	})
}
