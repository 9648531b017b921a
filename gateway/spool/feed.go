package spool

import "time"

// NextIn is Next for one class: for owners that weigh the classes themselves.
func (s *Spool) NextIn(peer string, class Class, link string, now time.Time) (Entry, bool) {
	for {
		e, ok := s.handOutIn(peer, class, link, now)
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

func (s *Spool) handOutIn(peer string, class Class, link string, now time.Time) (Entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || class >= numClasses {
		return Entry{}, false
	}
	s.expire(now)
	it := s.queue.NextIn(peer, class, link, now)
	if it == nil {
		return Entry{}, false
	}
	if it.Stored == nil && now.Before(s.readAfter) {
		s.queue.Requeue(it.Number)
		return Entry{}, false
	}
	return it.Entry, true
}

// HeldUntil returns when the next entry for a peer may be handed out that is held back for copies to join it, zero when none
// is. Nobody is told when that time has come: whoever hands out looks again.
func (s *Spool) HeldUntil(peer string, now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.HeldUntil(peer, now)
}

// Unsent takes Sending back for entries that stay handed out and certainly never got to a wire, so that a crash does not put
// them in doubt. It is written with the next batch.
func (s *Spool) Unsent(numbers ...Number) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sent []Number
	for _, n := range numbers {
		if it := s.queue.items[n]; it != nil && it.state == underway && it.Sending && s.err == nil {
			it.Sending = false
			sent = append(sent, n)
		}
	}
	if len(sent) > 0 {
		s.put(&Record{kind: returnedRecord, numbers: sent}, action{numbers: sent})
	}
}
