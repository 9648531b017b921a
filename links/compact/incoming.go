package compact

import (
	"encoding/binary"
	"fmt"
	"time"

	"sallyport/links"
)

// farthestStep bounds an expiry: nobody needs later.
const farthestStep = 1 << 34

// Incoming reads the units of one peer from one carrier. The zero value has not been greeted and reads no consignment. One goroutine
// owns it.
type Incoming struct {
	epoch uint64
	told  [links.Lanes]uint64
}

// Greeted takes the epoch of the peer's greeting. A consignment that follows, in the same unit too, is of that epoch.
func (in *Incoming) Greeted(epoch uint64) { in.epoch = epoch }

// Told takes the marks that we send in a greeting or an acknowledgement on this carrier, before they are sent: the peer may count on
// our knowing them from then on.
func (in *Incoming) Told(marks []links.Mark) {
	for _, m := range marks {
		if m.Lane < links.Lanes {
			in.told[m.Lane] = max(in.told[m.Lane], m.Number)
		}
	}
}

// narrowBits is the least that is said of a number.
const narrowBits = 4

// Complete returns the last byte of the number of a consignment of which the last four bits are known.
func (in *Incoming) Complete(lane, low uint8) uint8 {
	return uint8(complete(in.told[lane%links.Lanes], uint64(low), narrowBits)) //nolint:gosec // the last byte is meant
}

// Next takes one record off the front of a unit; own is our epoch, which acknowledged marks are of. It returns NoRecord for an empty
// unit. After a consignment that cannot be decoded the records behind it can still be read.
func (in *Incoming) Next(unit []byte, now time.Time, own uint64) (r Record, rest []byte, err error) {
	if len(unit) == 0 {
		return r, nil, nil
	}
	u := reader{b: unit[1:]}
	switch head := unit[0]; {
	case head&kindBits == headConsignment:
		r.Kind = ConsignmentRecord
		r.Consignment = in.consignment(&u, head, now)
		if !u.bad && in.epoch == 0 {
			return Record{}, nil, ErrNoGreeting
		}
		u.bad = u.bad || !r.Consignment.Frame.Valid()
	case head&kindBits == headMarks && head&^kindBits>>links.Lanes == 0 && head != headMarks:
		r.Kind, r.Marks = MarksRecord, u.marks(head&^kindBits, own)
	case head == headGreeting|version:
		r.Kind, r.Greeting = GreetingRecord, u.greeting()
	case head&kindBits == headGreeting:
		return Record{}, nil, fmt.Errorf("%w: greeting of version %d, not %d", ErrUnit, head&0x0F, version)
	case head&^bitLast == headLoose:
		r.Kind, r.Consignment.Stanza = LooseRecord, u.stanza(head)
	case head == headProbe:
		r.Kind, r.Number = ProbeRecord, u.uvarint()
	case head == headEcho:
		r.Kind, r.Number = EchoRecord, u.uvarint()
	default:
		u.bad = true
	}
	if u.bad {
		return Record{}, nil, ErrUnit
	}
	return r, u.b, nil
}

func (in *Incoming) consignment(u *reader, head byte, now time.Time) (c Consignment) {
	lane := head >> laneShift & (links.Lanes - 1)
	c.Frame = links.Frame{Epoch: in.epoch, Lane: lane}
	if w := head >> widthShift & fullWidth; w == fullWidth {
		c.Frame.Number = u.uvarint()
	} else {
		c.Frame.Number = complete(in.told[lane], u.bigEndian(int(w)+1), 8*(uint(w)+1))
	}
	if head&bitExpires != 0 {
		c.Frame.Expires = u.expiry(now)
	}
	c.Stanza = u.stanza(head)
	return c
}

// complete is the number nearest to told that ends in these bits.
func complete(told, low uint64, bits uint) uint64 {
	span := uint64(1) << bits
	n := told&^(span-1) | low
	switch {
	case n > told && n-told > span/2 && n >= span:
		return n - span
	case n < told && told-n >= span/2 && n+span > n:
		return n + span
	}
	return n
}

// reader takes fields off b; bad stays once it is set.
type reader struct {
	b   []byte
	bad bool
}

func (u *reader) take(n int) []byte {
	if u.bad || n > len(u.b) {
		u.bad = true
		return nil
	}
	out := u.b[:n:n]
	u.b = u.b[n:]
	return out
}

func (u *reader) bigEndian(n int) (v uint64) {
	for _, c := range u.take(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

// uvarint reads a varint that is no longer than it needs to be.
func (u *reader) uvarint() uint64 {
	v, n := binary.Uvarint(u.b)
	if u.bad || n <= 0 || n > 1 && u.b[n-1] == 0 {
		u.bad = true
		return 0
	}
	u.b = u.b[n:]
	return v
}

// expiry reads a time, the near form completed to the one nearest to now.
func (u *reader) expiry(now time.Time) time.Time {
	steps := u.bigEndian(2)
	if steps >= expiryWrap {
		u.bad = u.bad || steps != expiryFar
		if steps = u.uvarint(); steps == 0 || steps >= farthestStep {
			u.bad = true
		}
	} else {
		steps = complete(uint64(max(now.Unix()/expiryStep, 0)), steps, 15) //nolint:gosec // not negative
	}
	if u.bad {
		return time.Time{}
	}
	return time.Unix(int64(steps)*expiryStep, 0).UTC() //nolint:gosec // bounded
}

func (u *reader) stanza(head byte) []byte {
	if head&bitLast != 0 {
		return u.take(len(u.b))
	}
	n := u.uvarint()
	if n > MaxCoded {
		u.bad = true
		return nil
	}
	return u.take(int(n)) //nolint:gosec // bounded
}

func (u *reader) marks(lanes byte, epoch uint64) (out []links.Mark) {
	for lane := range uint8(links.Lanes) {
		if lanes&(1<<lane) != 0 {
			n := u.uvarint()
			u.bad = u.bad || n == 0
			out = append(out, links.Mark{Epoch: epoch, Lane: lane, Number: n})
		}
	}
	return out
}

func (u *reader) greeting() (g Greeting) {
	g.Epoch = u.bigEndian(8)
	copy(g.Codec[:], u.take(len(g.Codec)))
	count := u.bigEndian(1)
	u.bad = u.bad || g.Epoch == 0 || count > MaxMarks
	for i := uint64(0); i < count && !u.bad; i++ {
		m := links.Mark{Lane: uint8(u.bigEndian(1)), Epoch: u.bigEndian(8), Number: u.uvarint()} //nolint:gosec // one byte
		u.bad = u.bad || m.Lane >= links.Lanes || m.Epoch == 0 || m.Number == 0
		g.Marks = append(g.Marks, m)
	}
	return g
}
