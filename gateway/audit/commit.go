package audit

import (
	"errors"
	"fmt"
	"time"

	"sallyport/internal/disk"
)

// committer is the log as its group commit sees it.
type committer Log

var _ disk.Owner[*batch] = (*committer)(nil)

// commitLoop makes batches durable and tells the waiting. After the first error it ends, since nothing can be appended
// any more.
func (l *Log) commitLoop() {
	defer l.done.Done()
	l.group.Run((*committer)(l))
}

// Taken implements disk.Owner.
func (c *committer) Taken() { c.mark = uint32(c.offset) } // MaxSegmentBytes fits

// Commit implements disk.Owner.
func (c *committer) Commit(b *batch) error {
	l := (*Log)(c)
	began := time.Now()
	if err := l.write(b); err != nil {
		l.fail(b, err)
		return err
	}
	l.settle(b, time.Since(began))
	return nil
}

// write makes the batch durable. What belongs to one segment is synced before the next segment is made.
func (l *Log) write(b *batch) error {
	from := 0
	for _, c := range b.cuts {
		if err := l.writePart(b.data[from:c.at]); err != nil {
			return err
		}
		if err := l.nextFile(c.segment); err != nil {
			return err
		}
		from = c.at
	}
	if err := l.writePart(b.data[from:]); err != nil {
		return err
	}
	if len(b.cuts) > 0 {
		return l.recount()
	}
	return nil
}

func (l *Log) writePart(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if err := disk.WriteSync(l.file, data); err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	l.onDisk += int64(len(data))
	return nil
}

// nextFile makes the file of a new segment. Its name is durable before any record in it is promised.
func (l *Log) nextFile(segment uint64) error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("close segment: %w", err)
	}
	f, err := l.fs.Create(segmentName(segment))
	if err != nil {
		return fmt.Errorf("new segment: %w", err)
	}
	l.file = f
	if err := l.fs.SyncDir(); err != nil {
		return fmt.Errorf("new segment: %w", err)
	}
	return nil
}

// recount learns after a rotation how much Prune has removed meanwhile.
func (l *Log) recount() error {
	sum, err := segmentBytes(l.fs)
	if err != nil {
		return fmt.Errorf("list segments: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total -= l.onDisk - sum
	l.onDisk = sum
	return nil
}

// settle notes that the batch is durable and tells the waiting.
func (l *Log) settle(b *batch, took time.Duration) {
	l.mu.Lock()
	l.durable = link{b.first + uint64(len(b.waiting)) - 1, b.last}
	l.stats.note(b, took)
	l.mu.Unlock()
	b.tell(nil)
}

// fail ends the log: the batch, and what was appended while it was written, get the error.
func (l *Log) fail(b *batch, cause error) {
	err := fmt.Errorf("%w: %w", ErrFailed, cause)
	l.mu.Lock()
	pending := l.group.Replace(&batch{})
	if errors.Is(l.err, ErrFull) || errors.Is(l.err, ErrClosed) {
		l.err = err // worse than what it was
	}
	l.refuse(err)
	l.mu.Unlock()
	b.tell(err)
	pending.tell(err)
}

// tell calls every waiting Committed in order.
func (b *batch) tell(err error) {
	for i, w := range b.waiting {
		if w.committed != nil {
			w.committed.Durable(w.token, b.first+uint64(i), err)
		}
	}
}

// Len implements disk.Batch.
func (b *batch) Len() int { return len(b.waiting) }

// Reset implements disk.Batch.
func (b *batch) Reset() {
	clear(b.waiting) // no references to what waited
	b.data, b.cuts, b.waiting = b.data[:0], b.cuts[:0], b.waiting[:0]
}

// signLoop publishes the head at each tick until the log is closed or fails.
func (l *Log) signLoop() {
	defer l.done.Done()
	tick := time.NewTicker(l.opts.HeadEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			if err := l.publish(); err != nil {
				l.failHead(err)
				return
			}
		}
	}
}

// failHead ends the log when its head cannot be written: same disk, and the end would no longer be proved.
func (l *Log) failHead(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse(fmt.Errorf("%w: write head: %w", ErrFailed, cause))
}

// publish signs the head, replaces it in the log directory and copies it to the sinks. The error is that of the log
// directory, which is left alone after a failure of the log; a sink that fails is counted and tried again with the next head.
func (l *Log) publish() error {
	h := l.Head()
	line := AppendStatement(nil, &h)
	l.mu.Lock()
	l.stats.Heads++
	broken := errors.Is(l.err, ErrFailed)
	l.mu.Unlock()
	if !broken {
		if err := disk.Replace(l.fs, headName, append(line, '\n')); err != nil {
			return err
		}
	}
	last := ""
	for _, s := range l.opts.Sinks {
		if err := s.Put(line); err != nil {
			last = err.Error()
			l.mu.Lock()
			l.stats.SinkErrors++
			l.mu.Unlock()
		}
	}
	l.mu.Lock()
	l.stats.LastSinkError = last
	l.mu.Unlock()
	return nil
}
