package node

import (
	"time"

	"sallyport/s5066"
	"sallyport/s5066/cas"
	"sallyport/s5066/dts"
	"sallyport/s5066/spdu"
)

// fromCAS does what channel access says.
func (n *Node) fromCAS(events []cas.Event) {
	for _, e := range events {
		switch e := e.(type) {
		case cas.Say:
			n.control(e)
		case cas.Unsay:
			n.dts.Withdraw(e.ID | controlID)
		case cas.Made:
			n.made(e)
		case cas.Failed:
			n.failed(e)
		case cas.Broken:
			n.broken(e)
		case cas.Kept:
			n.soft.Made(n.now, e.Remote, e.Called)
		case cas.Refused:
			n.stats.Refused++
			n.tell(Event{Kind: LinkRefused, Remote: e.Remote, Text: e.Reason.String()})
		}
	}
}

// control sends link control. What has not been keyed while its answer is awaited is stale.
func (n *Node) control(e cas.Say) {
	life, priority := 2*n.cfg.exchange(), s5066.Priority(15)
	if p, err := cas.Parse(e.CPDU); err == nil && (p.Type == cas.Request || p.Type == cas.Break) {
		life, priority = cas.DefaultPatience, 14 // answers first: somebody waits for them
	}
	err := n.dts.Send(n.now, dts.Request{
		ID: e.ID | controlID, Remote: e.Remote, Mode: dts.ExpeditedNonARQ, Priority: priority, CPDU: e.CPDU, Lifetime: life, Unordered: true,
	})
	if err != nil {
		n.cas.Sent(n.now, e.ID)
	}
}

// made begins a link with fresh windows. What was under way on the one before comes back, as far as the other node cannot have had it.
func (n *Node) made(e cas.Made) {
	if e.Again {
		n.fromDTS(n.dts.Disconnect(n.now, e.Remote))
		n.fromHard(n.hard.Broken(e.Remote))
	}
	events, err := n.dts.Connect(n.now, e.Remote)
	n.fromDTS(events)
	if err != nil {
		n.tell(Event{Kind: LinkFailed, Remote: e.Remote, Err: err})
		n.fromCAS(n.cas.Break(n.now, e.Remote, cas.BreakUnknown))
		return
	}
	delete(n.pauses, e.Remote)
	n.tell(Event{Kind: LinkUp, Remote: e.Remote, Text: linkText(e.Exclusive, e.Called, e.Again)})
	n.soft.Ended(e.Remote)
	switch {
	case !e.Exclusive:
		n.soft.Made(n.now, e.Remote, e.Called)
	case !e.Called:
		n.fromHard(n.hard.Made(n.now, e.Remote))
	}
}

func linkText(exclusive, called, again bool) string {
	text := "nonexclusive"
	if exclusive {
		text = "exclusive"
	}
	if called {
		text += ", called"
	}
	if again {
		text += ", made again"
	}
	return text
}

func (n *Node) failed(e cas.Failed) {
	text := e.Reason.String()
	if e.Silent {
		text = "no answer"
	}
	n.tell(Event{Kind: LinkFailed, Remote: e.Remote, Text: text})
	if e.Exclusive {
		n.fromHard(n.hard.Failed(e.Remote, hardReason(e)))
		return
	}
	if n.cas.Phase(e.Remote) != 0 {
		return // another kind of link is being made
	}
	switch {
	case !e.Silent && (e.Reason == cas.RejectPriority || e.Reason == cas.RejectExclusive):
		n.pauses[e.Remote] = n.now.Add(retryPause + n.wait(n.cfg.Slots))
	case n.cfg.EMCON || !n.air.there: // nobody could have heard the call
	default:
		n.rejectAll(e.Remote, spdu.NoAnswer)
	}
}

func hardReason(e cas.Failed) s5066.LinkReason {
	switch {
	case e.Silent:
		return s5066.LinkNoAnswer
	case e.Reason == cas.RejectExclusive || e.Reason == cas.RejectPriority:
		return s5066.LinkPrecedence
	}
	return s5066.LinkBusy
}

func (n *Node) broken(e cas.Broken) {
	text := e.Reason.String()
	switch {
	case e.Silent:
		text = "the other node is silent, or knows of no link"
	case e.Remotely:
		text = "by the other node: " + text
	}
	n.tell(Event{Kind: LinkDown, Remote: e.Remote, Text: text})
	n.unlinked(e)
	n.soft.Ended(e.Remote)
	n.fromDTS(n.dts.Disconnect(n.now, e.Remote))
	n.fromHard(n.hard.Broken(e.Remote))
}

// quiet is when it has been so still for so long that nobody can be about to repeat what this node did not understand.
func (n *Node) quiet() time.Time {
	t := n.cfg.Timing()
	return n.air.used.Add(2 * (t.Duration(controlBytes) + t.Latency() + time.Duration(n.cfg.Slots)*n.cfg.slot()))
}

// idle ends the soft links that are not used any more.
func (n *Node) idle() {
	if n.air.carrier.On || n.now.Before(n.quiet()) {
		return
	}
	for _, a := range n.soft.Due(n.now) {
		n.soft.Ended(a)
		n.fromCAS(n.cas.Finish(n.now, a))
	}
}

// fromDTS does what the data transfer sublayer says.
func (n *Node) fromDTS(events []dts.Event) {
	for _, e := range events {
		switch e := e.(type) {
		case dts.Delivered:
			n.delivered(e)
		case dts.Confirmed:
			n.confirmed(e.ID)
		case dts.Rejected:
			n.rejected(e)
		case dts.Broadcast:
			n.broadcast(e.ID)
		case dts.LinkLost:
			n.fromCAS(n.cas.Lost(e.Remote))
		case dts.RateChange:
			n.changeRate(e)
		case dts.Managed:
			n.wired(e)
		case dts.ManagementDone:
			n.acknowledged(e)
		case dts.Warned:
			n.stats.Warned++
			n.tell(Event{Kind: Warning, Remote: e.From, Text: e.Complaint.Cause.String()})
		case dts.WindowsReset:
			n.stats.Resets++
		case dts.RateAdvice, dts.Unconnected:
		}
	}
}

func (n *Node) changeRate(e dts.RateChange) {
	w, ok := n.cfg.Waveform.WithRate(e.Rate)
	if !ok {
		return
	}
	n.cfg.Waveform = w
	n.retime()
	n.tell(Event{Kind: RateChanged, Remote: e.Remote, Text: w.String()})
	n.agreed(e)
}
