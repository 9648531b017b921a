package custody

import (
	"errors"

	"sallyport/links"
)

// Window bounds what may be unconfirmed.
type Window struct {
	Items int
	Bytes int
}

// Verdict is what becomes of something that is to be sent. The zero value sends nothing.
type Verdict uint8

// The verdicts.
const (
	Refused  Verdict = iota // not of our epoch, or its number goes back: give it back to its queue
	Full                    // the window is full: try again after a confirmation
	Already                 // covered by a mark: it is delivered
	Transmit                // write it
)

// ErrNeverSent: the peer acknowledges what this carrier never carried.
var ErrNeverSent = errors.New("custody: acknowledgement of what was never sent")

// Sender is the sending side of one link. The zero value sends nothing. One goroutine, or one mutex, owns it.
type Sender struct {
	epoch  uint64
	window Window
	lanes  [links.Lanes]sending
	items  int
	bytes  int
}

// sending is one lane: waiting[head:] is written and unconfirmed, in order.
type sending struct {
	waiting   []item
	head      int
	last      uint64 // the newest number written in this turn
	confirmed uint64 // everything up to here is
}

type item struct {
	number uint64
	token  uint64
	bytes  int
}

// NewSender returns a sender for entries of one epoch.
func NewSender(epoch uint64, w Window) *Sender { return &Sender{epoch: epoch, window: w} }

// Epoch is the epoch it sends.
func (s *Sender) Epoch() uint64 { return s.epoch }

// Send decides about one consignment; only after Transmit it is in the sender's care, and token comes back once, from Acked, Greeted
// or Lost.
func (s *Sender) Send(f links.Frame, token uint64, bytes int) Verdict {
	if !f.Valid() || f.Epoch != s.epoch {
		return Refused
	}
	l := &s.lanes[f.Lane]
	switch {
	case f.Number <= l.confirmed:
		return Already
	case f.Number <= l.last:
		return Refused
	case s.items >= s.window.Items, s.items > 0 && s.bytes+bytes > s.window.Bytes: // one alone may be larger
		return Full
	}
	l.last = f.Number
	l.waiting = append(l.waiting, item{f.Number, token, bytes})
	s.items++
	s.bytes += bytes
	return Transmit
}

// Acked takes an acknowledgement from the carrier. Marks of another epoch mean nothing to us.
func (s *Sender) Acked(m links.Mark, done func(token uint64)) error {
	if m.Epoch != s.epoch || m.Lane >= links.Lanes {
		return ErrNeverSent
	}
	l := &s.lanes[m.Lane]
	if m.Number > max(l.last, l.confirmed) {
		return ErrNeverSent
	}
	s.confirm(l, m.Number, done)
	return nil
}

// Greeted takes the marks that the peer holds of our lanes. They may be ahead of what this carrier has carried.
func (s *Sender) Greeted(marks []links.Mark, done func(token uint64)) {
	for _, m := range marks {
		if m.Epoch == s.epoch && m.Lane < links.Lanes {
			s.confirm(&s.lanes[m.Lane], m.Number, done)
		}
	}
}

func (s *Sender) confirm(l *sending, number uint64, done func(token uint64)) {
	l.confirmed = max(l.confirmed, number)
	for l.head < len(l.waiting) && l.waiting[l.head].number <= number {
		it := l.waiting[l.head]
		l.head++
		s.items--
		s.bytes -= it.bytes
		done(it.token)
	}
	switch {
	case l.head == len(l.waiting):
		l.waiting, l.head = l.waiting[:0], 0
	case l.head > 256 && 2*l.head > len(l.waiting):
		l.waiting = append(l.waiting[:0], l.waiting[l.head:]...)
		l.head = 0
	}
}

// Lost ends a turn: everything unconfirmed is given back, the highest lane first, each lane in order. What is known to be confirmed
// stays known.
func (s *Sender) Lost(back func(token uint64)) {
	for i := len(s.lanes) - 1; i >= 0; i-- {
		l := &s.lanes[i]
		for _, it := range l.waiting[l.head:] {
			back(it.token)
		}
		*l = sending{confirmed: l.confirmed}
	}
	s.items, s.bytes = 0, 0
}

// Unconfirmed counts what is in the sender's care.
func (s *Sender) Unconfirmed() (items, bytes int) { return s.items, s.bytes }

// First is the number of a lane's first unconfirmed entry; false when there is none.
func (s *Sender) First(lane uint8) (uint64, bool) {
	if lane >= links.Lanes {
		return 0, false
	}
	l := &s.lanes[lane]
	if l.head == len(l.waiting) {
		return 0, false
	}
	return l.waiting[l.head].number, true
}
