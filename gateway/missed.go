package gateway

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/rules"
)

// mayHave reports whether a client that has come back may be given what was released to it before: it waits as long as a session does, and
// the policy, or what the client's account is cleared for, may be another by now. What it may not have goes on waiting, as if it had come
// now (server.Event).
func (c *clients) mayHave(client jid.JID, e *xmlstream.Element) bool {
	s, err := stanza.From(e)
	switch {
	case err != nil:
		return false
	case s.Kind() == stanza.Presence:
		return true
	case !c.gate.MayRead(s, client):
		return false
	}
	// Copies and what was archived come from the account itself: without a label, what is in them has the default of who said it.
	return s.From().Bare() != client.Bare() || c.mayHaveAll(client, e)
}

// mayHaveAll asks for each message that another carries.
func (c *clients) mayHaveAll(client jid.JID, e *xmlstream.Element) bool {
	for inner := range rules.Wrapped(e) {
		m, err := stanza.FromCarried(inner)
		if err != nil || m.Kind() == stanza.Message && !c.gate.MayRead(m, client) {
			return false
		}
	}
	return true
}
