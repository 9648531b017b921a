package cas

import (
	"time"

	"sallyport/s5066"
)

const (
	maxExclusive = 2                // one that is active, one that asks
	refuseEvery  = 10 * time.Second // to one node that is not permitted
	maxRefused   = 16               // such nodes that are remembered; more are not answered
)

// refusal remembers to whom a refusal was sent.
type refusal struct {
	to s5066.Address
	at time.Time
}

// Heard takes link control addressed to this node; Data is not its business.
func (m *Machine) Heard(now time.Time, from s5066.Address, p CPDU) []Event {
	if !m.permitted(from) {
		if p.Type == Request && from.IsUnicast() && from != m.cfg.Own && m.mayRefuse(now, from) {
			m.refuse(from, RejectUnknown, false)
		}
		return m.events()
	}
	l := m.at(from)
	switch p.Type {
	case Request:
		m.requested(now, l, from, p.Exclusive)
	case Accepted:
		if l != nil && l.Phase == Calling {
			m.unsay(l)
			l.Phase, l.until, l.Since = Up, time.Time{}, now
			m.tell(Made{Remote: from, Exclusive: l.Exclusive})
		}
	case Rejected:
		if l != nil && l.Phase == Calling {
			m.fail(l, Failed{Reason: p.Reject})
		}
	case Break:
		if l != nil && l.Phase != Calling {
			m.drop(l, Broken{Remotely: true, Reason: p.Break})
		}
		m.say(from, CPDU{Type: BreakConfirm})
	case BreakConfirm:
		if l != nil && l.Phase == Breaking {
			m.drop(l, Broken{Reason: l.reason})
		}
	}
	return m.events()
}

// requested answers a request of a permitted node.
func (m *Machine) requested(now time.Time, l *link, from s5066.Address, exclusive bool) {
	if why, no := m.declines(l, exclusive); no {
		m.refuse(from, why, true)
		return
	}
	again := l != nil && (l.Phase == Up || l.kept)
	if again && !l.kept && l.Exclusive == exclusive && !l.heard {
		l.last = m.say(from, CPDU{Type: Accepted})
		return
	}
	if l != nil {
		m.remove(l)
	}
	fresh := &link{Link: Link{Remote: from, Phase: Up, Exclusive: exclusive, Called: true, Since: now}}
	m.links = append(m.links, fresh)
	fresh.last = m.say(from, CPDU{Type: Accepted})
	fresh.until = now.Add(m.cfg.Patience)
	m.tell(Made{Remote: from, Exclusive: exclusive, Called: true, Again: again})
}

// declines says whether a request has to be refused. What there is already with this node makes room for it.
func (m *Machine) declines(l *link, exclusive bool) (RejectReason, bool) {
	hard, soft := m.count(true), m.count(false)
	if l != nil && l.counts() {
		if l.Exclusive {
			hard--
		} else {
			soft--
		}
	}
	switch {
	case m.cfg.Broadcast:
		return RejectBroadcast, true
	case exclusive && hard >= maxExclusive:
		return RejectExclusive, true
	case !exclusive && hard > 0:
		return RejectExclusive, true
	case !exclusive && soft >= m.cfg.MaxLinks:
		return RejectUnknown, true
	}
	return 0, false
}

func (m *Machine) refuse(to s5066.Address, why RejectReason, listed bool) {
	m.say(to, CPDU{Type: Rejected, Reject: why})
	m.tell(Refused{to, listed, why})
}

// mayRefuse limits what a node that is not permitted can make this one key.
func (m *Machine) mayRefuse(now time.Time, to s5066.Address) bool {
	keep := m.refused[:0]
	known := false
	for _, r := range m.refused {
		if now.Sub(r.at) < refuseEvery {
			keep = append(keep, r)
			known = known || r.to == to
		}
	}
	m.refused = keep
	if known || len(keep) >= maxRefused {
		return false
	}
	m.refused = append(m.refused, refusal{to, now})
	return true
}
