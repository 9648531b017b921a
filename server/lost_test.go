package server_test

import (
	"testing"
	"time"

	"sallyport/internal/xmpp/stream"
)

// Who asks a client that goes without having taken the request is told that there will be no answer (XEP-0198 §4).
func TestRequestsOfWhoIsLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.managed("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		juliet.say("<presence/>")
		for _, id := range []string{"taken", "lost"} {
			romeo.say("<iq to='juliet@im.example/balcony' type='get' id='" + id + "'><query xmlns='jabber:iq:version'/></iq>")
			juliet.drain()
			if id == "taken" {
				juliet.ack()
			}
		}
		romeo.say("<iq to='juliet@im.example/balcony' type='result' id='r'/>")
		romeo.gets()
		juliet.lose()
		romeo.gets("<iq from='juliet@im.example/balcony' id='lost'…type='error'…service-unavailable")
	})
}

// What is given again tells when it came the first time (XEP-0198 §4), not when the client was given up.
func TestWhatIsGivenAgainIsAsOldAsItIs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.managed("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		juliet.say("<presence/>")
		romeo.say(message("juliet@im.example", "chat", "1", "hello"))
		juliet.gets("<presence", "hello")
		b.server.EventOf(juliet, stream.Closed{Cause: stream.ConnLost, Resume: juliet.ledger})
		time.Sleep(10 * time.Minute) // virtual
		juliet.lose()
		romeo.drain()
		second := b.login("juliet@im.example/chamber")
		second.say("<presence/>")
		second.gets("<presence", "hello…stamp='2000-01-01T00:00:00.000Z'")
	})
}
