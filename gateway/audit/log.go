package audit

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"sallyport/internal/disk"
)

// Committed is told what became of an appended record. Durable is called once per successful Append, in sequence order,
// by the committer: with nil after the record is on stable storage, with the error when it is not known to be. It must
// not block and must not call Append.
type Committed interface {
	Durable(token, seq uint64, err error)
}

// Log is an open audit log; safe for concurrent use. Two goroutines belong to it, the committer and the one that signs
// heads; Close ends both.
type Log struct {
	opts Options
	fs   disk.FS
	lock io.Closer
	dir  io.Closer // nil when the FS was given
	node string
	stop chan struct{} // closed by Close, ends the signer
	done sync.WaitGroup

	mu sync.Mutex // the only lock

	group   *disk.Group[*batch]
	seq     uint64 // of the last appended record
	chain   Hash   // of the last appended entry
	policy  string // of the last appended record
	began   time.Time
	segment uint64 // that the next record goes to
	offset  int64  // where in it
	records uint64 // in it so far
	mark    uint32 // where in it the active batch begins
	total   int64  // bytes of all segments, with what is not yet written
	err     error  // why no more records are taken
	failed  chan struct{}
	durable link // last record known to be on stable storage
	stats   Stats

	file   disk.File // owned by the committer
	onDisk int64     // bytes of all segments; owned by the committer
}

// link is a point of the chain.
type link struct {
	seq  uint64
	hash Hash
}

// batch collects entries for one write. Its memory is reused.
type batch struct {
	data    []byte
	cuts    []cut
	waiting []waiter
	first   uint64 // sequence of waiting[0]
	last    Hash   // of the last record
}

// cut says that the data from at on go to a new segment.
type cut struct {
	at      int
	segment uint64
}

type waiter struct {
	committed Committed
	token     uint64
}

// Append adds a record and returns its sequence number at once; c, when not nil, is told later what became of it. It
// waits only while the buffer is full. When it returns an error the record is not in the log and c is not told.
func (l *Log) Append(rec *Record, c Committed, token uint64) (seq uint64, err error) {
	if rec.Kind == NoKind || rec.Kind >= endOfKinds {
		return 0, fmt.Errorf("%w: no kind", ErrRecord)
	}
	bound := int64(disk.FrameHeaderBytes + entryPrefix + encodedBound(rec))
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil && l.crowded() {
		l.stats.Waits++
		l.group.Wait()
	}
	if l.err != nil {
		return 0, l.err
	}
	rotate := l.records > 0 && l.offset+bound > l.opts.SegmentBytes
	if l.total+bound+headerBound > l.opts.MaxBytes {
		l.refuse(ErrFull)
		return 0, l.err
	}
	if rotate {
		l.rotate()
	}
	b := l.group.Active()
	if len(b.waiting) == 0 {
		b.first = l.seq + 1
		l.group.Wake()
	}
	if rec.PolicyVersion != "" {
		l.policy = rec.PolicyVersion
	}
	l.seq++
	l.put(rec)
	l.records++
	b.last = l.chain
	b.waiting = append(b.waiting, waiter{c, token})
	return l.seq, nil
}

// headerBound is the most that a segment header takes as a frame.
const headerBound = disk.FrameHeaderBytes + entryPrefix + headerMaxBytes

func (l *Log) crowded() bool {
	b := l.group.Active()
	return len(b.data) >= l.opts.BufferBytes || len(b.waiting) >= l.opts.BufferRecords
}

// refuse makes the log take no more records. Those already appended are still committed.
func (l *Log) refuse(err error) {
	if l.err == nil {
		l.err = err
		close(l.failed)
	}
	l.group.Release()
}

// put encodes one record into the active batch and extends the chain.
func (l *Log) put(rec *Record) {
	b := l.group.Active()
	start := len(b.data)
	data := beginEntry(disk.BeginFrame(b.data), &l.chain, l.seq, recordEntry)
	at := len(data)
	data = AppendRecord(data, rec)
	if rec.Time.IsZero() {
		patchTime(data[at:], l.opts.Clock())
	}
	l.chain = sealEntry(data[start+disk.FrameHeaderBytes:])
	disk.EndFrame(data, start, l.mark)
	b.data = data
	l.advance(len(data) - start)
}

// rotate lets the active batch go on in a new segment.
func (l *Log) rotate() {
	l.segment++
	l.offset, l.records, l.mark = 0, 0, 0
	b := l.group.Active()
	b.cuts = append(b.cuts, cut{len(b.data), l.segment})
	start := len(b.data)
	b.data = l.appendSegmentHeader(b.data)
	l.advance(len(b.data) - start)
}

// appendSegmentHeader appends the first frame of the current segment and extends the chain.
func (l *Log) appendSegmentHeader(dst []byte) []byte {
	start := len(dst)
	dst = beginEntry(disk.BeginFrame(dst), &l.chain, l.seq+1, headerEntry)
	dst = AppendHeader(dst, &Header{
		Segment: l.segment, First: l.seq + 1, Before: l.chain,
		Began: l.began, Created: l.opts.Clock(), Node: l.node, Policy: l.policy,
	})
	l.chain = sealEntry(dst[start+disk.FrameHeaderBytes:])
	disk.EndFrame(dst, start, 0)
	return dst
}

func (l *Log) advance(bytes int) {
	l.offset += int64(bytes)
	l.total += int64(bytes)
}

// Head returns the signed head of what is durable now.
func (l *Log) Head() Head {
	l.mu.Lock()
	at := l.durable
	l.mu.Unlock()
	h := Head{Kind: HeadStatement, Node: l.node, Began: l.began, Seq: at.seq, Hash: at.hash, Time: l.opts.Clock()}
	h.sign(l.opts.Key)
	return h
}

// Err returns why the log takes no more records, nil while it does.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Failed is closed when the log takes no more records: after a failure, when it is full, and by Close.
func (l *Log) Failed() <-chan struct{} { return l.failed }

// Close commits what was appended, writes the last head and releases the directory. The error is that of a log that had
// failed, or of the closing itself.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.group.Closed() {
		l.mu.Unlock()
		return ErrClosed
	}
	l.refuse(ErrClosed)
	l.group.Close()
	l.mu.Unlock()
	close(l.stop)
	l.done.Wait()

	var errs []error
	if err := l.Err(); !errors.Is(err, ErrClosed) && !errors.Is(err, ErrFull) {
		errs = append(errs, err)
	}
	if err := l.publish(); err != nil {
		errs = append(errs, fmt.Errorf("write last head: %w", err))
	}
	for _, s := range l.opts.Sinks {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, l.release())...)
}
