package spool

import (
	"errors"
	"fmt"
	"time"

	"sallyport/internal/disk"
)

// committer is the spool as its group commit sees it.
type committer Spool

var _ disk.Owner[*batch] = (*committer)(nil)

// Taken implements disk.Owner.
func (c *committer) Taken() {}

// Commit implements disk.Owner: the batch is on disk when the first of those who wait for it hears of it.
func (c *committer) Commit(b *batch) error { return (*Spool)(c).commit(b) }

func (s *Spool) commit(b *batch) error {
	s.pause()
	began := time.Now()
	at, err := s.write(b)
	switch {
	case errors.Is(err, errNoRoom):
		if err = s.takenBack(b); err != nil {
			s.stopped(nil, err)
		}
		return err
	case err != nil:
		s.stopped(b, err)
		return err
	}
	s.settle(b, at, time.Since(began))
	if err := s.tidy(); err != nil {
		s.stopped(nil, err)
		return err
	}
	return nil
}

// pause leaves a full disk alone for a while. Simulations own the time themselves.
func (s *Spool) pause() {
	s.mu.Lock()
	until := s.full
	s.mu.Unlock()
	if wait := until.Sub(s.opts.Clock()); wait > 0 && !s.opts.Stepped {
		s.group.Pause(wait)
	}
}

// settle applies what the batch brings about and then tells everybody, in order.
func (s *Spool) settle(b *batch, at int64, took time.Duration) {
	ready := map[string]struct{}{}
	s.mu.Lock()
	s.full, s.marksDue = time.Time{}, false
	s.stats.note(b, took)
	last := s.log.last()
	for i := range b.actions {
		a := &b.actions[i]
		if a.mark != nil {
			s.marks.commit(a.mark)
		}
		switch a.record {
		case entryRecord:
			s.landed(a.it, last, place{last.number, at + int64(a.start), int32(b.end(i) - a.start)})
			ready[a.it.Peer] = struct{}{}
		case mergeRecord:
			s.queue.joined(a.it)
			ready[a.it.Peer] = struct{}{}
		case epochRecord:
			s.epoch, s.renewing = a.epoch, false
		case noRecord, headerRecord, endRecord, sendingRecord, returnedRecord, markRecord, forgetRecord, numRecords:
		}
		for _, e := range a.ended {
			s.gone(e)
			if e.it.leaving && s.queue.lane(e.it.Peer, e.it.Class).left(e.it) {
				ready[e.it.Peer] = struct{}{}
			}
		}
	}
	s.mu.Unlock()
	s.tell(b, nil)
	if s.opts.Ready != nil {
		for peer := range ready {
			s.opts.Ready(peer)
		}
	}
}

// landed notes where an entry is now. A moved entry that ended meanwhile is nowhere.
func (s *Spool) landed(it *item, in *segmentFile, at place) {
	if it.durable {
		if s.queue.items[it.Number] == it {
			if f := s.log.find(it.place.segment); f != nil {
				f.leave(it)
			}
			in.enter(it, at)
		}
		return
	}
	s.queue.commit(it)
	in.enter(it, at)
	if !it.cached {
		it.Stored = nil
	}
}

// gone notes that an entry has ended for good.
func (s *Spool) gone(e ending) {
	it := e.it
	switch {
	case it.state == fading && s.queue.items[it.Number] == it:
		s.queue.end(it, e.how)
	case !it.durable: // it passed away on arrival
		s.queue.totals.Accepted += it.Weight()
		s.queue.totals.Ended[e.how] += it.Weight()
	}
	if f := s.log.find(it.place.segment); f != nil {
		f.leave(it)
	}
	if it.cached {
		it.cached = false
		s.cached -= int64(len(it.Stored))
	}
}

// tell calls back everybody who waits for the batch.
func (s *Spool) tell(b *batch, err error) {
	for i := range b.actions {
		a := &b.actions[i]
		if a.done != nil {
			a.done(a.number, err)
		}
		if err != nil || s.opts.Settled == nil {
			continue
		}
		for _, e := range a.ended {
			s.opts.Settled(s.whole(e.it, e.how), e.how)
		}
	}
}

// takenBack undoes a batch that the disk had no room for, and all that was appended meanwhile: what came later may rest on
// what came earlier. What ended stays ended, and is written down when there is room again.
func (s *Spool) takenBack(b *batch) error {
	s.mu.Lock()
	s.full = s.opts.Clock().Add(retryFull)
	s.stats.Full++
	later := s.group.Replace(&batch{})
	for _, undo := range []*batch{later, b} {
		for i := len(undo.actions) - 1; i >= 0; i-- {
			s.undo(&undo.actions[i])
		}
	}
	s.marks.retract()
	for _, again := range []*batch{b, later} {
		for i := 0; i < len(again.actions) && !s.group.Closed(); i++ {
			s.again(&again.actions[i])
		}
	}
	if s.marksDue && !s.group.Closed() {
		s.repeatMarks(s.group.Active())
	}
	s.mu.Unlock()
	err := &FullError{What: "disk"}
	for _, told := range []*batch{b, later} {
		s.tell(told, err)
	}
	return s.makeRoom()
}

// makeRoom removes segments of which all entries have ended, although that is not written down: with the segment gone
// there is nothing left that could come back.
func (s *Spool) makeRoom() error {
	s.mu.Lock()
	var all []ending
	for i := range s.group.Active().actions {
		if a := &s.group.Active().actions[i]; !a.passed {
			all = append(all, a.ended...)
		}
	}
	s.mu.Unlock()
	for _, e := range all {
		stored := s.whole(e.it, e.how).Stored // Settled will want it
		s.mu.Lock()
		e.it.Stored = stored
		if f := s.log.find(e.it.place.segment); f != nil && e.it.state != fading {
			f.leave(e.it)
		}
		s.mu.Unlock()
	}
	return s.sweep()
}

// undo takes back in memory what an action had changed there, the latest first.
func (s *Spool) undo(a *action) {
	switch a.record {
	case entryRecord:
		if a.it.durable {
			return // was to be moved; it stays where it is
		}
		s.queue.drop(a.it)
		if a.it.cached {
			a.it.cached = false
			s.cached -= int64(len(a.it.Stored))
		}
		for _, e := range a.ended {
			s.queue.brighten(e.it)
		}
		a.ended = nil
	case mergeRecord:
		s.queue.leave(a.it)
	case endRecord, markRecord:
		if a.passed {
			a.ended = nil
		}
	case sendingRecord:
		for _, n := range a.numbers {
			if it := s.queue.items[n]; it != nil {
				it.Sending = false
			}
		}
	case epochRecord:
		s.renewing = false // whoever asked is told, and the peer will say it again
	case noRecord, headerRecord, returnedRecord, forgetRecord, numRecords:
	}
}

// again puts what happened anyway into the next batch.
func (s *Spool) again(a *action) {
	switch a.record {
	case endRecord:
		if !a.passed {
			s.end(a.ended)
		}
	case returnedRecord:
		s.put(&Record{kind: returnedRecord, numbers: a.numbers}, action{numbers: a.numbers})
	case forgetRecord:
		s.put(&Record{kind: forgetRecord, mark: a.forget}, action{forget: a.forget})
	case noRecord, headerRecord, entryRecord, sendingRecord, markRecord, mergeRecord, epochRecord, numRecords:
	}
}

// stopped ends the spool: nobody who waits can be told that it is durable, or that it is not.
func (s *Spool) stopped(b *batch, cause error) {
	err := fmt.Errorf("%w: %w", ErrStopped, cause)
	s.mu.Lock()
	later := s.group.Replace(&batch{})
	if errors.Is(s.err, ErrClosed) {
		s.err = err // worse than what it was
	}
	s.refuse(err)
	s.mu.Unlock()
	if b != nil {
		s.tell(b, err)
	}
	s.tell(later, err)
}
