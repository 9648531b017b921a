package server_test

import (
	"testing"

	"sallyport/internal/xmpp/stanza"
)

func TestTwoClientsChat(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		juliet.say(message("romeo@im.example", "chat", "1", "art thou"))
		romeo.gets("from='juliet@im.example/balcony'…to='romeo@im.example'…art thou")
		romeo.say(message("juliet@im.example/balcony", "chat", "2", "neither"))
		juliet.gets("from='romeo@im.example/garden'…neither")
		if juliet.settled != juliet.sent {
			t.Errorf("%d of %d settled", juliet.settled, juliet.sent)
		}
		juliet.say("<iq to='romeo@im.example/garden' type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>")
		romeo.gets("<iq…from='juliet@im.example/balcony'…id='q'…ping")
		romeo.say("<iq to='juliet@im.example/balcony' type='result' id='q'/>")
		juliet.gets("<iq…from='romeo@im.example/garden' id='q'…result")
	})
}

func TestANewSessionReplacesTheOld(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		first := b.online("juliet@im.example/balcony")
		second := b.online("juliet@im.example/balcony")
		first.drain()
		if first.closed != stanza.StreamConflict || !first.over {
			t.Errorf("closed with %v", first.closed)
		}
		second.say(message("juliet@im.example/balcony", "chat", "1", "to myself"))
		second.gets("to myself")
		second.lose()
		second.drain()
		if n := b.server.Users(); n != 0 {
			t.Errorf("%d accounts take memory", n)
		}
	})
}
