package hf

import (
	"bytes"
	"encoding/binary"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// Machine is a mode without its edge, for fuzzing and for figures.
type Machine struct {
	m     machine
	epoch uint64
}

// NewMachine makes one that the node has just bound.
func NewMachine(cfg *Config, now time.Time) Machine {
	cfg.withDefaults()
	n := uint16(0x100 * (1 + cfg.Address.Value()&7)) //nolint:gosec // of no two ends the same
	draw := func() uint16 { n++; return n }
	var m machine
	switch cfg.Mode {
	case Compact:
		m = newCompact(cfg, nil, draw)
	case Stream:
		m = newStream(cfg, nil, draw)
	case RCOP, NoMode:
		m = newRCOP(cfg, 0)
	}
	epoch := 7 + uint64(cfg.Address.Value()) // of no two ends the same
	m.begin(now, 2048, epoch, nil)
	return Machine{m, epoch}
}

// Heard gives it a U_PDU, and settles what came of it. It returns how many stanzas that were.
func (x Machine) Heard(now time.Time, updu []byte) (stanzas int) {
	x.m.heard(now, &sis.UnidataIndication{Mode: s5066.TxARQ, Data: updu})
	return x.settle(now)
}

func (x Machine) settle(now time.Time) (stanzas int) {
	for _, e := range x.m.events() {
		if e.kind == arrived {
			stanzas++
			x.m.settled(now, e.seq)
		}
	}
	return stanzas
}

// Tick tells it the time, and settles what came of that.
func (x Machine) Tick(now time.Time) (stanzas int) {
	x.m.tick(now)
	return x.settle(now)
}

// Next is what it submits now to a node, which has to tell its Outcome if it can.
func (x Machine) Next(now time.Time) (id uint64, q sis.UnidataRequest, ok bool) {
	r, ok := x.m.next(now)
	return r.id, r.UnidataRequest, ok
}

// Outcome is what the node says; reason 0 of what is not confirmed: nobody knows.
func (x Machine) Outcome(now time.Time, id uint64, confirmed bool, reason sis.RejectReason) {
	x.m.outcome(now, id, outcome{confirmed: confirmed, reason: reason})
}

// lifetime is what a gateway gives a stanza unless it is told otherwise.
const lifetime = 24 * time.Hour

// Put gives it a stanza.
func (x Machine) Put(now time.Time, e *xmlstream.Element, number uint64) {
	x.m.put(now, item{element: e, token: number, frame: links.Frame{Epoch: x.epoch, Number: number, Expires: now.Add(lifetime)}, expires: now.Add(lifetime)})
}

// Said returns what it submits until it has no more, each confirmed at once.
func (x Machine) Said(now time.Time) (all [][]byte) {
	x.m.tick(now)
	for len(all) < 1000 {
		r, ok := x.m.next(now)
		if !ok {
			break
		}
		all = append(all, r.Data)
		x.m.outcome(now, r.id, outcome{confirmed: true})
	}
	x.m.events()
	return all
}

// Sealed is a U_PDU of Compact with the check that it needs to be believed here.
func (x Machine) Sealed(b []byte) []byte {
	if l, ok := x.m.(*streamLine); ok {
		return l.sealed(b)
	}
	c, ok := x.m.(*compactLine)
	u, err := parseUnit(b)
	if !ok || err != nil {
		return b
	}
	if !u.greets {
		u.session = c.peer
	}
	if u.brief {
		u.number = c.inLanes[u.lane].next
	}
	if u.narrow {
		u.body[1] = c.incoming.Complete(u.lane, u.body[1])
	}
	return appendUnit(nil, &u)
}

// sealed is the same for Stream.
func (l *streamLine) sealed(b []byte) []byte {
	if len(b) >= 4 && isBrief(b[0]) {
		c, err := parseChunk(b)
		if err != nil {
			return b
		}
		st := l.lanes[int(b[0]&^chunkKind)%len(l.lanes)]
		return appendChunk(nil, &chunk{stream: b[0] &^ chunkKind, brief: true, generation: st.theirs, offset: st.expected, paired: st.ours, data: c.data})
	}
	if len(b) < 8 || b[1]&flagOpen != 0 && len(b) < 10 {
		return b
	}
	return []byte(ChunkOf(b[0]&^chunkKind, b[1], binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:]), string(b[8:])))
}

// Backlog is what it holds.
func (x Machine) Backlog() links.Backlog { return x.m.backlog() }

// Deadline is when it wants the time.
func (x Machine) Deadline() time.Time { return x.m.deadline() }

// Greets is a unit of Compact that begins a session.
func Greets(session uint16, number uint8, body string) string {
	return string(appendUnit(nil, &unit{session: session, number: number, greets: true, body: []byte(body)}))
}

// ChunkOf is a U_PDU of Stream; rest is what stands behind the place, without the check.
func ChunkOf(stream, flags byte, generation uint16, offset uint32, rest string) string {
	c := chunk{stream: stream, open: flags&flagOpen != 0, reset: flags&flagReset != 0, generation: generation, offset: offset, data: []byte(rest)}
	if c.open {
		c.paired, c.data = uint16(rest[0])<<8|uint16(rest[1]), []byte(rest[2:])
	}
	return string(appendChunk(nil, &c))
}

// SameAgain reads a header and reports whether it is written as it was read, and that it was one.
func SameAgain(b []byte) (same, read bool) {
	if u, err := parseUnit(b); err == nil {
		again, at := appendUnit(nil, &u), len(u.checked)
		return len(again) == len(b) && bytes.Equal(again[:at], b[:at]) && bytes.Equal(again[at+2:], b[at+2:]), true
	}
	if c, err := parseChunk(b); err == nil {
		again, at := appendChunk(nil, &c), len(c.head)
		return len(again) == len(b) && bytes.Equal(again[:at], b[:at]) && bytes.Equal(again[at+2:], b[at+2:]), true
	}
	return false, false
}
