package spdu

import (
	"time"

	"sallyport/s5066"
)

// HardConfig is what an operator decides of hard links.
type HardConfig struct {
	Own         s5066.Address
	DefaultRank s5066.Rank    // of another node's client in links of types 0 and 1, and of a full link whose SAP is not told
	Answer      time.Duration // that another node has for an S_PDU
	Client      time.Duration // that a client has for S_HARD_LINK_INDICATION
	// Bound tells the rank of the client of a SAP, and whether there is one.
	Bound func(s5066.SAP) (s5066.Rank, bool)
}

// HardEvent is what a Hard wants: one of the types below.
type HardEvent interface{ hardEvent() }

// Call asks for an exclusive physical link.
type Call struct{ Remote s5066.Address }

// Drop asks to break it.
type Drop struct{ Remote s5066.Address }

// Say is an S_PDU for expedited ARQ.
type Say struct {
	Remote s5066.Address
	PDU    PDU
}

// Established, Refused, Ended and Asked are for the client of a SAP.
type Established struct {
	SAP  s5066.SAP
	Link s5066.HardLink
}

// Refused says why there is no hard link.
type Refused struct {
	SAP    s5066.SAP
	Reason s5066.LinkReason
	Link   s5066.HardLink
}

// Ended says why there is none any more.
type Ended struct {
	SAP    s5066.SAP
	Reason s5066.LinkEnd
	Link   s5066.HardLink
}

// Asked wants a client to accept or refuse a full link.
type Asked struct {
	SAP  s5066.SAP
	Link s5066.HardLink
}

func (Call) hardEvent()        {}
func (Drop) hardEvent()        {}
func (Say) hardEvent()         {}
func (Established) hardEvent() {}
func (Refused) hardEvent()     {}
func (Ended) hardEvent()       {}
func (Asked) hardEvent()       {}

// Phase is how far a hard link is.
type Phase uint8

// The phases there are.
const (
	NoLink Phase = iota
	Calling
	Requested // S_PDU type 3 is under way
	Asking    // this node's client is to decide
	Up
)

// String is the phase as operators read it.
func (p Phase) String() string {
	return [...]string{"none", "calling", "requested", "asking client", "up"}[p%5]
}

// hard is a hard link of this node, or one being made. The link is seen from this node: its SAP is the other client's.
type hard struct {
	phase  Phase
	caller bool
	own    s5066.SAP // the requesting client here, or the one that a full link is for
	rank   s5066.Rank
	link   s5066.HardLink
	until  time.Time
}

func (h *hard) claim() claim {
	return claim{h.rank, h.link.Priority, h.link.Type, h.link.Remote}
}

// ending is a physical link that goes when the other node has answered, or not.
type ending struct {
	remote s5066.Address
	until  time.Time
	tell   *Ended // to the client that asked, if there is no answer
}

// maxEnding bounds how many links end at once; beyond, the oldest is dropped without waiting.
const maxEnding = 4

// Hard is the hard link procedure of a node (A.11): one hard link at most. One goroutine owns it.
type Hard struct {
	cfg    HardConfig
	link   *hard
	ending []ending
	out    []HardEvent
}

// NewHard makes a procedure without a link.
func NewHard(cfg HardConfig) *Hard { return &Hard{cfg: cfg} }

// Status tells the present link and how far it is; NoLink without one.
func (h *Hard) Status() (s5066.HardLink, Phase) {
	if h.link == nil {
		return s5066.HardLink{}, NoLink
	}
	return h.link.link, h.link.phase
}

// Allows reports whether data between a client of this node and one of the remote may be keyed now. Without a hard link it may. While one is
// made nothing is.
func (h *Hard) Allows(own s5066.SAP, remote s5066.Address, other s5066.SAP) bool {
	l := h.link
	switch {
	case l == nil:
		return true
	case l.phase != Up || remote != l.link.Remote:
		return false
	case l.link.Type == s5066.LinkReserved:
		return true
	case l.link.Type == s5066.LinkPartial:
		return l.caller && own == l.own || !l.caller && other == l.link.SAP
	}
	return own == l.own && other == l.link.SAP
}

// Deadline is when Tick has something to do.
func (h *Hard) Deadline() (first time.Time, ok bool) {
	if h.link != nil && h.link.waits() {
		first, ok = h.link.until, true
	}
	for _, e := range h.ending {
		if !ok || e.until.Before(first) {
			first, ok = e.until, true
		}
	}
	return first, ok
}

// waits reports whether the phase has an end of its own. A call has not: the channel access sublayer says how it ends.
func (l *hard) waits() bool { return l.phase == Requested || l.phase == Asking }

// Tick ends what was not answered in time.
func (h *Hard) Tick(now time.Time) []HardEvent {
	if l := h.link; l != nil && l.waits() && !now.Before(l.until) {
		switch l.phase {
		case Asking:
			h.say(l.link.Remote, LinkReject{s5066.LinkBusy})
			h.linger(now, l.link.Remote)
		default:
			h.tell(Refused{l.own, s5066.LinkNoAnswer, l.link})
			h.tell(Drop{l.link.Remote})
		}
		h.link = nil
	}
	for i := 0; i < len(h.ending); {
		if e := h.ending[i]; !now.Before(e.until) {
			h.finish(i, true)
			continue
		}
		i++
	}
	return h.events()
}

// Broken says that the physical link with a remote is gone.
func (h *Hard) Broken(remote s5066.Address) []HardEvent {
	h.ended(remote)
	if l := h.link; l != nil && l.link.Remote == remote {
		h.link = nil
		switch {
		case l.caller && l.phase != Up:
			h.tell(Refused{l.own, s5066.LinkNoAnswer, l.link})
		case l.phase == Up:
			h.tellEnd(l, s5066.LinkEndBroken)
		}
	}
	return h.events()
}

// tellEnd tells who has to know: the requesting client, and for a full link the called one.
func (h *Hard) tellEnd(l *hard, why s5066.LinkEnd) {
	if l.caller || l.link.Type == s5066.LinkFull {
		h.tell(Ended{l.own, why, l.link})
	}
}

func (h *Hard) tell(e HardEvent) { h.out = append(h.out, e) }

func (h *Hard) say(remote s5066.Address, p PDU) { h.tell(Say{remote, p}) }

func (h *Hard) events() []HardEvent {
	out := h.out
	h.out = nil
	return out
}

// end says type 6 and lets the physical link go when it is answered.
func (h *Hard) end(now time.Time, remote s5066.Address, why EndReason, tell *Ended) {
	h.say(remote, LinkEnd{why})
	h.leave(ending{remote, now.Add(h.cfg.Answer), tell})
}

// linger waits for the other node to break the physical link.
func (h *Hard) linger(now time.Time, remote s5066.Address) {
	h.leave(ending{remote: remote, until: now.Add(h.cfg.Answer)})
}

func (h *Hard) leave(e ending) {
	h.ended(e.remote)
	if len(h.ending) >= maxEnding {
		h.finish(0, true)
	}
	h.ending = append(h.ending, e)
}

// ended forgets that a remote's link is ending.
func (h *Hard) ended(remote s5066.Address) {
	for i := range h.ending {
		if h.ending[i].remote == remote {
			h.ending = append(h.ending[:i], h.ending[i+1:]...)
			return
		}
	}
}

// finish breaks the physical link of an ending.
func (h *Hard) finish(i int, silent bool) {
	e := h.ending[i]
	h.ending = append(h.ending[:i], h.ending[i+1:]...)
	if silent && e.tell != nil {
		h.tell(*e.tell)
	}
	if h.link == nil || h.link.link.Remote != e.remote {
		h.tell(Drop{e.remote})
	}
}
