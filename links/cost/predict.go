package cost

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/deflate"
	"sallyport/links/fanout"
)

// Thinner is what is done to the traffic of one direction before it waits for the link. Each stanza comes out once, in one that is sent
// or in none.
type Thinner interface {
	Put(now time.Time, s stanza.Stanza) []Sent
	Due(now time.Time) []Sent
	// Next is when Due has something to do; zero is never.
	Next() time.Time
	Flush(now time.Time) []Sent
	// Heard is what came the other way.
	Heard(s stanza.Stanza)
}

// Sent is one stanza for one recipient or more.
type Sent struct {
	Stanza stanza.Stanza
	Also   []jid.JID
}

// Options say what the link is like.
type Options struct {
	Profile links.Profile
	// Custody counts the framing of our own gateways, and its acknowledgements.
	Custody bool
	// Compression is nil for none.
	Compression *deflate.Config
	// Thin makes the thinner of a direction; nil for none.
	Thin func() Thinner
	// Class is the lane of a stanza, below links.Lanes; nil: all in lane 0.
	Class func(stanza.Stanza) uint8
}

// MaxEntries bounds a prediction: what it remembers of each stanza is some hundred bytes.
const MaxEntries = 20_000_000

// ErrTooLong is what a recording gets that has more.
var ErrTooLong = fmt.Errorf("%w: more than %d stanzas", ErrRecording, MaxEntries)

// Predict plays a recording, given by a function that returns io.EOF at its end (Reader.Next).
func Predict(next func() (Entry, error), o Options) (*Report, error) {
	p := &player{o: o, report: &Report{}}
	for d := range p.dirs {
		p.dirs[d] = &direction{}
		if o.Compression != nil {
			p.dirs[d].writer = deflate.NewWriter(*o.Compression)
		}
		if o.Thin != nil {
			p.dirs[d].thin = o.Thin()
		}
	}
	for n := 0; ; n++ {
		e, err := next()
		switch {
		case errors.Is(err, io.EOF):
			return p.finish(), nil
		case err != nil:
			return nil, err
		case n >= MaxEntries:
			return nil, ErrTooLong
		}
		if err := p.put(e); err != nil {
			return nil, err
		}
	}
}

type player struct {
	o      Options
	dirs   [2]*direction
	line   line
	report *Report
	plain  []byte
	frame  []byte
	err    error
}

// direction is one side's way to the line.
type direction struct {
	thin   Thinner
	writer *deflate.Writer
	number uint64
}

func (p *player) put(e Entry) error {
	p.report.see(e.Time)
	p.due(e.Time)
	size, err := p.size(e.Stanza)
	if err != nil {
		return err
	}
	c := &p.report.Classes[p.class(e.Stanza)]
	c.Stanzas++
	c.Recorded += int64(size)
	d := p.dirs[e.Direction]
	if d.thin == nil {
		p.send(e.Time, e.Direction, Sent{Stanza: e.Stanza})
		return p.err
	}
	if other := p.dirs[1-e.Direction].thin; other != nil {
		other.Heard(e.Stanza)
	}
	for _, s := range d.thin.Put(e.Time, e.Stanza) {
		p.send(e.Time, e.Direction, s)
	}
	return p.err
}

// due lets what was held back go at its time.
func (p *player) due(now time.Time) {
	for d, dir := range p.dirs {
		if dir.thin == nil {
			continue
		}
		for next := dir.thin.Next(); !next.IsZero() && !next.After(now); next = dir.thin.Next() {
			for _, s := range dir.thin.Due(next) {
				p.send(next, Direction(d), s) //nolint:gosec // 0 or 1
			}
		}
	}
}

func (p *player) class(s stanza.Stanza) uint8 {
	if p.o.Class == nil {
		return 0
	}
	return min(p.o.Class(s), links.Lanes-1)
}

func (p *player) size(s stanza.Stanza) (int, error) {
	var err error
	if p.plain, err = xmlstream.AppendElement(p.plain[:0], s.Element(), xmlstream.NSServer); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrRecording, err)
	}
	return len(p.plain), nil
}

// send brings one stanza to the line, as many bytes long as it would be there.
func (p *player) send(now time.Time, d Direction, s Sent) {
	lane := p.class(s.Stanza)
	if _, err := p.size(s.Stanza); err != nil {
		p.err = errors.Join(p.err, err)
		return
	}
	list, err := fanout.Elements(s.Stanza, s.Also)
	if err != nil {
		p.err = errors.Join(p.err, fmt.Errorf("%w: %w", ErrRecording, err))
		return
	}
	for _, e := range list {
		p.plain, _ = xmlstream.AppendElement(p.plain, e, fanout.NS) // an address is written as it is
	}
	dir := p.dirs[d]
	dir.number++
	c := &p.report.Classes[lane]
	c.Sent++
	c.Thinned += int64(len(p.plain))
	bytes := p.framed(dir, p.lift(dir, s))
	c.Line += int64(bytes)
	p.line.arrive(job{ready: now, dir: d, lane: lane, bytes: int32(min(bytes, 1<<30))}) //nolint:gosec // bounded
}

// lift takes the identifier off p.plain where it goes beside what is compressed, and says how long it is there.
func (p *player) lift(dir *direction, s Sent) int {
	id, _ := s.Stanza.Element().Attr("id")
	beside, ok := deflate.AppendIdentifier(nil, id)
	if dir.writer == nil || !ok {
		return 0
	}
	p.plain = []byte(strings.Replace(string(p.plain), " id='"+id+"'", "", 1)) // it needs no escapes
	return len(beside)
}

// What framing takes, beyond what is compressed. The forms are those of links/x2x.
const (
	recordHead  = 1
	stampBytes  = 2 // an expiry, less that of the stanza before
	numberBytes = 1 // its number, the same
	custodyText = "<c l='0' n='' x='1763000000' xmlns='urn:sallyport:custody:0'></c>"
	stanzaSpace = " xmlns='jabber:server'"
	ackText     = "<a l='0' n='' xmlns='urn:sallyport:custody:0'/>"
)

// framed says how long p.plain is on the line.
func (p *player) framed(dir *direction, beside int) int {
	if dir.writer == nil {
		if !p.o.Custody {
			return len(p.plain)
		}
		return len(p.plain) + len(custodyText) + len(stanzaSpace) + decimals(dir.number)
	}
	frame, err := dir.writer.Append(p.frame[:0], p.plain)
	if err != nil { // no gain, or beyond what one frame may hold: it goes as it is
		return recordHead + varint(uint64(len(p.plain))) + len(p.plain) + p.custodyHead() + beside
	}
	p.frame = frame
	size := p.custodyHead() + beside + len(frame)
	return recordHead + varint(uint64(size)) + size //nolint:gosec // a length
}

func (p *player) custodyHead() int {
	if !p.o.Custody {
		return 0
	}
	return numberBytes + stampBytes
}

func (p *player) ackBytes() int {
	number := max(p.dirs[0].number, p.dirs[1].number)
	if p.o.Compression != nil {
		return recordHead + 1 + 1 + varint(number) // a byte for the length, one for the lanes
	}
	return len(ackText) + decimals(number)
}

func varint(n uint64) int { return len(binary.AppendUvarint(nil, n)) }

func decimals(n uint64) int { return len(fmt.Sprint(n)) }

// finish lets go what is held, and drains the line.
func (p *player) finish() *Report {
	for d, dir := range p.dirs {
		if dir.thin == nil {
			continue
		}
		for next := dir.thin.Next(); !next.IsZero(); next = dir.thin.Next() {
			for _, s := range dir.thin.Due(next) {
				p.send(next, Direction(d), s) //nolint:gosec // 0 or 1
			}
		}
	}
	ack := 0
	if p.o.Custody {
		ack = p.ackBytes()
	}
	p.line.drain(&p.o.Profile, ack, p.report)
	p.report.close(&p.o.Profile)
	return p.report
}
