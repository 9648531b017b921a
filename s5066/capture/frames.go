package capture

import (
	"bytes"
	"errors"
	"time"

	"sallyport/s5066/dpdu"
)

// Frames cuts one direction of a modem's bytes into D_PDUs. It keeps at most one that is not complete. The zero Frames is ready; it is not safe for
// concurrent use.
type Frames struct {
	kept  []byte
	count uint64
	// packet writes one, damaged ones and what is left of them too. Nil writes those with a good header as AppendRecord does.
	packet func(dst []byte, at time.Time, wrong Damage, packet []byte) []byte
}

// Count is how many D_PDUs there have been.
func (f *Frames) Count() uint64 { return f.count }

// Append appends a record of each D_PDU that is complete with these bytes.
func (f *Frames) Append(dst []byte, at time.Time, b []byte) []byte {
	for len(b) > 0 {
		n := min(len(b), dpdu.MaxSize)
		f.kept = append(f.kept, b[:n]...)
		b = b[n:]
		dst = f.scan(dst, at)
	}
	return dst
}

// End forgets what is not complete: the transmission is over.
func (f *Frames) End() { f.kept = nil }

// Rest is End, after a record of what is not complete, where damaged frames are recorded.
func (f *Frames) Rest(dst []byte, at time.Time) []byte {
	if f.packet != nil && len(f.kept) > minHeader {
		f.count++
		dst = f.packet(dst, at, BrokenOff, f.kept)
	}
	f.End()
	return dst
}

// record writes a frame with a good header.
func (f *Frames) record(dst []byte, at time.Time, damaged bool, frame []byte) []byte {
	f.count++
	switch {
	case f.packet == nil:
		return AppendRecord(dst, at, frame)
	case damaged:
		return f.packet(dst, at, Segment, frame)
	}
	return f.packet(dst, at, Whole, frame)
}

// minHeader is the sync word and the least that can be called a header.
const minHeader = 8

// unreadable writes what is behind a sync word and cannot be a header as it is, as far as it says that the header goes.
func (f *Frames) unreadable(dst []byte, at time.Time, b []byte) []byte {
	if f.packet == nil || len(b) < minHeader {
		return dst
	}
	f.count++
	size := len(syncWord) + int(b[5]&31) + int(b[5]>>5)
	return f.packet(dst, at, Header, b[:min(len(b), max(size, minHeader))])
}

var syncWord = []byte{0x90, 0xEB}

func (f *Frames) scan(dst []byte, at time.Time) []byte {
	b := f.kept
	for {
		i := bytes.Index(b, syncWord)
		if i < 0 {
			i = len(b)
			if i > 0 && b[i-1] == syncWord[0] {
				i--
			}
			b = b[i:]
			break
		}
		b = b[i:]
		p, rest, err := dpdu.Parse(b)
		if errors.Is(err, dpdu.ErrShort) {
			break
		}
		if err != nil {
			dst = f.unreadable(dst, at, b)
			b = b[1:]
			continue
		}
		dst = f.record(dst, at, p.Damaged, b[:len(b)-len(rest)])
		if p.Damaged {
			rest = b[len(syncWord)+int(b[5]&31)+int(b[5]>>5):] // behind the header: the segment may hide the frame that really came
		}
		b = rest
	}
	f.kept = append(f.kept[:0], b...)
	return dst
}
