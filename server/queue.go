package server

import "sync"

// queue is what is dealt with in its order, on a goroutine that exists only while there is something. The zero value is empty.
type queue[T any] struct {
	mu      sync.Mutex
	items   []T
	running bool
}

// add appends an item unless max others wait; with max 0 however many do. start runs a function on a goroutine of its own, or says no;
// do is given all that waits at a time, one call after the other.
func (q *queue[T]) add(max int, item T, start func(func()) bool, do func([]T)) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if max > 0 && len(q.items) >= max {
		return false
	}
	q.items = append(q.items, item)
	if q.running {
		return true
	}
	if q.running = start(func() { q.run(do) }); !q.running {
		q.items = nil
	}
	return q.running
}

func (q *queue[T]) run(do func([]T)) {
	var spare []T
	for {
		q.mu.Lock()
		items := q.items
		if len(items) == 0 {
			q.running = false
			if cap(items) > maxKept {
				q.items = nil
			}
			q.mu.Unlock()
			return
		}
		q.items = spare
		q.mu.Unlock()
		do(items)
		clear(items)
		spare = items[:0]
	}
}

// maxKept is for how many items an empty queue keeps memory.
const maxKept = 16
