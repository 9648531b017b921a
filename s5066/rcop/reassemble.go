package rcop

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/s5066"
)

// Limits bound a Reassembler over all senders. Zero values stand for the defaults.
type Limits struct {
	Message  int           // bytes of one message, 256 KiB
	Partial  int           // messages that are not complete, 64
	Bytes    int           // bytes held for these, 1 MiB
	Age      time.Duration // since the last segment of such a message, 30 minutes
	Remember time.Duration // how long a repetition is known as one, 24 hours
	Senders  int           // whose messages are remembered, 256
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Message, 256<<10)
	def(&l.Partial, 64)
	def(&l.Bytes, 1<<20)
	def(&l.Senders, 256)
	if l.Age <= 0 {
		l.Age = 30 * time.Minute
	}
	if l.Remember <= 0 {
		l.Remember = 24 * time.Hour
	}
	return l
}

// Sender is whose numbers count together.
type Sender struct {
	Source     s5066.Address
	SAP        s5066.SAP
	Connection uint8
}

// Message is what was sent as one. Repeated says that it has been delivered before.
type Message struct {
	Sender
	ID       uint8
	App      uint16
	Data     []byte
	Repeated bool
}

// Why a partial message was given up.
var (
	ErrTooLarge = errors.New("message is larger than the limit")
	ErrCrowded  = errors.New("too many incomplete messages")
	ErrStale    = errors.New("rest of the message did not come")
	ErrReplaced = errors.New("another message with its number has begun")
)

// Dropped is a message that was not completed.
type Dropped struct {
	Sender
	ID    uint8
	Bytes int
	Cause error
}

type partialKey struct {
	Sender
	id uint8
}

// partial is a message on its way: what is there in one piece from the beginning, and what came
// too early.
type partial struct {
	app   uint16
	end   End
	data  []byte
	first int    // length of segment 0, which is the beginning of data
	next  uint16 // segment that continues data
	early map[uint16][]byte
	size  int // bytes of data and early
	bytes int // what it counts against Limits.Bytes
	last  time.Time
}

// Reassembler puts messages together. Not safe for concurrent use.
type Reassembler struct {
	limits  Limits
	end     func(app uint16) End
	open    map[partialKey]*partial
	bytes   int
	seen    map[Sender]*memory
	dropped []Dropped
}

// NewReassembler makes a Reassembler; end says how messages of an application show their end.
func NewReassembler(limits Limits, end func(app uint16) End) *Reassembler {
	return &Reassembler{
		limits: limits.withDefaults(), end: end,
		open: make(map[partialKey]*partial), seen: make(map[Sender]*memory),
	}
}

// Add takes a U_PDU and returns the message that it completes, if it does. The application ID of
// the segment that came first counts. An error is about this U_PDU alone and wraps ErrHeader.
func (r *Reassembler) Add(now time.Time, source s5066.Address, sap s5066.SAP, updu []byte) (Message, bool, error) {
	h, b, err := ParseHeader(updu)
	if err != nil {
		return Message{}, false, err
	}
	r.Tick(now)
	key := partialKey{Sender{source, sap, h.Connection}, h.ID}
	p := r.open[key]
	if p != nil && p.replacedBy(h.Segment, b) {
		r.drop(key, ErrReplaced)
		p = nil
	}
	if p == nil {
		p = &partial{app: h.App, end: r.end(h.App), early: make(map[uint16][]byte)}
		r.open[key] = p
	}
	p.last = now
	done, err := r.take(p, h.Segment, b)
	switch {
	case err == nil && p.size > r.limits.Message:
		err = ErrTooLarge
	case done && err == nil:
		r.forget(key)
		m := Message{key.Sender, h.ID, p.app, p.data, false}
		m.Repeated = r.remember(now, m)
		return m, true, nil
	}
	if err != nil {
		r.drop(key, err)
		return Message{}, false, nil
	}
	r.makeRoom()
	return Message{}, false, nil
}

// replacedBy reports whether a segment cannot belong to the message that is held.
func (p *partial) replacedBy(segment uint16, b []byte) bool {
	return segment == 0 && p.next > 0 && !bytes.Equal(p.data[:p.first], b)
}

// take puts a segment where it belongs, and what was waiting for it behind it. A segment that is there
// already changes nothing.
func (r *Reassembler) take(p *partial, segment uint16, b []byte) (done bool, err error) {
	if _, twice := p.early[segment]; twice || segment < p.next {
		return false, nil
	}
	p.size += len(b)
	p.bytes += len(b) + segmentCost
	r.bytes += len(b) + segmentCost
	if segment > p.next {
		p.early[segment] = bytes.Clone(b)
		return false, nil
	}
	for ok := true; ok && !done && err == nil; b, ok = p.early[p.next] {
		delete(p.early, p.next)
		if p.next == 0 {
			p.first = len(b)
		}
		p.next++
		p.data = append(p.data, b...)
		if done, err = p.end(b); p.next == 0 {
			return done, fmt.Errorf("%w: after 65536 segments", ErrTooLarge)
		}
	}
	return done, err
}

const droppedKept = 256

// segmentCost is counted for each segment beside its bytes, so that empty ones are not free.
const segmentCost = 64

// makeRoom drops the messages that have waited longest until the limits hold.
func (r *Reassembler) makeRoom() {
	for len(r.open) > r.limits.Partial || r.bytes > r.limits.Bytes {
		r.drop(r.oldest(), ErrCrowded)
	}
}

// oldest is the open message whose last segment came first.
func (r *Reassembler) oldest() partialKey {
	var oldest partialKey
	var last time.Time
	for key, p := range r.open {
		if last.IsZero() || p.last.Before(last) || p.last.Equal(last) && key.compare(oldest) < 0 {
			oldest, last = key, p.last
		}
	}
	return oldest
}

// compare orders keys, so that which message goes does not depend on a map.
func (k partialKey) compare(o partialKey) int {
	return bytes.Compare(k.bytes(), o.bytes())
}

func (k partialKey) bytes() []byte {
	w := k.Source.Word()
	return []byte{byte(w >> 24), byte(w >> 16), byte(w >> 8), byte(w), byte(k.SAP), k.Connection, k.id}
}

func (r *Reassembler) drop(key partialKey, cause error) {
	r.dropped = append(r.dropped, Dropped{key.Sender, key.id, r.open[key].size, cause})
	if len(r.dropped) > droppedKept {
		r.dropped = slices.Delete(r.dropped, 0, 1)
	}
	r.forget(key)
}

func (r *Reassembler) forget(key partialKey) {
	r.bytes -= r.open[key].bytes
	delete(r.open, key)
}

// Dropped returns what has been given up since the last call, the latest 256.
func (r *Reassembler) Dropped() []Dropped {
	d := r.dropped
	r.dropped = nil
	return d
}

// Deadline is when Tick has something to give up.
func (r *Reassembler) Deadline() (time.Time, bool) {
	if len(r.open) == 0 {
		return time.Time{}, false
	}
	return r.open[r.oldest()].last.Add(r.limits.Age), true
}

// Tick gives up what has waited too long.
func (r *Reassembler) Tick(now time.Time) {
	for at, ok := r.Deadline(); ok && !now.Before(at); at, ok = r.Deadline() {
		r.drop(r.oldest(), ErrStale)
	}
}
