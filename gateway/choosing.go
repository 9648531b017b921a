package gateway

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/stanza"
	"sallyport/labels/catalogue"
	"sallyport/peering"
	"sallyport/server"
	"sallyport/server/account"
)

// nsLabels is announced by a server that labels count on (XEP-0258 §2).
const nsLabels = "urn:xmpp:sec-label:0"

// catalogues tells people which labels they may choose (XEP-0258 §4): those of their own catalogue, or that of everybody, that the
// policy would let through to whom they want to write. Nobody else is told any.
func (c *clients) catalogues() server.Feature {
	announced := []string{nsLabels, catalogue.NS}
	f := server.Feature{Name: "label catalogues", ServerFeatures: announced, AccountFeatures: announced}
	f.IQ = []server.IQRoute{{
		Space: catalogue.NS, Local: "catalog", At: []server.Target{server.AtServer, server.AtAccount},
		Handle: func(_ context.Context, q *server.Request) server.Answer { return c.choices(q) },
	}}
	return f
}

func (c *clients) choices(q *server.Request) server.Answer {
	if !q.Local {
		return server.Answer{Condition: stanza.NotAllowed}
	}
	asked, err := catalogue.ParseRequest(q.Stanza)
	if bad := (*catalogue.RequestError)(nil); errors.As(err, &bad) {
		return server.Answer{Condition: bad.Condition}
	}
	to := asked.To
	g := c.g
	from := g.people.person(q.From.Bare(), g.now())
	if from.err != nil && !errors.Is(from.err, account.ErrNotFound) {
		return server.Answer{Condition: stanza.InternalServerError, Text: "the server does not know who you are just now"}
	}
	offered := g.people.labels.Load().Catalogues[from.catalogue]
	if from.err != nil || offered == nil {
		return server.Answer{Condition: stanza.ItemNotFound, Text: "there is no catalogue of labels"}
	}
	policy := g.engine.Policy()
	ask := peering.ChoiceQuestion{From: peerLocal, To: peerLocal, Sender: q.From, Recipient: to, At: g.now()}
	if !to.IsZero() {
		holder := policy.Holding(to.DomainJID())
		if holder == nil {
			return server.Answer{Condition: stanza.ItemNotFound}
		}
		ask.To, ask.RecipientFact = holder.Name, g.people.clearance(to, g.now())
	}
	ask.SenderFact = g.people.clearance(q.From, g.now())
	left, err := policy.Choices(offered, ask)
	if err != nil { // no pair, or nothing is exchanged with it
		return server.Answer{Condition: stanza.Forbidden}
	}
	as := policy.Writing(peerLocal)
	as.To, as.Node, as.At = to, asked.Node, g.now()
	e, err := left.Element(as)
	if err != nil {
		g.log.Warn("a catalogue of labels cannot be written", zap.Error(err))
		return server.Answer{Condition: stanza.InternalServerError}
	}
	return server.Answer{Payload: e}
}
