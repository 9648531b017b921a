package spool

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"sallyport/internal/disk"
)

// Spool is an open spool; safe for concurrent use. One goroutine belongs to it, the committer; Close ends it.
type Spool struct {
	opts Options
	fs   disk.FS
	lock io.Closer
	done sync.WaitGroup

	mu    sync.Mutex // the only lock
	group *disk.Group[*batch]
	queue *Queue
	marks marks
	next  Number
	epoch uint64
	life  uint64
	// renewing: another epoch is on its way to the disk.
	renewing bool
	err      error // why nothing more is accepted
	failed   chan struct{}
	full     time.Time // when the disk may be tried again; zero while it is not full
	cached   int64
	// marksDue: older segments may be all that has the marks, and stay until the marks are in the newest.
	marksDue bool
	// readAfter is when the disk may be asked again for what it did not give back.
	readAfter time.Time
	stats     Stats

	log logFiles // owned by the committer
}

// Append takes an entry: it is numbered and in the log's next batch when Append returns. done is told by the committer,
// in order, when it is durable or can never be (see the errors of this package). When Append returns an error the entry
// was not taken and done is not called. It never waits: see Admit and Room.
func (s *Spool) Append(e Entry, done func(Number, error)) error {
	if err := e.check(); err != nil {
		return err
	}
	now := s.opts.Clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(e.Peer, e.Class, len(e.Stored), now, s.opts.BufferBytes); err != nil {
		return err
	}
	if e.Mark != nil {
		if err := s.marks.check(e.Mark); err != nil {
			return err
		}
		m := *e.Mark
		e.Mark = &m
		s.marks.take(&m)
	}
	if e.Bytes == 0 {
		e.Bytes = len(e.Stored)
	}
	if e.Accepted.IsZero() {
		e.Accepted = now
	}
	e.Number, e.Sending, e.Attempts = s.next, false, 0
	s.next++
	s.take(&e, now, done)
	s.group.Wake()
	return nil
}

// take writes down what becomes of a newcomer.
func (s *Spool) take(e *Entry, now time.Time, done func(Number, error)) {
	b := s.group.Active()
	become, other := s.queue.judge(e, now)
	switch become {
	case passesAway:
		r := Record{kind: endRecord, ends: []End{{e.Number, Superseded}}}
		if e.Mark != nil {
			r = Record{kind: markRecord, mark: *e.Mark}
		}
		b.put(&r, action{number: e.Number, mark: e.Mark, done: done, passed: true, ended: []ending{{&item{Entry: *e}, Superseded}}})
	case merges:
		r := Record{kind: mergeRecord, number: e.Number, into: other.Number, to: e.To, marked: e.Mark != nil}
		if e.Mark != nil {
			r.mark = *e.Mark
		}
		s.queue.join(other, e)
		b.put(&r, action{number: e.Number, mark: e.Mark, done: done, it: other})
	case joinsQueue:
		var ended []ending
		if other != nil {
			s.queue.fade(other)
			ended = append(ended, ending{other, Superseded})
			e.Ends = append(e.Ends[:len(e.Ends):len(e.Ends)], End{other.Number, Superseded})
		}
		for _, end := range e.Ends[:len(e.Ends)-len(ended)] {
			if it := s.queue.items[end.Number]; it != nil && it.durable && it.state != fading && it.joining == 0 {
				s.queue.fade(it)
				ended = append(ended, ending{it, end.How})
			}
		}
		it := &item{Entry: *e}
		b.put(&Record{kind: entryRecord, entry: *e}, action{number: e.Number, mark: e.Mark, done: done, it: it, ended: ended})
		it.Ends = nil
		s.queue.add(it, now)
		s.cache(it)
	}
}

// cache keeps the stored bytes in memory, while there is room, or only until they are on disk.
func (s *Spool) cache(it *item) {
	if s.cached+int64(len(it.Stored)) <= s.opts.CacheBytes {
		it.cached = true
		s.cached += int64(len(it.Stored))
	}
}

// Admit says whether an entry could be taken now. The error is a *FullError, or why the spool takes nothing at all.
func (s *Spool) Admit(peer string, class Class, bytes int) error {
	now := s.opts.Clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.admit(peer, class, bytes, now, s.opts.BufferBytes/2)
}

func (s *Spool) admit(peer string, class Class, bytes int, now time.Time, buffer int) error {
	switch {
	case s.err != nil:
		return s.err
	case now.Before(s.full):
		s.stats.Refused++
		return &FullError{What: "disk", Peer: peer}
	case len(s.group.Active().data) > buffer:
		s.stats.Refused++
		return &FullError{What: "buffer", Peer: peer, Have: int64(len(s.group.Active().data)), Limit: int64(buffer)}
	}
	err := s.queue.Admit(peer, class, bytes)
	if err != nil {
		s.stats.Refused++
	}
	return err
}

// Room waits until less than half of the write buffer is in use: back-pressure for whoever reads from a peer.
func (s *Spool) Room(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.group.Release()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && ctx.Err() == nil && len(s.group.Active().data) > s.opts.BufferBytes/2 {
		s.group.Wait()
	}
	return errors.Join(s.err, ctx.Err())
}

// told makes one kind of callback of the other.
func told(done func(error)) func(Number, error) {
	if done == nil {
		return nil
	}
	return func(_ Number, err error) { done(err) }
}

func (s *Spool) put(r *Record, a action) {
	s.group.Active().put(r, a)
	s.group.Wake()
}

// Epoch identifies the life of this spool's numbers.
func (s *Spool) Epoch() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// Err returns why nothing more is accepted, nil while it is.
func (s *Spool) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Failed is closed when nothing more is accepted: after a failure, and by Close.
func (s *Spool) Failed() <-chan struct{} { return s.failed }

func (s *Spool) refuse(err error) {
	if s.err == nil {
		s.err = err
		close(s.failed)
	}
	s.group.Release()
}

// Close commits what was appended and releases the directory. The error is that of a spool that had stopped, or of the
// closing itself.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.group.Closed() {
		s.mu.Unlock()
		return ErrClosed
	}
	s.refuse(ErrClosed)
	s.group.Close()
	s.mu.Unlock()
	if s.opts.Stepped {
		s.group.Run((*committer)(s))
	}
	s.done.Wait()
	err := s.Err()
	if errors.Is(err, ErrClosed) {
		err = nil
	}
	return errors.Join(err, s.release())
}

// Step commits what was appended so far, for spools opened with Stepped; false when there was nothing.
func (s *Spool) Step() bool {
	ok, _ := s.group.Step((*committer)(s))
	return ok
}
