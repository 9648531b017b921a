package spool

import "fmt"

// Refused notes that what the mark belongs to was refused, so that it is not asked for again. done is told as for Append.
func (s *Spool) Refused(m Mark, done func(error)) error {
	if err := m.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.opts.Clock().Before(s.full) {
		return &FullError{What: "disk", Peer: m.Peer}
	}
	if err := s.marks.check(&m); err != nil {
		return err
	}
	s.marks.take(&m)
	s.put(&Record{kind: markRecord, mark: m}, action{mark: &m, done: told(done)})
	return nil
}

// Confirm ends everything in one lane to a peer up to a number, because the peer says that it holds it. Only what was
// handed out, in this life or an earlier one, is believed. It returns how many that were.
func (s *Spool) Confirm(peer string, class Class, through Number) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	if through >= s.next {
		return 0, fmt.Errorf("%w: %d, the next is %d", ErrRolledBack, through, s.next)
	}
	var all []ending
	for _, n := range s.queue.through(peer, class, through) {
		if it, ok := s.queue.finish(n, Delivered); ok {
			all = append(all, ending{it, Delivered})
		}
	}
	s.end(all)
	return len(all), nil
}

// Greeted notes the epoch that a peer has said. Marks of its other epochs are forgotten. fresh says that the peer was
// known by another epoch, which is worth a record: it has lost its spool.
func (s *Spool) Greeted(peer string, epoch uint64) (fresh bool, err error) {
	m := Mark{Peer: peer, Epoch: epoch, Number: 1}
	if err := m.check(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false, s.err
	}
	if s.marks.known(peer, epoch) {
		return false, nil
	}
	fresh = s.marks.keep(peer, epoch)
	s.put(&Record{kind: forgetRecord, mark: m}, action{forget: m})
	return fresh, nil
}

// Marks returns the durable marks of a peer: what it may forget.
func (s *Spool) Marks(peer string) []Mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.marks.of(peer, false)
}

// Renew begins another epoch, for when a peer said ErrRolledBack: this directory is an older copy of itself, and numbers that
// it has yet to give are given already. The marks that peers hold of the epoch so far say nothing of what comes now. Epoch
// changes when that is durable; done is told then. Everything that waits keeps its number. It does nothing while another
// Renew is on its way.
func (s *Spool) Renew(done func(error)) error {
	epoch, err := s.random()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return s.err
	case s.renewing:
		return nil
	case s.opts.Clock().Before(s.full):
		return &FullError{What: "disk"}
	}
	s.renewing = true
	s.put(&Record{kind: epochRecord, header: Header{Epoch: epoch, Next: s.next}}, action{epoch: epoch, done: told(done)})
	return nil
}
