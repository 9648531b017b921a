package server

import "sync"

// queue does things one after the other, on a goroutine that exists only while there are any. The zero value is empty.
type queue struct {
	mu      sync.Mutex
	tasks   []func()
	running bool
}

// add appends a task unless max others wait; with max 0 however many do. start runs a function on a goroutine of its own, or says no.
func (q *queue) add(max int, task func(), start func(func()) bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if max > 0 && len(q.tasks) >= max {
		return false
	}
	q.tasks = append(q.tasks, task)
	if q.running {
		return true
	}
	if q.running = start(q.run); !q.running {
		q.tasks = nil
	}
	return q.running
}

func (q *queue) run() {
	for {
		q.mu.Lock()
		tasks := q.tasks
		q.tasks = nil
		q.running = len(tasks) > 0
		q.mu.Unlock()
		if len(tasks) == 0 {
			return
		}
		for _, do := range tasks {
			do()
		}
	}
}
