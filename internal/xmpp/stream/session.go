package stream

import (
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
)

// ManageConfig sets stream management (XEP-0198). Zero fields take the defaults in brackets.
type ManageConfig struct {
	MaxItems     int           // unacknowledged stanzas kept [5000]
	MaxBytes     int           // and their bytes [4 MiB]
	MaxUnsettled int           // received stanzas nobody took responsibility for yet [5000]
	AskEvery     int           // stanzas between two <r/> [64]
	AckEvery     int           // settled stanzas between two unasked <a/> [256]
	ResumeFor    time.Duration // how long a lost session waits [5 min]; negative: no resumption
}

func (c ManageConfig) withDefaults() ManageConfig {
	for _, f := range []struct {
		have *int
		def  int
	}{
		{&c.MaxItems, 5_000},
		{&c.MaxBytes, 4 << 20},
		{&c.MaxUnsettled, 5_000},
		{&c.AskEvery, 64},
		{&c.AckEvery, 256},
	} {
		if *f.have <= 0 {
			*f.have = f.def
		}
	}
	if c.ResumeFor == 0 {
		c.ResumeFor = 5 * time.Minute
	}
	return c
}

// Item is one outbound stanza. Token is the caller's.
type Item struct {
	Element *xmlstream.Element
	Bytes   int // length on the wire
	Token   uint64
	Pair    Pair // domains only

	at int64 // when it was tracked, in milliseconds of Unix time; 0: not known
}

// Session is stream management of one session (XEP-0198): what we sent and the
// peer has not acknowledged, what we received and how much of it is settled,
// and the name under which a new stream may resume it. It outlives streams; at
// each time one machine, one park, or nobody owns it. Only Settled may be
// called from other goroutines.
type Session struct {
	cfg ManageConfig
	in  ledger
	out window

	id      string // resumption id; empty: cannot be resumed
	owner   Pair   // the pair that enabled it: the resumer must prove the same
	byCert  bool   // proven by certificate: a weaker proof does not resume it
	maxWait time.Duration
	expires time.Time // while parked
}

// NewSession makes a session for a stream not yet under management; Enable
// starts its counters.
func NewSession(cfg ManageConfig) *Session {
	cfg = cfg.withDefaults()
	s := &Session{cfg: cfg}
	s.out.maxItems, s.out.maxBytes = cfg.MaxItems, cfg.MaxBytes
	s.in.ackEvery = uint64(cfg.AckEvery)
	return s
}

// Settled tells that responsibility for the arrival with this Seq has passed
// on. Any order, any goroutine, once per Seq. True means that an <a/> is due:
// the owner of the stream should Step(now, AckDue{}).
func (s *Session) Settled(seq uint64) (ackDue bool) { return s.in.settled(seq) }

// Unsettled is how many arrivals nobody took responsibility for yet.
func (s *Session) Unsettled() int { return s.in.unsettled() }

// Arrived counts one inbound stanza and returns its Seq.
func (s *Session) Arrived() uint64 { return s.in.arrived() }

// StartInbound begins to count what the peer sends: when enable (responder) or
// enabled (initiator) was received (XEP-0198 §4).
func (s *Session) StartInbound() { s.in.start() }

// StartOutbound begins to track what we send: when enable or enabled is sent.
func (s *Session) StartOutbound() { s.out.on = true }

// Handled is the h we may tell the peer: settled stanzas in order, mod 2^32.
func (s *Session) Handled() uint32 { return s.in.handled() }

// Full reports whether another item of n bytes has no room.
func (s *Session) Full(n int) bool { return s.out.full(n) }

// Room reports whether an item of n bytes that can wait should be sent now: alone, or where half of the room is left to what cannot.
func (s *Session) Room(n int) bool {
	w := &s.out
	return !w.on || w.n == 0 || 2*(w.n+1) <= w.maxItems && 2*(w.bytes+n) <= w.maxBytes
}

// Sent tracks an item that is being written. False: no room, it must not be
// written. Before StartOutbound nothing is tracked and there is always room.
func (s *Session) Sent(it Item) bool { return s.out.push(it) }

// Keep tracks an item of a session that has no stream now; whoever resumes it writes it.
func (s *Session) Keep(now time.Time, it Item) SendResult {
	it.Pair, it.at = s.owner, now.UnixMilli()
	if !s.Resumable() {
		return SendResult{Verdict: SendClosed}
	}
	if !s.Sent(it) {
		return SendResult{Verdict: SendFull}
	}
	return SendResult{Verdict: SendKept, Tracked: true}
}

// Acked takes the h of an <a/>; the items stay valid until the next call. The
// error is *TooHighError.
func (s *Session) Acked(h uint32) ([]Item, error) { return s.out.ack(h) }

// Unacked is how many items wait for the peer, and their bytes.
func (s *Session) Unacked() (items, bytes int) { return s.out.len(), s.out.bytes }

// UnackedItems gives the items that wait for the peer, oldest first. They go on waiting.
func (s *Session) UnackedItems() []Item { return s.out.items() }

// TakeUnacked empties the window and returns its items, oldest first.
func (s *Session) TakeUnacked() []Item { return s.out.take() }

// Rewind prepares resending after resumption with the peer's h: acknowledged
// items are returned first; of the rest, those that keep accepts stay in the
// window in order, to be written again, the others are returned as dropped.
func (s *Session) Rewind(h uint32, keep func(Item) bool) (acked, resend, dropped []Item, err error) {
	acked, err = s.out.ack(h)
	if err != nil {
		return nil, nil, nil, err
	}
	acked = append([]Item(nil), acked...)
	rest := s.out.take()
	for _, it := range rest {
		if keep(it) {
			s.out.push(it)
			resend = append(resend, it)
		} else {
			dropped = append(dropped, it)
		}
	}
	return acked, resend, dropped, nil
}

// ID is the resumption id, empty when the session cannot be resumed.
func (s *Session) ID() string { return s.id }

// Owner is the pair whose proof resumes the session.
func (s *Session) Owner() Pair { return s.owner }

// Resumable reports whether the session can outlive its stream.
func (s *Session) Resumable() bool { return s.id != "" && s.maxWait > 0 }

// Within is how long after the loss of its stream the session can be resumed.
func (s *Session) Within() time.Duration { return s.maxWait }

// MayResume reports whether a stream on which pair was proven by m may take the session over.
func (s *Session) MayResume(pair Pair, byCert bool) bool {
	return s.Resumable() && s.owner == pair && (byCert || !s.byCert)
}

// newID draws an unguessable id of 144 random bits.
func newID(r io.Reader) (string, error) {
	if r == nil {
		return "", fmt.Errorf("stream id: no source of randomness")
	}
	var b [18]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return "", fmt.Errorf("stream id: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// TooHighError: the peer acknowledged more than was sent (XEP-0198 §4, D16).
type TooHighError struct{ H, Sent uint32 }

func (e *TooHighError) Error() string {
	return fmt.Sprintf("handled count too high: h=%d, sent %d", e.H, e.Sent)
}

// domainPair keeps the domains of two addresses.
func domainPair(local, remote jid.JID) Pair { return Pair{local.DomainJID(), remote.DomainJID()} }
