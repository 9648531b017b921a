package dts

import (
	"time"

	"sallyport/s5066/dpdu"
)

// rateState is the change of data rate with one node (C.14), and what it is decided from.
type rateState struct {
	frames, lost int // judged since the last decision
	pending      *rateChange
	barred       [16]time.Time // by code of the rate: not again before
	failed       [16]int       // times that a rate was left because of its loss
	limit        limiter
}

// rateChange is one under negotiation. The master asks; both change after the master's DT_ACK; the slave confirms at the new rate.
type rateChange struct {
	order  dpdu.RateOrder
	master bool
	step   rateStep
	until  time.Time
}

type rateStep uint8

const (
	rateAsked rateStep = iota
	rateAccepted
	rateChanged
)

// judgeRate decides by the loss of frames: down soon, up only below a much smaller loss, and to a rate that failed only after a time that doubles.
func (m *Machine) judgeRate(r *remote, t tally) {
	c, s := m.cfg.Rate, &r.rate
	if !c.On || s.pending != nil {
		return
	}
	s.frames += t.frames
	s.lost += t.lost
	if s.frames < c.Frames {
		return
	}
	loss := float64(s.lost) / float64(s.frames)
	s.frames, s.lost = 0, 0
	at := -1
	for i, rate := range c.Rates {
		if rate <= m.timing.Rate {
			at = i
		}
	}
	switch {
	case loss > c.Down && at > 0:
		code, _ := rateCode(c.Rates[at])
		s.failed[code] = min(s.failed[code]+1, 5)
		s.barred[code] = m.now.Add(c.Hold << (s.failed[code] - 1))
		m.askRate(r, c.Rates[at-1])
	case loss < c.Up && at+1 < len(c.Rates):
		code, _ := rateCode(c.Rates[at+1])
		if !m.now.Before(s.barred[code]) {
			m.askRate(r, c.Rates[at+1])
		}
	}
}

func (m *Machine) askRate(r *remote, rate int) {
	code, _ := rateCode(rate)
	order := dpdu.RateOrder{Code: code, Interleave: m.cfg.Rate.Interleave, Both: true}
	if r.man.push(message{eow: order.EOW()}) {
		r.rate.pending = &rateChange{order: order, master: true}
	}
}

// rateRequested answers the master.
func (m *Machine) rateRequested(r *remote, o dpdu.RateOrder) {
	refuse := func(why uint8) {
		r.man.push(message{eow: dpdu.RateAnswer{Verdict: dpdu.RateRefuse, Reason: why}.EOW()})
	}
	known := false
	for _, rate := range m.cfg.Rate.Rates {
		if bps, ok := o.BitsPerSecond(); ok && rate == bps {
			known = true
		}
	}
	switch {
	case !m.cfg.Rate.On || !r.connected:
		refuse(dpdu.RateAndInterleaver)
	case !known || !r.rate.limit.allow(m.now):
		refuse(dpdu.RateFixed)
	case o.Interleave != m.cfg.Rate.Interleave:
		refuse(dpdu.InterleaverFixed)
	default:
		r.rate.pending = &rateChange{order: o}
		r.man.push(message{eow: dpdu.RateAnswer{Verdict: dpdu.RateAccept}.EOW()})
	}
}

// rateAnswered takes the slave's word, or the master's cancel.
func (m *Machine) rateAnswered(r *remote, a dpdu.RateAnswer) {
	p := r.rate.pending
	if p == nil {
		return
	}
	switch {
	case p.master && p.step == rateAsked && a.Verdict == dpdu.RateAccept:
		p.step = rateAccepted
	case p.master && p.step == rateAsked && a.Verdict == dpdu.RateRefuse:
		r.rate.barred[p.order.Code] = m.now.Add(m.cfg.Rate.Hold)
		r.rate.pending = nil
		r.man.push(message{eow: dpdu.RateAnswer{Verdict: dpdu.RateCancel}.EOW()})
	case p.master && p.step == rateChanged && a.Verdict == dpdu.RateConfirm, !p.master && a.Verdict == dpdu.RateCancel:
		r.rate.pending = nil
	}
}

// rateAcked goes on with what the slave does when its messages have been acknowledged.
func (m *Machine) rateAcked(r *remote, done message) {
	p := r.rate.pending
	if p == nil || p.master || done.eow.Type() != dpdu.RateResponse {
		return
	}
	switch done.eow.RateAnswer().Verdict {
	case dpdu.RateAccept:
		m.changeRate(r)
		r.man.push(message{eow: dpdu.RateAnswer{Verdict: dpdu.RateConfirm}.EOW()})
	case dpdu.RateConfirm:
		r.rate.pending = nil
	}
}

// rateKeyed changes the master's rate when its DT_ACK has left.
func (m *Machine) rateKeyed(r *remote) {
	if p := r.rate.pending; p != nil && p.master && !r.man.owed && p.step == rateAccepted {
		m.changeRate(r)
		p.until = m.now.Add(m.roundTrips(m.cfg.MaxRetries + 2))
	}
}

// rateUnconfirmed gives up on a slave that does not confirm.
func (m *Machine) rateUnconfirmed(r *remote) {
	if p := r.rate.pending; p != nil && p.master && p.step == rateChanged && !m.now.Before(p.until) {
		r.rate.pending = nil
		m.lose(r, NoManagement)
	}
}

func (m *Machine) changeRate(r *remote) {
	p := r.rate.pending
	p.step = rateChanged
	r.rate.frames, r.rate.lost = 0, 0
	bps, _ := p.order.BitsPerSecond()
	m.tell(RateChange{Remote: r.addr, Rate: bps, Interleave: p.order.Interleave})
}
