package dts

import (
	"fmt"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

// maxMessages is how many management messages may wait for one node.
const maxMessages = 8

// message is a management message of ours.
type message struct {
	eow      dpdu.EOW
	extended string
	user     bool // its end is told
}

// management is stop and wait for messages in the order wire (C.12). It goes before everything else.
type management struct {
	queue   []message
	pending *message
	id      uint8 // of pending
	begun   bool
	sends   int
	last    int // ID of the peer's last message, -1 before any
	owed    bool
	owedID  uint8
	told    bool // the capabilities of this node
}

func (g *management) busy() bool { return g.pending != nil || len(g.queue) > 0 || g.owed }

// begin takes the next message into work.
func (g *management) begin() {
	if g.pending != nil || len(g.queue) == 0 {
		return
	}
	g.pending, g.queue, g.sends = &g.queue[0], g.queue[1:], 0
	if g.begun {
		g.id++
	}
	g.begun = true
}

func (g *management) push(m message) bool {
	if len(g.queue) >= maxMessages {
		return false
	}
	g.queue = append(g.queue, m)
	g.told = g.told || m.eow.Type() == dpdu.Capabilities
	return true
}

// Manage sends a management message that is acknowledged; its end is ManagementDone. It needs no link.
func (m *Machine) Manage(now time.Time, remote s5066.Address, eow dpdu.EOW, extended string) error {
	m.now = later(m.now, now)
	if !remote.IsUnicast() || remote == m.cfg.Own || len(extended) > dpdu.MaxExtended || eow > 0xFFF {
		return fmt.Errorf("%w: management message to %s with %d bytes", ErrRequest, remote, len(extended))
	}
	r := m.know(now, remote)
	if r == nil || !r.man.push(message{eow, extended, true}) {
		return fmt.Errorf("management message to %s: %w", remote, ErrFull)
	}
	return nil
}

// heardManagement takes a type 6.
func (m *Machine) heardManagement(r *remote, p dpdu.PDU) {
	g, c := &r.man, p.Management
	if c.Ack && g.pending != nil && g.sends > 0 && (c.Valid || c.ID == g.id) {
		done := *g.pending
		g.pending = nil
		if done.user {
			m.tell(ManagementDone{Remote: r.addr, EOW: done.eow, Acked: true})
		}
		m.rateAcked(r, done)
	}
	if !c.Valid {
		return
	}
	g.owed, g.owedID = true, c.ID
	if int(c.ID) == g.last {
		return // a copy: acknowledge, do not act again
	}
	g.last = int(c.ID)
	m.tell(Managed{From: r.addr, EOW: p.EOW, Extended: c.Extended})
	m.answerMessage(r, p)
}

// answerMessage gives the messages of C.13 their answers, which go with the acknowledgement.
func (m *Machine) answerMessage(r *remote, p dpdu.PDU) {
	switch p.EOW.Type() {
	case dpdu.NoMessage, dpdu.UnknownMessage:
	case dpdu.RateRequest:
		if !p.EOW.Rate().Advice {
			m.rateRequested(r, p.EOW.Rate())
		}
	case dpdu.RateResponse:
		m.rateAnswered(r, p.EOW.RateAnswer())
	case dpdu.HighRateRequest:
		r.man.push(message{eow: dpdu.RateAnswer{Verdict: dpdu.RateRefuse, Reason: dpdu.RateAndInterleaver}.EOW()})
	case dpdu.Capabilities:
		if !r.man.told {
			r.man.push(message{eow: dpdu.MakeEOW(dpdu.Capabilities, m.cfg.Capability)})
		}
	default:
		r.man.push(message{eow: dpdu.MakeEOW(dpdu.UnknownMessage, uint8(p.EOW.Type()))})
	}
}

// managementUnanswered ends a message that was sent often enough.
func (m *Machine) managementUnanswered(r *remote) {
	done := *r.man.pending
	r.man.pending = nil
	if done.user {
		m.tell(ManagementDone{Remote: r.addr, EOW: done.eow})
	}
	if r.rate.pending != nil && r.connected {
		m.lose(r, NoManagement)
	}
	r.rate.pending = nil
}

func (m *Machine) endManagement(r *remote) {
	all := r.man.queue
	if r.man.pending != nil {
		all = append([]message{*r.man.pending}, all...)
	}
	for _, w := range all {
		if w.user {
			m.tell(ManagementDone{Remote: r.addr, EOW: w.eow})
		}
	}
	r.man.queue, r.man.pending, r.man.owed = nil, nil, false
	r.rate.pending = nil
}
