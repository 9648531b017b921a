package spool

import (
	"errors"
	"fmt"
	"io"
	"time"

	"sallyport/internal/disk"
	"sallyport/peering"
)

// errDamaged: what is in the place of the entry is not the entry.
var errDamaged = errors.New("damaged on disk")

const (
	// maxReads is how often a disk may fail to give an entry back, and retryRead the time in between.
	maxReads  = 5
	retryRead = time.Second
)

// rereads bounds how often an entry is looked for that is moved while it is read.
const rereads = 8

// Stored returns the stored bytes of an entry, from memory or from the disk.
func (s *Spool) Stored(n Number) (peering.Stored, error) {
	var err error
	for range rereads {
		s.mu.Lock()
		it := s.queue.items[n]
		if it == nil {
			s.mu.Unlock()
			return nil, fmt.Errorf("%w: %d", ErrUnknown, n)
		}
		stored, at := it.Stored, it.place
		s.mu.Unlock()
		if stored != nil {
			return stored, nil
		}
		if stored, err = s.read(n, at); err == nil {
			return stored, nil
		}
		s.mu.Lock()
		moved := it.place != at
		s.mu.Unlock()
		if !moved {
			break
		}
	}
	return nil, err
}

// read reads one entry back from the log.
func (s *Spool) read(n Number, at place) (peering.Stored, error) {
	frame, err := s.frame(at)
	if err != nil {
		return nil, fmt.Errorf("read entry %d back: %w", n, err)
	}
	f, rest, err := disk.ParseFrame(frame)
	if err != nil || len(rest) != 0 {
		return nil, fmt.Errorf("entry %d: %w: %w", n, errDamaged, disk.ErrFrame)
	}
	r, err := ParseRecord(f.Payload)
	if err != nil || r.kind != entryRecord || r.entry.Number != n {
		return nil, fmt.Errorf("entry %d: %w: another record is in its place", n, errDamaged)
	}
	return r.entry.Stored, nil
}

func (s *Spool) frame(at place) (frame []byte, err error) {
	r, err := s.fs.Open(segments.Name(at.segment))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	frame = make([]byte, at.bytes)
	if n, err := r.ReadAt(frame, at.at); n < len(frame) {
		return nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return frame, nil
}

// whole is an ended entry with its stored bytes, where somebody may have use for them.
func (s *Spool) whole(it *item, how Outcome) Entry {
	e := it.Entry
	switch how {
	case Delivered, Superseded, Damaged, NoOutcome, numOutcomes:
		return e
	case Bounced, Refused, Expired, InDoubt:
	}
	if e.Stored == nil {
		e.Stored, _ = s.read(e.Number, it.place) // without, the record is all that is left of it
	}
	return e
}
