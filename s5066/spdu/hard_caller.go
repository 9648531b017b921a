package spdu

import (
	"time"

	"sallyport/s5066"
)

// Establish is a client's request.
func (h *Hard) Establish(now time.Time, own s5066.SAP, rank s5066.Rank, link s5066.HardLink) []HardEvent {
	if !link.Type.Valid() || link.Priority > 3 || !link.Remote.IsUnicast() || link.Remote == h.cfg.Own {
		h.tell(Refused{own, s5066.LinkNoAnswer, link})
		return h.events()
	}
	next := &hard{phase: Calling, caller: true, own: own, rank: rank, link: link}
	if old := h.link; old != nil {
		if !next.claim().before(old.claim()) {
			h.tell(Refused{own, h.callerRefusal(next, old), link})
			return h.events()
		}
		h.give(now, old, link.Remote)
	}
	h.ended(link.Remote)
	h.link = next
	h.tell(Call{link.Remote})
	return h.events()
}

func (h *Hard) callerRefusal(next, old *hard) s5066.LinkReason {
	if next.link.Type == s5066.LinkReserved && old.link.Type == s5066.LinkReserved && next.link.Remote == old.link.Remote &&
		next.rank == old.rank && next.link.Priority == old.link.Priority {
		return s5066.LinkAlreadyExists
	}
	return s5066.LinkPrecedence
}

// give ends a link for one that goes before it. Where that is with the same node, the new request says it all.
func (h *Hard) give(now time.Time, old *hard, to s5066.Address) {
	h.link = nil
	switch {
	case old.link.Remote == to:
		if old.phase == Up {
			h.tellEnd(old, s5066.LinkEndPreempted)
		} else if old.caller {
			h.tell(Refused{old.own, s5066.LinkPrecedence, old.link})
		}
	case old.phase == Asking:
		h.say(old.link.Remote, LinkReject{s5066.LinkPrecedence})
		h.linger(now, old.link.Remote)
	case old.phase == Up:
		h.tellEnd(old, s5066.LinkEndPreempted)
		h.end(now, old.link.Remote, EndPreempted, nil)
	case old.phase == Requested:
		h.tell(Refused{old.own, s5066.LinkPrecedence, old.link})
		h.end(now, old.link.Remote, EndPreempted, nil)
	default:
		h.tell(Refused{old.own, s5066.LinkPrecedence, old.link})
		h.tell(Drop{old.link.Remote})
	}
}

// Made says that the exclusive physical link is there.
func (h *Hard) Made(now time.Time, remote s5066.Address) []HardEvent {
	if l := h.link; l != nil && l.phase == Calling && l.link.Remote == remote {
		l.phase, l.until = Requested, now.Add(h.cfg.Answer)
		sap := s5066.SAP(0)
		if l.link.Type == s5066.LinkFull {
			sap = l.link.SAP
		}
		h.say(remote, LinkRequest{l.link.Type, l.link.Priority, l.own, sap})
	}
	return h.events()
}

// Failed says that there will be none, because of the other node or its silence.
func (h *Hard) Failed(remote s5066.Address, why s5066.LinkReason) []HardEvent {
	if l := h.link; l != nil && l.phase == Calling && l.link.Remote == remote {
		h.link = nil
		h.tell(Refused{l.own, why, l.link})
	}
	return h.events()
}

// Terminate is the wish of a client to end its link: the one that asked for it, or either client of a full link. Others are not heard.
func (h *Hard) Terminate(now time.Time, own s5066.SAP, remote s5066.Address) []HardEvent {
	if l := h.link; l != nil && l.link.Remote == remote && l.own == own && (l.caller || l.link.Type == s5066.LinkFull && l.phase == Up) {
		h.stop(now, EndRequested)
	}
	return h.events()
}

// stop ends the present link from this end. The client hears of it only if the other node does not answer.
func (h *Hard) stop(now time.Time, why EndReason) {
	l := h.link
	h.link = nil
	if l.phase == Calling {
		h.tell(Drop{l.link.Remote})
		return
	}
	h.end(now, l.link.Remote, why, &Ended{l.own, s5066.LinkEndNoAnswer, l.link})
}

// Unbound says that a client has gone.
func (h *Hard) Unbound(now time.Time, own s5066.SAP) []HardEvent {
	l := h.link
	switch {
	case l == nil || l.own != own || !l.caller && l.link.Type != s5066.LinkFull:
	case l.phase == Asking:
		h.link = nil
		h.say(l.link.Remote, LinkReject{s5066.LinkNoSAP})
		h.linger(now, l.link.Remote)
	case l.caller:
		h.stop(now, EndRequested)
	default:
		h.stop(now, EndNoSAP)
	}
	return h.events()
}
