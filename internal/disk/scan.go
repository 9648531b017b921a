package disk

import "encoding/binary"

// searchFactor bounds the search for whole frames among damaged bytes: at most so many times the length of the file
// is checksummed, because a forged file may hold a likely length at every offset. When it is used up the rest of the
// file counts as one gap.
const searchFactor = 16

// Found is what Scan learned about the bytes of one file.
type Found struct {
	// Frames counts the whole frames.
	Frames int
	// End is where the good part ends when the rest is a torn tail; otherwise the length of the file.
	End int64
	// Torn counts the bytes after End: the remains of a batch that was being written when the machine stopped.
	// Nobody was told that it was durable, so the owner of the last file may cut them off; in any other file a torn
	// tail is damage.
	Torn int64
	// Gaps lists the damage before End, in order: bytes that are no frame although something written later proves
	// that they had been durable.
	Gaps []Gap
}

// Gap is a stretch of bytes [From, To) that is no frame.
type Gap struct{ From, To int64 }

// Scan calls visit for every whole frame of one file in order, with its offset. After a gap it goes on with the next
// whole frame. Frames of a torn batch that come after its first hole are not visited: the file ends at the hole.
// A nil visit only counts.
func Scan(data []byte, visit func(offset int64, f Frame)) Found {
	s := search{data: data, budget: searchFactor * int64(len(data)), visit: visit}
	s.durable = unknown // undamaged files never need it
	s.run(0)
	return s.found
}

// ScanRest scans from an offset on and holds all bytes to have been durable: for files that were followed by others, and
// when something else proves what must be there. Torn is then 0.
func ScanRest(data []byte, from int64, visit func(offset int64, f Frame)) Found {
	s := search{data: data, budget: searchFactor * int64(len(data)), visit: visit}
	s.durable = int64(len(data))
	s.run(from)
	return s.found
}

// unknown says that lastMark was not yet needed.
const unknown = -1

// search is one scan. It also looks for whole frames where none is expected to begin, as far as its budget goes.
type search struct {
	data    []byte
	budget  int64
	durable int64
	visit   func(offset int64, f Frame)
	found   Found
}

func (s *search) run(at int64) {
	size := int64(len(s.data))
	for at < size {
		f, rest, err := ParseFrame(s.data[at:])
		if err == nil {
			s.found.Frames++
			if s.visit != nil {
				s.visit(at, f)
			}
			at = size - int64(len(rest))
			continue
		}
		if s.durable == unknown {
			s.durable = s.lastMark(at)
		}
		if at >= s.durable {
			break
		}
		next := s.next(at + 1)
		s.found.Gaps = append(s.found.Gaps, Gap{at, next})
		at = next
	}
	s.found.End, s.found.Torn = at, size-at
}

// lastMark returns the largest offset that a whole frame at or after from proves durable. Bytes of a torn batch reach
// the disk in any order, so that frames after a hole count as well. When the budget ends first, all is held to have
// been durable: damage is then reported and nothing cut off.
func (s *search) lastMark(from int64) int64 {
	var last int64
	for at := s.next(from); at < int64(len(s.data)); {
		f, rest, err := ParseFrame(s.data[at:])
		if err != nil {
			at = s.next(at + 1)
			continue
		}
		last = max(last, int64(f.Mark))
		at = int64(len(s.data) - len(rest))
	}
	if s.budget <= 0 {
		return int64(len(s.data))
	}
	return last
}

// next returns the offset of the next whole frame at or after from, or the length of the data.
func (s *search) next(from int64) int64 {
	for at := from; at+FrameHeaderBytes <= int64(len(s.data)) && s.budget > 0; at++ {
		n := int64(binary.BigEndian.Uint32(s.data[at:]))
		if n == 0 || n > MaxFrameBytes || n > int64(len(s.data))-at-FrameHeaderBytes {
			continue
		}
		s.budget -= n
		if _, _, err := ParseFrame(s.data[at:]); err == nil {
			return at
		}
	}
	return int64(len(s.data))
}
