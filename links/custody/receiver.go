package custody

import (
	"errors"

	"sallyport/links"
)

// Decision is what an arrival is. The zero value delivers nothing.
type Decision uint8

// The decisions.
const (
	Foreign    Decision = iota // of no epoch we know: neither delivered nor acknowledged
	Repetition                 // settled before: acknowledge, do not deliver
	Pending                    // a repetition of what is not yet committed: acknowledge when that is
	New                        // deliver; acknowledge when it is committed
)

// Errors of Receiver.
var (
	// ErrOrder: a commit that is not of the lane's oldest arrival in hand. Its mark may cover what is not on disk.
	ErrOrder = errors.New("custody: committed out of order")
	// ErrNotInHand: a commit of something that is not in hand (any more).
	ErrNotInHand = errors.New("custody: committed without having been taken")
)

// Receiver decides for one peer, over all links to it, what is new. Its marks come from outside, where they are durable. The zero value
// knows no epoch and takes nothing. One goroutine, or one mutex, owns it.
type Receiver struct {
	epoch uint64
	lanes [links.Lanes]receiving
}

// receiving is one lane: inHand has been taken and is not yet committed, in order of number.
type receiving struct {
	committed uint64
	taken     uint64 // the newest number taken; at least committed
	inHand    []uint64
	tickets   []ticket // in order of coming
	late      int      // how many of the tickets are not those of inHand
}

type ticket struct{ number, id uint64 }

// NewReceiver starts from durable marks. Of several epochs that of the last mark counts.
func NewReceiver(marks []links.Mark) *Receiver {
	r := &Receiver{}
	for _, m := range marks {
		r.epoch = m.Epoch
	}
	for _, m := range marks {
		if m.Epoch == r.epoch && m.Lane < links.Lanes {
			l := &r.lanes[m.Lane]
			l.committed = max(l.committed, m.Number)
			l.taken = l.committed
		}
	}
	return r
}

// Greeted takes the epoch that the peer says is its own. fresh reports that it had another one before: the peer has lost its spool, and
// that is worth a record. Marks of the earlier epoch are forgotten, and what is in hand of it will be committed without a word.
func (r *Receiver) Greeted(epoch uint64) (fresh bool) {
	if epoch == r.epoch || epoch == 0 {
		return false
	}
	fresh = r.epoch != 0
	*r = Receiver{epoch: epoch}
	return fresh
}

// Epoch is the peer's epoch, 0 while none is known.
func (r *Receiver) Epoch() uint64 { return r.epoch }

// Take decides about an arrival. After New and Pending the id comes back once, from Committed or Abandon; after Repetition it is to be
// settled at once.
func (r *Receiver) Take(f links.Frame, id uint64) Decision {
	if !f.Valid() || f.Epoch != r.epoch {
		return Foreign
	}
	l := &r.lanes[f.Lane]
	switch {
	case f.Number <= l.committed:
		return Repetition
	case f.Number <= l.taken:
		l.tickets = append(l.tickets, ticket{f.Number, id})
		l.late++
		return Pending
	}
	l.taken = f.Number
	l.inHand = append(l.inHand, f.Number)
	l.tickets = append(l.tickets, ticket{f.Number, id})
	return New
}

// Committed says that the entry, or its refusal, is durable together with its mark. It must be the oldest in hand of its lane: a mark
// that overtakes would turn what it jumped over into a repetition. settle gets the ids of everything it settles.
func (r *Receiver) Committed(m links.Mark, settle func(id uint64)) error {
	if m.Epoch != r.epoch || m.Lane >= links.Lanes {
		return ErrNotInHand
	}
	l := &r.lanes[m.Lane]
	switch {
	case len(l.inHand) == 0 || m.Number < l.inHand[0]:
		return ErrNotInHand
	case m.Number != l.inHand[0]:
		return ErrOrder
	}
	l.inHand = l.inHand[1:]
	l.committed = m.Number
	l.release(m.Number, settle)
	return nil
}

// release gives the ids up to a number, in their order, and keeps the others. A repetition of a number in a gap, which was never in
// hand, is covered by the next commit.
func (l *receiving) release(number uint64, settle func(id uint64)) {
	if l.late == 0 { // then tickets are in order of number, one for each in hand
		t := l.tickets[0]
		l.tickets = l.tickets[1:]
		settle(t.id)
		return
	}
	keep := l.tickets[:0]
	for _, t := range l.tickets {
		if t.number <= number {
			settle(t.id)
		} else {
			keep = append(keep, t)
		}
	}
	l.tickets = keep
	l.late = len(keep) - len(l.inHand)
}

// Abandon says that nothing in hand of the lane will be committed: its carriers must be closed, so that the peer starts the lane again.
// drop gets the ids, which must not be settled.
func (r *Receiver) Abandon(lane uint8, drop func(id uint64)) {
	if lane >= links.Lanes {
		return
	}
	l := &r.lanes[lane]
	for _, t := range l.tickets {
		drop(t.id)
	}
	*l = receiving{committed: l.committed, taken: l.committed}
}

// InHand counts what was taken and is not committed.
func (r *Receiver) InHand() (n int) {
	for i := range r.lanes {
		n += len(r.lanes[i].inHand)
	}
	return n
}

// Marks are the marks to say in a greeting: what is committed, one for each lane that has come anywhere.
func (r *Receiver) Marks() []links.Mark {
	var out []links.Mark
	for i := range r.lanes {
		if n := r.lanes[i].committed; n > 0 {
			out = append(out, links.Mark{Epoch: r.epoch, Lane: uint8(i), Number: n}) //nolint:gosec // below Lanes
		}
	}
	return out
}
