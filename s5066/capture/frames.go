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
			b = b[1:]
			continue
		}
		dst = AppendRecord(dst, at, b[:len(b)-len(rest)])
		f.count++
		if p.Damaged {
			rest = b[len(syncWord)+int(b[5]&31)+int(b[5]>>5):] // behind the header: the segment may hide the frame that really came
		}
		b = rest
	}
	f.kept = append(f.kept[:0], b...)
	return dst
}
