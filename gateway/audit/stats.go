package audit

import "time"

// Stats are counters since Open, and the state now.
type Stats struct {
	Appended uint64 // sequence of the last appended record
	Durable  uint64 // sequence of the last durable record
	Batches  uint64
	Records  uint64 // made durable since Open
	Bytes    uint64 // made durable since Open
	Largest  int    // records in the largest batch
	Waits    uint64 // times that Append had to wait for room
	// Busy is the time spent in writing and syncing, Slowest the longest batch.
	Busy, Slowest time.Duration

	Segment    uint64 // number of the current one
	TotalBytes int64  // of all segments
	MaxBytes   int64  // where the log is full

	Heads         uint64
	SinkErrors    uint64
	LastSinkError string // of the latest head; empty when it reached every sink
	Err           error  // why the log takes no more records
}

// Stats returns the counters.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Appended, s.Durable = l.seq, l.durable.seq
	s.Segment, s.TotalBytes, s.MaxBytes = l.segment, l.total, l.opts.MaxBytes
	s.Err = l.err
	return s
}

func (s *Stats) note(b *batch, took time.Duration) {
	s.Batches++
	s.Records += uint64(len(b.waiting))
	s.Bytes += uint64(len(b.data))
	s.Largest = max(s.Largest, len(b.waiting))
	s.Busy += took
	s.Slowest = max(s.Slowest, took)
}
