package server_test

import (
	"context"
	"testing"

	"sallyport/server"
	"sallyport/server/hybrid"
)

// Which messages are copied (XEP-0280 §6.1); we announce all of its rules, §6.2.
func TestWhatIsCopied(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo, desk, phone := b.online("romeo@im.example/garden"), b.online("juliet@im.example/desk"), b.online("juliet@im.example/phone")
		desk.drain()
		phone.say("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
		phone.drain()
		const (
			room    = "<x xmlns='http://jabber.org/protocol/muc#user'/>"
			invite  = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='romeo@far.example'/></x>"
			direct  = "<x xmlns='jabber:x:conference' jid='room@far.example'/>"
			receipt = "<received xmlns='urn:xmpp:receipts' id='1'/>"
			body    = "<body>hello</body>"
		)
		for name, tt := range map[string]struct {
			typ, in        string
			sent, received bool
		}{
			"chat":                      {"chat", body, true, true},
			"chat of anything":          {"chat", "<a xmlns='urn:a'/>", true, true},
			"normal":                    {"normal", body, true, true},
			"normal of anything":        {"normal", "<a xmlns='urn:a'/>", false, false},
			"receipt":                   {"normal", receipt, true, true},
			"headline":                  {"headline", body, false, false},
			"receipt in a headline":     {"headline", receipt, true, true},
			"invitation":                {"normal", direct, true, true},
			"mediated invitation":       {"normal", invite, true, true},
			"to one in a room":          {"chat", body + room, true, false},
			"to one in a room, normal":  {"normal", body + room, true, false},
			"anything in a room":        {"normal", room, false, false},
			"invitation in a room":      {"chat", body + room + direct, true, true},
			"private":                   {"chat", body + "<private xmlns='urn:xmpp:carbons:2'/>", false, false},
			"not to be copied":          {"chat", body + "<no-copy xmlns='urn:xmpp:hints'/>", false, false},
			"for all in a room":         {"groupchat", body, false, false},
			"invitation to all in room": {"groupchat", direct, false, false},
		} {
			copied := func(how string, want bool) {
				t.Helper()
				if got := phone.drain(); len(got) > 1 || (len(got) == 1) != want {
					t.Errorf("%s, %s: %s", name, how, got)
				}
			}
			desk.say("<message to='romeo@im.example/garden' type='" + tt.typ + "'>" + tt.in + "</message>")
			copied("sent", tt.sent)
			romeo.say("<message to='juliet@im.example/desk' type='" + tt.typ + "'>" + tt.in + "</message>")
			copied("received", tt.received)
		}
	})
}

// The other clients of who sends are told where the message is in his archive; who gets it is not (XEP-0313 §3.2).
func TestCopiesTellTheID(t *testing.T) {
	bubble(t, func(t *testing.T) {
		id, err := hybrid.Parse("0000000000000001-n")
		if err != nil {
			t.Fatal(err)
		}
		f := server.Feature{Name: "archive", Sends: func(_ context.Context, p *server.Passing) error {
			p.Kept = id
			return nil
		}}
		b := newBed(t, with(f), "juliet", "romeo")
		romeo, desk, phone := b.online("romeo@im.example/garden"), b.online("juliet@im.example/desk"), b.online("juliet@im.example/phone")
		phone.say("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
		phone.drain()
		desk.say(message("romeo@im.example", "chat", "1", "well met"))
		phone.gets("<sent…well met</body><stanza-id xmlns='urn:xmpp:sid:0' by='juliet@im.example' id='" + id.String() + "'/></message>")
		romeo.gets("well met</body></message>")
	})
}
