package audit

import (
	"errors"
	"fmt"

	"sallyport/internal/disk"
)

// Archive copies closed segments to another directory, after checking each, and signs what it holds there: the result
// is a log of its own that Verify accepts. A later run into the same directory goes on where the last one ended.
func (m Maintenance) Archive(to disk.FS) (moved Moved, err error) {
	segments, _, unlock, err := m.begin()
	if err != nil {
		return Moved{}, fmt.Errorf("archive audit log: %w", err)
	}
	defer func() { err = errors.Join(err, unlock.Close()) }()
	a := archiver{Maintenance: m, to: to}
	if err := a.run(segments); err != nil {
		return a.moved, fmt.Errorf("archive audit log: %w", err)
	}
	return a.moved, nil
}

// archiver follows the chain from what the archive holds through what is copied.
type archiver struct {
	Maintenance
	checker
	to    disk.FS
	last  uint64 // segment in the archive, 0 for none
	moved Moved
}

func (a *archiver) run(segments []segmentFile) error {
	if err := a.resume(); err != nil {
		return err
	}
	for _, s := range segments {
		if s.number <= a.last {
			continue
		}
		if err := a.copy(s); err != nil {
			return err
		}
	}
	if a.last == 0 {
		return nil
	}
	return a.sign(a.to, headName, Statement{Kind: HeadStatement, Node: a.node, Began: a.began, Seq: a.seq, Hash: a.hash})
}

// resume learns where the archive ends.
func (a *archiver) resume() error {
	there, err := listSegments(a.to)
	if err != nil || len(there) == 0 {
		return err
	}
	end := there[len(there)-1]
	data, err := disk.ReadFile(a.to, end.name, maxSegmentFile)
	if err != nil {
		return fmt.Errorf("%s: %w", end.name, err)
	}
	a.segment(end.number, data, false)
	a.last = end.number
	return a.whole("archive")
}

func (a *archiver) whole(where string) error {
	if p := a.report.First(); p != nil {
		return fmt.Errorf("%w: %s: %s", ErrDamaged, where, p)
	}
	return nil
}

// copy checks one segment and writes it to the archive.
func (a *archiver) copy(s segmentFile) error {
	if a.last != 0 && s.number != a.last+1 {
		return fmt.Errorf("the archive ends with segment %d, the log begins with %d", a.last, s.number)
	}
	data, err := disk.ReadFile(a.FS, s.name, maxSegmentFile)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	a.segment(s.number, data, false)
	if err := a.whole("log"); err != nil {
		return err
	}
	if a.last == 0 && s.number > 1 {
		h, err := readHeader(data)
		if err != nil {
			return err
		}
		if err := a.sign(a.to, startName, h.start()); err != nil {
			return err
		}
	}
	if err := disk.Replace(a.to, s.name, data); err != nil {
		return err
	}
	a.last = s.number
	a.moved.count(s.number, int64(len(data)))
	return nil
}

// start is the statement that this segment is the first that remains.
func (h *Header) start() Statement {
	return Statement{
		Kind: StartStatement, Node: h.Node, Began: h.Began,
		Segment: h.Segment, Seq: h.First, Hash: h.Before,
	}
}
