package node

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/cas"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
	"sallyport/s5066/manage"
	"sallyport/s5066/modem"
	"sallyport/s5066/sis"
)

// ErrOrder is wrapped by the errors of what an operator orders and this node does not do.
var ErrOrder = errors.New("not done")

// Asked is something that another node was asked for by order, and what came of it.
type Asked struct {
	ID     uint64 // of this life of the node
	Remote s5066.Address
	What   string
	Since  time.Time
	Ended  time.Time // zero: no answer yet
	OK     bool
	Why    string // of a refusal

	eow     dpdu.EOW // what was asked; a RateRequest ends as rates do
	rate    int
	client  sis.ClientID
	request uint64 // its number there
}

// maxAsked is how many of these are remembered, and how many can be without an answer.
const maxAsked = 16

// management is what managers and operators have ordered.
type management struct {
	last     uint64
	asked    []Asked
	watchers map[sis.ClientID]bool
}

// AskRate asks the other node of a link to agree on another data rate. What comes of it is in Status.Asked, and an Event. Errors wrap ErrOrder.
func (n *Node) AskRate(now time.Time, remote s5066.Address, rate int) (id uint64, err error) {
	n.enter(now)
	defer n.settle()
	return n.askRate(remote, rate, 0, 0)
}

// SendEOW says a message in the order wire, acknowledged by the other node; it needs no link. What comes of it is in Status.Asked, and an Event.
// Errors wrap ErrOrder.
func (n *Node) SendEOW(now time.Time, remote s5066.Address, eow dpdu.EOW, extended string) (id uint64, err error) {
	n.enter(now)
	defer n.settle()
	return n.sendEOW(remote, eow, extended, 0, 0)
}

func (n *Node) askRate(remote s5066.Address, rate int, client sis.ClientID, request uint64) (uint64, error) {
	if err := n.may(remote); err != nil {
		return 0, err
	}
	if err := n.dts.AskRate(n.now, remote, rate); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrOrder, err)
	}
	return n.remember(Asked{
		Remote: remote, What: fmt.Sprintf("%d bit/s", rate), eow: dpdu.MakeEOW(dpdu.RateRequest, 0), rate: rate, client: client, request: request,
	}), nil
}

func (n *Node) sendEOW(remote s5066.Address, eow dpdu.EOW, extended string, client sis.ClientID, request uint64) (uint64, error) {
	if err := n.may(remote); err != nil {
		return 0, err
	}
	if eow.Type() == dpdu.RateRequest || eow.Type() == dpdu.RateResponse {
		return 0, fmt.Errorf("%w: data rates are agreed on by a procedure, not by a message", ErrOrder)
	}
	if err := n.dts.Manage(n.now, remote, eow, extended); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrOrder, err)
	}
	return n.remember(Asked{Remote: remote, What: wireText(eow, extended), eow: eow, client: client, request: request}), nil
}

// may reports why another node cannot be asked.
func (n *Node) may(remote s5066.Address) error {
	open := 0
	for i := range n.managed.asked {
		if n.managed.asked[i].Ended.IsZero() {
			open++
		}
	}
	switch {
	case !n.cfg.Permits(remote):
		return fmt.Errorf("%w: %s is none of the permitted nodes", ErrOrder, remote)
	case n.cfg.EMCON:
		return fmt.Errorf("%w: radio silence, this node keys nothing", ErrOrder)
	case !n.air.there:
		return fmt.Errorf("%w: there is no modem", ErrOrder)
	case open >= maxAsked:
		return fmt.Errorf("%w: %d questions are without an answer", ErrOrder, open)
	}
	return nil
}

func (n *Node) remember(a Asked) uint64 {
	m := &n.managed
	m.last++
	a.ID, a.Since = m.last, n.now
	if len(m.asked) >= maxAsked {
		if i := slices.IndexFunc(m.asked, func(a Asked) bool { return !a.Ended.IsZero() }); i >= 0 {
			m.asked = slices.Delete(m.asked, i, i+1)
		}
	}
	m.asked = append(m.asked, a)
	return a.ID
}

// wireText is a message of the order wire in words.
func wireText(eow dpdu.EOW, extended string) string {
	text := "order wire: " + eow.String()
	if extended != "" {
		text += fmt.Sprintf(", extended %x", extended)
	}
	return text
}

// wired is a type 6 D_PDU of another node (C.12); a refusal ends what it refuses.
func (n *Node) wired(e dts.Managed) {
	n.tell(Event{Kind: Management, Remote: e.From, Text: wireText(e.EOW, e.Extended)})
	if e.EOW.Type() == dpdu.RateResponse && e.EOW.RateAnswer().Verdict == dpdu.RateRefuse {
		n.answered(e.From, isRate, "the other node refuses: "+refusal(e.EOW.RateAnswer().Reason))
	}
}

// refusal is a reason of C.13 in words.
func refusal(reason uint8) string {
	switch reason {
	case dpdu.RateUnconditional:
		return "no reason given"
	case dpdu.RateMustBeEqual:
		return "both directions must have one rate"
	case dpdu.RateFixed:
		return "it cannot change to that rate, or was asked too often"
	case dpdu.InterleaverFixed:
		return "it cannot change its interleaver"
	case dpdu.RateAndInterleaver:
		return "neither rate nor interleaver can change (rate control is off there)"
	case dpdu.RateUnfit:
		return "that does not fit its local conditions"
	}
	return fmt.Sprintf("reason %d", reason)
}

// acknowledged is the end of a message of ours.
func (n *Node) acknowledged(e dts.ManagementDone) {
	why := ""
	if !e.Acked {
		why = "no answer"
	}
	n.answered(e.Remote, func(eow dpdu.EOW) bool { return eow == e.EOW }, why)
}

// agreed is a rate that both nodes use now; it may be another than the one that was asked for, where both asked.
func (n *Node) agreed(e dts.RateChange) {
	for i := range n.managed.asked {
		if a := &n.managed.asked[i]; a.Remote == e.Remote && a.Ended.IsZero() && isRate(a.eow) && a.rate != e.Rate {
			n.answered(e.Remote, isRate, fmt.Sprintf("%d bit/s were agreed on, which the other node asked for", e.Rate))
			return
		}
	}
	n.answered(e.Remote, isRate, "")
}

func isRate(eow dpdu.EOW) bool { return eow.Type() == dpdu.RateRequest }

// answered ends the oldest question to a node of that kind; an empty why is its yes.
func (n *Node) answered(remote s5066.Address, kind func(dpdu.EOW) bool, why string) {
	for i := range n.managed.asked {
		a := &n.managed.asked[i]
		if a.Remote != remote || !a.Ended.IsZero() || !kind(a.eow) {
			continue
		}
		a.Ended, a.OK, a.Why = n.now, why == "", why
		text := a.What + ": done"
		if why != "" {
			text = a.What + ": " + why
		}
		n.tell(Event{Kind: Management, Remote: remote, Text: text})
		if a.client != 0 {
			n.inform(a.client, manage.NumberAnswer, manage.Answer{ID: a.request, OK: a.OK, Why: why, Text: text})
		}
		return
	}
}

// SetRate changes the rate at which this node transmits, with the interleaver that it has. Others hear it from the waveform, if that tells. Errors wrap
// ErrOrder.
func (n *Node) SetRate(now time.Time, rate int) error {
	n.enter(now)
	defer n.settle()
	return n.ownRate(rate)
}

func (n *Node) ownRate(rate int) error {
	if n.cfg.FixedRate {
		return fmt.Errorf("%w: this modem cannot be told its rate: set it there, write the waveform into the node's file, and start the node again", ErrOrder)
	}
	w, ok := n.cfg.Waveform.WithRate(rate)
	if !ok {
		return fmt.Errorf("%w: waveform %s has no %d bit/s with this interleaver", ErrOrder, n.cfg.Waveform, rate)
	}
	n.useWaveform(w)
	return nil
}

func (n *Node) useWaveform(w modem.Waveform) {
	if w != n.cfg.Waveform {
		n.cfg.Waveform = w
		n.retime()
		n.tell(Event{Kind: RateChanged, Text: w.String()})
	}
}

// unlinked ends what was asked over a link that has ended.
func (n *Node) unlinked(e cas.Broken) {
	n.answered(e.Remote, isRate, "the link has ended before an answer")
}
