package spdu

import (
	"time"

	"sallyport/s5066"
)

// Heard takes an S_PDU of types 3 to 7 from a remote.
func (h *Hard) Heard(now time.Time, from s5066.Address, p PDU) []HardEvent {
	l := h.link
	ours := l != nil && l.link.Remote == from
	switch p := p.(type) {
	case LinkRequest:
		h.requested(now, from, p)
	case LinkConfirm:
		if ours && l.phase == Requested {
			l.phase = Up
			h.tell(Established{l.own, l.link})
		}
	case LinkReject:
		if ours && l.phase == Requested {
			h.link = nil
			h.tell(Refused{l.own, p.Reason, l.link})
			h.tell(Drop{from})
		}
	case LinkEnd:
		h.say(from, LinkEndConfirm{})
		if ours && (l.phase == Up || l.phase == Asking) {
			h.link = nil
			h.linger(now, from)
			if l.phase == Up {
				h.tellEnd(l, ended(p.Reason))
			}
		}
	case LinkEndConfirm:
		for i, e := range h.ending {
			if e.remote == from {
				h.finish(i, false)
				break
			}
		}
	}
	return h.events()
}

func ended(r EndReason) s5066.LinkEnd {
	switch r {
	case EndPreempted:
		return s5066.LinkEndPreempted
	case EndNoSAP:
		return s5066.LinkEndNoSAP
	}
	return s5066.LinkEndRemote
}

// requested decides about another node's request.
func (h *Hard) requested(now time.Time, from s5066.Address, p LinkRequest) {
	next := &hard{phase: Up, rank: h.cfg.DefaultRank, link: s5066.HardLink{Type: p.Link, Priority: p.Priority, SAP: p.Source, Remote: from}}
	if p.Link == s5066.LinkFull {
		rank, bound := h.cfg.Bound(p.Remote)
		if !bound {
			h.refuse(now, from, s5066.LinkNoSAP)
			return
		}
		next.own, next.rank, next.phase, next.until = p.Remote, rank, Asking, now.Add(h.cfg.Client)
	}
	if old := h.link; old != nil {
		if old.same(next) {
			if old.phase == Up {
				h.say(from, LinkConfirm{})
			}
			return
		}
		if !next.claim().before(old.claim()) && !h.yields(old, next) {
			h.refuse(now, from, next.claim().refusal(old.claim()))
			return
		}
		h.give(now, old, from)
	}
	h.ended(from)
	h.link = next
	if next.phase == Up {
		h.say(from, LinkConfirm{})
		return
	}
	h.tell(Asked{next.own, next.link})
}

// same reports whether a request is the one that was taken before.
func (l *hard) same(next *hard) bool {
	return !l.caller && l.link == next.link && l.own == next.own
}

// yields reports whether this node gives way where two nodes have asked each other for the same at once: the one with the higher address does.
func (h *Hard) yields(old, next *hard) bool {
	a, b := old.claim(), next.claim()
	return old.caller && old.phase != Up && a == b && h.cfg.Own.Value() > next.link.Remote.Value()
}

func (h *Hard) refuse(now time.Time, from s5066.Address, why s5066.LinkReason) {
	h.say(from, LinkReject{why})
	if h.link == nil || h.link.link.Remote != from {
		h.linger(now, from)
	}
}

// Accept is a client's yes to Asked.
func (h *Hard) Accept(own s5066.SAP, remote s5066.Address) []HardEvent {
	if l := h.asking(own, remote); l != nil {
		l.phase = Up
		h.say(remote, LinkConfirm{})
	}
	return h.events()
}

// Refuse is its no.
func (h *Hard) Refuse(now time.Time, own s5066.SAP, remote s5066.Address) []HardEvent {
	if l := h.asking(own, remote); l != nil {
		h.link = nil
		h.refuse(now, remote, s5066.LinkBusy)
	}
	return h.events()
}

func (h *Hard) asking(own s5066.SAP, remote s5066.Address) *hard {
	if l := h.link; l != nil && l.phase == Asking && l.own == own && l.link.Remote == remote {
		return l
	}
	return nil
}
