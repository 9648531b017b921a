package node

import (
	"errors"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/cas"
	"sallyport/s5066/sis"
	"sallyport/s5066/spdu"
)

// Attach takes a new connection of a client. Errors are those of sis.Server.
func (n *Node) Attach(now time.Time) (sis.ClientID, error) {
	n.enter(now)
	return n.sis.Attach(n.now)
}

// Bytes takes what a client sent; in pieces of some KiB.
func (n *Node) Bytes(now time.Time, id sis.ClientID, b []byte) {
	n.enter(now)
	n.tapped(id, false, b)
	n.sis.Bytes(n.now, id, b)
	n.settle()
}

// Closed says that a client's connection has ended.
func (n *Node) Closed(now time.Time, id sis.ClientID) {
	n.enter(now)
	delete(n.taps, id)
	n.sis.Closed(n.now, id)
	n.settle()
}

// Output returns the next bytes to write to a client, and whether its connection is to be closed once there are none left.
func (n *Node) Output(id sis.ClientID) (b []byte, closing bool) {
	b, closing = n.sis.Output(id)
	n.tapped(id, true, b)
	return b, closing
}

// Pending lists the clients for which Output has something to say.
func (n *Node) Pending() []sis.ClientID { return n.sis.Pending() }

// Bindings lists the bound clients by SAP.
func (n *Node) Bindings() []sis.Binding { return n.sis.Bindings() }

func (n *Node) boundRank(sap s5066.SAP) (s5066.Rank, bool) {
	b, ok := n.sis.BoundTo(sap)
	return b.Rank, ok
}

// clients does what clients want. What is told to a client can end it, and that is news again.
func (n *Node) clients() {
	for events := n.sis.Events(); len(events) > 0; events = n.sis.Events() {
		for _, e := range events {
			n.client(e)
		}
	}
}

func (n *Node) client(e sis.ServerEvent) {
	switch e := e.(type) {
	case sis.Bound:
		n.tell(Event{Kind: ClientBound, Client: e.Client, Text: "SAP " + e.SAP.String()})
	case sis.Unbound:
		n.tell(Event{Kind: ClientGone, Client: e.Client, Text: "SAP " + e.SAP.String(), Err: e.Cause})
		n.forget(e.Client)
		n.dismissed(e.Client)
		n.fromHard(n.hard.Unbound(n.now, e.SAP))
	case sis.Unidata:
		n.accept(e)
	case sis.HardLink:
		n.hardWish(e)
	case sis.ManagementRequest:
		n.manager(e)
	case sis.Fault:
		n.stats.Faults++
		n.tell(Event{Kind: ClientFault, Client: e.Client, Err: e.Cause})
	}
}

// hardWish is a hard link primitive of a client.
func (n *Node) hardWish(e sis.HardLink) {
	switch p := e.Primitive.(type) {
	case sis.HardLinkEstablish:
		n.fromHard(n.hard.Establish(n.now, e.SAP, e.Rank, p.Link))
	case sis.HardLinkTerminate:
		n.fromHard(n.hard.Terminate(n.now, e.SAP, p.Remote))
	case sis.HardLinkAccept:
		n.fromHard(n.hard.Accept(e.SAP, p.Link.Remote))
	case sis.HardLinkReject:
		n.fromHard(n.hard.Refuse(n.now, e.SAP, p.Link.Remote))
	}
}

// fromHard does what the hard link procedure wants.
func (n *Node) fromHard(events []spdu.HardEvent) {
	for _, e := range events {
		switch e := e.(type) {
		case spdu.Call:
			n.hardCall(e.Remote)
		case spdu.Drop:
			n.fromCAS(n.cas.Break(n.now, e.Remote, cas.BreakRequested))
		case spdu.Say:
			n.say(e.Remote, e.PDU, true, s5066.Priority(0))
		case spdu.Established:
			n.hardNews(e.SAP, sis.HardLinkEstablished{Status: 1, Link: e.Link}, "established")
		case spdu.Refused:
			n.hardNews(e.SAP, sis.HardLinkRejected{Reason: e.Reason, Link: e.Link}, e.Reason.String())
		case spdu.Ended:
			n.hardNews(e.SAP, sis.HardLinkTerminated{Reason: e.Reason, Link: e.Link}, e.Reason.String())
		case spdu.Asked:
			n.hardNews(e.SAP, sis.HardLinkIndication{Status: 1, Link: e.Link}, "asked for")
		}
	}
}

func (n *Node) hardCall(remote s5066.Address) {
	why := s5066.LinkNoAnswer
	events, err := n.cas.Make(n.now, remote, true)
	n.fromCAS(events)
	if errors.Is(err, cas.ErrFull) {
		why = s5066.LinkPrecedence
	}
	if err != nil {
		n.fromHard(n.hard.Failed(remote, why))
	}
}

func (n *Node) hardNews(sap s5066.SAP, p sis.Primitive, text string) {
	n.tell(Event{Kind: HardLink, Text: "SAP " + sap.String() + ": " + text})
	if b, ok := n.sis.BoundTo(sap); ok {
		_ = n.sis.Tell(n.now, b.Client, p) // who does not read is cut off, and that is an event of its own
	}
}
