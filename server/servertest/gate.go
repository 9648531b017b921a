package servertest

import (
	"context"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
	"sallyport/server"
)

// Gate is a server.Gate for those who only ask MayRead.
type Gate struct {
	// Hide says which messages a reader may not read; nil: none.
	Hide func(message stanza.Stanza, reader jid.JID) bool
}

var _ server.Gate = (*Gate)(nil)

// Submit is server.Gate: it goes nowhere.
func (g *Gate) Submit(_ context.Context, _ stanza.Stanza, _ int, done func()) { done() }

// Release is server.Gate: it releases nothing.
func (g *Gate) Release(stanza.Stanza) (peering.Released, error) { return peering.Released{}, ErrHidden }

// Refusal is server.Gate: there is none.
func (g *Gate) Refusal(stanza.Stanza, stanza.Condition) (peering.Released, bool) {
	return peering.Released{}, false
}

// MaySend is server.Gate: everything would be released.
func (g *Gate) MaySend(stanza.Stanza) bool { return true }

// MayRead is server.Gate.
func (g *Gate) MayRead(message stanza.Stanza, reader jid.JID) bool {
	return g.Hide == nil || !g.Hide(message, reader)
}
