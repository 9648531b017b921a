package spool

import "time"

// Stats are counters since Open, and the state now.
type Stats struct {
	Totals     Totals
	Batches    uint64
	Records    uint64
	Bytes      uint64 // written
	Largest    int    // records in the largest batch
	Refused    uint64 // newcomers that there was no room for
	ReadErrors uint64 // entries that the disk did not give back at once
	Full       uint64 // batches that the disk had no room for
	Moved      uint64 // entries written again so that old segments could go
	// Busy is the time spent in writing and syncing, Slowest the longest batch.
	Busy, Slowest time.Duration

	Entries   int
	Held      int64 // bytes against the budget
	Segments  int
	DiskBytes int64
	Next      Number
	Epoch     uint64
	DiskFull  bool
	Err       error
}

// Stats returns the counters.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Totals, st.Entries, st.Held = s.queue.totals, len(s.queue.items), s.queue.bytes
	st.Segments, st.Next, st.Epoch, st.DiskFull, st.Err = len(s.log.files), s.next, s.epoch, !s.full.IsZero(), s.err
	for _, f := range s.log.files {
		st.DiskBytes += f.size
	}
	return st
}

func (s *Stats) note(b *batch, took time.Duration) {
	s.Batches++
	s.Records += uint64(len(b.actions))
	s.Bytes += uint64(len(b.data))
	s.Largest = max(s.Largest, len(b.actions))
	s.Busy += took
	s.Slowest = max(s.Slowest, took)
}

// Backlog returns every lane that is not empty, by peer and then the highest class first.
func (s *Spool) Backlog() []PeerBacklog {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.Backlog()
}

// Entries returns up to limit entries of a peer ("" for all) by number, from a number on. Use Stored for their bytes.
func (s *Spool) Entries(peer string, from Number, limit int) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.Entries(peer, from, limit)
}
