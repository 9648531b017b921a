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
	if t == nil || !t.merges() {
		return spool.Key{}
	}
	came, ok := fanout.Digest(f.in.Stanza)
	leaves, also := fanout.Digest(r.Stanza())
	if !ok || !also {
		return spool.Key{}
	}
	return spool.KeyOf("copy", f.in.Link, f.in.Peer, hex.EncodeToString(came[:]), hex.EncodeToString(leaves[:]))
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
	c.left--
	last := c.left == 0
	c.mu.Unlock()
	if last {
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
		if other, _ := f.verdict.Released(); other.Peer() != r.Peer() { // a rule sends him elsewhere
			c.apart(f, &other)
			continue
		}
		e.Also = append(e.Also, f.in.Stanza.To())
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

// apart keeps one that goes to another peer than the rest.
func (c *copies) apart(f *flight, r *peering.Released) {
	g := c.d.g
	e := c.d.entry(f, r)
	e.Mark = nil
	g.counters.Queued.Add(1)
	done := func(err error) {
		if err != nil {
			g.counters.Queued.Add(-1)
			g.counters.InDoubt.Add(1)
		}
	}
	if err := c.d.store().Append(e, func(_ spool.Number, err error) { done(err) }); err != nil {
		done(err)
	}
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

// leaveOut ends the copy of one recipient, who is refused, while the entry goes on for the others.
func (x *dispatcher) leaveOut(h *heldEntry, to jid.JID, stored peering.Stored, v *peering.Verdict) {
	e := h.Entry
	e.To, e.Also, e.Stored = to, nil, stored
	x.d.endsMu.Lock()
	x.d.parted[h.Number]++
	x.d.endsMu.Unlock()
	x.d.g.counters.Queued.Add(-1)
	x.d.g.counters.Refused.Add(1)
	x.d.ends.addNow(conclusion{entry: e, how: spool.Refused, verdict: v, ended: true})
}

// headRefused takes the first recipient out, who is refused, if there is another one.
func (x *dispatcher) headRefused(h *heldEntry, v *peering.Verdict) bool {
	if len(h.Also) == 0 {
		return false
	}
	stored, err := x.d.g.engine.Readdressed(h.Stored, h.Also[0])
	if err != nil {
		return false
	}
	x.leaveOut(h, h.To, h.Stored, v)
	h.Stored, h.To, h.Also = stored, h.Also[0], h.Also[1:]
	return true
}

// fan delivers an entry with several recipients to somebody who takes one at a time, and reports for all of them. Who has his copy is
// not sent it again.
type fan struct {
	o       *outgoing
	number  uint64
	h       *heldEntry
	to      []jid.JID
	mu      sync.Mutex
	left    int
	d       links.Disposition
	cause   error
	reached []jid.JID
}

var _ links.Reporter = (*fan)(nil)

// fanOut hands over the copies that did not arrive yet. False when there was no room for one of them: then none was handed over.
func (o *outgoing) fanOut(h *heldEntry, c links.Consignment, also []peering.Released, reserve func(*peering.Released) error) error {
	f := &fan{o: o, number: c.Token, h: h, d: links.Delivered}
	var all []peering.Released
	for _, r := range append([]peering.Released{c.Released}, also...) {
		if to := r.Stanza().To(); !h.reached[to] {
			all, f.to = append(all, r), append(f.to, to)
		}
	}
	if len(all) == 0 {
		o.Report(c.Token, links.Delivered, nil)
		return nil
	}
	for i := range all {
		if err := reserve(&all[i]); err != nil {
			for j := range i {
				o.b.giveBack(all[j].Local(), all[j].Remote())
			}
			return err
		}
	}
	f.left = len(all)
	for i := range all {
		o.b.Deliver(links.Consignment{Released: all[i], Token: uint64(i), Reporter: f, Turn: c.Turn})
	}
	return nil
}

// Report implements links.Reporter.
func (f *fan) Report(i uint64, d links.Disposition, cause error) {
	f.mu.Lock()
	if d == links.Delivered {
		f.reached = append(f.reached, f.to[i])
	} else if f.d == links.Delivered || d == links.InDoubt {
		f.d, f.cause = d, cause
	}
	f.left--
	last := f.left == 0
	f.mu.Unlock()
	if !last {
		return
	}
	x := f.o.x
	x.mu.Lock()
	for _, to := range f.reached {
		if f.h.reached == nil {
			f.h.reached = map[jid.JID]bool{}
		}
		f.h.reached[to] = true
	}
	x.mu.Unlock()
	f.o.Report(f.number, f.d, f.cause)
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
