package c2s

import (
	"sync"

	"sallyport/internal/xmpp/stream"
)

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

// arrivals are stanzas that wait to be handed up. Their memory is used again, too.
type arrivals struct{ list []stream.Arrival }

var someArrivals = sync.Pool{New: func() any { return new(arrivals) }}

func (a *arrivals) free() {
	clear(a.list)
	if a.list = a.list[:0]; cap(a.list) <= 2*maxArrivals {
		someArrivals.Put(a)
	}
}
