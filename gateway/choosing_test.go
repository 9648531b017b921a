package gateway

import (
	"context"
	"errors"
	"testing"
	"time"

	"sallyport/gateway/config"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
)

// sameAccounts says the same of every account.
type sameAccounts struct {
	account.Accounts
	err error
}

func (a sameAccounts) Account(context.Context, jid.JID) (account.Account, error) {
	return account.Account{}, a.err
}

// Who asks for labels is told whether there are none for him, or nobody can say just now.
func TestCatalogueOfWhoIsNotKnown(t *testing.T) {
	t.Parallel()
	e, err := xmlstream.ParseDocument([]byte(`<iq xmlns='jabber:server' id='a' type='get' from='a@home.example/r' to='home.example'>`+
		`<catalog xmlns='urn:xmpp:sec-label:catalog:2' to='b@home.example'/></iq>`), xmlstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ask, err := stanza.From(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		err  error
		want stanza.Condition
	}{
		{"no catalogue", nil, stanza.ItemNotFound},
		{"no account", account.ErrNotFound, stanza.ItemNotFound},
		{"the store fails", errors.New("broken"), stanza.InternalServerError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := &Gateway{now: time.Now}
			g.people.open(sameAccounts{err: tc.err}, &config.Server{}, time.Now)
			g.people.use(&config.Labels{})
			if got := (&clients{g: g}).choices(&server.Request{Stanza: ask, From: ask.From(), Local: true}); got.Condition != tc.want {
				t.Errorf("got %v, want %v", got.Condition, tc.want)
			}
		})
	}
}
