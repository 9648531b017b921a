package hf

import (
	"slices"
	"time"

	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/x2x"
	"sallyport/s5066"
	"sallyport/s5066/sis"
)

const (
	maxAhead   = 256 << 10 // bytes that may come before their turn; beyond is a jump (N20)
	maxOpens   = 8         // generations of a stream that the peer may begin in a while (N21)
	opensWhile = 10 * time.Minute
	maxOffset  = 1 << 31 // then a stream begins anew
	maxResets  = 16      // that wait to be said
)

// streamLine is the mode Stream: a zero-handshake stream on each lane under custody, one without.
type streamLine struct {
	giver
	cfg    *Config
	epoch  uint64
	issued func() uint64
	draw   func() uint16
	now    time.Time
	out    []event

	live     bool
	mine     held
	carried  *custody.Carried // by all streams since the peer's latest epoch, for mine
	peer     uint64           // that epoch
	lanes    [links.Lanes]*strand
	count    int // of lanes that are used
	resets   []chunk
	receipts map[uint64]receipt
	seq      uint64
	retryAt  time.Time
	refusals int
	broken   int // streams that ended one after the other without a confirmation
}

type receipt struct {
	s       *x2x.Stream
	seq     uint64
	carried *custody.Carried
	place   uint64 // in carried
}

// strand is one stream with both of its directions.
type strand struct {
	lane    uint8
	waiting []item
	flight  map[uint64]item // given to the stream

	s       *x2x.Stream // nil: not open
	ours    uint16      // generations
	theirs  uint16
	known   bool // one of our chunks has been confirmed
	dead    []uint16
	opens   int // of theirs, since
	since   time.Time
	openAt  time.Time // not before
	pending []byte
	first   time.Time // since when something is pending
	begun   bool      // and it goes on with what was submitted
	offset  uint32
	again   []*flying
	atNode  map[uint64]*flying

	expected uint32
	held     map[uint32][]byte
	bytes    int
	hole     time.Time
	latest   uint16 // check of the last brief chunk
}

// flying is one chunk as it was made.
type flying struct {
	s     *x2x.Stream
	chunk chunk
}

func newStream(cfg *Config, issued func() uint64, draw func() uint16) *streamLine {
	l := &streamLine{
		giver: giver{profile: cfg.Profile}, cfg: cfg, issued: issued, draw: draw, receipts: make(map[uint64]receipt), count: 1,
		carried: &custody.Carried{},
	}
	if cfg.Custody() {
		l.count = links.Lanes
	}
	for i := range l.lanes {
		l.lanes[i] = &strand{lane: uint8(i), flight: make(map[uint64]item), atNode: make(map[uint64]*flying)} //nolint:gosec // small
	}
	return l
}

func (l *streamLine) tell(e event) { l.out = append(l.out, e) }

func (l *streamLine) events() []event {
	e := l.out
	l.out = nil
	return e
}

func (l *streamLine) report(token uint64, d links.Disposition, cause error) {
	l.tell(event{kind: reported, tokens: []uint64{token}, disposition: d, cause: cause})
}

// begin implements machine.
func (l *streamLine) begin(now time.Time, mtu int, epoch uint64, mine []links.Mark) {
	l.now, l.live, l.epoch, l.mine = now, true, epoch, held{}
	for _, m := range mine {
		l.mine.learn(m)
	}
	l.refusals, l.broken, l.retryAt = 0, 0, time.Time{}
	l.size(mtu)
}

// stop implements machine.
func (l *streamLine) stop(now time.Time, over bool) {
	l.now, l.live = now, false
	l.reset()
	why := errUnheard
	if l.broken > 0 { // by what was on a stream, perhaps
		why = links.ErrLost
	}
	for i := links.Lanes - 1; i >= 0; i-- {
		st := l.lanes[i]
		l.close(now, st, "the node is gone")
		st.openAt = time.Time{}
		if !over && !l.cfg.Custody() {
			continue
		}
		for _, it := range st.waiting {
			if l.cfg.Custody() {
				l.report(it.token, links.Returned, why)
			} else {
				l.report(it.token, links.Failed, links.ErrClosed)
			}
		}
		st.waiting = nil
	}
}

// put implements machine.
func (l *streamLine) put(now time.Time, it item) (size int) {
	l.now = now
	st := l.lanes[0]
	if l.cfg.Custody() {
		if !it.frame.Valid() || it.frame.Epoch != l.epoch {
			l.report(it.token, links.Returned, links.ErrNoCustody)
			return 0
		}
		st = l.lanes[it.frame.Lane]
	} else if len(it.list) > 0 {
		l.report(it.token, links.Failed, links.ErrNoCustody)
		return 0
	}
	it.since = now
	st.waiting = append(st.waiting, it)
	return 0
}

// settled implements machine.
func (l *streamLine) settled(now time.Time, seq uint64) {
	r, ok := l.receipts[seq]
	if !ok {
		return
	}
	delete(l.receipts, seq)
	r.s.Settled(now, r.seq)
	if r.carried.Settled(r.place) && r.carried == l.carried {
		for _, m := range l.carried.Due(nil) {
			l.mine.learn(m)
		}
	}
}

// open begins a stream of ours.
func (l *streamLine) open(now time.Time, st *strand) {
	old := st.ours
	for st.ours == 0 || st.ours == old {
		st.ours = l.draw()
	}
	p := l.profile
	p.KeepAlive, p.IdleClose = 0, 0
	cfg := x2x.StreamConfig{
		Mode: x2x.Custody, Opener: true, Profile: p, Limits: limits(), Remote: l.cfg.Remote, Local: l.cfg.Local, Epoch: l.epoch, Issued: l.issued,
		Compression: l.cfg.Compression, Marks: l.mine.marks(),
	}
	if !l.cfg.Custody() {
		cfg.Mode = x2x.Managed
	}
	st.s = x2x.NewStream(cfg)
	st.known, st.pending, st.begun, st.offset, st.again = false, nil, false, 0, nil
	st.theirs, st.expected, st.held, st.bytes, st.hole, st.latest = 0, 0, nil, 0, time.Time{}, 0
	st.s.Start(now)
	l.say(now, st)
}

// say takes what the stream has to write.
func (l *streamLine) say(now time.Time, st *strand) {
	if st.s == nil || st.s.Pending() == 0 {
		return
	}
	if len(st.pending) == 0 {
		st.first = now
	}
	st.pending = append(st.pending, st.s.Output(nil)...)
}

// close ends a stream; under custody what it had is to be sent again, before anything newer.
func (l *streamLine) close(now time.Time, st *strand, why string) {
	if st.s == nil {
		return
	}
	st.s.Lost(why)
	l.drain(now, st)
}

// over clears up behind a stream that has ended.
func (l *streamLine) over(now time.Time, st *strand, e *x2x.Event) {
	var back []item
	for _, t := range e.Left {
		it, ok := st.flight[t]
		delete(st.flight, t)
		switch {
		case !ok:
		case l.cfg.Custody():
			back = append(back, it)
		default:
			l.report(t, e.Disposition, links.ErrLost)
		}
	}
	st.waiting = append(back, st.waiting...)
	if st.theirs != 0 {
		st.bury(st.theirs)
		if l.live {
			l.refuse(st.lane, st.theirs)
		}
	}
	clear(st.flight)
	st.s, st.theirs = nil, 0
	st.pending, st.again = nil, nil
	if l.live {
		l.broken++
		st.openAt = now.Add(min(l.profile.RetryFirst()<<min(l.broken-1, 10), l.profile.RetryMost()))
		l.tell(event{kind: noticed, word: NoticeReset, detail: clip(e.Detail)})
		if l.broken > maxRefusals {
			l.fail("streams end one after the other: " + e.Detail)
		}
	}
}

// bury notes a generation of the peer's that is over.
func (st *strand) bury(generation uint16) {
	if len(st.dead) == deadKept {
		st.dead = slices.Delete(st.dead, 0, 1)
	}
	st.dead = append(st.dead, generation)
}

// refuse tells the peer that a stream of its is over.
func (l *streamLine) refuse(stream uint8, generation uint16) {
	if len(l.resets) < maxResets {
		l.resets = append(l.resets, chunk{stream: stream, reset: true, generation: generation})
	}
}

func (l *streamLine) fail(why string) {
	if l.live {
		l.live = false
		l.tell(event{kind: failing, detail: why})
	}
}

// next implements machine.
func (l *streamLine) next(now time.Time) (request, bool) {
	l.now = now
	if !l.live || now.Before(l.retryAt) {
		return request{}, false
	}
	if len(l.resets) > 0 {
		c := l.resets[0]
		l.resets = l.resets[1:]
		l.last++
		return l.request(l.last, links.Lanes-1, appendChunk(nil, &c), s5066.ConfirmNone), true
	}
	for i := links.Lanes - 1; i >= 0; i-- {
		if r, ok := l.nextOf(now, l.lanes[i]); ok {
			return r, true
		}
	}
	return request{}, false
}

func (l *streamLine) nextOf(now time.Time, st *strand) (request, bool) {
	for len(st.again) > 0 {
		f := st.again[0]
		if f.s != st.s {
			st.again = st.again[1:]
			continue
		}
		if !l.may(st.lane, len(f.chunk.data)+chunkHeader) {
			return request{}, false
		}
		st.again = st.again[1:]
		return l.submit(st, f), true
	}
	room := l.mtu - chunkHeader
	if len(st.waiting) > 0 && len(st.pending) < room {
		l.fill(now, st, room)
	}
	full := len(st.pending) >= room || st.begun // what goes on with a stanza is of no use later
	if len(st.pending) == 0 || !l.may(st.lane, min(len(st.pending), room)+chunkHeader) {
		return request{}, false
	}
	if !full && (!l.idle(st.lane) || now.Before(st.first.Add(l.profile.Gather()))) {
		return request{}, false
	}
	n := min(room, len(st.pending))
	c := chunk{stream: st.lane, open: !st.known, generation: st.ours, paired: st.theirs, offset: st.offset, data: st.pending[:n]}
	c.brief = st.known && st.theirs != 0 && len(st.atNode) == 0
	f := &flying{st.s, c}
	st.pending = st.pending[n:]
	st.first, st.begun = now, len(st.pending) > 0
	st.offset += uint32(n) //nolint:gosec // small
	return l.submit(st, f), true
}

// fill gives stanzas to the stream until a U_PDU is full.
func (l *streamLine) fill(now time.Time, st *strand, room int) {
	if st.s == nil {
		if now.Before(st.openAt) {
			return
		}
		l.open(now, st)
	}
	for len(st.waiting) > 0 && len(st.pending) < room && st.s != nil {
		it := st.waiting[0]
		if it.expired(now) {
			st.waiting = st.waiting[1:]
			l.report(it.token, links.Expired, links.ErrExpired)
			continue
		}
		v, err := st.s.Send(now, x2x.Item{Element: it.element, Also: it.list, Token: it.token, Frame: it.frame})
		if v == custody.Full || err != nil && v == custody.Refused && !st.s.Running() {
			return
		}
		st.waiting = st.waiting[1:]
		switch v {
		case custody.Transmit:
			st.flight[it.token] = it
			l.say(now, st)
		case custody.Already:
			l.report(it.token, links.Delivered, nil)
		case custody.Refused, custody.Full:
			if l.cfg.Custody() {
				l.report(it.token, links.Returned, links.ErrNoCustody)
			} else {
				l.report(it.token, links.Failed, err)
			}
		}
	}
}

func (l *streamLine) submit(st *strand, f *flying) request {
	if !f.chunk.brief && !l.cfg.Custody() { // what it is paired with says whose stanzas its acknowledgements are of
		f.chunk.open = true
	}
	data := appendChunk(nil, &f.chunk)
	f.chunk.brief = false // another time others may be under way
	id := l.give(st.lane, len(data), time.Time{})
	st.atNode[id] = f
	return l.request(id, st.lane, data, s5066.ConfirmNode)
}

func (l *streamLine) request(id uint64, lane uint8, data []byte, confirm s5066.Confirmation) request {
	return request{id: id, UnidataRequest: sis.UnidataRequest{
		Priority: priorities[lane], SAP: l.cfg.SAP, Destination: l.cfg.Address, Data: data,
		Delivery: s5066.DeliveryMode{Mode: s5066.TxARQ, Confirm: confirm},
	}}
}
