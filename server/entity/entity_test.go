package entity_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/entity"
	"sallyport/server/servertest"
)

const romeo = "romeo@montague.lit/orchard"

func TestAnswers(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2006, 12, 19, 11, 58, 35, 0, time.FixedZone("", -6*3600)) }
	version := entity.Version("Sallyport", "1.0", "")
	tests := []struct {
		name, kind, to, payload string
		feature                 server.Feature
		want                    string
	}{
		{"XEP-0199 §4.2", "get", "montague.lit", "<ping xmlns='urn:xmpp:ping'/>", entity.Ping(), ""},
		{"XEP-0199, own account", "get", "", "<ping xmlns='urn:xmpp:ping'/>", entity.Ping(), ""},
		{"XEP-0199, as a set", "set", "", "<ping xmlns='urn:xmpp:ping'/>", entity.Ping(), "bad-request"},
		{
			"XEP-0202 §2", "get", "montague.lit", "<time xmlns='urn:xmpp:time'/>", entity.Time(now),
			"<time xmlns='urn:xmpp:time'><tzo>-06:00</tzo><utc>2006-12-19T17:58:35.000Z</utc></time>",
		},
		{"XEP-0202, as a set", "set", "montague.lit", "<time xmlns='urn:xmpp:time'/>", entity.Time(now), "bad-request"},
		{
			"XEP-0092 §2", "get", "montague.lit", "<query xmlns='jabber:iq:version'/>", version,
			"<query xmlns='jabber:iq:version'><name>Sallyport</name><version>1.0</version></query>",
		},
		{
			"XEP-0092 with system", "get", "montague.lit", "<query xmlns='jabber:iq:version'/>", entity.Version("S", "1", "Linux"),
			"<query xmlns='jabber:iq:version'><name>S</name><version>1</version><os>Linux</os></query>",
		},
		{"XEP-0092, as a set", "set", "montague.lit", "<query xmlns='jabber:iq:version'/>", version, "not-allowed"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := servertest.Said(t, servertest.Ask(t, tc.feature, tc.kind, romeo, tc.to, tc.payload)); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// Who answers says so (XEP-0012 §6): the server, and accounts.
func TestLastIsAnnounced(t *testing.T) {
	t.Parallel()
	f := entity.Last(entity.LastConfig{Now: time.Now})
	if want := []string{"jabber:iq:last"}; !slices.Equal(f.ServerFeatures, want) || !slices.Equal(f.AccountFeatures, want) {
		t.Errorf("%v and %v", f.ServerFeatures, f.AccountFeatures)
	}
}

// lastWorld is a feature with its store.
type lastWorld struct {
	server.Feature
	core  *servertest.Core
	now   time.Time
	store entity.Store
}

func newLast(t *testing.T) *lastWorld {
	t.Helper()
	w := &lastWorld{core: &servertest.Core{}, now: time.Unix(1e9, 0).UTC()}
	w.store = servertest.Store(t, "juliet@capulet.lit", "romeo@montague.lit")
	w.Feature = entity.Last(entity.LastConfig{
		Store: w.store, Core: w.core, Now: func() time.Time { return w.now },
		MaySee: func(_ context.Context, account, who jid.JID) bool {
			return account.String() == "juliet@capulet.lit" && who.String() == "romeo@montague.lit"
		},
	})
	return w
}

// TestLast has the examples of XEP-0012.
func TestLast(t *testing.T) {
	t.Parallel()
	w := newLast(t)
	const query, juliet, balcony = "<query xmlns='jabber:iq:last'/>", "juliet@capulet.lit", "juliet@capulet.lit/balcony"
	expect := func(what, from, to, want string) {
		t.Helper()
		if got := servertest.Said(t, servertest.Get(t, w.Feature, from, to, query)); got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	says := func(presence string) {
		t.Helper()
		p := &server.Passing{Account: jid.MustParse(juliet), Stanza: servertest.Stanza(t, presence), Out: true}
		if err := w.Sends(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	expect("never seen", romeo, juliet, "item-not-found")
	expect("not subscribed", "tybalt@capulet.lit/x", juliet, "service-unavailable")
	w.core.Online = []server.Resource{{JID: jid.MustParse(balcony)}, {JID: jid.MustParse(juliet + "/chamber")}}
	expect("§4, online", romeo, juliet, "<query xmlns='jabber:iq:last' seconds='0'/>")
	says("<presence from='" + balcony + "' to='" + juliet + "' type='unavailable'><status>One of two</status></presence>")
	if _, err := w.store.Seen(t.Context(), jid.MustParse(juliet)); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("somebody is there, and it was kept that nobody is: %v", err)
	}
	w.core.Online = w.core.Online[:1]
	says("<presence from='" + balcony + "' to='romeo@montague.lit' type='unavailable'/>") // directed
	says("<presence from='" + balcony + "' to='" + juliet + "' type='unavailable'><status>Heading Home</status></presence>")
	r := w.core.Online[0]
	w.core.Online = nil
	w.Unavailable(t.Context(), r)
	w.now = w.now.Add(903 * time.Second)
	expect("§4, offline", romeo, juliet, "<query xmlns='jabber:iq:last' seconds='903'>Heading Home</query>")
	w.Unavailable(t.Context(), r)
	w.now = w.now.Add(time.Minute)
	expect("lost without words", balcony, "", "<query xmlns='jabber:iq:last' seconds='60'/>")
	expect("§5, server", romeo, "capulet.lit", "<query xmlns='jabber:iq:last' seconds='963'/>")
	if got := servertest.Said(t, servertest.Set(t, w.Feature, romeo, "capulet.lit", query)); got != "not-allowed" {
		t.Errorf("as a set: %s", got)
	}
}
