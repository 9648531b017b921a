package disk

import (
	"sync"
	"time"
)

// lingerFrom is how many waiting make a batch a large one, after which a Group lingers: twice as long as long as it is not lingerTimes
// as large, so that the sync is shared by more.
const (
	lingerFrom  = 16
	lingerTimes = 4
)

// shortLinger is how long a linger may be for an alarm: for longer ones a timer of Go's, and Close, are exact enough.
const shortLinger = 5 * time.Millisecond

// Batch is what becomes durable together. Len counts those who wait for it, Reset empties it and keeps its memory.
type Batch interface {
	Len() int
	Reset()
}

// Owner is the log that a Group belongs to.
type Owner[B Batch] interface {
	// Taken is called with the lock held when the active batch was taken to be committed and an empty one put in its place.
	Taken()
	// Commit makes the batch durable and tells those who wait. It is called without the lock, one batch at a time. After
	// an error there is no further call: what the disk holds is unknown.
	Commit(b B) error
}

// Group is group commit: many append to one batch while another is written and synced, so that one sync serves all who
// came meanwhile. It does no I/O and knows no file; it owns two batches and the turn of the one goroutine that commits,
// which is that of Run or the caller of Step.
type Group[B Batch] struct {
	lock          *sync.Mutex // the owner's, guards everything here
	linger        time.Duration
	stop          chan struct{} // closed by Close
	work, room    sync.Cond
	active, spare B // spare is the one being committed, or empty
	closing       bool
}

// NewGroup returns a group with two empty batches. linger is how long Run waits for more after a batch of at least 64, and twice that after one of at least 16, so
// that a loaded log does not spend its time in syncing; a log that is not loaded never waits.
func NewGroup[B Batch](lock *sync.Mutex, linger time.Duration, active, spare B) *Group[B] {
	g := &Group[B]{lock: lock, linger: linger, stop: make(chan struct{}), active: active, spare: spare}
	g.work.L, g.room.L = lock, lock
	return g
}

// Active returns the batch to append to. Call it with the lock, and Wake after the first append.
func (g *Group[B]) Active() B { return g.active }

// Wake tells the committer that there is work. Call it with the lock.
func (g *Group[B]) Wake() { g.work.Signal() }

// Wait waits, giving up the lock meanwhile, until a batch was taken or Release was called.
func (g *Group[B]) Wait() { g.room.Wait() }

// Release wakes all who are in Wait. Call it with the lock.
func (g *Group[B]) Release() { g.room.Broadcast() }

// Replace puts another batch in the place of the active one and returns that; for owners that fail.
func (g *Group[B]) Replace(b B) B {
	old := g.active
	g.active = b
	return old
}

// Close lets Run end after everything appended so far. Call it with the lock, once.
func (g *Group[B]) Close() {
	g.closing = true
	close(g.stop)
	g.work.Signal()
}

// Closed says that Close was called. Call it with the lock.
func (g *Group[B]) Closed() bool { return g.closing }

// Run commits batches until Close or the first error.
func (g *Group[B]) Run(o Owner[B]) {
	var a *alarm
	if g.linger > 0 && g.linger <= shortLinger {
		var err error
		if a, err = newAlarm(); err == nil { // without one, lingers are longer
			defer a.Close()
		}
	}
	before := 0
	for {
		switch {
		case before >= lingerFrom*lingerTimes: // a sync is little for each of so many
			g.lingerOn(g.linger, a)
		case before >= lingerFrom:
			g.lingerOn(2*g.linger, a)
		}
		g.lock.Lock()
		for g.active.Len() == 0 && !g.closing {
			g.work.Wait()
		}
		b, ok := g.take(o)
		g.lock.Unlock()
		if !ok {
			return
		}
		before = b.Len()
		if err := g.commit(o, b); err != nil {
			return
		}
	}
}

// Step commits the active batch; false when it was empty. It is Run for those who own the time, such as simulations.
func (g *Group[B]) Step(o Owner[B]) (bool, error) {
	g.lock.Lock()
	b, ok := g.take(o)
	g.lock.Unlock()
	if !ok {
		return false, nil
	}
	return true, g.commit(o, b)
}

func (g *Group[B]) take(o Owner[B]) (b B, ok bool) {
	if g.active.Len() == 0 {
		return b, false
	}
	b = g.active
	g.active, g.spare = g.spare, b
	o.Taken()
	g.room.Broadcast()
	return b, true
}

func (g *Group[B]) commit(o Owner[B], b B) error {
	err := o.Commit(b)
	if err != nil {
		return err
	}
	b.Reset()
	return nil
}

// lingerOn waits for more to come.
func (g *Group[B]) lingerOn(d time.Duration, a *alarm) {
	if d > shortLinger || a == nil || a.sleep(d) != nil {
		g.Pause(d)
	}
}

// Pause waits, or until Close; for owners that try something again in Commit.
func (g *Group[B]) Pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-g.stop:
	}
}
