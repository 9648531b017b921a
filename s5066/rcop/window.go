package rcop

import "errors"

// WindowSize is how many numbers a sender may have under way: half of them all, so that a
// receiver that remembers as many never takes a new message for an old one.
const WindowSize = 128

// ErrWindow is why Window.Next gives no number: the oldest message is still under way.
var ErrWindow = errors.New("as many U_PDU numbers are under way as there may be")

// Window numbers the messages of one connection to one destination. The zero Window begins
// with 0. Not safe for concurrent use.
type Window struct {
	next, oldest uint8
	busy         [256]bool
}

// NewWindow continues after a restart with the number that would have been next.
func NewWindow(next uint8) *Window { return &Window{next: next, oldest: next} }

// Next gives the next number and marks it as under way.
func (w *Window) Next() (uint8, error) {
	if w.next-w.oldest >= WindowSize {
		return 0, ErrWindow
	}
	id := w.next
	w.busy[id] = true
	w.next++
	return id, nil
}

// Done says that nothing of a message will be sent any more, whatever became of it.
func (w *Window) Done(id uint8) {
	w.busy[id] = false
	for w.oldest != w.next && !w.busy[w.oldest] {
		w.oldest++
	}
}

// Open is how many numbers lie between the oldest under way and the next.
func (w *Window) Open() int { return int(w.next - w.oldest) }
