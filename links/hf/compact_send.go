package hf

import (
	"errors"
	"time"

	"sallyport/links"
	"sallyport/links/compact"
	"sallyport/links/custody"
	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// next implements machine: the highest class first; what is to be sent again before anything new of its class.
func (c *compactLine) next(now time.Time) (request, bool) {
	c.now = now
	if !c.live || now.Before(c.retryAt) {
		return request{}, false
	}
	if c.greetDue && !now.Before(c.greetAt) {
		c.greetAt = now.Add(c.profile.RetryFirst())
		return c.loose(true), true
	}
	for lane := links.Lanes - 1; lane >= 0; lane-- {
		if r, ok := c.nextOf(now, uint8(lane)); ok {
			return r, true
		}
	}
	if !c.ackDue.IsZero() && !now.Before(c.ackDue) {
		return c.loose(false), true
	}
	return request{}, false
}

func (c *compactLine) nextOf(now time.Time, lane uint8) (request, bool) {
	l := &c.lanes[lane]
	unsent := false
	for _, p := range l.parts {
		if p.state != ready {
			continue
		}
		unsent = true
		if !now.Before(p.at) && c.may(lane, len(p.data)) {
			return c.submit(now, p), true
		}
	}
	if unsent || !c.gathered(now, lane) || !c.build(now, lane) {
		return request{}, false
	}
	if p := l.parts[len(l.parts)-1]; p.state != ready {
		return request{}, false
	}
	for _, p := range l.parts {
		if p.state == ready && c.may(lane, len(p.data)) {
			return c.submit(now, p), true
		}
	}
	return request{}, false
}

// gathered reports that what waits has waited for company as long as that is worth it: while the node has something of the class, a
// U_PDU that is not full would leave no sooner.
func (c *compactLine) gathered(now time.Time, lane uint8) bool {
	l := &c.lanes[lane]
	if len(l.waiting) == 0 || len(l.parts) >= laneParts {
		return false
	}
	bytes := 0
	for i := range l.waiting {
		if bytes += len(l.waiting[i].coded); bytes >= c.mtu {
			return c.may(lane, c.mtu)
		}
	}
	return c.idle(lane) && !now.Before(l.waiting[0].since.Add(c.profile.Gather()))
}

// build makes the parts of as much as fits into one U_PDU, or of one stanza that does not.
func (c *compactLine) build(now time.Time, lane uint8) bool {
	l := &c.lanes[lane]
	greets := c.greets()
	body := c.preface(greets)
	m := &message{}
	room, size := c.mtu-unitHeader, len(body)
	for len(l.waiting) > 0 {
		it := l.waiting[0]
		if len(m.items) > 0 && size+len(it.coded)+recordRoom > room {
			break
		}
		if (size+len(it.coded)+recordRoom)/room+len(l.parts) > laneParts+5 {
			break
		}
		v := custody.Refused
		if !it.expired(now) {
			v = l.sender.Send(it.frame, it.token, len(it.coded))
		}
		if v == custody.Full {
			break
		}
		l.waiting = l.waiting[1:]
		switch {
		case it.expired(now):
			c.report(it.token, links.Expired, links.ErrExpired)
		case v == custody.Already:
			c.report(it.token, links.Delivered, nil)
		case v == custody.Refused:
			c.report(it.token, links.Returned, links.ErrNoCustody)
		default:
			size += len(it.coded) + recordRoom
			m.items = append(m.items, it)
			l.flight[it.token] = m
		}
	}
	if len(m.items) == 0 {
		return false
	}
	m.left = len(m.items)
	for i, it := range m.items {
		x := compact.Consignment{Frame: it.frame, Stanza: it.coded}
		var err error
		if i == len(m.items)-1 {
			body, err = c.numbers.AppendLast(body, now, x)
		} else {
			body, err = c.numbers.AppendConsignment(body, now, x)
		}
		if err != nil { // a frame that cannot be written; it was valid
			c.report(it.token, links.Returned, err)
			delete(l.flight, it.token)
			m.left--
		}
	}
	m.expires = latest(m.items)
	c.cut(l, lane, m, body, greets)
	return true
}

// latest is when the last of them expires; zero is never.
func latest(items []item) (at time.Time) {
	for _, it := range items {
		if it.expires.IsZero() {
			return time.Time{}
		}
		if it.expires.After(at) {
			at = it.expires
		}
	}
	return at
}

// preface is what stands before consignments: a greeting where one is needed, and what is to be acknowledged.
func (c *compactLine) preface(greets bool) []byte {
	marks := c.due()
	c.incoming.Told(marks)
	var body []byte
	if greets {
		body = compact.AppendGreeting(nil, compact.Greeting{Epoch: c.epoch, Codec: c.cfg.Codec.Fingerprint(), Marks: c.mine.marks()})
		c.incoming.Told(c.mine.marks())
	}
	return compact.AppendMarks(body, marks)
}

// cut makes the parts of a body.
func (c *compactLine) cut(l *outLane, lane uint8, m *message, body []byte, greets bool) {
	room := c.mtu - unitHeader
	for first := true; first || len(body) > 0; first = false {
		n := min(room, len(body))
		u := unit{lane: lane, session: c.session, number: l.number, more: n < len(body), body: body[:n]}
		if first && greets {
			u.greets, u.answers = true, c.peer
			c.answered = c.peer
		}
		if len(l.parts) == 0 || l.number-l.parts[0].unit.number <= briefAhead {
			u.brief, u.narrow = true, c.numbers.Narrow(lane)
		}
		body = body[n:]
		l.number++
		l.parts = append(l.parts, &part{message: m, unit: u, data: appendUnit(nil, &u)})
	}
}

// submit gives a part to the node.
func (c *compactLine) submit(now time.Time, p *part) request {
	r := request{UnidataRequest: sis.UnidataRequest{
		Priority: priorities[p.unit.lane], SAP: c.cfg.SAP, Destination: c.cfg.Address, TTL: shortTTL(now, p.message.expires), Data: p.data,
		Delivery: s5066.DeliveryMode{Mode: s5066.TxARQ, Confirm: s5066.ConfirmNode},
	}}
	if p.unit.brief { // another time the peer may wait for a number farther away
		p.unit.brief, p.unit.narrow = false, false
		p.data = appendUnit(nil, &p.unit)
	}
	p.state, p.at = atNode, now
	var until time.Time
	if b := c.broadcast(p.unit.lane); b != nil {
		r.Destination, r.Delivery = b.To, s5066.DeliveryMode{Mode: s5066.TxNonARQ, Retransmissions: b.Copies}
		p.state, until = aired, now.Add(c.airtime(len(p.data), int(b.Copies)+1))
		p.at = until
	}
	r.id = c.give(p.unit.lane, len(p.data), until)
	p.id = r.id
	return r
}

func (c *compactLine) broadcast(lane uint8) *Broadcast {
	if b := c.cfg.Broadcast; b != nil && b.Lanes[lane] {
		return b
	}
	return nil
}

// loose makes a unit outside the numbers: acknowledgements, or a greeting that was asked for.
func (c *compactLine) loose(greet bool) request {
	greet = greet || !c.established
	c.greetDue = false
	u := unit{session: c.session, loose: true, greets: greet, body: c.preface(greet)}
	if greet {
		u.answers = c.peer
	}
	data := appendUnit(nil, &u)
	c.last++
	const lane = links.Lanes - 2 // small, and the peer waits for it
	return request{id: c.last, UnidataRequest: sis.UnidataRequest{
		Priority: priorities[lane], SAP: c.cfg.SAP, Destination: c.cfg.Address, Data: data,
		Delivery: s5066.DeliveryMode{Mode: s5066.TxARQ},
	}}
}

// outcome implements machine.
func (c *compactLine) outcome(now time.Time, id uint64, o outcome) {
	c.now = now
	if !c.done(id) {
		return
	}
	if o.confirmed {
		c.refusals = 0
	}
	for i := range c.lanes {
		l := &c.lanes[i]
		for _, p := range l.parts {
			if p.id != id || p.state != atNode {
				continue
			}
			p.at = now
			switch {
			case o.confirmed:
				p.state = aired
				c.trim(l)
			case o.unsent:
				p.state = ready
			default:
				p.state = ready
				c.refused(now, o)
			}
			return
		}
	}
}

var errNobody = errors.New("hf: the node does not say")

// refused puts the next attempt off.
func (c *compactLine) refused(now time.Time, o outcome) {
	c.refusals++
	why := errNobody.Error()
	if o.reason != 0 {
		why = o.reason.String()
	}
	if o.reason == sis.RejectExpired {
		c.expire(now)
		return
	}
	wait := min(c.profile.RetryFirst()<<min(c.refusals-1, 10), c.profile.RetryMost())
	c.retryAt = now.Add(wait)
	if c.refusals >= maxRefusals {
		c.fail("the node could not deliver: " + why)
	}
}

// trim forgets what is settled, from the oldest on.
func (c *compactLine) trim(l *outLane) {
	for len(l.parts) > 0 {
		p := l.parts[0]
		settled := p.message.left == 0 && !p.message.void || p.message.void && p.state == aired && c.broadcast(p.unit.lane) == nil
		if !settled && p.message.void { // a later one that is settled says that the peer has passed it
			for _, q := range l.parts[1:] {
				settled = settled || q.message.left == 0 && !q.message.void
			}
		}
		if !settled {
			return
		}
		l.parts[0] = nil
		l.parts = l.parts[1:]
		c.removed = true
	}
}
