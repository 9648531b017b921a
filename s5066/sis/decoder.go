package sis

import (
	"errors"
	"fmt"
)

// junkStretch is how many bytes without a primitive count as one that is unusable.
const junkStretch = 256

// Decoder finds primitives in a stream of bytes. After damage it skips a byte and hunts for
// the next preamble. What it returns depends on the stream alone, not on how it was cut.
// It holds at most one primitive and what the last Push brought. The zero Decoder is ready;
// it is not safe for concurrent use.
type Decoder struct {
	buf   []byte
	stray int // bytes since the last primitive or the beginning of the last unusable one
	total int // bytes used up
}

// Push adds bytes received. The Decoder keeps no reference to b.
func (d *Decoder) Push(b []byte) { d.buf = append(d.buf, b...) }

// Partial reports whether bytes are held that may become a primitive. It is meaningful after Next
// has returned ErrShort.
func (d *Decoder) Partial() bool { return len(d.buf) > 0 }

// Next returns the next primitive. ErrShort means that there is none yet: Push more. Any
// other error is one unusable primitive, to be counted; Next goes on behind it.
func (d *Decoder) Next() (Primitive, error) {
	for len(d.buf) > 0 {
		p, rest, err := ParsePrimitive(d.buf)
		switch {
		case err == nil:
			d.total += len(d.buf) - len(rest)
			d.buf, d.stray = rest, 0
			return p, nil
		case errors.Is(err, ErrShort):
			return nil, ErrShort
		case !errors.Is(err, ErrPreamble):
			d.stray = 0 // a preamble: this is another one
		}
		at := d.total
		counts := d.stray%junkStretch == 0
		d.stray++
		d.total++
		d.buf = d.buf[1:]
		if counts {
			return nil, fmt.Errorf("at byte %d: %w", at, err)
		}
	}
	d.buf = nil // what was used up is given back
	return nil, ErrShort
}
