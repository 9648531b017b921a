package spool

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Next hands out the first entry for a peer that may go on this link now, the highest class first; what has outlived its
// time is ended before. An entry that is damaged on disk ends as Damaged, and the next one is tried. When the disk does
// not give one back there is none for a second, and after some seconds it counts as damaged.
func (s *Spool) Next(peer, link string, now time.Time) (Entry, bool) {
	for {
		e, ok := s.handOut(peer, link, now)
		if !ok || e.Stored != nil {
			return e, ok
		}
		var err error
		if e.Stored, err = s.Stored(e.Number); err == nil {
			return e, true
		}
		if !s.unread(e.Number, now, err) {
			return Entry{}, false
		}
	}
}

func (s *Spool) handOut(peer, link string, now time.Time) (Entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return Entry{}, false
	}
	s.expire(now)
	it := s.queue.next(peer, link, now)
	if it == nil {
		return Entry{}, false
	}
	if it.Stored == nil && now.Before(s.readAfter) {
		s.queue.Requeue(it.Number)
		return Entry{}, false
	}
	return it.Entry, true
}

// unread deals with an entry that could not be read; true when it has ended.
func (s *Spool) unread(n Number, now time.Time, err error) (ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.queue.items[n]
	if it == nil || s.err != nil {
		return false
	}
	it.unread++
	if errors.Is(err, errDamaged) || it.unread >= maxReads {
		if it, ok := s.queue.finish(n, Damaged); ok {
			s.end([]ending{{it, Damaged}})
		}
		return true
	}
	s.stats.ReadErrors++
	s.readAfter = now.Add(retryRead)
	s.queue.Requeue(n)
	return false
}

// Sending writes down that entries handed out are about to be written to a neighbour that cannot be asked later whether
// it has them. done(nil) comes before the first write; after a crash they are in doubt.
func (s *Spool) Sending(numbers []Number, done func(error)) error {
	if len(numbers) == 0 || len(numbers) > maxNumbers {
		return fmt.Errorf("%w: %d numbers", ErrEntry, len(numbers))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.opts.Clock().Before(s.full) {
		return &FullError{What: "disk"}
	}
	for _, n := range numbers {
		if it := s.queue.items[n]; it == nil || it.state != underway {
			return fmt.Errorf("%w: %d", ErrUnknown, n)
		}
	}
	for _, n := range numbers {
		s.queue.items[n].Sending = true
	}
	s.put(&Record{kind: sendingRecord, numbers: numbers}, action{done: told(done), numbers: slices.Clone(numbers)})
	return nil
}

// Done ends an entry. Settled hears of it when that is durable.
func (s *Spool) Done(n Number, how Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	it, ok := s.queue.finish(n, how)
	if !ok {
		return fmt.Errorf("%w: %d", ErrUnknown, n)
	}
	s.end([]ending{{it, how}})
	return nil
}

// end writes down that entries have ended.
func (s *Spool) end(all []ending) {
	for len(all) > 0 {
		n := min(len(all), MaxEnds)
		r := Record{kind: endRecord}
		for _, e := range all[:n] {
			r.ends = append(r.ends, End{e.it.Number, e.how})
			if e.how != Delivered {
				s.queue.lane(e.it.Peer, e.it.Class).leave(e.it)
			}
		}
		s.put(&r, action{ended: all[:n:n]})
		all = all[n:]
	}
}

// Requeue lets an entry wait again that was handed out, and certainly not delivered or certainly dropped by the far side
// when it comes twice; or one that was in doubt after a restart and is to be sent again.
func (s *Spool) Requeue(n Number) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	it := s.queue.items[n]
	if it == nil || !s.requeue(it) {
		return fmt.Errorf("%w: %d", ErrUnknown, n)
	}
	return nil
}

func (s *Spool) requeue(it *item) bool {
	sending := it.Sending
	if !s.queue.Requeue(it.Number) {
		return false
	}
	if sending {
		numbers := []Number{it.Number}
		s.put(&Record{kind: returnedRecord, numbers: numbers}, action{numbers: numbers})
	}
	return true
}

// Rewind requeues everything that is under way to a peer on a link, for when a link with custody is lost. It returns how
// many that were.
func (s *Spool) Rewind(peer, link string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	numbers := s.queue.underway(peer, link)
	for _, n := range numbers {
		s.requeue(s.queue.items[n])
	}
	return len(numbers)
}

// StreamLost notes that a stream to the peer broke, before Rewind or the reports of the link. It returns the entry that
// was the first under way at several losses running; end it as Bounced, with a record.
func (s *Spool) StreamLost(peer, link string) (poison Entry, ok bool) {
	s.mu.Lock()
	e, ok := s.queue.StreamLost(peer, link)
	s.mu.Unlock()
	if ok {
		e.Stored, _ = s.Stored(e.Number)
	}
	return e, ok
}

// Expire ends what has outlived its time. Next does the same.
func (s *Spool) Expire(now time.Time) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.expire(now)
}

func (s *Spool) expire(now time.Time) (list []Entry) {
	if s.err != nil {
		return nil
	}
	var all []ending
	for _, it := range s.queue.expire(now) {
		all = append(all, ending{it, Expired})
		list = append(list, it.Entry)
	}
	s.end(all)
	return list
}
