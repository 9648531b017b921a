package dtls

import (
	"encoding/binary"
	"sync"
	"time"
)

// Chunks of SCTP that say what was lost (RFC 9260 §3.3).
const (
	chunkData   = 0
	chunkSack   = 3
	chunkHeader = 4
	sackHeader  = 16 // with the fixed fields
)

// tally counts the pieces of data that we had to send again. pion keeps such counts to itself, so they are read off the packets between
// SCTP and DTLS, where they are authentic. The zero value has counted nothing. Safe for concurrent use.
type tally struct {
	mu      sync.Mutex
	begun   bool
	highest uint32 // TSN sent
	pieces  uint64 // sent, repetitions included
	again   uint64 // of these, repetitions
	twice   uint64 // pieces that the neighbour says it got more than once: repetitions without need, or copies that the path made
}

// sent takes a packet on its way out.
func (t *tally) sent(packet []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	chunks(packet, func(typ byte, body []byte) {
		if typ != chunkData || len(body) < 4 {
			return
		}
		tsn := binary.BigEndian.Uint32(body)
		t.pieces++
		if t.begun && int32(tsn-t.highest) <= 0 { //nolint:gosec // serial number arithmetic (RFC 1982)
			t.again++
			return
		}
		t.begun, t.highest = true, tsn
	})
}

// heard takes a packet that came in.
func (t *tally) heard(packet []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	chunks(packet, func(typ byte, body []byte) {
		if typ == chunkSack && len(body) >= sackHeader-chunkHeader {
			t.twice += uint64(binary.BigEndian.Uint16(body[10:]))
		}
	})
}

// loss is the share of pieces that were sent and did not arrive: every one of these was sent again, and nothing else was but what came
// twice. Acknowledgements that get lost with such a report make it a little too large.
func (t *tally) loss() (share float64, measured bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pieces == 0 || t.again <= t.twice {
		return 0, t.pieces > 0
	}
	return float64(t.again-t.twice) / float64(t.pieces), true
}

// chunks shows the chunks of a packet. What is out of shape ends it: SCTP itself will say what it thinks of that.
func chunks(packet []byte, see func(typ byte, body []byte)) {
	if len(packet) < sctpHeader {
		return
	}
	for b := packet[sctpHeader:]; len(b) >= chunkHeader; {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n < chunkHeader || n > len(b) {
			return
		}
		see(b[0], b[chunkHeader:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}

// rate measures what goes through while there is something under way. The zero value has measured nothing. Its owner guards it.
type rate struct {
	at    time.Time
	bytes uint64 // until then
	busy  bool   // then
	moved uint64
	took  time.Duration
}

// sample takes the bytes that went through until now, and whether something is under way.
func (r *rate) sample(now time.Time, bytes uint64, busy bool) {
	if r.busy && busy && bytes >= r.bytes {
		r.moved += bytes - r.bytes
		r.took += now.Sub(r.at)
	}
	r.at, r.bytes, r.busy = now, bytes, busy
}

func (r *rate) bitsPerSecond() int64 {
	if r.took <= 0 {
		return 0
	}
	return int64(float64(r.moved) * 8 / r.took.Seconds())
}
