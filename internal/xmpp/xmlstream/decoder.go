package xmlstream

import (
	"io"
	"math"
)

const (
	firstBuffer = 4 << 10  // enough for a quiet stream
	maxBuffer   = 16 << 10 // what Fill reads ahead at most: one TLS record

	noBound = math.MaxInt64 // between elements
)

// EventKind says what an Event is.
type EventKind uint8

const (
	NoEvent       EventKind = iota
	HeaderEvent             // the stream header
	ElementEvent            // a whole first-level element
	OversizeEvent           // a first-level element beyond the limits: Element is its start tag, the rest is gone
	EndEvent                // the end of the stream; nothing after it is read
)

// String returns the name of the kind.
func (k EventKind) String() string {
	switch k {
	case NoEvent:
		return "none"
	case HeaderEvent:
		return "header"
	case ElementEvent:
		return "element"
	case OversizeEvent:
		return "oversize"
	case EndEvent:
		return "end"
	}
	return "invalid"
}

// Event is one thing read from a stream.
type Event struct {
	Kind    EventKind
	Header  Header   // HeaderEvent
	Element *Element // ElementEvent, OversizeEvent
	Bytes   int      // its size on the wire
}

// Decoder turns the bytes of one direction of a stream into events. It is a plain machine: bytes are pushed in with Fill
// or Write, events are pulled out with Next. One goroutine owns it.
//
// Every decision depends on the bytes alone and is taken at the byte that decides it; how they were split into reads
// never changes an event or an error. Each byte is looked at once, but for the last few of an unfinished name, reference
// or character, so a peer that sends single bytes costs time in proportion to them.
type Decoder struct {
	lim       Limits
	contentNS string
	noHeader  bool
	document  bool // ParseDocument: no stream around the element
	canonical bool

	first int // bytes of the first buffer
	quiet int // reads in a row that would have fitted into it
	buf   []byte
	pos   int   // next byte to read
	have  int   // end of the bytes received
	end   int   // end of those that may be looked at: have, or the bound of the element
	base  int64 // offset of buf[0] in the stream

	state state
	err   error // once set, for ever

	kind    EventKind // the event that is ready
	element *Element
	header  Header

	start   int64 // offset of the < of the element being read
	bound   int64 // offset that the element may not reach
	white   int   // white space since the last first-level element
	fresh   bool  // nothing has been read, an XML declaration may come
	again   bool  // it follows another stream
	opened  bool  // the stream header has been read, or there is none
	named   bool  // the start tag of the first-level element has been read
	discard bool  // the element is too large: check it, keep nothing
	skipped *Element

	tag     tagScan
	scope   scope
	open    []frame // open elements below the stream
	records records
	stamp   *Stamp // for which room is left
	usual   scratch
}

// state is the place in the grammar at which the next byte stands.
type state uint8

const (
	atProlog  state = iota // before the stream header or the root of a document
	between                // at the first level, between elements
	inContent              // inside an element, or at the < of a first-level one
	inTag                  // in a start tag, before an attribute or the end
	atEquals               // after the name of an attribute
	atQuote                // after its equals sign
	inValue                // in its value
	inEndTag               // after the name in an end tag
	inCDATA                // in a CDATA section
	inTrailer              // after the root of a document
	atEmptied              // the header was an empty-element tag, the end is still to be told
	ended
)

// step is how far a part of the machine came.
type step uint8

const (
	more   step = iota // go on, the state says where
	short              // the window is used up
	emit               // an event is ready
	failed             // err is set
)

// NewDecoder returns a decoder that expects a stream header, or a stanza if o.NoHeader is set.
func NewDecoder(o Options) *Decoder {
	d := &Decoder{contentNS: o.ContentNS, noHeader: o.NoHeader, first: firstBuffer}
	if o.FirstBuffer > 0 {
		d.first = o.FirstBuffer
	}
	d.Restart(o.Limits)
	return d
}

// Restart makes the decoder expect a new stream header, as after STARTTLS and SASL. What was learnt of the old stream
// is forgotten; bytes already received, see Buffered, are read as the beginning of the new one. White space in front of
// that belongs to the old one, so an XML declaration may follow it.
func (d *Decoder) Restart(l Limits) {
	d.again = d.base+int64(d.pos) > 0
	d.lim = l.filled()
	d.state, d.bound, d.white = atProlog, noBound, 0
	d.start = d.base + int64(d.pos)
	d.fresh = true
	d.opened, d.named, d.discard, d.skipped = d.noHeader, false, false, nil
	d.usual.lend(d)
	if d.noHeader {
		d.presume()
	}
}

// SetLimits changes the limits from here on.
func (d *Decoder) SetLimits(l Limits) {
	d.lim = l.filled()
	if d.bound != noBound && !d.discard {
		d.bound = max(d.start+int64(d.lim.ElementBytes), d.base+int64(d.pos))
	}
}

// Fill does one Read into the buffer and returns what it returned. It is called when Next has said ErrShort.
func (d *Decoder) Fill(r io.Reader) (int, error) {
	filled := d.have == len(d.buf) // by the last Read, so there is more to come
	d.settle()
	switch {
	case len(d.buf) == 0:
		d.grow(d.first)
	case filled && len(d.buf) < maxBuffer:
		d.grow(max(firstBuffer, 2*len(d.buf)))
	case d.have == len(d.buf):
		return 0, ErrFull
	}
	d.shrink()
	n, err := r.Read(d.buf[d.have:])
	d.have += n
	if d.quiet++; n > d.first {
		d.quiet = 0
	}
	return n, err
}

// quietReads is after how many small reads a buffer that once was filled is given back.
const quietReads = 16

// shrink goes back to the first buffer on a stream that has become quiet again.
func (d *Decoder) shrink() {
	if d.have == 0 && len(d.buf) > d.first && d.quiet >= quietReads {
		d.buf = make([]byte, d.first)
	}
}

// Write takes all of p. The decoder holds what Next has not yet read, so the caller bounds it by calling Next in between.
func (d *Decoder) Write(p []byte) (int, error) {
	d.settle()
	if d.have+len(p) > len(d.buf) {
		d.grow(max(firstBuffer, 2*len(d.buf), d.have+len(p)))
	}
	d.have += copy(d.buf[d.have:], p)
	return len(p), nil
}

// Buffered returns how many bytes have been received and not read. After an element that changes the security of the
// stream it must be 0, else somebody has put bytes in front of the TLS handshake.
func (d *Decoder) Buffered() int { return d.have - d.pos }

// Behind is like Buffered, without white space in front, which says nothing, wherever it is read.
func (d *Decoder) Behind() int { return d.have - spaces(d.buf[:d.have], d.pos) }

// Discarded returns how much has been read of an element beyond the limits that is being read past, 0 if there is none.
func (d *Decoder) Discarded() int {
	if !d.discard {
		return 0
	}
	return int(d.base + int64(d.pos) - d.start)
}

// Whitespace returns the bytes of white space read since the last first-level element.
func (d *Decoder) Whitespace() int { return d.white }

// ForgetWhitespace starts the count of white space again. Who wants a limit for each minute rather than for each gap
// between elements calls it once a minute.
func (d *Decoder) ForgetWhitespace() { d.white = 0 }

// Next returns the next event. ErrShort means that more bytes are needed, io.EOF that the stream has ended properly, and
// an *Error that it must be ended by us; the last two are final.
func (d *Decoder) Next() (Event, error) {
	if d.err != nil {
		return Event{}, d.err
	}
	for {
		d.end = d.have
		if room := d.bound - d.base; int64(d.end) > room {
			d.end = int(room)
		}
		switch d.step() {
		case more:
		case short:
			if d.end == d.have {
				return Event{}, ErrShort
			}
			if d.overflow(int(d.bound-d.base)) == failed {
				return Event{}, d.err
			}
		case emit:
			return d.event(), nil
		case failed:
			return Event{}, d.err
		}
	}
}

// event takes the event that is ready.
func (d *Decoder) event() Event {
	event := Event{Kind: d.kind, Element: d.element, Bytes: int(d.base + int64(d.pos) - d.start)}
	if d.kind == HeaderEvent {
		event.Header, d.header = d.header, Header{}
	}
	d.element = nil
	return event
}

func (d *Decoder) step() step {
	switch d.state {
	case atProlog:
		return d.prolog()
	case between:
		return d.gap()
	case inContent:
		return d.content()
	case inTag, atEquals, atQuote, inValue:
		return d.attributes()
	case inEndTag:
		return d.endTagRest()
	case inCDATA:
		return d.cdata()
	case inTrailer:
		return d.trailer()
	case atEmptied:
		return d.endStream()
	case ended:
		d.err = io.EOF
	}
	return failed
}

// fail ends the decoder. at is the place in the buffer of the byte that decided it.
func (d *Decoder) fail(condition string, at int, detail string) step {
	e := &Error{Condition: condition, Offset: d.base + int64(at), Bytes: 1, Detail: detail}
	if d.state == atProlog || d.bound != noBound {
		e.Bytes = int(e.Offset-d.start) + 1
	}
	d.err = e
	d.buf, d.base, d.pos, d.have = nil, d.base+int64(d.have), 0, 0
	d.open, d.records, d.scope, d.skipped = nil, records{}, scope{}, nil
	return failed
}

// overflow is reached when an element has used up its bound, in bytes or in memory. If the stream can survive it, the
// rest is checked and thrown away, up to a second bound.
func (d *Decoder) overflow(at int) step {
	switch {
	case d.discard:
		return d.fail(PolicyViolation, at, "element goes on beyond what is discarded")
	case !d.opened:
		return d.fail(PolicyViolation, at, "stream header or document over the limit")
	case d.lim.OversizeFactor == 0:
		return d.fail(PolicyViolation, at, "element over the limit")
	case !d.named:
		return d.fail(PolicyViolation, at, "start tag over the limit")
	}
	d.skipped = d.records.startTag(&d.scope)
	d.discard = true
	d.records.drop(d.tag.attrs)
	d.tag.attrs = 0
	d.bound = d.base + int64(at) + int64(d.lim.OversizeFactor)*int64(d.lim.ElementBytes)
	return more
}

// settle moves unread bytes to the front, or forgets them when nothing will read them any more.
func (d *Decoder) settle() {
	if d.err != nil || d.state == ended {
		d.pos = d.have
	}
	if d.pos == 0 {
		return
	}
	d.base += int64(d.pos)
	d.have = copy(d.buf, d.buf[d.pos:d.have])
	d.pos = 0
	if d.have == 0 && len(d.buf) > maxBuffer {
		d.buf = nil
	}
}

func (d *Decoder) grow(size int) {
	buf := make([]byte, size)
	copy(buf, d.buf[:d.have])
	d.buf = buf
}
