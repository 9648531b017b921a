package s2s

import (
	"context"
	"errors"
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/links"
)

// pairKey names a queue: two bare domains.
type pairKey struct{ local, remote jid.JID }

func (k pairKey) pair() stream.Pair { return stream.Pair{Local: k.local, Remote: k.remote} }

// service is what a queue has in the way of a stream.
type service uint8

const (
	unserved   service = iota // nobody takes from it
	connecting                // somebody looks for, or makes, a stream
	served                    // queue.stream takes from it
	waiting                   // the last attempt failed, or a lost session may come back; not before queue.retry
)

var serviceWords = [...]string{"idle", "connecting", "up", "waiting"}

func (s service) String() string { return serviceWords[s] }

// queued is one consignment that is not written yet.
type queued struct {
	links.Consignment
	room   int // bytes of the queue's room it holds
	since  time.Time
	resent bool
}

// queue holds what is to go from one local to one remote domain, in order.
type queue struct {
	key    pairKey
	limits QueueLimits

	mu            sync.Mutex
	items         []queued // items[head:] wait
	head          int
	bytes         int // room held by items
	promised      int // Reserve calls without their Deliver yet
	promisedBytes int
	room          chan struct{} // closed and replaced when room is freed and somebody waits
	waiters       int

	state    service
	search   uint64        // number of the latest search for a stream: an earlier one has no say any more
	stream   *serverStream // when served
	ownOnly  bool          // multiplexing was refused: dial
	retry    time.Time
	failures int
	shorts   int     // streams in a row that died young
	refusal  error   // why Reserve says no until retry
	lastErr  error   // for Status
	resume   *flight // session to resume when dialling
	lostAt   time.Time
	taker    *serverStream // resumes it now; until that is decided nobody else serves, or what is sent again would be overtaken
	closed   bool          // for good: it was drained, or retired
	idle     int           // looks of the housekeeper at a queue with nothing to do
}

// errRetired says that the queue was taken away; there is a new one under the same key.
var errRetired = errors.New("queue retired")

func newQueue(key pairKey, limits QueueLimits) *queue {
	return &queue{key: key, limits: limits, room: make(chan struct{})}
}

// maxReserve bounds how long a sender is held back for a full queue.
const maxReserve = 30 * time.Second

// reserve takes room for one stanza of n bytes, waiting for it.
func (q *queue) reserve(ctx context.Context, n int) error {
	waited := false
	for {
		q.mu.Lock()
		switch {
		case q.closed:
			q.mu.Unlock()
			return errRetired
		case q.refusal != nil && q.state == waiting:
			err := q.refusal
			q.mu.Unlock()
			return err
		}
		count, bytes := len(q.items)-q.head+q.promised, q.bytes+q.promisedBytes
		if count < q.limits.Stanzas && (count == 0 || bytes+n <= q.limits.Bytes) {
			q.promised++
			q.promisedBytes += n
			q.mu.Unlock()
			return nil
		}
		room := q.room
		q.waiters++
		q.mu.Unlock()
		if !waited { // a deadline is dear; who finds room needs none
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, maxReserve)
			defer cancel()
			waited = true
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// redeem turns the oldest promise into room held: promises are not numbered, so each is worth their mean, and the sum stays exact.
// Caller holds mu.
func (q *queue) redeem() int {
	if q.promised == 0 {
		return 0
	}
	n := q.promisedBytes / q.promised
	q.promised--
	q.promisedBytes -= n
	return n
}

// unreserve gives back a promise that will not be used.
func (q *queue) unreserve() {
	q.mu.Lock()
	q.redeem()
	q.freed()
	q.mu.Unlock()
}

// put appends a delivery. It returns the stream to wake, or that a stream is needed.
func (q *queue) put(c links.Consignment, now time.Time) (wake *serverStream, need, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	room := q.redeem()
	if q.closed {
		q.freed()
		return nil, false, false
	}
	q.compact()
	q.items = append(q.items, queued{Consignment: c, room: room, since: now})
	q.bytes += room
	return q.stream, q.state == unserved, true
}

// putBack returns items that were taken, or written and lost, to the front, in their order.
func (q *queue) putBack(items []queued) {
	if len(items) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range items {
		q.bytes += items[i].room
	}
	rest := q.items[q.head:]
	if len(items) <= q.head { // room in front
		q.head -= len(items)
		copy(q.items[q.head:], items)
		return
	}
	q.items = append(append(make([]queued, 0, len(items)+len(rest)), items...), rest...)
	q.head = 0
}

// take moves up to n items to dst, for the stream that serves, and frees their room.
func (q *queue) take(s *serverStream, dst []queued, n int) []queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stream != s {
		return dst
	}
	n = min(n, len(q.items)-q.head)
	for i := range n {
		it := &q.items[q.head+i]
		q.bytes -= it.room
		dst = append(dst, *it)
		*it = queued{}
	}
	if q.head += n; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	if n > 0 {
		q.freed()
	}
	return dst
}

// compact moves the rest down when more than half of the slice is behind us.
func (q *queue) compact() {
	if q.head > 64 && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
}

// freed wakes who waits for room. Caller holds mu.
func (q *queue) freed() {
	if q.waiters > 0 {
		close(q.room)
		q.room = make(chan struct{})
		q.waiters = 0
	}
}

// overdue takes what has waited too long, by the queue's age or by its own release.
func (q *queue) overdue(now time.Time) []queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	var gone []queued
	keep := q.items[:q.head]
	for _, it := range q.items[q.head:] {
		if now.Sub(it.since) < q.limits.Age && !expired(&it.Consignment, now) {
			keep = append(keep, it)
			continue
		}
		q.bytes -= it.room
		gone = append(gone, it)
	}
	if len(gone) > 0 {
		clear(q.items[len(keep):])
		q.items = keep
		q.freed()
	}
	return gone
}

// drain takes everything and, with close, lets nothing in any more.
func (q *queue) drain(closing bool) []queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	gone := append([]queued(nil), q.items[q.head:]...)
	clear(q.items)
	q.items, q.head, q.bytes = q.items[:0], 0, 0
	q.closed = q.closed || closing
	q.freed()
	return gone
}

func expired(c *links.Consignment, now time.Time) bool {
	e := c.Released.Expires()
	return !e.IsZero() && !now.Before(e)
}
