package profile_test

import (
	"context"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server/pep"
	"sallyport/server/profile"
	"sallyport/server/servertest"
)

func submitted(kind, in string) string {
	return "<profile xmlns='urn:xmpp:tmp:profile'><x xmlns='jabber:x:data' type='" + kind + "'><field type='hidden' var='FORM_TYPE'><value>urn:xmpp:tmp:profile</value></field>" + in + "</x></profile>"
}

func TestProfile(t *testing.T) {
	t.Parallel()
	const hamlet, friend, stranger = "hamlet@denmark.lit", "horatio@denmark.lit/x", "osric@denmark.lit/x"
	events := pep.New(pep.Config{
		Store: servertest.Store(t, hamlet), Core: &servertest.Core{}, Node: "n1", Now: time.Now,
		MaySee:  func(_ context.Context, _, who jid.JID) bool { return who == jid.MustParse(friend).Bare() },
		Knows:   func(context.Context, jid.JID, jid.JID) bool { return false },
		Groups:  func(context.Context, jid.JID, jid.JID) []string { return nil },
		Blocks:  func(context.Context, jid.JID, jid.JID) bool { return false },
		MayRead: func(stanza.Stanza, jid.JID) bool { return true }, MayAnswer: func(stanza.Stanza) bool { return true },
	})
	t.Cleanup(events.Close)
	f := profile.New(events)
	const empty = "<profile xmlns='urn:xmpp:tmp:profile'/>"
	public := "<field var='nickname'><value>Ham</value></field>"
	private := "<field var='x-mother'><value>Gertrude</value></field>"
	for _, tc := range []struct{ name, kind, from, to, in, want string }{
		{"none yet", "get", hamlet + "/x", "", empty, empty},
		{"none yet, by a friend", "get", friend, hamlet, empty, "service-unavailable"},
		{"set", "set", hamlet + "/x", "", submitted("submit", public+private), ""},
		{"own", "get", hamlet + "/x", "", empty, submitted("result", public+private)},
		{"by a friend, without what is private", "get", friend, hamlet, empty, submitted("result", public)},
		{"by a stranger", "get", stranger, hamlet, empty, "service-unavailable"},
		{"that of another", "set", friend, hamlet, submitted("submit", public), "service-unavailable"},
		{"no form", "set", hamlet + "/x", "", empty, "bad-request"},
	} {
		if got := servertest.Said(t, servertest.Ask(t, f, tc.kind, tc.from, tc.to, tc.in)); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	for node, want := range map[string]string{
		"urn:xmpp:tmp:profile":       "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:tmp:profile'><item id='current'>" + submitted("result", public) + "</item></items></pubsub>",
		"urn:xmpp:tmp:profile#whole": "not-allowed <closed-node xmlns='http://jabber.org/protocol/pubsub#errors'/>",
	} {
		got := servertest.Said(t, servertest.Get(t, events.Feature(), friend, hamlet, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='"+node+"'/></pubsub>"))
		if got != want {
			t.Errorf("a friend reads %s: %s", node, got)
		}
	}
}

// What is published without a label is held to have the default: who may not read it in the node does not read it here (XEP-0314).
func TestProfileIsReadByLabel(t *testing.T) {
	t.Parallel()
	const hamlet, friend, guest = "hamlet@denmark.lit", "horatio@denmark.lit/x", "osric@denmark.lit/x"
	cleared := true
	events := pep.New(pep.Config{
		Store: servertest.Store(t, hamlet), Core: &servertest.Core{}, Node: "n1", Now: time.Now,
		MaySee: func(context.Context, jid.JID, jid.JID) bool { return true },
		Knows:  func(context.Context, jid.JID, jid.JID) bool { return false },
		Groups: func(context.Context, jid.JID, jid.JID) []string { return nil },
		Blocks: func(context.Context, jid.JID, jid.JID) bool { return false },
		MayRead: func(_ stanza.Stanza, who jid.JID) bool {
			return who != jid.MustParse(guest) && (cleared || who.Bare() != jid.MustParse(hamlet))
		},
		MayAnswer: func(answer stanza.Stanza) bool { return answer.To() != jid.MustParse("fortinbras@norway.lit/x") },
	})
	t.Cleanup(events.Close)
	f := profile.New(events)
	const empty = "<profile xmlns='urn:xmpp:tmp:profile'/>"
	public := "<field var='nickname'><value>Ham</value></field>"
	servertest.Ask(t, f, "set", hamlet+"/x", "", submitted("submit", public))
	for who, want := range map[string]string{friend: submitted("result", public), guest: "service-unavailable", "fortinbras@norway.lit/x": "service-unavailable"} {
		if got := servertest.Said(t, servertest.Ask(t, f, "get", who, hamlet, empty)); got != want {
			t.Errorf("%s: %s, want %s", who, got, want)
		}
	}
	cleared = false
	if got := servertest.Said(t, servertest.Ask(t, f, "get", hamlet+"/x", "", empty)); got != empty {
		t.Errorf("its owner, who may not read it any more: %s", got)
	}
}
