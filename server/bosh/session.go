package bosh

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"sallyport/internal/xmpp/xmlstream"
)

// Limits and times.
const (
	MaxWait    = 60 * time.Second
	MaxHold    = 1
	Inactivity = 30 * time.Second  // without an open request the session is lost
	MaxPause   = 120 * time.Second // that a client may ask for
	Polling    = 5 * time.Second   // between two requests of who does not let us hold one
	MaxWaiting = 4 << 20           // bytes for a client that does not ask
	// maxPerSecond is how many requests may come in a second.
	maxPerSecond = 50
	// Linger is how long the last word waits for a request.
	Linger = 5 * time.Second
)

// Answer goes to the request with this handle.
type Answer struct {
	Handle uint64
	Body   []byte
}

// Outcome is what follows from a step.
type Outcome struct {
	Answers []Answer
	Heard   []Request // in the order of their ids, each once
	// Has is how many of the elements that were sent the client has, ever.
	Has int
	// Lost: the client has not asked for too long. Over: nothing more will come of this session.
	Lost, Over bool
}

type open struct {
	rid    uint64
	handle uint64 // 0: whoever asked is gone
	until  time.Time
}

type answer struct {
	rid  uint64
	body []byte
}

type early struct {
	request Request
	handle  uint64
}

// Session is one session. One goroutine or one mutex owns it. The zero value is not to be used.
type Session struct {
	id string
	to string

	version string // of this protocol
	wait    time.Duration
	hold    int
	ack     bool

	next   uint64 // id of the request that is processed next
	early  []early
	open   []open // processed and not answered, by id
	given  []answer
	outbox []byte
	receipts
	opened  bool // the first answer was given
	authID  string
	leaving bool // the client has ended it: one answer has all that is still to say
	ended   bool
	cond    Condition
	told    bool // of the end
	over    bool
	lastAt  time.Time // polling: the last request, if it was empty and so was its answer
	idle    time.Duration
	lost    time.Time // when the session is lost, zero with a request open
	second  time.Time
	already int // requests in this second

	out Outcome
}

// New is a session for a request that opens one; give it that request then.
func New(id string, r Request) *Session {
	s := &Session{
		id: id, to: r.To, wait: min(time.Duration(min(r.Wait, 3600))*time.Second, MaxWait), hold: min(r.Hold, MaxHold), ack: r.Ack,
		next: r.RID, idle: Inactivity, version: lower(r.Ver),
	}
	if s.wait == 0 {
		s.hold = 0
	}
	return s
}

// requests is how many may be open at a time (§7.2).
func (s *Session) requests() uint64 { return uint64(s.hold) + 1 }

func (s *Session) take() Outcome {
	out := s.out
	s.out = Outcome{}
	out.Over, out.Has = s.over, s.has
	return out
}

// Request takes one.
func (s *Session) Request(now time.Time, handle uint64, r Request) Outcome {
	switch {
	case s.over:
		s.answer(handle, Refusal(ItemNotFound))
	case s.tooMany(now):
		s.refuse(now, handle, PolicyViolation)
	case r.RID < s.next:
		s.again(now, handle, r)
	case r.RID >= s.next+s.requests():
		s.refuse(now, handle, ItemNotFound)
	default:
		s.soon(handle, r)
		s.inOrder(now)
	}
	s.settle(now)
	return s.take()
}

// soon keeps a request for its turn. One that comes again takes its own place, as one that is open does (see again).
func (s *Session) soon(handle uint64, r Request) {
	for i := range s.early {
		if e := &s.early[i]; e.request.RID == r.RID {
			s.answer(e.handle, appendBody(nil, ""))
			e.handle = handle
			return
		}
	}
	s.early = append(s.early, early{r, handle})
}

// inOrder processes what can be.
func (s *Session) inOrder(now time.Time) {
	for i := 0; i < len(s.early); i++ {
		e := s.early[i]
		if e.request.RID != s.next {
			continue
		}
		s.early = slices.Delete(s.early, i, i+1)
		i = -1
		s.next++
		s.process(now, e.handle, e.request)
	}
}

func (s *Session) process(now time.Time, handle uint64, r Request) {
	wait := s.wait
	if !s.opened { // its answer has to wait for what it says
		wait = MaxWait
	}
	s.received(s.answersBefore(&r))
	s.open = append(s.open, open{r.RID, handle, now.Add(wait)})
	if s.ended { // what the client said before it was told is as good as ever
		if !s.told {
			s.out.Heard = append(s.out.Heard, r)
		}
		return
	}
	if s.polled(now, &r) {
		s.end(now, PolicyViolation)
		s.out.Heard = append(s.out.Heard, Request{Terminate: true})
		return
	}
	s.idle, s.lost = Inactivity, time.Time{}
	if r.Pause > 0 { // §10: everything is answered now, and this one with nothing, as it may never be read
		s.idle = min(time.Duration(min(r.Pause, 3600))*time.Second, MaxPause)
		for len(s.open) > 1 {
			s.reply(now)
		}
		s.give(now, s.body(r.RID, nil))
	}
	s.leaving = s.leaving || r.Terminate
	s.out.Heard = append(s.out.Heard, r)
}

// polled: who lets us hold nothing asks too often (§12).
func (s *Session) polled(now time.Time, r *Request) bool {
	if s.hold > 0 || !s.opened || !r.empty() {
		s.lastAt = time.Time{}
		return false
	}
	fast := !s.lastAt.IsZero() && now.Sub(s.lastAt) < Polling
	s.lastAt = now
	return fast
}

func (s *Session) tooMany(now time.Time) bool {
	if now.Sub(s.second) >= time.Second {
		s.second, s.already = now, 0
	}
	s.already++
	return s.already > maxPerSecond
}

// again is a request that was processed already: its answer got lost, or is still to come (§14.3).
func (s *Session) again(now time.Time, handle uint64, r Request) {
	for i := range s.open {
		if s.open[i].rid == r.RID {
			s.answer(s.open[i].handle, appendBody(nil, ""))
			s.open[i].handle = handle
			return
		}
	}
	for _, a := range s.given {
		if a.rid == r.RID {
			s.answer(handle, a.body)
			return
		}
	}
	s.refuse(now, handle, ItemNotFound)
}

// refuse ends the session for a request that cannot be.
func (s *Session) refuse(now time.Time, handle uint64, c Condition) {
	s.answer(handle, Refusal(c))
	if !s.ended {
		s.out.Heard = append(s.out.Heard, Request{Terminate: true})
	}
	s.end(now, c)
	s.told = true
}

// AuthID takes the id of the stream, for the first answer.
func (s *Session) AuthID(id string) { s.authID = id }

// Send takes n elements for the client, some of which may be said without a byte. False: it holds too much already, and is lost.
func (s *Session) Send(now time.Time, elements []byte, n int) (Outcome, bool) {
	if len(s.outbox)+len(elements) > MaxWaiting {
		return s.take(), false
	}
	s.said += n
	s.outbox = append(s.outbox, elements...)
	s.settle(now)
	return s.take(), true
}

// End ends the session from our side, with last elements.
func (s *Session) End(now time.Time, elements []byte, c Condition) Outcome {
	s.outbox = append(s.outbox, elements...)
	s.end(now, c)
	s.settle(now)
	return s.take()
}

func (s *Session) end(now time.Time, c Condition) {
	if !s.ended {
		s.ended, s.cond = true, c
		s.lost = now.Add(Linger)
	}
}

// Gone tells that whoever made a request has left before its answer.
func (s *Session) Gone(now time.Time, handle uint64) Outcome {
	for i := range s.open {
		if s.open[i].handle == handle {
			s.open[i].handle = 0
		}
	}
	for i := range s.early {
		if s.early[i].handle == handle {
			s.early[i].handle = 0
		}
	}
	s.settle(now)
	return s.take()
}

// Deadline is when Tick is wanted; zero: never.
func (s *Session) Deadline() time.Time {
	if s.over {
		return time.Time{}
	}
	at := s.lost
	for _, o := range s.open {
		if at.IsZero() || o.until.Before(at) {
			at = o.until
		}
	}
	return at
}

// Tick does what is due.
func (s *Session) Tick(now time.Time) Outcome {
	for len(s.open) > 0 && !now.Before(s.open[0].until) {
		s.reply(now)
	}
	s.settle(now)
	if !s.lost.IsZero() && !now.Before(s.lost) && !s.over {
		s.out.Lost, s.over = !s.ended, true
		s.finish()
	}
	return s.take()
}

// settle answers what can be answered, and looks whether anybody waits at all.
func (s *Session) settle(now time.Time) {
	if len(s.outbox) > 0 && s.waiting() && (!s.leaving || s.ended) {
		s.reply(now)
	}
	for s.opened && len(s.open) > s.hold {
		s.reply(now)
	}
	switch {
	case s.ended && (s.told || s.waiting()):
		s.finish()
	case s.ended:
	case s.waiting(): // one that came too early does not count: its turn may never come
		s.lost = time.Time{}
	case s.lost.IsZero():
		s.lost = now.Add(s.idle)
	}
}

// finish answers all there are: that is the end.
func (s *Session) finish() {
	for len(s.open) > 0 {
		s.reply(time.Time{}) // nobody looks at the time any more
	}
	for _, e := range s.early {
		s.answer(e.handle, Refusal(s.cond))
	}
	s.early, s.over = nil, true
}

func (s *Session) waiting() bool {
	return slices.ContainsFunc(s.open, func(o open) bool { return o.handle != 0 })
}

// reply answers the oldest request with all there is.
func (s *Session) reply(now time.Time) {
	rid := s.open[0].rid
	body := s.body(rid, s.outbox)
	if len(s.outbox) > 0 {
		s.lastAt = time.Time{} // who was told something may ask again at once
	}
	s.outbox = nil
	s.answered(rid)
	s.give(now, body)
}

// give answers the oldest request with a body.
func (s *Session) give(now time.Time, body []byte) {
	o := s.open[0]
	s.open = s.open[1:]
	if s.given = append(s.given, answer{o.rid, body}); len(s.given) > int(s.requests()) {
		s.given = s.given[1:]
	}
	s.answer(o.handle, body)
	if !s.waiting() && !s.ended && s.lost.IsZero() {
		s.lost = now.Add(s.idle)
	}
}

func (s *Session) body(rid uint64, payload []byte) []byte {
	var attrs []string
	constant := ""
	if !s.opened {
		s.opened = true
		n := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
		attrs = append(attrs, "sid", s.id, "wait", n(s.wait), "requests", strconv.FormatUint(s.requests(), 10), "inactivity", n(Inactivity),
			"maxpause", n(MaxPause), "polling", n(Polling), "hold", strconv.Itoa(s.hold), "ver", s.version, "from", s.to, "authid", s.authID)
		constant = " xmlns:xmpp='" + NSXMPP + "' xmpp:version='1.0' xmpp:restartlogic='true'"
	}
	if last := s.next - 1; s.ack && (constant != "" || last != rid) { // §9.1: it says what has arrived behind this one
		attrs = append(attrs, "ack", strconv.FormatUint(last, 10))
	}
	if s.ended && !s.told {
		s.told = true
		attrs = append(attrs, "type", "terminate", "condition", string(s.cond))
	}
	if bytes.Contains(payload, []byte(xmlstream.NSStream)) { // XEP-0206 §2
		constant += " xmlns:stream='" + xmlstream.NSStream + "'"
	}
	return appendBody(payload, constant, attrs...)
}

func (s *Session) answer(handle uint64, body []byte) {
	if handle != 0 {
		s.out.Answers = append(s.out.Answers, Answer{handle, body})
	}
}
