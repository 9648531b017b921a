package hf

import (
	"slices"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/s5066"
	"sallyport/s5066/rcop"
	"sallyport/s5066/sis"
)

// rcopLine is the mode RCOP: one stanza is one message, confirmed by the node or the peer's node, in the order of its class.
type rcopLine struct {
	giver
	cfg  *Config
	now  time.Time
	out  []event
	live bool

	numbers  *rcop.Window
	waiting  [links.Lanes][]item
	flight   []*sending // in order, of all classes
	segments map[uint64]*sending
	pieces   *rcop.Reassembler
	seq      uint64
	open     map[uint64]bool // arrivals without receipt
	retryAt  time.Time
	refusals int
}

// sending is one message under way.
type sending struct {
	item    item
	id      uint8
	updus   [][]byte
	next    int // of updus, to be submitted
	pending int // at the node
	failed  bool
	bytes   int
}

const rcopWindow = 32 // messages of a class under way; all of them have numbers within rcop.WindowSize

func newRCOP(cfg *Config, first uint8) *rcopLine {
	r := &rcopLine{
		giver: giver{profile: cfg.Profile}, cfg: cfg, numbers: rcop.NewWindow(first), segments: make(map[uint64]*sending),
		open: make(map[uint64]bool),
	}
	r.pieces = rcop.NewReassembler(rcop.Limits{Message: maxStanza}, func(uint16) rcop.End { return wellFormed() })
	return r
}

// wellFormed is how a message of XML shows its end: its element is closed.
func wellFormed() rcop.End {
	dec := xmlstream.NewDecoder(xmlstream.Options{Limits: limits(), ContentNS: xmlstream.NSServer, NoHeader: true})
	return func(segment []byte) (bool, error) {
		if _, err := dec.Write(segment); err != nil {
			return false, err
		}
		switch _, err := dec.Next(); {
		case err == nil:
			return true, nil
		case isShort(err):
			return false, nil
		default: // whole, and then refused with a record
			return true, nil
		}
	}
}

func (r *rcopLine) tell(e event) { r.out = append(r.out, e) }

func (r *rcopLine) events() []event {
	e := r.out
	r.out = nil
	return e
}

func (r *rcopLine) report(token uint64, d links.Disposition, cause error) {
	r.tell(event{kind: reported, tokens: []uint64{token}, disposition: d, cause: cause})
}

// begin implements machine. What was under way is sent again whole, with its number: the peer knows it by that.
func (r *rcopLine) begin(now time.Time, mtu int, _ uint64, _ []links.Mark) {
	r.now, r.live, r.refusals, r.retryAt = now, true, 0, time.Time{}
	r.size(mtu)
	r.segments = make(map[uint64]*sending)
	for _, s := range r.flight {
		r.again(s)
	}
}

// again makes all of a message be submitted once more.
func (r *rcopLine) again(s *sending) {
	s.next, s.pending, s.failed = 0, 0, false
}

// stop implements machine.
func (r *rcopLine) stop(now time.Time, over bool) {
	r.now, r.live = now, false
	r.reset()
	if !over {
		return
	}
	for _, s := range r.flight {
		r.report(s.item.token, links.InDoubt, links.ErrLost)
	}
	for _, lane := range r.waiting {
		for _, it := range lane {
			r.report(it.token, links.Failed, links.ErrClosed)
		}
	}
	r.flight, r.waiting = nil, [links.Lanes][]item{}
}

// put implements machine.
func (r *rcopLine) put(now time.Time, it item) (size int) {
	r.now = now
	if len(it.list) > 0 {
		r.report(it.token, links.Failed, links.ErrNoCustody)
		return 0
	}
	text, err := xmlstream.AppendElement(nil, it.element, xmlstream.NSServer)
	if err != nil || len(text) > maxStanza {
		r.report(it.token, links.Failed, links.ErrTooBig)
		return 0
	}
	it.coded, it.since = text, now
	if end := now.Add(r.cfg.Age); it.expires.IsZero() || end.Before(it.expires) {
		it.expires = end
	}
	r.waiting[it.lane] = append(r.waiting[it.lane], it)
	return len(text)
}

// settled implements machine: nobody is told.
func (r *rcopLine) settled(_ time.Time, seq uint64) { delete(r.open, seq) }

// next implements machine. What is more urgent goes first, also before the rest of what has begun.
func (r *rcopLine) next(now time.Time) (request, bool) {
	r.now = now
	if !r.live || now.Before(r.retryAt) {
		return request{}, false
	}
	for lane := links.Lanes - 1; lane >= 0; lane-- {
		if q, ok := r.nextOf(now, uint8(lane)); ok { //nolint:gosec // few
			return q, true
		}
	}
	return request{}, false
}

// nextOf is next for one class.
func (r *rcopLine) nextOf(now time.Time, lane uint8) (request, bool) {
	underway := 0
	for _, s := range r.flight {
		if s.item.lane != lane {
			continue
		}
		underway++
		if s.failed && s.pending > 0 {
			return request{}, false // what is behind it must not overtake it again
		}
		if s.failed {
			r.again(s)
		}
		if s.next < len(s.updus) {
			return r.segment(now, s)
		}
	}
	waiting := r.waiting[lane]
	if len(waiting) == 0 || underway >= rcopWindow || !r.may(lane, min(len(waiting[0].coded), r.mtu)) {
		return request{}, false
	}
	s := r.begun(lane)
	if s == nil {
		return request{}, false
	}
	return r.segment(now, s)
}

// begun takes the next stanza of a class into the window.
func (r *rcopLine) begun(lane uint8) *sending {
	id, err := r.numbers.Next()
	if err != nil {
		return nil
	}
	it := r.waiting[lane][0]
	r.waiting[lane] = r.waiting[lane][1:]
	updus, err := rcop.Split(rcop.Header{ID: id, App: r.cfg.App}, it.coded, r.mtu)
	if err != nil {
		r.numbers.Done(id)
		r.report(it.token, links.Failed, links.ErrTooBig)
		return nil
	}
	s := &sending{item: it, id: id, updus: updus, bytes: len(it.coded)}
	r.flight = append(r.flight, s)
	return s
}

func (r *rcopLine) segment(now time.Time, s *sending) (request, bool) {
	data := s.updus[s.next]
	if !r.may(s.item.lane, len(data)) {
		return request{}, false
	}
	s.next++
	delivery := s5066.DeliveryMode{Mode: s5066.TxARQ, Confirm: r.cfg.Confirm}
	var until time.Time
	if r.cfg.Datagrams {
		delivery = s5066.DeliveryMode{Mode: s5066.TxNonARQ}
		until = now.Add(r.airtime(len(data), 1))
	}
	id := r.give(s.item.lane, len(data), until)
	if r.cfg.Datagrams {
		if s.next == len(s.updus) {
			r.finish(s, links.Delivered, links.ErrUnconfirmed)
		}
	} else {
		r.segments[id] = s
		s.pending++
	}
	return request{id: id, UnidataRequest: sis.UnidataRequest{
		Priority: priorities[s.item.lane], SAP: r.cfg.SAP, Destination: r.cfg.Address, Delivery: delivery, TTL: ttl(now, s.item.expires), Data: data,
	}}, true
}

// outcome implements machine.
func (r *rcopLine) outcome(now time.Time, id uint64, o outcome) {
	r.now = now
	s := r.segments[id]
	if !r.done(id) || s == nil {
		return
	}
	delete(r.segments, id)
	s.pending--
	switch {
	case o.confirmed:
		r.refusals = 0
		if s.pending == 0 && s.next == len(s.updus) && !s.failed {
			r.finish(s, links.Delivered, nil)
		}
		return
	case o.unsent:
		s.failed = true
		return
	}
	s.failed = true
	r.refusals++
	wait := min(r.profile.RetryFirst()<<min(r.refusals-1, 10), r.profile.RetryMost())
	r.retryAt = now.Add(wait)
	r.tick(now)
}

// finish ends a message.
func (r *rcopLine) finish(s *sending, d links.Disposition, cause error) {
	r.numbers.Done(s.id)
	r.flight = slices.DeleteFunc(r.flight, func(o *sending) bool { return o == s })
	r.report(s.item.token, d, cause)
}

// tick implements machine.
func (r *rcopLine) tick(now time.Time) {
	r.now = now
	r.pass(now)
	r.pieces.Tick(now)
	for _, d := range r.pieces.Dropped() {
		r.tell(event{kind: noticed, word: NoticeMalformed, detail: clip("incomplete message: " + d.Cause.Error()), bytes: d.Bytes})
	}
	for _, s := range slices.Clone(r.flight) {
		if s.pending == 0 && s.item.expired(now) {
			r.finish(s, links.InDoubt, links.ErrExpired)
		}
	}
	for lane := range r.waiting {
		r.waiting[lane] = slices.DeleteFunc(r.waiting[lane], func(it item) bool {
			if it.expired(now) {
				r.report(it.token, links.Expired, links.ErrExpired)
			}
			return it.expired(now)
		})
	}
}

// deadline implements machine.
func (r *rcopLine) deadline() (at time.Time) {
	ahead := func(t time.Time) {
		if t.After(r.now) {
			at = sooner(at, t)
		}
	}
	ahead(r.giver.deadline())
	ahead(r.retryAt)
	if t, ok := r.pieces.Deadline(); ok {
		ahead(t)
	}
	for _, s := range r.flight {
		ahead(s.item.expires)
	}
	for _, lane := range r.waiting {
		for _, it := range lane {
			ahead(it.expires)
		}
	}
	return at
}

// heard implements machine.
func (r *rcopLine) heard(now time.Time, p *sis.UnidataIndication) {
	r.now = now
	m, whole, err := r.pieces.Add(now, p.Source, p.SourceSAP, p.Data)
	for _, d := range r.pieces.Dropped() {
		r.tell(event{kind: noticed, word: NoticeMalformed, detail: clip("incomplete message: " + d.Cause.Error()), bytes: d.Bytes})
	}
	switch {
	case err != nil:
		r.tell(event{kind: noticed, word: NoticeMalformed, detail: clip(err.Error()), bytes: len(p.Data)})
	case !whole:
	case m.App != r.cfg.App:
		r.tell(event{kind: noticed, word: NoticeMalformed, detail: "message of another application", bytes: len(m.Data)})
	case m.Repeated:
		r.tell(event{kind: noticed, word: NoticeRepeated, detail: "a message that came before", bytes: len(m.Data)})
	default:
		r.message(m.Data)
	}
}

func (r *rcopLine) message(text []byte) {
	e, err := xmlstream.ParseDocument(text, xmlstream.Options{Limits: limits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		r.tell(event{kind: noticed, word: NoticeMalformed, detail: clip("not one stanza: " + err.Error()), bytes: len(text)})
		return
	}
	if e.Space() != xmlstream.NSServer {
		r.tell(event{kind: noticed, word: NoticeMalformed, detail: "an element that is no stanza", bytes: len(text)})
		return
	}
	out := r.cfg.examine(e, nil, links.Frame{}, len(text))
	if out.kind == arrived {
		r.seq++
		out.seq = r.seq
		r.open[r.seq] = true
	}
	r.tell(out)
}

// backlog implements machine.
func (r *rcopLine) backlog() (b links.Backlog) {
	for _, lane := range r.waiting {
		for _, it := range lane {
			b.Stanzas++
			b.Bytes += len(it.coded)
			b.Oldest = sooner(b.Oldest, it.since)
		}
	}
	for _, s := range r.flight {
		b.Unconfirmed++
		b.UnconfirmedBytes += s.bytes
	}
	b.Unsettled = len(r.open)
	return b
}
