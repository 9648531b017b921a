package s2s

import (
	"sync/atomic"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/links"
)

// sent is one stanza that is written and not confirmed.
type sent struct {
	queued
	q       *queue
	bytes   int
	at      time.Time
	tracked bool // by XEP-0198; others wait for a ping or the end
	done    bool
}

// flight is what one session has in the air in both directions: what we wrote and nobody confirmed, and the receipts of what we read.
// It outlives its stream when the session can be resumed. Owned by the stream that owns the session, under its lock; only Settled is
// for everybody.
type flight struct {
	session *stream.Session
	owner   atomic.Pointer[serverStream]
	paused  atomic.Bool // the reader waits for receipts

	ring  []sent // ring[head:] are in the air, token first upward
	head  int
	first uint64

	untracked      int
	untrackedBytes int
}

func newFlight(session *stream.Session) *flight { return &flight{session: session, first: 1} }

// moveTo gives what is in the air to another flight of the same stream, as untracked: the session that tracked it is not there any more.
func (f *flight) moveTo(other *flight) {
	for _, t := range f.tokens() {
		e := f.find(t)
		moved := *e
		f.finish(e)
		moved.tracked = false
		other.add(moved)
	}
}

// Settled implements links.Receipt.
func (f *flight) Settled(seq uint64) {
	due := f.session.Settled(seq)
	s := f.owner.Load()
	if s == nil {
		return
	}
	if due {
		s.ackDue.Store(true)
		s.wake()
	}
	if f.paused.Load() {
		select {
		case s.resumed <- struct{}{}:
		default:
		}
	}
}

// next is the token the next stanza will have. Token 0 is never given: pings have it.
func (f *flight) next() uint64 { return f.first + uint64(len(f.ring)-f.head) } //nolint:gosec // a length

func (f *flight) add(e sent) {
	if f.head > 64 && f.head > len(f.ring)/2 {
		n := copy(f.ring, f.ring[f.head:])
		clear(f.ring[n:])
		f.ring, f.head = f.ring[:n], 0
	}
	f.ring = append(f.ring, e)
	if !e.tracked {
		f.untracked++
		f.untrackedBytes += e.bytes
	}
}

// find returns the entry with a token that is still in the air.
func (f *flight) find(token uint64) *sent {
	if token < f.first || token >= f.next() {
		return nil
	}
	e := &f.ring[f.head+int(token-f.first)] //nolint:gosec // checked above
	if e.done {
		return nil
	}
	return e
}

// finish marks an entry and forgets the finished ones at the front.
func (f *flight) finish(e *sent) {
	e.done = true
	if !e.tracked {
		f.untracked--
		f.untrackedBytes -= e.bytes
	}
	for f.head < len(f.ring) && f.ring[f.head].done {
		f.ring[f.head] = sent{done: true}
		f.head++
		f.first++
	}
	if f.head == len(f.ring) {
		f.ring, f.head = f.ring[:0], 0
	}
}

// acked confirms what the peer acknowledged (XEP-0198 §4).
func (f *flight) acked(items []stream.Item) (n int) {
	for i := range items {
		if e := f.find(items[i].Token); e != nil {
			c := e.Consignment
			f.finish(e)
			c.Reporter.Report(c.Token, links.Delivered, nil)
			n++
		}
	}
	return n
}

// confirm reports everything untracked up to a token that was written before limit (zero: whenever) as delivered.
func (f *flight) confirm(upTo uint64, before time.Time, cause error) (n int) {
	for t := f.first; t <= upTo && t < f.next(); t++ {
		e := f.find(t)
		if e == nil || e.tracked {
			continue
		}
		if !before.IsZero() && e.at.After(before) {
			break
		}
		c := e.Consignment
		f.finish(e)
		c.Reporter.Report(c.Token, links.Delivered, cause)
		n++
	}
	return n
}

// oldest is when the oldest untracked entry was written.
func (f *flight) oldest() (time.Time, bool) {
	if f.untracked == 0 {
		return time.Time{}, false
	}
	for t := f.first; t < f.next(); t++ {
		if e := f.find(t); e != nil && !e.tracked {
			return e.at, true
		}
	}
	return time.Time{}, false
}

// tokens returns every token in the air, oldest first.
func (f *flight) tokens() []uint64 {
	var out []uint64
	for t := f.first; t < f.next(); t++ {
		if f.find(t) != nil {
			out = append(out, t)
		}
	}
	return out
}

// untrackedTokens returns those that no acknowledgement will ever name.
func (f *flight) untrackedTokens() []uint64 {
	var out []uint64
	for _, t := range f.tokens() {
		if !f.find(t).tracked {
			out = append(out, t)
		}
	}
	return out
}

// landed reports everything in the air as delivered: both sides closed in order, so the peer has read it all.
func (f *flight) landed() (n int) {
	for _, t := range f.tokens() {
		e := f.find(t)
		c := e.Consignment
		f.finish(e)
		c.Reporter.Report(c.Token, links.Delivered, nil)
		n++
	}
	return n
}

// lost decides about entries that will never be confirmed: written again where the peer's policy says so, else reported in doubt.
// What is to be written again goes back to the front of its queue.
func (f *flight) lost(tokens []uint64, t *table, now time.Time) (doubtful, again int) {
	back := make(map[*queue][]queued)
	for _, token := range tokens {
		e := f.find(token)
		if e == nil {
			continue
		}
		q, item := e.q, e.queued
		f.finish(e)
		p := t.peer(q.key.remote)
		if p != nil && p.InDoubt == InDoubtResend && item.Released.Stanza().Kind() != stanza.IQ && !expired(&item.Consignment, now) {
			item.resent = true
			back[q] = append(back[q], item)
			again++
			continue
		}
		item.Reporter.Report(item.Token, links.InDoubt, links.ErrLost)
		doubtful++
	}
	for q, items := range back {
		q.putBack(items)
	}
	return doubtful, again
}
