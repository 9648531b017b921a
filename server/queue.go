package server

import "sync"

// queue is what is dealt with in its order, on a goroutine that exists only while there is something. The zero value is empty.
type queue[T any] struct {
	mu      sync.Mutex
	items   []T
	running bool
}

// dealer deals with what stands in a queue.
type dealer[T any] interface {
	// spawn runs a function on a goroutine of its own, or says no.
	spawn(f func()) bool
	// deal is given all that waits at a time, one call after the other.
	deal(list []T)
}

// add appends an item unless max others wait; with max 0 however many do. Each call names the same dealer.
func (q *queue[T]) add(max int, item T, d dealer[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if max > 0 && len(q.items) >= max {
		return false
	}
	if q.running && cap(q.items) == 0 { // more will come while what was there is dealt with
		q.items = make([]T, 0, maxKept)
	}
	q.items = append(q.items, item)
	return q.start(d)
}

// start has what waits dealt with; mu is held. False: nobody will, and it is gone.
func (q *queue[T]) start(d dealer[T]) bool {
	if q.running {
		return true
	}
	if q.running = d.spawn(func() { q.run(d) }); !q.running {
		q.items = nil
	}
	return q.running
}

func (q *queue[T]) run(d dealer[T]) {
	var spare []T
	for {
		q.mu.Lock()
		items := q.items
		if len(items) == 0 {
			q.running = false
			if q.items = spare; cap(items) > cap(spare) {
				q.items = items
			}
			if cap(q.items) > maxKept {
				q.items = nil
			}
			q.mu.Unlock()
			return
		}
		q.items = spare
		q.mu.Unlock()
		d.deal(items)
		clear(items)
		spare = items[:0]
	}
}

// maxKept is for how many items an empty queue keeps memory.
const maxKept = 16
