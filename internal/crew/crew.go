// Package crew runs short tasks on goroutines that are used again, since a new one begins with a small stack and has to make it grow.
//
// Inside: [Crew]. Not inside: an order of tasks, or a bound on how many run: who hands them out has both.
//
// It must never let a task wait for another one, and never keep more than MaxIdle goroutines that do nothing.
package crew

import "sync"

// MaxIdle is how many goroutines wait for a task.
const MaxIdle = 64

// Crew is safe for concurrent use. The zero value is ready; whoever has used one closes it.
type Crew struct {
	mu     sync.Mutex
	idle   []chan func() // the last one waits shortest
	closed bool
}

// Go runs a task at once on a goroutine of its own. After Close that is a new one.
func (c *Crew) Go(task func()) {
	c.mu.Lock()
	last := len(c.idle) - 1
	if last < 0 {
		c.mu.Unlock()
		go c.work(task)
		return
	}
	next := c.idle[last]
	c.idle = c.idle[:last]
	c.mu.Unlock()
	next <- task // it has room
}

// work does one task after the other until there is nothing to wait for.
func (c *Crew) work(task func()) {
	next := make(chan func(), 1)
	for ok := true; ok; task, ok = <-next {
		task()
		c.mu.Lock()
		if c.closed || len(c.idle) >= MaxIdle {
			c.mu.Unlock()
			return
		}
		c.idle = append(c.idle, next)
		c.mu.Unlock()
	}
}

// Close ends those that do nothing; the others end with their tasks. It does not wait.
func (c *Crew) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, next := range c.idle {
		close(next)
	}
	c.idle = nil
}
