package spool

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// ParseRecord reads the payload of one frame. The stored bytes of an entry share memory with b.
func ParseRecord(b []byte) (Record, error) {
	p := parser{b: b}
	r := Record{kind: recordKind(p.byteBelow(byte(numRecords)))}
	switch r.kind {
	case noRecord, numRecords:
		p.fail("no kind")
	case headerRecord:
		if p.byte() != formVersion {
			p.fail("another version")
		}
		r.header = Header{Life: p.uint64(), Epoch: p.uint64(), Segment: p.uvarint(math.MaxUint64), Next: p.number(), Created: p.time()}
	case entryRecord:
		p.entry(&r.entry, &r.moved)
	case endRecord:
		r.ends = p.ends()
	case sendingRecord, returnedRecord:
		for range p.uvarint(maxNumbers) {
			r.numbers = append(r.numbers, p.number())
		}
	case markRecord:
		r.mark = p.mark()
	case mergeRecord:
		r.number, r.into, r.to = p.number(), p.number(), p.jid()
		if r.marked = p.flag(); r.marked {
			r.mark = p.mark()
		}
	case forgetRecord:
		r.mark.Peer, r.mark.Epoch = p.string(MaxPeerName), p.uint64()
	case epochRecord:
		r.header.Epoch, r.header.Next = p.uint64(), p.number()
	}
	if p.err == nil && len(p.b) != 0 {
		p.fail("bytes after the record")
	}
	return r, p.err
}

// parser reads fields until the first error, after which everything is zero.
type parser struct {
	b   []byte
	err error
}

func (p *parser) fail(why string) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s", ErrRecord, why)
	}
	p.b = nil
}

func (p *parser) bytes(n int) []byte {
	if p.err != nil || n < 0 || n > len(p.b) {
		p.fail("cut short")
		return nil
	}
	v := p.b[:n:n]
	p.b = p.b[n:]
	return v
}

func (p *parser) byte() byte {
	v := p.bytes(1)
	if len(v) == 0 {
		return 0
	}
	return v[0]
}

func (p *parser) byteBelow(limit byte) byte {
	v := p.byte()
	if v >= limit {
		p.fail("unknown value")
		return 0
	}
	return v
}

func (p *parser) flag() bool { return p.byteBelow(2) == 1 }

func (p *parser) uint64() uint64 {
	v := p.bytes(8)
	if v == nil {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

func (p *parser) uvarint(limit uint64) uint64 {
	if p.err != nil {
		return 0
	}
	v, n := binary.Uvarint(p.b)
	if n <= 0 || v > limit {
		p.fail("bad number")
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *parser) number() Number {
	n := p.uvarint(maxNumber)
	if n == 0 {
		p.fail("no number")
	}
	return Number(n)
}

func (p *parser) time() time.Time { return time.Unix(0, int64(p.uint64())).UTC() }

func (p *parser) string(limit int) string { return string(p.bytes(int(p.uvarint(uint64(limit))))) }

func (p *parser) jid() jid.JID {
	s := p.string(maxJIDBytes)
	if s == "" || p.err != nil {
		return jid.JID{}
	}
	j, err := jid.Parse(s)
	if err != nil {
		p.fail("bad address")
	}
	return j
}

func (p *parser) mark() Mark {
	m := Mark{Peer: p.string(MaxPeerName), Epoch: p.uint64(), Lane: p.byteBelow(byte(numClasses)), Number: uint64(p.number())}
	if p.err == nil && m.Peer == "" {
		p.fail("mark of nobody")
	}
	return m
}

func (p *parser) ends() (ends []End) {
	for range p.uvarint(maxNumbers) {
		e := End{Number: p.number(), How: Outcome(p.byteBelow(byte(numOutcomes)))}
		if e.How == NoOutcome {
			p.fail("no outcome")
		}
		if p.err != nil {
			return nil
		}
		ends = append(ends, e)
	}
	return ends
}

func (p *parser) entry(e *Entry, moved *bool) {
	flags := p.byte()
	*moved, e.Sending, e.Fleeting = flags&flagMoved != 0, flags&flagSending != 0, flags&flagFleeting != 0
	e.Class, e.Kind = Class(p.byteBelow(byte(numClasses))), stanza.Kind(p.byteBelow(byte(stanza.IQ)+1))
	e.Number, e.Peer = p.number(), p.string(MaxPeerName)
	e.Local, e.Remote, e.To = p.jid(), p.jid(), p.jid()
	e.Conversation = p.uint64()
	e.Bytes, e.Attempts = int(p.uvarint(maxWireBytes)), int(p.uvarint(math.MaxInt32))
	if flags&flagAccepted != 0 {
		e.Accepted = p.time()
	}
	if flags&flagExpires != 0 {
		e.Expires = p.time()
	}
	if flags&flagMark != 0 {
		m := p.mark()
		e.Mark = &m
	}
	if flags&flagLatest != 0 {
		copy(e.Latest[:], p.bytes(len(e.Latest)))
	}
	if flags&flagCopy != 0 {
		copy(e.Copy[:], p.bytes(len(e.Copy)))
	}
	for range p.uvarint(MaxRecipients) {
		j := p.jid()
		if p.err != nil {
			return
		}
		e.Also = append(e.Also, j)
	}
	e.Ends = p.ends()
	e.Stored = p.bytes(len(p.b))
	if p.err != nil {
		return
	}
	if err := e.check(); err != nil {
		p.fail(err.Error())
	}
}
