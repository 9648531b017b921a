package server

import (
	"context"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// Core is what features may ask of the server; *Server is one. Any goroutine may call it.
type Core interface {
	// Tell hands what we say of what is kept here to one connected client (a full address in 'to'), judged by Gate.Release. When
	// it returns nil, the stanza is in that session's queue, before everything that is told or answered later.
	Tell(ctx context.Context, s stanza.Stanza) error
	// Submit gives what an account or a domain of ours says into judgement, for whomever it is.
	Submit(ctx context.Context, s stanza.Stanza)
	// Ask submits a request of an account (bare) or a domain of ours and waits for its answer, a result or an error, as long as
	// ctx lets it. The id of the request is made by Ask.
	Ask(ctx context.Context, request stanza.Stanza) (stanza.Stanza, error)
	// Resources gives the resources of an account that are available; Connected those that have bound, available or not.
	Resources(account jid.JID) []Resource
	Connected(account jid.JID) []Resource
	// Show tells a contact that sees the account's presence what it is now (shown), or that it is unavailable.
	Show(ctx context.Context, account, contact jid.JID, shown bool)
	// SeenBy gives the contacts that see the presence of an account of which somebody is connected, bare and in no order.
	SeenBy(ctx context.Context, account jid.JID) []jid.JID
}
