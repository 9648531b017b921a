package hf

import (
	"slices"
	"time"

	"sallyport/links"
	"sallyport/links/compact"
	"sallyport/links/custody"
)

const (
	laneItems   = 256       // written and not acknowledged, of a lane
	laneBytes   = 256 << 10 // the same
	laneParts   = 110       // U_PDUs of a lane under way: less than half of the numbers there are
	deadKept    = 8         // sessions of the peer that are over, and not taken up again
	maxRefusals = 4         // of the node, one after the other, before the turn ends
	maxUnheard  = 3         // times something is sent again that the peer does not acknowledge, before the turn ends
	recordRoom  = 16        // bytes of a consignment beside its stanza, at most
)

// compactLine is the mode Compact: custody by numbered units on a lane for each class.
type compactLine struct {
	giver
	cfg    *Config
	epoch  uint64
	issued func() uint64 // nil: unknown
	draw   func() uint16
	now    time.Time
	out    []event

	live        bool
	session     uint16
	established bool   // the peer has shown that it knows our session
	removed     bool   // something of the session is settled and will not be sent again
	unsure      bool   // the peer's latest unit bore a greeting: it does not know that we know its session
	answered    uint16 // session of the peer's that a numbered unit of ours has named
	numbers     compact.Outgoing
	lanes       [links.Lanes]outLane

	peer     uint16 // session of the peer's, 0: none yet
	dead     []uint16
	incoming compact.Incoming
	inLanes  [links.Lanes]inLane
	carried  custody.Carried
	mine     held // what we have told of the peer's lanes
	retell   [links.Lanes]bool
	ackDue   time.Time
	greetDue bool
	greetAt  time.Time // not before

	retryAt  time.Time
	refusals int
}

// outLane is what we send of a class.
type outLane struct {
	waiting []item
	parts   []*part // in order of number, the oldest first
	number  uint8   // of the next
	sender  *custody.Sender
	flight  map[uint64]*message // by token
}

// message is what goes in one piece of records: one U_PDU, or several for a large stanza.
type message struct {
	items   []item
	left    int // not acknowledged
	expires time.Time
	void    bool
}

// part is one U_PDU.
type part struct {
	message *message
	unit    unit
	data    []byte
	state   partState
	id      uint64    // while the node has it
	at      time.Time // since when it is there, or not before when it is ready
	tries   int
}

type partState uint8

const (
	ready  partState = iota // to be submitted
	atNode                  // the node has it, and will tell
	aired                   // the peer's node has it, or it was sent without asking
)

func newCompact(cfg *Config, issued func() uint64, draw func() uint16) *compactLine {
	c := &compactLine{giver: giver{profile: cfg.Profile}, cfg: cfg, issued: issued, draw: draw}
	c.senders()
	return c
}

// senders begin with the epoch.
func (c *compactLine) senders() {
	for i := range c.lanes {
		c.lanes[i].sender = custody.NewSender(c.epoch, custody.Window{Items: laneItems, Bytes: laneBytes})
		c.lanes[i].flight = make(map[uint64]*message)
	}
}

func (c *compactLine) tell(e event) { c.out = append(c.out, e) }

func (c *compactLine) events() []event {
	e := c.out
	c.out = nil
	return e
}

func (c *compactLine) report(token uint64, d links.Disposition, cause error) {
	c.tell(event{kind: reported, tokens: []uint64{token}, disposition: d, cause: cause})
}

// begin implements machine.
func (c *compactLine) begin(now time.Time, mtu int, epoch uint64, mine []links.Mark) {
	c.now, c.live = now, true
	if epoch != c.epoch {
		c.epoch, c.numbers = epoch, compact.Outgoing{}
		c.senders()
	}
	c.refusals, c.retryAt = 0, time.Time{}
	c.size(mtu)
	for _, m := range mine {
		if m.Lane < links.Lanes {
			c.mine[m.Lane] = m
		}
	}
	c.renew(now)
}

// renew begins another session: whatever is not acknowledged is sent again in it, in order.
func (c *compactLine) renew(time.Time) {
	old := c.session
	for c.session == 0 || c.session == old {
		c.session = c.draw()
	}
	c.established, c.removed, c.answered = false, false, 0
	c.reset()
	for i := range c.lanes {
		l := &c.lanes[i]
		again := l.unacknowledged()
		l.waiting = append(again, l.waiting...)
		l.parts, l.number = nil, 0
		clear(l.flight)
		l.sender.Lost(func(uint64) {})
	}
}

// unacknowledged are the items under way, in order.
func (l *outLane) unacknowledged() (all []item) {
	var last *message
	for _, p := range l.parts {
		if p.message == last || p.message.void {
			continue
		}
		last = p.message
		for _, it := range last.items {
			if l.flight[it.token] == last {
				all = append(all, it)
			}
		}
	}
	return all
}

// stop implements machine: under custody all goes back.
func (c *compactLine) stop(now time.Time, _ bool) {
	c.now, c.live = now, false
	c.greetDue = false
	for i := links.Lanes - 1; i >= 0; i-- {
		l := &c.lanes[i]
		for _, it := range append(l.unacknowledged(), l.waiting...) {
			c.report(it.token, links.Returned, errUnheard)
		}
		l.waiting, l.parts = nil, nil
		clear(l.flight)
		l.sender.Lost(func(uint64) {})
	}
	c.reset()
}

// put implements machine.
func (c *compactLine) put(now time.Time, it item) (size int) {
	c.now = now
	if !it.frame.Valid() || it.frame.Epoch != c.epoch {
		c.report(it.token, links.Returned, links.ErrNoCustody)
		return 0
	}
	coded, err := c.cfg.Codec.Encode(nil, it.element, it.also...)
	if err != nil {
		c.report(it.token, links.Failed, err)
		return 0
	}
	if c.mtu > 0 && len(coded) > (laneParts-10)*(c.mtu-unitHeader) {
		c.report(it.token, links.Failed, links.ErrTooBig)
		return 0
	}
	it.coded, it.since = coded, now
	l := &c.lanes[it.frame.Lane]
	l.waiting = append(l.waiting, it)
	return len(coded)
}

// settled implements machine.
func (c *compactLine) settled(now time.Time, seq uint64) {
	if c.carried.Settled(seq) {
		c.owe(now, c.profile.AckDelay())
	}
}

// owe makes an acknowledgement leave after that time.
func (c *compactLine) owe(now time.Time, wait time.Duration) {
	c.ackDue = sooner(c.ackDue, now.Add(wait))
}

// due are the acknowledgements to tell now.
func (c *compactLine) due() []links.Mark {
	c.ackDue = time.Time{}
	for _, m := range c.carried.Due(nil) {
		c.mine.learn(m)
		c.retell[m.Lane] = true
	}
	var all []links.Mark
	for i := range c.retell {
		if c.retell[i] && c.mine[i].Epoch != 0 {
			all = append(all, c.mine[i])
		}
		c.retell[i] = false
	}
	return all
}

// greets reports that a numbered unit has to bear a greeting: until the peer has shown that it knows our session, and once so that it
// learns that we know its own.
func (c *compactLine) greets() bool { return !c.established || c.unsure && c.answered != c.peer }

// backlog implements machine.
func (c *compactLine) backlog() (b links.Backlog) {
	for i := range c.lanes {
		l := &c.lanes[i]
		for _, it := range l.waiting {
			b.Stanzas++
			b.Bytes += len(it.coded)
			b.Oldest = sooner(b.Oldest, it.since)
		}
		items, bytes := l.sender.Unconfirmed()
		b.Unconfirmed += items
		b.UnconfirmedBytes += bytes
	}
	b.Unsettled = c.carried.Unsettled()
	return b
}

// fail ends the turn: whoever waits may take another link.
func (c *compactLine) fail(why string) {
	if c.live {
		c.live = false
		c.tell(event{kind: failing, detail: why})
	}
}

// remember notes a session of the peer's that is over.
func (c *compactLine) remember(session uint16) {
	if session == 0 || slices.Contains(c.dead, session) {
		return
	}
	if len(c.dead) == deadKept {
		c.dead = slices.Delete(c.dead, 0, 1)
	}
	c.dead = append(c.dead, session)
}
