package hf

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/links/compact"
	"sallyport/s5066"
	"sallyport/s5066/sis"
)

const (
	maxHeld    = 120       // units of a lane that came before their turn
	maxHeldAll = 512 << 10 // bytes of these
	maxMessage = compact.MaxCoded + 4<<10
	// holeAnswers is how often the time of an answer a missing unit is waited for: its sender repeats it once in each.
	holeAnswers = maxUnheard
)

// inLane is what we receive of a class.
type inLane struct {
	next    uint8
	held    map[uint8]unit
	bytes   int
	pending []byte    // of a message that goes on
	hole    time.Time // since when a unit is missed that came by ARQ
}

// heard implements machine.
func (c *compactLine) heard(now time.Time, p *sis.UnidataIndication) {
	c.now = now
	u, err := parseUnit(p.Data)
	if err != nil || len(p.Damaged)+len(p.Missing) > 0 {
		c.tell(event{kind: noticed, word: NoticeMalformed, detail: "U_PDU out of shape", bytes: len(p.Data)})
		return
	}
	if u.narrow {
		u.body[1] = c.incoming.Complete(u.lane, u.body[1])
	}
	if !c.proven(now, &u, len(p.Data)) {
		return
	}
	u.checked = nil
	c.refusals, c.retryAt = 0, time.Time{} // it is there
	c.unsure = u.greets
	if u.greets && u.answers == c.session {
		c.established = true
	}
	if u.loose {
		c.records(now, u.body, len(p.Data))
		return
	}
	c.number(now, u, p.Mode == s5066.TxARQ)
}

// proven reports that a unit came unchanged, and is of the session that we know, or of one that it begins.
func (c *compactLine) proven(now time.Time, u *unit, size int) bool {
	next := c.inLanes[u.lane].next
	known := u.prove(c.peer, next)
	dead := !u.greets && !u.brief && slices.ContainsFunc(c.dead, func(session uint16) bool { return u.prove(session, next) })
	switch {
	case u.greets && !u.prove(u.session, next), !u.greets && !dead && c.peer != 0 && !known:
		c.tell(event{kind: noticed, word: NoticeMalformed, detail: "U_PDU of no session that is known, or changed on the way", bytes: size})
	case u.greets && slices.Contains(c.dead, u.session), dead && !known:
		c.tell(event{kind: noticed, word: NoticeRepeated, detail: "of a session that is over", bytes: size})
	case u.greets && u.session != c.peer:
		return c.adopt(now, u)
	case !u.greets && c.peer == 0:
		c.ask()
	default:
		if u.greets && u.loose && u.answers == 0 && c.heardOf() { // it has given up what it knew of us
			c.renew(now)
		}
		return true
	}
	return false
}

// adopt takes up a session that the peer has begun.
func (c *compactLine) adopt(now time.Time, u *unit) bool {
	var in compact.Incoming
	r, _, err := in.Next(u.body, now, c.epoch)
	switch {
	case err != nil || r.Kind != compact.GreetingRecord:
		c.tell(event{kind: noticed, word: NoticeMalformed, detail: "greeting out of shape"})
		return false
	case r.Greeting.Epoch == c.epoch:
		c.tell(event{kind: noticed, word: NoticeReflected, detail: "our own greeting came back as the peer's"})
		return false
	case r.Greeting.Codec != c.cfg.Codec.Fingerprint():
		c.tell(event{kind: noticed, word: NoticeCodec, detail: fmt.Sprintf("the peer has %v, we have %v", r.Greeting.Codec, c.cfg.Codec.Fingerprint())})
		return false
	}
	c.remember(c.peer)
	c.peer = u.session
	in.Greeted(r.Greeting.Epoch)
	in.Told(c.mine.marks())
	c.incoming = in
	for i := range c.inLanes {
		c.inLanes[i] = inLane{}
	}
	c.tell(event{kind: greeted, epoch: r.Greeting.Epoch, marks: r.Greeting.Marks})
	if !c.bogus(r.Greeting.Marks) {
		c.acknowledged(r.Greeting.Marks)
	}
	if u.answers != c.session && (c.established || c.removed) { // it has lost what it knew of us
		c.renew(now)
	}
	return true
}

// heardOf reports that the peer has known our session, or should.
func (c *compactLine) heardOf() bool {
	if c.established {
		return true
	}
	for i := range c.lanes {
		if slices.ContainsFunc(c.lanes[i].parts, func(p *part) bool { return p.state == aired }) {
			return true
		}
	}
	return false
}

// ask makes the peer begin a session that we know from its beginning: we greet, and it sees that we know none of its.
func (c *compactLine) ask() { c.greetDue = true }

// bogus reports marks of numbers that were never given.
func (c *compactLine) bogus(marks []links.Mark) bool {
	if c.issued == nil {
		return false
	}
	for _, m := range marks {
		if m.Epoch == c.epoch && m.Number > c.issued() {
			c.tell(event{kind: noticed, word: NoticeBogus, detail: fmt.Sprintf("number %d of class %d", m.Number, m.Lane)})
			return true
		}
	}
	return false
}

// acknowledged takes marks of our lanes.
func (c *compactLine) acknowledged(marks []links.Mark) {
	c.numbers.Told(marks)
	for _, m := range marks {
		if m.Lane >= links.Lanes || m.Epoch != c.epoch {
			continue
		}
		l := &c.lanes[m.Lane]
		l.sender.Greeted([]links.Mark{m}, func(token uint64) {
			if sent := l.flight[token]; sent != nil {
				sent.left--
				delete(l.flight, token)
				c.report(token, links.Delivered, nil)
			}
		})
		c.trim(l)
	}
}

// number takes a unit in its turn, or holds it until that comes.
func (c *compactLine) number(now time.Time, u unit, reliable bool) {
	l := &c.inLanes[u.lane]
	ahead := int8(u.number - l.next) //nolint:gosec // modulo 256 is meant
	switch {
	case ahead < 0:
		c.retell[u.lane] = true // its sender waits for that
		c.owe(now, c.profile.AckDelay())
		c.tell(event{kind: noticed, word: NoticeRepeated, detail: "a number that came before", bytes: len(u.body)})
		return
	case ahead > 0:
		if _, twice := l.held[u.number]; twice || int(ahead) > maxHeld || l.bytes+len(u.body) > maxHeldAll {
			return
		}
		if l.held == nil {
			l.held = make(map[uint8]unit)
		}
		if l.hole.IsZero() && reliable {
			l.hole = now
		}
		u.body = bytes.Clone(u.body)
		l.held[u.number] = u
		l.bytes += len(u.body)
		return
	}
	session := c.peer
	for ok := true; ok && c.peer == session; u, ok = l.held[l.next] {
		if _, was := l.held[u.number]; was {
			delete(l.held, u.number)
			l.bytes -= len(u.body)
		}
		l.next++
		if !l.hole.IsZero() {
			l.hole = now
		}
		c.message(now, l, &u)
	}
	if len(l.held) == 0 {
		l.hole = time.Time{}
	}
}

// holeAt is when missing units are missed too long: they were confirmed to the peer, and got lost between our node and us.
func (c *compactLine) holeAt(l *inLane) time.Time {
	return l.hole.Add(holeAnswers * c.profile.AnswerTimeout(l.bytes))
}

// message takes a unit whose turn it is.
func (c *compactLine) message(now time.Time, l *inLane, u *unit) {
	switch {
	case u.void:
		l.pending = nil
		return
	case u.more || len(l.pending) > 0:
		if len(l.pending)+len(u.body) > maxMessage {
			c.lost("message over the limit")
			return
		}
		l.pending = append(l.pending, u.body...)
		if u.more {
			return
		}
		u.body, l.pending = l.pending, nil
	}
	c.records(now, u.body, len(u.body))
}

// lost gives the peer's session up: what of it cannot be read must be sent again.
func (c *compactLine) lost(why string) {
	c.tell(event{kind: noticed, word: NoticeMalformed, detail: clip(why)})
	c.remember(c.peer)
	c.peer = 0
	c.ask()
}

// records reads what a message holds.
func (c *compactLine) records(now time.Time, body []byte, size int) {
	for len(body) > 0 {
		r, rest, err := c.incoming.Next(body, now, c.epoch)
		if err != nil {
			c.lost("records: " + err.Error())
			return
		}
		switch r.Kind {
		case compact.ConsignmentRecord:
			c.consignment(now, &r.Consignment, len(body)-len(rest))
		case compact.MarksRecord:
			if !c.bogus(r.Marks) {
				c.established = true
				c.acknowledged(r.Marks)
			}
		case compact.GreetingRecord, compact.NoRecord: // it was read with the header
		case compact.LooseRecord, compact.ProbeRecord, compact.EchoRecord:
			c.tell(event{kind: noticed, word: NoticeMalformed, detail: "a record that has no place here", bytes: size})
		}
		body = rest
	}
}

func (c *compactLine) consignment(now time.Time, x *compact.Consignment, size int) {
	e, also, err := c.cfg.Codec.Decode(x.Stanza)
	if err != nil {
		c.arrive(event{kind: arrived, frame: x.Frame, bytes: size, malformed: &stanza.Malformed{
			Stanza: stanza.PolicyViolation, Detail: clip("coded stanza: " + err.Error()),
		}})
		return
	}
	out := c.cfg.examine(e, also, x.Frame, size)
	if out.kind == noticed { // nobody can be answered: it is settled
		c.tell(out)
		c.settled(now, c.carried.Arrived(x.Frame))
		return
	}
	c.arrive(out)
}

func (c *compactLine) arrive(e event) {
	e.seq = c.carried.Arrived(e.frame)
	c.tell(e)
}
