package audit

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"

	"sallyport/internal/disk"
)

const lockName = "lock"

// Open opens the log in a directory, or begins one in an empty directory. An existing log must be whole: the last
// segment is read and checked, a torn tail cut off, the head compared. Anything else that is wrong is ErrDamaged, and the
// remedy is an operator's: verify, move the directory away for inquiry, begin a new one.
func Open(o Options) (log *Log, err error) {
	o, err = o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	l := &Log{
		opts: o, fs: o.FS, node: o.Node, policy: o.Policy,
		stop: make(chan struct{}), failed: make(chan struct{}),
	}
	l.group = disk.NewGroup(&l.mu, o.Linger, &batch{}, &batch{})
	defer func() {
		if err != nil {
			log, err = nil, fmt.Errorf("open audit log: %w", errors.Join(err, l.release()))
		}
	}()
	if l.fs == nil {
		dir, err := disk.MakeDir(o.Dir)
		if err != nil {
			return nil, err
		}
		dir.NoRing = o.NoRing
		l.fs, l.dir = dir, dir
	}
	if l.lock, err = l.fs.Lock(lockName); err != nil {
		return nil, err
	}
	if err = l.recover(); err != nil {
		return nil, err
	}
	if err = l.publish(); err != nil {
		return nil, fmt.Errorf("write head: %w", err)
	}
	l.start()
	return l, nil
}

// release closes what Open had opened.
func (l *Log) release() error {
	var errs []error
	if l.file != nil {
		errs = append(errs, l.file.Close())
	}
	for _, c := range [...]io.Closer{l.lock, l.dir} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

func (l *Log) start() {
	l.done.Add(2)
	go l.commitLoop()
	go l.signLoop()
}

// recover brings the log to the state after its last record. Nothing is changed before all checks have passed.
func (l *Log) recover() error {
	segments, err := listSegments(l.fs)
	if err != nil {
		return err
	}
	head, err := readStatement(l.fs, headName)
	if err != nil {
		return err
	}
	born, unborn, err := l.splitUnborn(segments)
	if err != nil {
		return err
	}
	if len(born) == 0 {
		start, err := readStatement(l.fs, startName)
		if err != nil {
			return err
		}
		if head != nil || start != nil {
			return fmt.Errorf("%w: there is a signed statement but no segment", ErrDamaged)
		}
		if err := l.removeAll(unborn); err != nil {
			return err
		}
		return l.begin()
	}
	last := born[len(born)-1]
	data, err := disk.ReadFile(l.fs, last.name, maxSegmentFile)
	if err != nil {
		return fmt.Errorf("%s: %w", last.name, err)
	}
	c, err := l.check(last, data, head)
	if err != nil {
		return err
	}
	if err := errors.Join(l.removeAll(unborn), l.reopen(last, data, c)); err != nil {
		return err
	}
	if l.total, err = segmentBytes(l.fs); err != nil {
		return err
	}
	l.onDisk = l.total
	l.began, l.segment, l.seq, l.chain = c.began, last.number, c.seq, c.chain
	l.records, l.offset = c.seq+1-c.first, c.end
	l.mark, l.durable = uint32(c.end), link{c.seq, c.hash}
	return nil
}

// splitUnborn splits off a last segment without one whole frame: its making was interrupted, nothing in it was promised.
func (l *Log) splitUnborn(segments []segmentFile) (born, unborn []segmentFile, err error) {
	n := len(segments)
	if n == 0 {
		return nil, nil, nil
	}
	data, err := disk.ReadFile(l.fs, segments[n-1].name, maxSegmentFile)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", segments[n-1].name, err)
	}
	if found := disk.Scan(data, nil); found.Frames == 0 && len(found.Gaps) == 0 {
		n--
	}
	return segments[:n], segments[n:], nil
}

func (l *Log) removeAll(files []segmentFile) error {
	for _, f := range files {
		if err := l.fs.Remove(f.name); err != nil {
			return err
		}
	}
	return nil // reopen and begin sync the directory
}

// begin makes the first segment.
func (l *Log) begin() error {
	l.began, l.segment = l.opts.Clock().UTC(), 1
	header := l.appendSegmentHeader(nil)
	f, err := l.fs.Create(segmentName(1))
	if err != nil {
		return err
	}
	l.file = f
	if err := errors.Join(l.writePart(header), l.fs.SyncDir()); err != nil {
		return err
	}
	l.advance(len(header))
	l.mark = uint32(l.offset)
	return nil
}

// check checks the last segment against itself, the node and the head.
func (l *Log) check(last segmentFile, data []byte, head *Statement) (*checker, error) {
	c := &checker{}
	if head != nil {
		c.top = head.Seq
	}
	c.segment(last.number, data, true)
	if p := c.report.First(); p != nil {
		return nil, fmt.Errorf("%w: %s", ErrDamaged, p)
	}
	if c.node != l.node {
		return nil, fmt.Errorf("%w: it belongs to node %q, this is %q", ErrDamaged, c.node, l.node)
	}
	return c, checkHead(head, c, l.opts.Key.Public().(ed25519.PublicKey))
}

// reopen cuts the torn tail of the last segment off and opens it for more records.
func (l *Log) reopen(last segmentFile, data []byte, c *checker) error {
	f, err := l.fs.Append(last.name)
	if err != nil {
		return err
	}
	l.file = f
	if c.torn > 0 {
		if err := f.Truncate(c.end); err != nil {
			return fmt.Errorf("cut torn tail: %w", err)
		}
	}
	// What follows will claim that all before it is durable. The process before may have died before its sync, or
	// because of it, and then a sync alone would prove nothing: the last batch is written again.
	if err := f.Rewrite(data[c.mark:c.end], int64(c.mark)); err != nil {
		return fmt.Errorf("rewrite last batch: %w", err)
	}
	if err := errors.Join(f.Sync(), l.fs.SyncDir()); err != nil {
		return fmt.Errorf("sync last batch: %w", err)
	}
	return nil
}

// checkHead compares the head in the directory with the end of the log. Open writes a head before it takes the first
// record, so that a log with records has one.
func checkHead(head *Statement, c *checker, key ed25519.PublicKey) error {
	switch {
	case head == nil && c.seq == 0:
		return nil
	case head == nil:
		return fmt.Errorf("%w: %s is missing", ErrDamaged, headName)
	case head.Kind != HeadStatement || head.Verify(key) != nil:
		return fmt.Errorf("%w: %s is not signed by the key of this node", ErrDamaged, headName)
	case head.Node != c.node || !head.Began.Equal(c.began):
		return fmt.Errorf("%w: %s belongs to another log", ErrDamaged, headName)
	case head.Seq > c.seq:
		return fmt.Errorf("%w: the log ends with record %d, its head says %d: records are missing", ErrDamaged, c.seq, head.Seq)
	case head.Seq == c.seq && head.Hash != c.hash:
		return fmt.Errorf("%w: record %d is not the one the head was signed for", ErrDamaged, c.seq)
	}
	return nil
}
