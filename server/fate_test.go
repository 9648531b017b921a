package server_test

import (
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
)

// The table of RFC 6121 §8.5, type by type.
func TestWhereStanzasGo(t *testing.T) {
	t.Parallel()
	bare, full, domain, node := jid.MustParse("a@im.example"), jid.MustParse("a@im.example/r"), jid.MustParse("im.example"), jid.MustParse("im.example/x")
	// bare and nobody open, bare and somebody open, full and there, full and not there (nobody open, somebody open), domain, domain/resource,
	// no such account
	for _, row := range []struct {
		typ  stanza.Type
		want [8]string
	}{
		{stanza.MessageNormal, [8]string{"keep", "open", "resource", "refused", "refused", "refused", "refused", "refused"}},
		{stanza.MessageChat, [8]string{"keep", "open", "resource", "keep", "open", "refused", "refused", "refused"}},
		{stanza.MessageGroupchat, [8]string{"refused", "refused", "resource", "refused", "refused", "refused", "refused", "ignored"}},
		{stanza.MessageHeadline, [8]string{"ignored", "open", "resource", "ignored", "ignored", "ignored", "ignored", "ignored"}},
		{stanza.MessageError, [8]string{"ignored", "ignored", "resource", "ignored", "ignored", "ignored", "ignored", "ignored"}},
		{stanza.PresenceAvailable, [8]string{"available", "available", "resource", "ignored", "ignored", "ignored", "ignored", "ignored"}},
		{stanza.PresenceUnavailable, [8]string{"available", "available", "resource", "ignored", "ignored", "ignored", "ignored", "ignored"}},
		{stanza.PresenceSubscribe, [8]string{"roster", "roster", "roster", "roster", "roster", "ignored", "ignored", "ignored"}},
		{stanza.PresenceSubscribed, [8]string{"roster", "roster", "roster", "ignored", "ignored", "ignored", "ignored", "ignored"}},
		{stanza.PresenceUnsubscribe, [8]string{"roster", "roster", "roster", "ignored", "ignored", "ignored", "ignored", "ignored"}},
		{stanza.PresenceUnsubscribed, [8]string{"roster", "roster", "roster", "ignored", "ignored", "ignored", "ignored", "ignored"}},
		{stanza.PresenceProbe, [8]string{"probe", "probe", "probe", "probe", "probe", "ignored", "ignored", "probe"}},
		{stanza.PresenceError, [8]string{"available", "available", "resource", "ignored", "ignored", "ignored", "ignored", "ignored"}},
		{stanza.IQGet, [8]string{"account", "account", "resource", "refused", "refused", "server", "refused", "refused"}},
		{stanza.IQSet, [8]string{"account", "account", "resource", "refused", "refused", "server", "refused", "refused"}},
		{stanza.IQResult, [8]string{"server", "server", "resource", "ignored", "ignored", "server", "server", "ignored"}},
		{stanza.IQError, [8]string{"server", "server", "resource", "ignored", "ignored", "server", "server", "ignored"}},
	} {
		got := [8]string{
			server.FateOf(row.typ, bare, false, false), server.FateOf(row.typ, bare, false, true), server.FateOf(row.typ, full, true, true),
			server.FateOf(row.typ, full, false, false), server.FateOf(row.typ, full, false, true), server.FateOf(row.typ, domain, false, false),
			server.FateOf(row.typ, node, false, false), server.FateUnknown(row.typ),
		}
		if got != row.want {
			t.Errorf("%s %s\ngot  %q\nwant %q", row.typ.Kind(), row.typ, got, row.want)
		}
	}
}
