package hf

import (
	"time"

	"sallyport/links"
	"sallyport/links/compact"
)

// tick implements machine: what was sent in vain, what has expired.
func (c *compactLine) tick(now time.Time) {
	c.now = now
	c.pass(now)
	if !c.live {
		return
	}
	c.expire(now)
	for i := range c.inLanes {
		if l := &c.inLanes[i]; !l.hole.IsZero() && !now.Before(c.holeAt(l)) {
			l.hole = time.Time{}
			c.lost("units that never came")
		}
	}
	for i := range c.lanes {
		for _, p := range c.lanes[i].parts {
			if p.state != aired || p.message.left == 0 && !p.message.void || now.Before(c.againAt(p)) {
				continue
			}
			p.state, p.at = ready, now
			if p.tries++; p.tries > maxUnheard && c.broadcast(p.unit.lane) == nil {
				c.fail("the peer's node takes what is sent, and the peer does not acknowledge it")
				return
			}
		}
	}
}

// againAt is when a part that nobody acknowledged is sent again.
func (c *compactLine) againAt(p *part) time.Time {
	if b := c.broadcast(p.unit.lane); b != nil {
		every := b.Every
		if every <= 0 {
			every = time.Minute + 2*c.profile.RoundTrip + c.profile.Transmit(4*len(p.data))
		}
		return p.at.Add(every << min(p.tries, 8))
	}
	_, bytes := c.lanes[p.unit.lane].sender.Unconfirmed()
	return p.at.Add(c.profile.AnswerTimeout(bytes))
}

// expire ends what has no more use. A number that was given is kept, and says that there is nothing in it.
func (c *compactLine) expire(now time.Time) {
	for i := range c.lanes {
		l := &c.lanes[i]
		keep := l.waiting[:0]
		for _, it := range l.waiting {
			if it.expired(now) {
				c.report(it.token, links.Expired, links.ErrExpired)
				continue
			}
			keep = append(keep, it)
		}
		clear(l.waiting[len(keep):])
		l.waiting = keep
		for _, p := range l.parts {
			if m := p.message; !m.void && m.left > 0 && !m.expires.IsZero() && !now.Before(m.expires) {
				c.abandon(l, m)
			}
		}
		for _, p := range l.parts {
			if p.message.void && !p.unit.void {
				c.empty(p, now)
			}
		}
	}
}

// abandon gives up what is under way and of no more use.
func (c *compactLine) abandon(l *outLane, m *message) {
	m.void, m.left, m.expires = true, 0, time.Time{}
	for _, it := range m.items {
		if l.flight[it.token] == m {
			delete(l.flight, it.token)
			c.report(it.token, links.Expired, links.ErrExpired)
		}
	}
}

// empty makes a part void; a greeting in it stays.
func (c *compactLine) empty(p *part, now time.Time) {
	p.unit.void, p.unit.body = true, nil
	if p.unit.greets {
		p.unit.body = compact.AppendGreeting(nil, compact.Greeting{Epoch: c.epoch, Codec: c.cfg.Codec.Fingerprint(), Marks: c.mine.marks()})
	}
	p.data = appendUnit(nil, &p.unit)
	p.id, p.state, p.at, p.tries = 0, ready, now, 0
}

// deadline implements machine: the next time that lies ahead.
func (c *compactLine) deadline() (at time.Time) {
	ahead := func(t time.Time) {
		if t.After(c.now) {
			at = sooner(at, t)
		}
	}
	ahead(c.giver.deadline())
	if !c.live {
		return at
	}
	ahead(c.ackDue)
	ahead(c.retryAt)
	if c.greetDue {
		ahead(c.greetAt)
	}
	for i := range c.inLanes {
		if l := &c.inLanes[i]; !l.hole.IsZero() {
			ahead(c.holeAt(l))
		}
	}
	for i := range c.lanes {
		l := &c.lanes[i]
		for n := range l.waiting {
			ahead(l.waiting[n].expires)
		}
		if len(l.waiting) > 0 {
			ahead(l.waiting[0].since.Add(c.profile.Gather()))
		}
		for _, p := range l.parts {
			ahead(p.message.expires)
			switch p.state {
			case ready:
				ahead(p.at)
			case aired:
				ahead(c.againAt(p))
			case atNode: // the node will tell
			}
		}
	}
	return at
}
