package spool

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"sallyport/internal/disk"
)

var segments = disk.Series{Prefix: "segment-", Suffix: ".spool"}

const (
	lockName     = "lock"
	identityName = "identity"
	// damagedPrefix is put before the name of a segment with damage in it when nothing alive needs it any more, so that
	// it can be looked into.
	damagedPrefix = "damaged-"
	// maxSegmentFile is the most that is read as one segment: a batch may begin just below the limit.
	maxSegmentFile = 4 << 30
)

// place is where an entry is in the log.
type place struct {
	segment uint64
	at      int64 // of the frame
	bytes   int32 // of the frame
}

// segmentFile is what is known of one file.
type segmentFile struct {
	number  uint64
	size    int64
	damaged bool
	alive   map[Number]*item
	bytes   int64 // of frames of what is alive
}

// logFiles are the files, oldest first; the last is being written. It is owned by the committer, but for files and their
// alive, which the lock guards.
type logFiles struct {
	files []*segmentFile
	file  disk.File
	top   uint64 // highest number of any segment, also of those that are not of this log
}

func (l *logFiles) last() *segmentFile { return l.files[len(l.files)-1] }

func (l *logFiles) find(number uint64) *segmentFile {
	for _, f := range l.files {
		if f.number == number {
			return f
		}
	}
	return nil
}

func (f *segmentFile) enter(it *item, at place) {
	it.place = at
	f.alive[it.Number] = it
	f.bytes += int64(at.bytes)
}

func (f *segmentFile) leave(it *item) {
	if f.alive[it.Number] == it {
		delete(f.alive, it.Number)
		f.bytes -= int64(it.place.bytes)
	}
}

// errNoRoom is a write that the disk had no room for, and that was taken back.
var errNoRoom = errors.New("no room on the disk")

func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// write makes a batch durable in the last segment, or a new one. It returns where the batch begins. After errNoRoom the
// log is what it was before; after any other error what it holds is not known.
func (s *Spool) write(b *batch) (at int64, err error) {
	last := s.log.last()
	if last.size > 0 && last.size+int64(len(b.data)) > s.opts.SegmentBytes {
		return s.writeNew(b)
	}
	b.seal(last.size)
	if _, err := s.log.file.Write(b.data); err != nil {
		return 0, s.takeBack(err)
	}
	if err := s.log.file.Sync(); err != nil {
		return 0, fmt.Errorf("sync segment: %w", err)
	}
	at = last.size
	s.mu.Lock()
	last.size += int64(len(b.data))
	s.mu.Unlock()
	return at, nil
}

// takeBack cuts off what a write without room left behind. Unlike after a failed sync, the kernel has not lost anything
// that it held for written, and what is cut off was promised to nobody: the file may be used on.
func (s *Spool) takeBack(cause error) error {
	if !noRoom(cause) {
		return fmt.Errorf("write segment: %w", cause)
	}
	if err := s.log.file.Truncate(s.log.last().size); err != nil {
		return fmt.Errorf("take back a write: %w", err)
	}
	if err := s.log.file.Sync(); err != nil {
		return fmt.Errorf("take back a write: %w", err)
	}
	return errNoRoom
}

// writeNew begins a segment with the batch. The old one stays in use until the new one is durable with its name.
func (s *Spool) writeNew(b *batch) (int64, error) {
	next := s.log.top + 1
	head := s.begin(next)
	head.seal(0)
	b.seal(0)
	f, size, err := s.create(next, slices.Concat(head.data, b.data))
	if err != nil {
		return 0, err
	}
	err = s.log.file.Close()
	s.mu.Lock()
	s.log.file, s.log.top = f, next
	s.log.files = append(s.log.files, &segmentFile{number: next, size: size, alive: map[Number]*item{}})
	s.mu.Unlock()
	if err != nil {
		return 0, fmt.Errorf("close segment: %w", err)
	}
	return int64(len(head.data)), nil
}

// create makes a segment file with one write, so that what a crash leaves of its header is all of it, a prefix, or zeros.
// When there is no room the file is removed again.
func (s *Spool) create(number uint64, data []byte) (f disk.File, size int64, err error) {
	name := segments.Name(number)
	f, err = s.fs.Create(name)
	if err != nil {
		if noRoom(err) {
			return nil, 0, errNoRoom
		}
		return nil, 0, fmt.Errorf("new segment: %w", err)
	}
	_, err = f.Write(data)
	if noRoom(err) {
		if err := errors.Join(f.Close(), s.fs.Remove(name), s.fs.SyncDir()); err != nil {
			return nil, 0, fmt.Errorf("take back a segment: %w", err)
		}
		return nil, 0, errNoRoom
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = s.fs.SyncDir()
	}
	if err != nil {
		return nil, 0, fmt.Errorf("new segment: %w", errors.Join(err, f.Close()))
	}
	return f, int64(len(data)), nil
}

// begin returns the first records of a segment: its header and all marks, so that older segments are needed for nothing
// but the entries in them.
func (s *Spool) begin(number uint64) *batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &batch{}
	b.put(&Record{kind: headerRecord, header: Header{
		Life: s.life, Epoch: s.epoch, Segment: number, Next: s.next, Created: s.opts.Clock(),
	}}, action{})
	s.repeatMarks(b)
	return b
}

// repeatMarks writes all marks down again. Caller holds mu.
func (s *Spool) repeatMarks(b *batch) {
	for _, m := range s.marks.of("", true) {
		b.put(&Record{kind: markRecord, mark: m}, action{})
	}
}
