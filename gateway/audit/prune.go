package audit

import (
	"bytes"
	"errors"
	"fmt"

	"sallyport/internal/disk"
)

// Prune removes closed segments and leaves a signed statement of where the log begins now, so that the rest still
// verifies. With an archive it removes only what stands there, byte for byte; nil means that the records are to be lost.
func (m Maintenance) Prune(archive disk.FS) (moved Moved, err error) {
	segments, next, unlock, err := m.begin()
	if err != nil {
		return Moved{}, fmt.Errorf("prune audit log: %w", err)
	}
	defer func() { err = errors.Join(err, unlock.Close()) }()
	if len(segments) == 0 {
		return Moved{}, nil
	}
	if archive != nil {
		if err := m.archived(segments, archive); err != nil {
			return Moved{}, fmt.Errorf("prune audit log: %w", err)
		}
	}
	if err := m.moveStart(segments[len(segments)-1], next); err != nil {
		return Moved{}, fmt.Errorf("prune audit log: %w", err)
	}
	for _, s := range segments {
		if err := m.FS.Remove(s.name); err != nil {
			return moved, fmt.Errorf("prune audit log: %w", err)
		}
		moved.count(s.number, s.size)
	}
	if err := m.FS.SyncDir(); err != nil {
		return moved, fmt.Errorf("prune audit log: %w", err)
	}
	return moved, nil
}

// archived checks that the archive holds the same segments.
func (m Maintenance) archived(segments []segmentFile, archive disk.FS) error {
	for _, s := range segments {
		here, err := disk.ReadFile(m.FS, s.name, maxSegmentFile)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		there, err := disk.ReadFile(archive, s.name, maxSegmentFile)
		if err != nil {
			return fmt.Errorf("archive: %s: %w", s.name, err)
		}
		if !bytes.Equal(here, there) {
			return fmt.Errorf("archive: %s differs from the log", s.name)
		}
	}
	return nil
}

// moveStart signs that the log begins with next, after checking that next follows the last one to be removed: a start
// must not paper over damage.
func (m Maintenance) moveStart(last, next segmentFile) error {
	var c checker
	var first Header
	for _, s := range [...]segmentFile{last, next} {
		data, err := disk.ReadFile(m.FS, s.name, maxSegmentFile)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		c.segment(s.number, data, s == next)
		if p := c.report.First(); p != nil {
			return fmt.Errorf("%w: %s", ErrDamaged, p)
		}
		if first, err = readHeader(data); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if next.number != last.number+1 {
		return fmt.Errorf("%w: %s is missing", ErrDamaged, segmentName(last.number+1))
	}
	return m.sign(m.FS, startName, first.start())
}
