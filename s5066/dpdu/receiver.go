package dpdu

import (
	"bytes"
	"errors"
)

// Receiver finds frames in what a modem delivers, however it is cut into pieces and whatever lies between them (C.4). It keeps at most one frame's
// bytes. The zero Receiver is ready. It is not safe for concurrent use.
type Receiver struct {
	buf   []byte
	Stats Stats
}

// Stats counts what a Receiver saw.
type Stats struct {
	Frames  uint64 // with a good header, the damaged ones included
	Damaged uint64 // segments with a bad checksum, or that broke off
	False   uint64 // sync words with no header behind them
	Skipped uint64 // bytes that belong to no frame
}

// Feed takes the next bytes and gives the frames that are complete now. What a call keeps is bounded by one frame, what it
// gives by the bytes fed.
func (r *Receiver) Feed(b []byte) []PDU {
	var out []PDU
	for len(b) > 0 {
		n := min(len(b), MaxSize)
		r.buf = append(r.buf, b[:n]...)
		b = b[n:]
		out = r.scan(out)
	}
	return out
}

// End says that the transmission is over: a frame that broke off behind a good header is given as damaged, with the bytes
// that came of its segment, and what else is kept is hunted through and dropped.
func (r *Receiver) End() []PDU {
	var out []PDU
	for len(r.buf) > 0 {
		out = r.scan(out)
		if len(r.buf) == 0 {
			break
		}
		skip := 1
		if p, size, n, err := parseHeader(r.buf[min(syncSize, len(r.buf)):]); err == nil {
			skip = syncSize + size
			rest := r.buf[skip:]
			p.Segment, p.Damaged = bytes.Clone(rest[:min(n, len(rest))]), true
			out = append(out, p)
			r.Stats.Frames++
			r.Stats.Damaged++
		} else {
			r.Stats.Skipped++
		}
		r.buf = r.buf[skip:]
	}
	r.buf = nil
	return out
}

// Pending is the bytes kept of a frame that is not complete.
func (r *Receiver) Pending() int { return len(r.buf) }

// scan takes every frame from the front of the buffer and leaves what may become one.
func (r *Receiver) scan(out []PDU) []PDU {
	at := r.buf
	for {
		at = r.hunt(at)
		p, rest, err := Parse(at)
		if errors.Is(err, ErrShort) {
			break
		}
		if err != nil {
			r.Stats.False++
			r.Stats.Skipped++
			at = at[1:]
			continue
		}
		r.Stats.Frames++
		if p.Damaged {
			r.Stats.Damaged++
			rest = at[syncSize+int(at[5]&31)+int(at[5]>>5):] // behind the header: the segment may hide the frame that really came
		}
		out = append(out, p)
		at = rest
	}
	r.buf = append(r.buf[:0], at...)
	return out
}

// hunt drops what stands before the next sync word, or before the half of one at the end.
func (r *Receiver) hunt(b []byte) []byte {
	i := bytes.Index(b, []byte{0x90, 0xEB})
	if i < 0 {
		i = len(b)
		if i > 0 && b[i-1] == 0x90 {
			i--
		}
	}
	r.Stats.Skipped += uint64(i)
	return b[i:]
}
