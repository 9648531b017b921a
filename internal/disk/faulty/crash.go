package faulty

import (
	"maps"
	"slices"

	"sallyport/internal/disk"
)

// sectorBytes is what a disk writes as a whole.
const sectorBytes = 512

// Crash cuts the power: what was synced stays; of the rest pick decides what reached the disk. pick(n) returns a
// number from 0 to n-1: take it from a seeded source or a property test. Names keep a prefix of their unsynced
// changes (file systems journal them in order); contents keep any subset of the unsynced sectors, holes read as
// zeros, and the end may be torn. Open handles die, locks and faults are gone, and the file system can be used again.
func (s *FS) Crash(pick func(n int) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.pending[:pick(len(s.pending)+1)] {
		apply(s.durable, c)
	}
	s.names = maps.Clone(s.durable)
	s.pending = nil
	for _, name := range slices.Sorted(maps.Keys(s.names)) { // a fixed order, so that picks mean the same each time
		s.names[name].crash(pick)
	}
	s.locks = map[string]bool{}
	s.plan = nil
	s.capacity = 0
	s.epoch++
}

func (f *file) crash(pick func(n int) int) {
	for _, e := range f.pending {
		switch {
		case e.lost:
		case e.data == nil:
			if pick(2) == 1 {
				f.durable = e.apply(f.durable)
			}
		default:
			f.durable = f.tear(e, pick)
		}
	}
	f.pending = nil
	f.seen = slices.Clone(f.durable)
}

// tear applies some sectors of a write. Half of the time it is all or nothing, which is what most crashes leave.
func (f *file) tear(e edit, pick func(n int) int) []byte {
	switch pick(4) {
	case 0:
		return f.durable
	case 1:
		return e.apply(f.durable)
	case 2: // a prefix, to the byte
		cut := edit{at: e.at, data: e.data[:pick(len(e.data)+1)]}
		if len(cut.data) == 0 {
			return f.durable
		}
		return cut.apply(f.durable)
	}
	b := f.durable
	for from := int64(0); from < int64(len(e.data)); {
		to := min((e.at+from)/sectorBytes*sectorBytes+sectorBytes-e.at, int64(len(e.data)))
		if pick(2) == 1 {
			b = edit{at: e.at + from, data: e.data[from:to]}.apply(b)
		}
		from = to
	}
	return b
}

// Contents returns a copy of what programs see in a file, nil when there is none.
func (s *FS) Contents(name string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.names[name]; f != nil {
		return slices.Clone(f.seen)
	}
	return nil
}

// SetContents replaces a file durably, as an attacker with access to the disk would; nil removes it.
func (s *FS) SetContents(name string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if data == nil {
		delete(s.names, name)
		delete(s.durable, name)
		return
	}
	f := &file{seen: slices.Clone(data), durable: slices.Clone(data)}
	s.names[name], s.durable[name] = f, f
}

// Copy returns an independent file system with the files as programs see them, all durable.
func (s *FS) Copy() *FS {
	c := New()
	list, err := s.List()
	if err != nil {
		return c
	}
	for _, info := range list {
		c.SetContents(info.Name, s.Contents(info.Name))
	}
	return c
}

var _ disk.FS = (*FS)(nil)
