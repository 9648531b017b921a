package gateway

import (
	"slices"

	"go.uber.org/zap"

	"sallyport/gateway/audit"
	"sallyport/gateway/delivery"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
)

// requested begins the time in which a request is to be answered that was delivered over such a link.
func (g *Gateway) requested(request stanza.Stanza, over links.Profile) {
	now := g.now()
	g.conversations.sent(request, delivery.AnswerBy(over, now, 0))
}

// requested begins that time for an entry of the spool, over the link that it went by.
func (x *dispatcher) requested(h *heldEntry) {
	if h == nil || !h.released.Stanza().IsRequest() {
		return
	}
	var over links.Profile
	if at := slices.Index(x.plan.names, h.released.Link()); at >= 0 {
		over = x.plan.bearers[at].profile()
	}
	x.d.g.requested(h.released.Stanza(), over)
}

// lateness says from when on something that waited is marked as late.
func (g *Gateway) lateness() delivery.Options {
	after := g.active().Spool.DelayAfter
	if after == 0 {
		after = -1 // never
	}
	return delivery.Options{After: after}
}

// unanswered is one requester who is told that no answer came: first the record, then he.
type unanswered struct {
	g *Gateway
	a *awaited
}

var _ audit.Committed = unanswered{}

// tellUnanswered tells requesters that no answer came in time. When the node stops, nobody is told any more.
func (g *Gateway) tellUnanswered(late []*awaited) {
	for _, a := range late {
		if a.tell == nil {
			continue
		}
		g.counters.setOff.Add(1) // before the question whether the node stops, which waits for all that is in the air
		u := unanswered{g, a}
		if g.stopping.Load() {
			u.done()
			continue
		}
		from, to := a.tell.Addresses()
		rec := audit.Record{
			Kind: audit.Settlement, Of: a.seq, Outcome: delivery.NoAnswer.String(), Ref: a.tell.Ref(), FromPeer: a.tell.FromPeer(),
			ToPeer: a.tell.ToPeer(), From: from.String(), To: to.String(), StanzaKind: stanza.IQ.String(), Time: g.now(), Node: g.node,
		}
		if _, err := g.audit.Append(&rec, u, 0); err != nil {
			u.Durable(0, 0, err)
		}
	}
}

func (u unanswered) done() { u.g.counters.landed.Add(1) }

// Durable implements audit.Committed.
func (u unanswered) Durable(_, _ uint64, err error) {
	g := u.g
	if err != nil {
		g.auditDown(err)
		u.done()
		return
	}
	g.counters.Unanswered.Add(1)
	reply, ok := g.engine.NoAnswer(u.a.tell)
	switch {
	case !ok:
		u.done()
	case g.depot.keeps(reply.Peer()):
		g.depot.keepReply(&reply, nil, nil, func(err error) {
			if err != nil {
				g.counters.RepliesLost.Add(1)
				g.log.Warn("a requester could not be told that no answer came", zap.String("peer", reply.Peer()), zap.Error(err))
			}
			u.done()
		})
	default:
		g.replies.send(reply, u.done)
	}
}
