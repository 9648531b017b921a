package gateway

import (
	"context"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/labels/catalogue"
	"sallyport/labels/xep0258"
	"sallyport/peering"
	"sallyport/server"
)

// nsLabels is announced by a server that labels count on (XEP-0258 §3).
const nsLabels = "urn:xmpp:sec-label:0"

// catalogues tells people which labels they may choose (XEP-0258 §5): those of their own catalogue, or that of everybody, that the
// policy would let through to whom they want to write. Nobody else is told any.
func (c *clients) catalogues() server.Feature {
	f := server.Feature{Name: "label catalogues", ServerFeatures: []string{nsLabels, catalogue.NS}}
	f.IQ = []server.IQRoute{{
		Space: catalogue.NS, Local: "catalog", At: []server.Target{server.AtServer, server.AtAccount},
		Handle: func(_ context.Context, q *server.Request) server.Answer { return c.choices(q) },
	}}
	return f
}

func (c *clients) choices(q *server.Request) server.Answer {
	if q.Set || !q.Local {
		return server.Answer{Condition: stanza.NotAllowed}
	}
	text, _ := q.Payload.Attr("to")
	var to jid.JID
	if text != "" {
		var err error
		if to, err = jid.Parse(text); err != nil {
			return server.Answer{Condition: stanza.JIDMalformed}
		}
	}
	g := c.g
	from := g.people.person(q.From.Bare(), g.now())
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
	e, err := left.Element(catalogue.Writing{To: to, Syntax: syntaxOf(policy), At: g.now()})
	if err != nil {
		g.log.Warn("a catalogue of labels cannot be written", zap.Error(err))
		return server.Answer{Condition: stanza.InternalServerError}
	}
	return server.Answer{Payload: e}
}

// syntaxOf is the one in which the users of the server are sent labels.
func syntaxOf(policy *peering.Policy) xep0258.Syntax {
	if p := policy.Peer(peerLocal); p != nil && len(p.LabelSyntaxes) > 0 {
		return p.LabelSyntaxes[0]
	}
	return xep0258.ESS
}
