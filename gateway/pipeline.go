package gateway

import (
	"context"
	"errors"
	"sync"

	"go.uber.org/zap"

	"sallyport/gateway/audit"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/peering"
)

var errNoLink = errors.New("the link it was released for is gone")

var _ links.Sink = (*Gateway)(nil)

// Accept takes one stanza the whole way to the audit log. It is called by the reader of
// the link and may block: on a full queue of the destination, or of the audit log.
func (g *Gateway) Accept(ctx context.Context, in links.Inbound) {
	if !in.Frame.IsZero() {
		g.depot.accept(ctx, in)
		return
	}
	g.depot.heard(in.Peer, in.Stanza)
	g.counters.Accepted.Add(1)
	g.counters.Deciding.Add(1)
	g.peer(in.Peer).In.Add(1)
	f := g.flights.get(g, &in)
	a := arrivals.Get().(*peering.Arrival)
	g.arrival(&in, a)
	g.decide(f, a)
	g.home.ask(f)
	g.reserve(ctx, f, a)
	g.record(f, a)
	*a = peering.Arrival{}
	arrivals.Put(a)
}

// arrivals is a free list. What it hands out is empty, and nobody keeps an arrival: verdict, record and spool have copies.
var arrivals = sync.Pool{New: func() any { return new(peering.Arrival) }}

// decide brings the facts together and judges.
func (g *Gateway) decide(f *flight, a *peering.Arrival) {
	if m := f.in.Malformed; m != nil {
		f.verdict = g.engine.RefuseMalformed(a, m, malformedReason(m))
		return
	}
	g.home.heard(&f.in)
	f.claim = g.conversations.lookup(f.in.Stanza, f.in.Time, &a.Facts)
	g.judge(a, &f.verdict)
}

// arrival fills an empty one.
func (g *Gateway) arrival(in *links.Inbound, a *peering.Arrival) {
	a.Stanza, a.Link, a.Peer, a.Proof = in.Stanza, in.Link, in.Peer, in.Proof
	a.Domain, a.LocalDomain = in.Domain, in.LocalDomain
	a.Time, a.Bytes = in.Time, in.Bytes
	a.Node, a.Serial = g.node, g.counters.serial.Add(1)
}

// judge brings the facts that only this node knows and asks the active policy, one and
// the same for facts and verdict.
func (g *Gateway) judge(a *peering.Arrival, v *peering.Verdict) {
	p := g.engine.Policy()
	if p == nil {
		*v = g.engine.Judge(a) // refuses
		return
	}
	if p.ReissuesIDs() && a.Stanza.IsRequest() {
		a.Facts.FreshID = g.freshID()
	}
	g.people.fill(a)
	g.outsiders.fill(p, a)
	p.FillClearances(a)
	g.rates.judge(p, a, v)
}

func malformedReason(m *stanza.Malformed) peering.Reason {
	if m.TooBig {
		return peering.Oversize
	}
	return peering.BadStanza
}

// reserve takes room in the queue of the destination, or of the sender for the error that
// he will get. Without room for a release, the stanza is bounced. What is answered here needs none.
func (g *Gateway) reserve(ctx context.Context, f *flight, a *peering.Arrival) {
	r, ok := f.verdict.Released()
	if !ok || f.home != nil {
		return
	}
	if g.depot.keeps(r.Peer()) {
		g.depot.admit(ctx, f, a, &r)
		return
	}
	out := g.outlet(r.Link())
	if out == nil {
		f.cause = peering.Undelivered
		return
	}
	if err := out.Reserve(ctx, r.Local(), r.Remote(), f.in.Bytes); err != nil {
		f.cause = noRoom(err)
		if times, ok := g.throttle.Allow(g.now(), "no room for "+r.Peer()); ok {
			g.log.Warn("no room for stanzas, they are bounced", zap.String("peer", r.Peer()),
				zap.String("remote", r.Remote().ShowDomain()), zap.Uint32("times", times), zap.Error(err))
		}
	}
}

// noRoom is what the sender is told when there was no room: only who waited in vain for
// a full queue is told to wait longer.
func noRoom(err error) peering.Cause {
	if errors.Is(err, context.DeadlineExceeded) {
		return peering.Overloaded
	}
	return undelivered(err)
}

// record writes the decision down. What happens next happens in flight.Durable.
func (g *Gateway) record(f *flight, a *peering.Arrival) {
	rec := audit.Record{Kind: audit.Decision}
	g.describe(&rec, f, a)
	if _, err := g.audit.Append(&rec, f, 0); err != nil {
		f.Durable(0, 0, err)
	}
}

// answer tells the sender what his stanza became, if he may be told, and lands the flight.
func (g *Gateway) answer(f *flight, cause peering.Cause) {
	if cause == peering.ByVerdict {
		g.countRefusal(&f.verdict)
	}
	reply, ok := g.replyTo(f, cause)
	switch {
	case ok && g.depot.keeps(reply.Peer()):
		g.depot.answer(f, &reply)
	case f.mark != nil:
		g.depot.refused(f)
	case ok:
		g.replies.send(reply, f.land)
	default:
		f.land()
	}
}

// replyTo makes the error for the sender of a flight.
func (g *Gateway) replyTo(f *flight, cause peering.Cause) (peering.Released, bool) {
	if cause == peering.Declined {
		return g.engine.ReplyDeclined(&f.verdict, f.declined)
	}
	return g.engine.ReplyTold(&f.verdict, cause, sentenceFor(cause))
}

// sentenceFor is what the sender reads of a stanza that waited in no spool. Where it only says what its condition says, there is none.
func sentenceFor(c peering.Cause) peering.Told {
	switch c {
	case peering.Expired:
		return peering.ToldExpired
	case peering.Doubtful:
		return peering.ToldUncertain
	case peering.Overloaded:
		return peering.ToldNoRoom
	case peering.TooBig:
		return peering.ToldTooBig
	case peering.ByVerdict, peering.Undelivered, peering.AuditDown, peering.Unroutable, peering.Declined:
	}
	return peering.ToldNothing
}
