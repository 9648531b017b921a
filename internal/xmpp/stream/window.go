package stream

import "slices"

// window is the ring of items written and not acknowledged. Its sent counter
// is acked plus what is in the ring, mod 2^32.
type window struct {
	on       bool
	maxItems int
	maxBytes int
	ring     []Item
	head, n  int
	bytes    int
	acked    uint32 // items acknowledged since the start, mod 2^32
	scratch  []Item
}

func (w *window) len() int { return w.n }

func (w *window) full(bytes int) bool {
	// One item larger than maxBytes may pass alone, or it could never be sent.
	return w.on && (w.n >= w.maxItems || w.n > 0 && w.bytes+bytes > w.maxBytes)
}

func (w *window) push(it Item) bool {
	if !w.on {
		return true
	}
	if w.full(it.Bytes) {
		return false
	}
	if w.n == len(w.ring) {
		w.grow()
	}
	w.ring[(w.head+w.n)%len(w.ring)] = it
	w.n++
	w.bytes += it.Bytes
	return true
}

func (w *window) grow() {
	ring := make([]Item, max(4, 2*len(w.ring)))
	for i := range w.n {
		ring[i] = w.ring[(w.head+i)%len(w.ring)]
	}
	w.ring, w.head = ring, 0
}

// ack removes the oldest items up to the peer's h. A repeated h removes none; an
// h outside acked…sent is too high (also one that went back: mod 2^32 they are the same).
func (w *window) ack(h uint32) ([]Item, error) {
	done := h - w.acked
	if uint64(done) > uint64(w.n) {
		return nil, &TooHighError{H: h, Sent: w.acked + uint32(w.n)}
	}
	w.scratch = w.scratch[:0]
	for range done {
		w.scratch = append(w.scratch, w.shift())
	}
	w.acked = h
	return w.scratch, nil
}

func (w *window) shift() Item {
	it := w.ring[w.head]
	w.ring[w.head] = Item{}
	w.head = (w.head + 1) % len(w.ring)
	w.n--
	w.bytes -= it.Bytes
	return it
}

// items gives all items, oldest first.
func (w *window) items() []Item {
	list := make([]Item, 0, w.n)
	for i := range w.n {
		list = append(list, w.ring[(w.head+i)%len(w.ring)])
	}
	return list
}

// take removes all items without acknowledging them: the sent counter goes back to acked.
func (w *window) take() []Item {
	var items []Item
	for w.n > 0 {
		items = append(items, w.shift())
	}
	return items
}

// pairs lists the pairs that have items, in order of the oldest.
func (w *window) pairs() []Pair {
	var list []Pair
	for i := range w.n {
		p := w.ring[(w.head+i)%len(w.ring)].Pair
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}
