package gateway

import (
	"errors"

	"sallyport/gateway/delivery"
	"sallyport/gateway/spool"
	"sallyport/internal/xmpp/jid"
	"sallyport/links/fanout"
	"sallyport/peering"
)

// Recipients that ended before their entry did: one who is refused, or who has his copy while others have to wait for theirs. The list
// on the disk is as it was, for a number must not go with another list; so they are remembered until the entry ends. After a crash who
// was refused is refused again, and an entry of which something arrived is in doubt.

// part notes that a recipient has ended; false when he had before.
func (d *depot) part(n spool.Number, to jid.JID, delivered bool) bool {
	d.endsMu.Lock()
	defer d.endsMu.Unlock()
	if _, ok := d.parted[n][to]; ok {
		return false
	}
	if d.parted[n] == nil {
		d.parted[n] = map[jid.JID]bool{}
	}
	d.parted[n][to] = delivered
	return true
}

// arrived ends one recipient of an entry as delivered.
func (d *depot) arrived(e *spool.Entry, to jid.JID) {
	if d.part(e.Number, to, true) {
		d.g.counters.Queued.Add(-1)
		d.g.counters.Delivered.Add(1)
		d.g.peer(peerOf(e.Peer)).Delivered.Add(1)
	}
}

// partly reports whether somebody has his copy of an entry.
func (d *depot) partly(n spool.Number) bool {
	d.endsMu.Lock()
	defer d.endsMu.Unlock()
	for _, delivered := range d.parted[n] {
		if delivered {
			return true
		}
	}
	return false
}

// unparted forgets who parted from an entry that has ended, and says how many.
func (d *depot) unparted(n spool.Number) int64 {
	d.endsMu.Lock()
	defer d.endsMu.Unlock()
	defer delete(d.parted, n)
	return int64(len(d.parted[n]))
}

// rest leaves in an entry who has not parted from it; false when there is nobody.
func (d *depot) rest(e *spool.Entry) bool {
	left, changed := d.remaining(e)
	switch {
	case !changed:
		return true
	case len(left) == 0:
		return false
	}
	if left[0] != e.To {
		stored, err := d.g.engine.Readdressed(e.Stored, left[0])
		if err != nil {
			return true // it is not readable, and ends as damaged
		}
		e.Stored = stored
	}
	e.To, e.Also = left[0], left[1:]
	return true
}

func (d *depot) remaining(e *spool.Entry) (left []jid.JID, changed bool) {
	d.endsMu.Lock()
	defer d.endsMu.Unlock()
	gone := d.parted[e.Number]
	if len(gone) == 0 {
		return nil, false
	}
	for _, to := range append([]jid.JID{e.To}, e.Also...) {
		if _, ok := gone[to]; !ok {
			left = append(left, to)
		}
	}
	return left, true
}

// leaveOut ends the copy of one recipient, who is refused, while the entry goes on for the others.
func (x *dispatcher) leaveOut(h *heldEntry, to jid.JID, stored peering.Stored, v *peering.Verdict) {
	e := h.Entry
	e.To, e.Also, e.Stored = to, nil, stored
	if !x.d.part(h.Number, to, false) {
		return
	}
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
	x.mu.Lock()
	h.Stored, h.To, h.Also = stored, h.Also[0], h.Also[1:]
	x.mu.Unlock()
	return true
}

// errUnlike is why a recipient is left out whose copy differs, under the policy of today, from those of most others: they are one
// consignment with one content, and it keeps its place.
var errUnlike = errors.New("his copy of a message for several differs from theirs under the policy of today")

// unlike takes out whose copy differs from those of most; true when that was anybody. all are the copies of h as they would leave.
func (x *dispatcher) unlike(h *heldEntry, all []peering.Released) bool {
	sums, times := make([][32]byte, len(all)), map[[32]byte]int{}
	most := 0
	for i := range all {
		sums[i], _ = fanout.Digest(all[i].Stanza())
		if times[sums[i]]++; times[sums[i]] > times[sums[most]] {
			most = i
		}
	}
	if len(times) == 1 {
		return false
	}
	for i, to := range append([]jid.JID{h.To}, h.Also...) {
		if i >= len(all) || sums[i] == sums[most] {
			continue
		}
		e := h.Entry
		stored, err := x.d.g.engine.Readdressed(h.Stored, to)
		if err != nil || !x.d.part(h.Number, to, false) {
			continue
		}
		e.To, e.Also, e.Stored = to, nil, stored
		x.d.g.counters.Queued.Add(-1)
		x.d.g.counters.Bounced.Add(1)
		x.d.ends.addNow(conclusion{entry: e, how: spool.Bounced, state: delivery.TakenOut, why: errUnlike, ended: true})
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.d.rest(&h.Entry)
	h.released = peering.Released{} // it may be of one who parted
	return true
}
