package gateway

import (
	"context"
	"encoding/hex"
	"sync"

	"sallyport/gateway/spool"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/fanout"
	"sallyport/peering"
)

// Copies of what was said in a room, for several behind one peer: they are one entry of the spool with a list of recipients, cross to a
// gateway of ours as one consignment with that list, and are one entry there. Each recipient is judged for himself on either side, and
// again when the entry leaves.

// copyKey is the same for copies that came the same way and leave as the same; the zero key is for what has no copies, or where they
// are not merged.
func (d *depot) copyKey(f *flight, r *peering.Released) spool.Key {
	t := d.thinner(r.Peer())
	if t == nil || !t.merges() || d.strayed(f, r) {
		return spool.Key{}
	}
	came, ok := fanout.Digest(f.in.Stanza)
	leaves, also := fanout.Digest(r.Stanza())
	if !ok || !also {
		return spool.Key{}
	}
	return spool.KeyOf("copy", f.in.Link, f.in.Peer, hex.EncodeToString(came[:]), hex.EncodeToString(leaves[:]))
}

// strayed reports whether something that was said to the same person before stands aside. What has to follow it must not take the copies
// of others with it.
func (d *depot) strayed(f *flight, r *peering.Released) bool {
	d.mu.Lock()
	x := d.peers[r.Peer()]
	d.mu.Unlock()
	if x == nil {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.sched.Strayed(conversationOf(r.From(), r.To()), uint8(f.class))
}

func (t *thinner) merges() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rooms
}

// copies are the flights of one consignment for several. They are kept together: one frame on the disk holds all that were released,
// and the mark.
type copies struct {
	d  *depot
	mu sync.Mutex

	left     int
	failed   bool // the record of one of them can never be
	flights  []*flight
	released []*flight
	replies  []*peering.Released
}

// acceptCopies is accept for one consignment with several recipients: each is judged, recorded and counted for himself. rc.order is
// held.
func (rc *receiver) acceptCopies(ctx context.Context, f *flight, in links.Inbound) {
	g := rc.d.g
	all := append([]*flight{f}, rc.d.others(f)...)
	arrivals := make([]peering.Arrival, len(all))
	taken := true
	for i, one := range all {
		g.arrival(&one.in, &arrivals[i])
		g.decide(one, &arrivals[i])
		taken = taken && rc.d.makeRoom(ctx, one, &arrivals[i]) == nil
	}
	if taken = taken && rc.take(in); !taken { // the peer still has it
		for _, one := range all {
			one.claim.settle(false)
			g.flights.put(one)
		}
		return
	}
	for i, one := range all {
		g.counters.Accepted.Add(1)
		g.counters.Deciding.Add(1)
		g.peer(one.in.Peer).In.Add(1)
		g.record(one, &arrivals[i])
	}
}

// others makes the flights of the other recipients.
func (d *depot) others(f *flight) []*flight {
	all := &copies{d: d, left: 1 + len(f.in.Also)}
	f.copies = all
	out := make([]*flight, 0, len(f.in.Also))
	for _, to := range f.in.Also {
		in := f.in
		in.Stanza, in.Also = f.in.Stanza.WithAddresses(jid.JID{}, to), nil
		one := d.g.flights.get(d.g, &in)
		one.mark, one.copies = f.mark, all
		out = append(out, one)
	}
	return out
}

// add takes what became of one of them; a nil reply is for somebody who is told nothing, or nothing that has to be kept.
func (c *copies) add(f *flight, released bool, reply *peering.Released) {
	c.mu.Lock()
	c.flights = append(c.flights, f)
	if released {
		c.released = append(c.released, f)
	}
	if reply != nil {
		again := *reply
		c.replies = append(c.replies, &again)
	}
	c.mu.Unlock()
	c.decided()
}

// unrecorded is add for one whose record can never be. Nothing of the consignment is kept then: the peer still has all of it.
func (c *copies) unrecorded(f *flight) {
	c.mu.Lock()
	c.flights = append(c.flights, f)
	c.failed = true
	c.mu.Unlock()
	c.decided()
}

// decided goes on when it is known of all of them what becomes of them.
func (c *copies) decided() {
	c.mu.Lock()
	c.left--
	last := c.left == 0
	c.mu.Unlock()
	switch {
	case !last:
	case c.failed:
		c.d.g.counters.Refused.Add(int64(len(c.released)))
		for _, f := range c.flights {
			f.land()
		}
	default:
		c.keep()
	}
}

// keep keeps them, when all are on record. Errors for those who were refused go first: should the power fail in between, an error is
// told twice, and nothing else.
func (c *copies) keep() {
	d := c.d
	for _, reply := range c.replies {
		d.keepReply(reply, nil, nil, func(err error) {
			if err != nil {
				d.g.counters.RepliesLost.Add(1)
			}
		})
	}
	mark := c.flights[0].mark
	if len(c.released) == 0 {
		d.commit(mark, job{func(done func(error)) {
			if err := d.store().Refused(*mark, done); err != nil {
				done(err)
			}
		}, func(err error) { c.kept(mark, err) }})
		return
	}
	first := c.released[0]
	r, _ := first.verdict.Released()
	e := d.entry(first, &r)
	e.To, e.Mark = first.in.Stanza.To(), mark
	for _, f := range c.released[1:] {
		other, _ := f.verdict.Released()
		if !first.alike(&r, f, &other) { // a rule sends him elsewhere, or something else
			c.apart(f, &other)
			continue
		}
		e.Also = append(e.Also, f.in.Stanza.To())
		e.Voices = append(e.Voices, conversationOf(other.From(), other.To()))
	}
	d.g.counters.Queued.Add(e.Weight())
	d.commit(mark, job{func(done func(error)) {
		if err := d.store().Append(e, func(_ spool.Number, err error) { done(err) }); err != nil {
			done(err)
		}
	}, func(err error) {
		if err != nil {
			d.g.counters.Queued.Add(-e.Weight())
			d.g.counters.InDoubt.Add(e.Weight())
		}
		c.kept(mark, err)
	}})
}

// alike reports whether what was released for one leaves as what was released for the other, but for its recipient.
func (f *flight) alike(r *peering.Released, g *flight, other *peering.Released) bool {
	mine, _ := fanout.Digest(r.Stanza())
	its, _ := fanout.Digest(other.Stanza())
	return r.Peer() == other.Peer() && mine == its && f.class == g.class && r.Expires().Equal(other.Expires())
}

// apart keeps one that is not like the rest. It goes before them, and like them it waits for room.
func (c *copies) apart(f *flight, r *peering.Released) {
	d := c.d
	e := d.entry(f, r)
	mark := e.Mark
	e.Mark = nil
	d.g.counters.Queued.Add(1)
	d.commit(mark, job{func(done func(error)) {
		if err := d.store().Append(e, func(_ spool.Number, err error) { done(err) }); err != nil {
			done(err)
		}
	}, func(err error) {
		if err != nil {
			d.g.counters.Queued.Add(-1)
			d.g.counters.InDoubt.Add(1)
		}
	}})
}

// kept is told that all are on disk, or why not: then the peer still has them.
func (c *copies) kept(mark *spool.Mark, err error) {
	if err == nil {
		c.d.committed(mark)
	}
	for _, f := range c.flights {
		f.in.Receipt = nil
		f.land()
	}
}

// also releases the copies of an entry for one link, as they leave now. Who is refused today is told so, and left out.
func (x *dispatcher) also(h *heldEntry, at int) (out []peering.Released) {
	link := x.plan.names[at]
	for i := 0; i < len(h.Also); {
		to := h.Also[i]
		stored, err := x.d.g.engine.Readdressed(h.Stored, to)
		var v peering.Verdict
		if err == nil {
			v, err = x.d.g.engine.RejudgeFor(stored, nil, link)
		}
		r, ok := v.Released()
		if err == nil && ok && r.Link() == link && v.ToPeer == x.peer {
			if r, ok = x.thinned(h, r); ok {
				out = append(out, x.d.g.lateness().Leaving(r, h.Accepted, x.d.g.now()))
			}
			i++
			continue
		}
		rest := append(append([]jid.JID(nil), h.Also[:i]...), h.Also[i+1:]...)
		x.leaveOut(h, to, stored, &v)
		h.Also = rest
	}
	return out
}

// voices are the conversations of an entry besides its own: those of the other recipients, and of one who stands first since another was
// left out. Whom the policy of today refuses has none.
func (x *dispatcher) voices(h *heldEntry) (out []uint64) {
	if h.Stored.IsReply() {
		return nil
	}
	if r := &h.released; !r.IsZero() {
		if c := conversationOf(r.From(), r.To()); c != h.Conversation {
			out = append(out, c)
		}
	}
	for _, to := range h.Also {
		stored, err := x.d.g.engine.Readdressed(h.Stored, to)
		if err != nil {
			continue
		}
		v, err := x.d.g.engine.RejudgeFor(stored, nil, "")
		if r, ok := v.Released(); ok && err == nil {
			out = append(out, conversationOf(r.From(), r.To()))
		}
	}
	return out
}

// voicesAside is voices for an entry that was set aside in an earlier life.
func (x *dispatcher) voicesAside(e spool.Entry) []uint64 {
	if len(e.Also) == 0 {
		return nil
	}
	var err error
	if e.Stored, err = x.d.store().Stored(e.Number); err != nil {
		return nil // it can only end as damaged
	}
	return x.voices(&heldEntry{Entry: e})
}

// split makes one conclusion for each recipient of an entry; the first goes on for the entry.
func (q *concluder) split(c *conclusion) (others []conclusion) {
	for _, to := range c.entry.Also {
		stored, err := q.d.g.engine.Readdressed(c.entry.Stored, to)
		if err != nil {
			continue // the record of the first is all there is
		}
		one := *c
		one.entry.To, one.entry.Also, one.entry.Stored = to, nil, stored
		one.verdict, one.ended, one.recorded = nil, true, false
		others = append(others, one)
	}
	c.entry.Also = nil
	return others
}
