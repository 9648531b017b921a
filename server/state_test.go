package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/server"
)

const onlyTyping = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"

// Who comes back is looked at until the client says otherwise (XEP-0352 §5.2).
func TestWhoComesBackIsLookedAt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.managed("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		juliet.say("<presence/>")
		friends(juliet, romeo)
		b.server.EventOf(juliet, stream.ClientState{})
		romeo.say("<presence><show>away</show></presence>")
		juliet.gets()
		b.server.EventOf(juliet, stream.Closed{Cause: stream.ConnLost, Resume: juliet.ledger})
		b.server.EventOf(juliet, stream.Resumed{})
		juliet.gets("<show>away")
		romeo.say("<presence/>")
		juliet.gets("<presence from='romeo@im.example/garden'")
	})
}

// Nobody looks at a client while its session waits for it: it has to be woken (XEP-0357).
func TestNobodyLooksAtWhoIsAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		active := func(want bool) {
			t.Helper()
			if got := b.server.Resources(juliet.address.Bare()); len(got) != 1 || got[0] != (server.Resource{JID: juliet.address, Active: want}) {
				t.Errorf("got %+v", got)
			}
			if got := b.server.Present(juliet.address.Bare()); len(got) != 1 || got[0].Active != want || got[0].Lost == want {
				t.Errorf("present: %+v", got)
			}
		}
		active(true)
		b.server.EventOf(juliet, stream.Closed{Cause: stream.ConnLost, Resume: juliet.ledger})
		active(false)
		b.server.EventOf(juliet, stream.Resumed{})
		active(true)
	})
}

// One word on who types takes the place of an earlier one in the same conversation only, and of nothing that says anything else, kept or
// not (XEP-0334 §4.2).
func TestWhatCanWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, desk, romeo := b.online("juliet@im.example/balcony"), b.online("juliet@im.example/desk"), b.online("romeo@im.example/garden")
		juliet.say("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
		juliet.drain()
		b.server.EventOf(juliet, stream.ClientState{})
		for _, letter := range []string{"a", "b"} {
			romeo.say("<message to='juliet@im.example/balcony' type='chat'><rtt xmlns='urn:xmpp:rtt:0'><t>" + letter + "</t></rtt><no-store xmlns='urn:xmpp:hints'/></message>")
		}
		juliet.gets("<t>a", "<t>b")
		for _, who := range []string{"romeo@im.example", "nurse@far.example", "romeo@im.example"} {
			desk.say("<message to='" + who + "' type='chat'>" + onlyTyping + "</message>")
		}
		juliet.gets()
		b.server.EventOf(juliet, stream.ClientState{Active: true})
		juliet.gets("<sent…to='nurse@far.example'…composing", "<sent…to='romeo@im.example'…composing")
	})
}

// What a client may not have got when its connection is lost is told, so that it can be woken for it (XEP-0357); the session keeps it.
func TestWhatIsUnreadWhenTheConnectionIsLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var told []string
		f := server.Feature{Name: "wake", Away: func(_ context.Context, r server.Resource, unread []stanza.Stanza) {
			for _, m := range unread {
				told = append(told, fmt.Sprint(r.JID.Resource(), " ", r.Active, " ", m.ID()))
			}
		}}
		b := newBed(t, with(f), "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		romeo.say(message("juliet@im.example", "chat", "1", "waited"))
		juliet := b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		romeo.say(message("juliet@im.example", "chat", "2", "live"))
		romeo.say("<message to='juliet@im.example/balcony' type='chat' id='3'>" + onlyTyping + "</message>")
		juliet.drain()
		juliet.ledger.StartOutbound()
		for _, it := range juliet.unacked {
			juliet.ledger.Sent(it)
		}
		b.server.EventOf(juliet, stream.Closed{Cause: stream.ConnLost, Resume: juliet.ledger})
		romeo.drain()
		if got := strings.Join(told, ", "); got != "balcony true 1, balcony true 2" {
			t.Errorf("told %s", got)
		}
		if n, _ := juliet.ledger.Unacked(); n != len(juliet.unacked) {
			t.Errorf("%d of %d go on waiting", n, len(juliet.unacked))
		}
	})
}
