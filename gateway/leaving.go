package gateway

import (
	"errors"

	"sallyport/gateway/spool"
)

// A peer with custody confirms everything of a lane up to a number. What ended here otherwise than delivered has a number too: should
// the node be killed before that is on disk, the entry is back, and the mark of what was sent after it would pass for its own. Its
// sender would never hear of it. So the lane waits: for "sending", which after a restart says that somebody has to be told, or for the
// end itself, whichever is first on disk. It is a sync, and only what is not delivered costs it.

// refuse ends an entry that the policy, or what is spared, keeps from leaving, with a record before anything else of its lane is sent.
func (x *dispatcher) refuse(c conclusion) {
	x.mu.Lock()
	x.leaves(&c.entry)
	x.mu.Unlock()
	x.d.ends.addNow(c)
}

// leaves holds the lane of an entry until a restart would not take it for delivered. Caller holds mu.
func (x *dispatcher) leaves(e *spool.Entry) {
	if !x.numbered(e) {
		return
	}
	x.sched.Hold(uint8(e.Class), uint64(e.Number))
	x.notice(e)
}

// hold is the first half of leaves, for an entry of which it is not yet known whether it ends.
func (x *dispatcher) hold(e *spool.Entry) {
	if x.numbered(e) {
		x.mu.Lock()
		x.sched.Hold(uint8(e.Class), uint64(e.Number))
		x.mu.Unlock()
	}
}

// numbered reports whether the peer is told the number of an entry, and confirms by it.
func (x *dispatcher) numbered(e *spool.Entry) bool { return x.plan.custody && e.Peer == x.peer }

// notice makes durable that somebody has to be told of an entry. Caller holds mu.
func (x *dispatcher) notice(e *spool.Entry) {
	s, class, number := x.d.store(), uint8(e.Class), uint64(e.Number)
	err := s.Sending([]spool.Number{e.Number}, func(err error) {
		if err == nil {
			x.free(class, number)
		}
	})
	if !errors.Is(err, spool.ErrUnknown) {
		return // or there is no room for it on the disk: its end is waited for
	}
	if there := s.Entries(e.Peer, e.Number, 1); len(there) == 0 || there[0].Number != e.Number {
		x.handle(x.sched.Free(x.d.g.now(), class, number), false) // somebody else ended it
	}
}

// free lets a lane go on behind an entry.
func (x *dispatcher) free(class uint8, number uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.refresh()
	x.handle(x.sched.Free(now, class, number), false)
	x.wakeUp()
}
