package gateway

import (
	"sallyport/gateway/dispatch"
	"sallyport/gateway/spool"
	"sallyport/links"
)

// restrict takes back what a link may not carry after all.
func (x *dispatcher) restrict(number uint64, may dispatch.Set) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.refresh()
	x.handle(x.sched.Restrict(now, number, may), true)
	x.handle(x.sched.Report(now, number, links.Returned, dispatch.Unwritten), true)
	x.wakeUp()
}

// disk begins the disk work that the scheduler asked for. Caller holds mu.
func (x *dispatcher) disk() {
	todo := x.todo
	x.todo = nil
	var announce []spool.Number
	for _, o := range todo {
		h := x.held[o.Number]
		switch {
		case o.Action == dispatch.Announce && h != nil:
			h.Sending = true
			announce = append(announce, spool.Number(o.Number))
		case o.Action == dispatch.SetAside && h != nil:
			x.setAside(h)
		case o.Action == dispatch.Recall:
			x.recall(o.Number)
		}
	}
	if len(announce) > 0 {
		x.announce(announce)
	}
}

// announce makes durable that entries are about to be written to somebody who cannot be asked later.
func (x *dispatcher) announce(ns []spool.Number) {
	done := func(err error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		now := x.refresh()
		for _, n := range ns {
			if err == nil {
				x.handle(x.sched.Announced(now, uint64(n)), true)
			} else {
				x.handle(x.sched.NotAnnounced(now, uint64(n)), true)
			}
		}
		x.wakeUp()
	}
	if err := x.d.store().Sending(ns, done); err != nil {
		go done(err)
	}
}

// setAside stores an entry where it holds nothing up.
func (x *dispatcher) setAside(h *heldEntry) {
	e := h.Entry
	number := uint64(e.Number)
	x.move(&e, x.peer+aside, func(there spool.Number, err error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		now := x.refresh()
		if err != nil {
			x.handle(x.sched.NotMoved(now, number), false)
			return
		}
		delete(x.held, number)
		x.handle(x.sched.Moved(now, number, uint64(there)), false)
		x.wakeUp()
	})
}

// recall stores an entry anew among those that are sent.
func (x *dispatcher) recall(number uint64) {
	s := x.d.store()
	var e spool.Entry
	if found := s.Entries(x.peer+aside, spool.Number(number), 1); len(found) == 1 && found[0].Number == spool.Number(number) {
		e = found[0]
	}
	stored, err := s.Stored(spool.Number(number))
	if err != nil || e.Number == 0 {
		outs, _ := x.sched.Ended(x.d.g.now(), number) // it has expired, or can only end as damaged
		x.handle(outs, false)
		return
	}
	e.Stored = stored
	order := x.sched.OrderAside(number)
	x.pending++
	x.move(&e, x.peer, func(back spool.Number, err error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.pending--
		if err != nil {
			x.sched.NotRecalled(number)
			return
		}
		x.recalling[uint64(back)] = order
		now := x.refresh()
		x.handle(x.sched.Recalled(now, number), false)
		x.wakeUp()
	})
}

// move stores an entry under another number, in the queue of that name, in the same frame in which the old one ends.
func (x *dispatcher) move(e *spool.Entry, to string, done func(spool.Number, error)) {
	e.Latest = spool.Key{}
	if err := x.d.move(e, to, done); err != nil {
		go done(0, err)
	}
}

// move is that of a dispatcher. With an error, done is not called.
func (d *depot) move(e *spool.Entry, to string, done func(spool.Number, error)) error {
	old := e.Number
	e.Peer, e.Mark, e.Ends, e.Copy = to, nil, []spool.End{{Number: old, How: spool.Superseded}}, spool.Key{}
	d.mark(d.moved, old)
	err := d.store().Append(*e, func(n spool.Number, err error) {
		if err != nil {
			d.unmark(d.moved, old)
		}
		done(n, err)
	})
	if err != nil {
		d.unmark(d.moved, old)
	}
	return err
}

// giveBack returns to the spool what no link has. Another dispatcher, or another life, sends it.
func (x *dispatcher) giveBack() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.retired {
		return
	}
	s := x.d.store()
	now := x.d.g.now()
	for number := range x.held {
		if x.sched.InAir(number) {
			continue
		}
		delete(x.held, number)
		x.sched.Ended(now, number)
		_ = s.Requeue(spool.Number(number)) // fails only when the spool has stopped
	}
}
