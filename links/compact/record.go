package compact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"sallyport/links"
)

// A unit is what is carried as one piece: records one after the other. The first byte of a record says what it is:
//
//	0 0 l l w w x e   a consignment of lane ll; the number in w w = 1, 2, 3 bytes, or as a varint; with expiry if x; its stanza goes to
//	                  the end of the unit if e, else its length stands before it
//	0 1 0 0 m m m m   marks: one varint for each lane whose bit is set, lane 0 is the lowest bit
//	1 0 0 0 v v v v   a greeting of version v
//	1 1 0 0 0 0 0 e   a stanza without custody
//	1 1 0 1 0 0 0 0   a probe, a varint
//	1 1 1 0 0 0 0 0   its echo, a varint
const (
	headConsignment = 0x00
	headMarks       = 0x40
	headGreeting    = 0x80
	headLoose       = 0xC0
	headProbe       = 0xD0
	headEcho        = 0xE0

	kindBits   = 0xC0
	bitLast    = 0x01
	bitExpires = 0x02
	laneShift  = 4
	widthShift = 2
	fullWidth  = 3 // the number as a varint

	version = 2
)

// MaxMarks bounds the marks of a greeting, MaxCoded a coded stanza.
const (
	MaxMarks = 16
	MaxCoded = 512<<10 + 1<<10
)

// Expiry is coarse: expiryStep is its unit, always rounded up, and near times are said modulo expiryWrap steps.
const (
	expiryStep = 64 // seconds
	expiryWrap = 1 << 15
	expiryFar  = 0x8000
)

// ErrUnit is wrapped by every error about records; what follows in the unit is lost with it.
var ErrUnit = errors.New("compact: malformed unit")

// ErrNoGreeting: a consignment before the greeting that names its epoch.
var ErrNoGreeting = fmt.Errorf("%w: consignment before any greeting", ErrUnit)

// Kind says what a Record is. The zero value is none.
type Kind uint8

// The kinds.
const (
	NoRecord Kind = iota
	ConsignmentRecord
	MarksRecord
	GreetingRecord
	LooseRecord // a stanza without custody
	ProbeRecord
	EchoRecord
)

// Greeting is the first that either end says: its epoch, what its codec knows, and the marks that it holds of the other's lanes.
type Greeting struct {
	Epoch uint64
	Codec Fingerprint
	Marks []links.Mark
}

// Consignment is one stanza, as Codec.Encode made it, with its custody. Frame.Expires is rounded up to about a minute on the way.
type Consignment struct {
	Frame  links.Frame
	Stanza []byte
}

// Record is one thing in a unit. Slices point into the unit.
type Record struct {
	Kind        Kind
	Consignment Consignment  // the stanza of a LooseRecord too
	Marks       []links.Mark // of our own epoch, see Incoming.Next
	Greeting    Greeting
	Number      uint64 // of a probe or an echo
}

// Outgoing writes consignments to one peer over one carrier. Numbers are cut to what the peer's last mark leaves open. The zero value
// knows of no mark and cuts nothing. One goroutine owns it.
type Outgoing struct {
	told   [links.Lanes]uint64
	newest [links.Lanes]uint64
}

// Told takes the marks of a greeting or an acknowledgement that came in over this carrier.
func (o *Outgoing) Told(marks []links.Mark) {
	for _, m := range marks {
		if m.Lane < links.Lanes {
			o.told[m.Lane] = max(o.told[m.Lane], m.Number)
		}
	}
}

// AppendConsignment appends a consignment that more records may follow. now is for the expiry.
func (o *Outgoing) AppendConsignment(dst []byte, now time.Time, c Consignment) ([]byte, error) {
	return o.append(dst, now, c, 0)
}

// AppendLast appends a consignment that ends the unit, which spares its length.
func (o *Outgoing) AppendLast(dst []byte, now time.Time, c Consignment) ([]byte, error) {
	return o.append(dst, now, c, bitLast)
}

func (o *Outgoing) append(dst []byte, now time.Time, c Consignment, last byte) ([]byte, error) {
	f := c.Frame
	if !f.Valid() || len(c.Stanza) > MaxCoded {
		return dst, fmt.Errorf("%w: a consignment without custody, or too long", ErrUnwritable)
	}
	width := o.width(f)
	head := headConsignment | f.Lane<<laneShift | width<<widthShift | last
	if !f.Expires.IsZero() {
		head |= bitExpires
	}
	dst = append(dst, head)
	if width == fullWidth {
		dst = binary.AppendUvarint(dst, f.Number)
	} else {
		for i := int(width); i >= 0; i-- {
			dst = append(dst, byte(f.Number>>(8*i)))
		}
	}
	if !f.Expires.IsZero() {
		dst = appendExpiry(dst, now, f.Expires)
	}
	return appendStanza(dst, c.Stanza, last), nil
}

// Narrow reports that the peer can complete the numbers of the lane that were written so far from their last four bits, see
// Incoming.Complete.
func (o *Outgoing) Narrow(lane uint8) bool {
	return lane < links.Lanes && o.told[lane] > 0 && o.newest[lane]-o.told[lane] < 1<<(narrowBits-1)
}

// width is the least that the peer can complete, wherever between what it told us and our newest number it stands by now.
func (o *Outgoing) width(f links.Frame) byte {
	told := o.told[f.Lane]
	o.newest[f.Lane] = max(o.newest[f.Lane], f.Number)
	if told == 0 || f.Number <= told {
		return fullWidth
	}
	for w := range byte(fullWidth) {
		if o.newest[f.Lane]-told < 1<<(8*w+7) {
			return w
		}
	}
	return fullWidth
}

func appendStanza(dst, stanza []byte, last byte) []byte {
	if last == 0 {
		dst = binary.AppendUvarint(dst, uint64(len(stanza)))
	}
	return append(dst, stanza...)
}

// appendExpiry writes two bytes where the time is less than eight days away; the clocks of the ends may differ by four.
func appendExpiry(dst []byte, now, at time.Time) []byte {
	steps := expirySteps(at)
	if d := steps - now.Unix()/expiryStep; d > -expiryWrap/3 && d < expiryWrap/3 {
		return binary.BigEndian.AppendUint16(dst, uint16(steps%expiryWrap)) //nolint:gosec // below the wrap
	}
	dst = binary.BigEndian.AppendUint16(dst, expiryFar)
	return binary.AppendUvarint(dst, uint64(steps)) //nolint:gosec // not negative
}

func expirySteps(at time.Time) int64 {
	return (max(at.Unix(), 1) + expiryStep - 1) / expiryStep
}

// AppendLoose appends a stanza without custody that more records may follow.
func AppendLoose(dst, stanza []byte) []byte { return appendStanza(append(dst, headLoose), stanza, 0) }

// AppendLooseLast appends a stanza without custody that ends the unit.
func AppendLooseLast(dst, stanza []byte) []byte {
	return append(append(dst, headLoose|bitLast), stanza...)
}

// AppendMarks appends acknowledgements: cumulative within each lane, one for each lane at most, of the peer's epoch. Nothing is appended
// for none.
func AppendMarks(dst []byte, marks []links.Mark) []byte {
	var numbers [links.Lanes]uint64
	lanes := byte(0)
	for _, m := range marks {
		if m.Lane < links.Lanes && m.Number > 0 {
			numbers[m.Lane] = max(numbers[m.Lane], m.Number)
			lanes |= 1 << m.Lane
		}
	}
	if lanes == 0 {
		return dst
	}
	dst = append(dst, headMarks|lanes)
	for _, n := range numbers {
		if n > 0 {
			dst = binary.AppendUvarint(dst, n)
		}
	}
	return dst
}

// AppendGreeting appends a greeting. Marks beyond MaxMarks are left out.
func AppendGreeting(dst []byte, g Greeting) []byte {
	dst = append(dst, headGreeting|version)
	dst = binary.BigEndian.AppendUint64(dst, g.Epoch)
	dst = append(dst, g.Codec[:]...)
	marks := g.Marks[:min(len(g.Marks), MaxMarks)]
	dst = append(dst, byte(len(marks)))
	for _, m := range marks {
		dst = binary.BigEndian.AppendUint64(append(dst, m.Lane), m.Epoch)
		dst = binary.AppendUvarint(dst, m.Number)
	}
	return dst
}

// AppendProbe appends a question that AppendEcho answers.
func AppendProbe(dst []byte, n uint64) []byte { return binary.AppendUvarint(append(dst, headProbe), n) }

// AppendEcho appends the answer to a probe.
func AppendEcho(dst []byte, n uint64) []byte { return binary.AppendUvarint(append(dst, headEcho), n) }
