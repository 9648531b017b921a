package spool

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"sallyport/internal/disk"
)

const (
	// moveFrom is how many times what is alive the log may take on disk, with a few segments on top, before survivors
	// of the oldest segment are moved to the newest, so that one peer that is away does not keep what all others sent.
	moveFrom     = 4
	moveSegments = 4
	// moveBytes is moved with one batch at most.
	moveBytes = 1 << 20
)

// tidy removes segments that nothing alive is in, from the oldest on, and moves survivors. It runs in the committer,
// between batches. Oldest first: the end of an entry is then never removed before the entry.
func (s *Spool) tidy() error {
	if err := s.sweep(); err != nil {
		return err
	}
	s.mu.Lock()
	oldest, size, alive := s.log.files[0], int64(0), int64(0)
	for _, f := range s.log.files {
		size += f.size
		alive += f.bytes
	}
	few := len(s.log.files) <= moveSegments || size < moveFrom*alive+moveSegments*s.opts.SegmentBytes
	if few || s.err != nil || len(s.group.Active().data) > s.opts.BufferBytes/2 {
		s.mu.Unlock()
		return nil
	}
	var move []*item
	bytes := int64(0)
	for _, it := range sorted(oldest.alive) {
		if bytes += int64(it.place.bytes); bytes > moveBytes && len(move) > 0 {
			break
		}
		move = append(move, it)
	}
	s.mu.Unlock()
	for _, it := range move {
		s.move(it)
	}
	return nil
}

func sorted(items map[Number]*item) []*item {
	list := make([]*item, 0, len(items))
	for _, it := range items {
		list = append(list, it)
	}
	slices.SortFunc(list, func(a, b *item) int { return cmp.Compare(a.Number, b.Number) })
	return list
}

// move writes an entry down again, as it is now, in the newest segment.
func (s *Spool) move(it *item) {
	stored := it.Stored
	if stored == nil {
		var err error
		if stored, err = s.read(it.Number, it.place); err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.stats.ReadErrors++
			if it.state == waiting && errors.Is(err, errDamaged) {
				if it, ok := s.queue.finish(it.Number, Damaged); ok {
					s.end([]ending{{it, Damaged}})
				}
			}
			return // it keeps its segment, and whoever hands it out decides
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue.items[it.Number] != it || it.joining > 0 || it.state == fading {
		return
	}
	e := it.Entry
	e.Stored, e.Mark = stored, nil
	s.put(&Record{kind: entryRecord, entry: e, moved: true}, action{it: it})
	s.stats.Moved++
}

// sweep removes what can be removed.
func (s *Spool) sweep() error {
	removed := false
	for {
		s.mu.Lock()
		oldest := s.log.files[0]
		keep := len(s.log.files) == 1 || len(oldest.alive) > 0 || s.marksDue
		if !keep {
			s.log.files = s.log.files[1:]
		}
		s.mu.Unlock()
		if keep {
			break
		}
		if err := s.discard(oldest); err != nil {
			return err
		}
		removed = true
	}
	if !removed {
		return nil
	}
	if err := s.fs.SyncDir(); err != nil {
		return fmt.Errorf("remove segment: %w", err)
	}
	return nil
}

// discard removes a segment; one with damage in it is put aside instead.
func (s *Spool) discard(f *segmentFile) error {
	name := segments.Name(f.number)
	err := error(nil)
	if f.damaged {
		err = s.fs.Rename(name, damagedPrefix+name)
	} else {
		err = s.fs.Remove(name)
	}
	if err != nil && !errors.Is(err, disk.ErrNotExist) {
		return fmt.Errorf("remove segment: %w", err)
	}
	return nil
}
