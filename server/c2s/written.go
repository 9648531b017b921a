package c2s

import "sync"

// maxSpare is the largest buffer that is used again. What is larger was for somebody who had not read for a while.
const maxSpare = 32 << 10

// written is what waits to be written to a client: first-level elements one behind the other. Its memory is used again, by whatever link
// has something to write next, so that an idle one keeps none.
type written struct {
	data []byte
	ends []int // of the elements in data
}

var spares = sync.Pool{New: func() any { return new(written) }}

// spare gives an empty one.
func spare() *written { return spares.Get().(*written) }

// free gives it back. Nobody may look at it any more.
func (w *written) free() {
	if cap(w.data) <= maxSpare {
		w.data, w.ends = w.data[:0], w.ends[:0]
		spares.Put(w)
	}
}
