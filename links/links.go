package links

import (
	"context"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// Sink takes what a link received. It is called by the goroutine that reads the stream, in stream order; it may block, and that is
// the back-pressure the neighbour feels. It must return when ctx ends.
type Sink interface {
	Accept(ctx context.Context, in Inbound)
}

// Inbound is one stanza as it came in, with everything the link can prove about where it came from.
type Inbound struct {
	// Stanza is zero when Malformed is set.
	Stanza stanza.Stanza
	// Malformed is an oversized or badly addressed stanza that is to be refused with a record and answered; it never costs the link.
	Malformed *stanza.Malformed
	// Bytes counts the stanza's bytes on the wire.
	Bytes int
	// Link and Side name the link and the side of the boundary, Peer the configured peer that was authenticated.
	Link, Side, Peer string
	// Domain (remote) and LocalDomain are the pair that was proven on the stream for this direction.
	Domain, LocalDomain jid.JID
	// Proof says how the pair was proven, for the peer's security floor.
	Proof peering.Proof
	// Time is when the stanza had been read whole.
	Time time.Time
	// Receipt is told once when responsibility for this stanza has ended or passed on. It is nil when nobody waits for it.
	Receipt Receipt
	// Seq is what Receipt wants to hear.
	Seq uint64
	// Also are the other recipients of one message of a room that came once for all of them (links/fanout), each of whom is judged for
	// himself. Only neighbours that keep custody send any; all are settled together.
	Also []jid.JID
	// Frame is the custody framing it came in; the zero value where the neighbour does not frame.
	Frame Frame
}

// Settle tells the receipt, if there is one, that responsibility for the stanza has ended or passed on.
func (in *Inbound) Settle() {
	if in.Receipt != nil {
		in.Receipt.Settled(in.Seq)
	}
}

// Receipt is told once per Inbound that responsibility for it has ended or passed on (durably queued, or refused with a record); the
// link may then acknowledge it. Calls may come from any goroutine and in any order; the link acknowledges in stream order
// (XEP-0198 h). It never blocks.
type Receipt interface {
	Settled(seq uint64)
}

// Outlet delivers.
type Outlet interface {
	// Reserve waits, for half a minute at most, until the queue of the pair has room for one stanza of that many bytes and takes the room. An error means that
	// the stanza must be bounced: ErrTooBig, ErrNoRoute, ErrClosed, or the context's.
	Reserve(ctx context.Context, local, remote jid.JID, bytes int) error
	// Deliver never blocks: the room was reserved before. Exactly one Report follows, sooner or later, also for what is refused
	// because the Released is the zero value or names another link.
	Deliver(c Consignment)
}

// Consignment is one released stanza on its way out.
type Consignment struct {
	Released peering.Released
	// Written may hold what the element of Released looks like on the wire, so that it is not written twice. It counts for
	// that element only, and until Report.
	Written *xmlstream.Written
	// Also are the copies for others that cross with it, as a list of recipients (links/fanout): each released for the same link, and
	// equal but for to. Only links with custody take any.
	Also []peering.Released
	// Token is the deliverer's own word for it, given back in Report.
	Token    uint64
	Reporter Reporter
	// Frame is the custody framing to send it in; the zero value on links without custody.
	Frame Frame
	// Lane is the class of precedence, below Lanes, for links that have no frame to say it and can put first what is more urgent.
	Lane uint8
	// Turn is the link's turn under which it was taken from its queue; see Turns. Without custody it means nothing.
	Turn uint64
}

// Reporter hears what became of a consignment. Report is called exactly once per Deliver, from a goroutine of the link, and must not
// block; the calls for one pair come in order of delivery where the dispositions are equal.
type Reporter interface {
	Report(token uint64, d Disposition, cause error)
}
