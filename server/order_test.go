package server_test

import (
	"context"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
)

// Who says good-bye and goes is heard first and seen to go then (RFC 6120 §10.1).
func TestPresenceDoesNotOvertake(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slow := make(chan struct{})
		f := server.Feature{Name: "slow", Comes: func(_ context.Context, p *server.Passing) error {
			if p.Stanza.Kind() == stanza.Message {
				<-slow
			}
			return nil
		}}
		b := newBed(t, with(f), "juliet", "romeo", "nurse")
		juliet, romeo, nurse := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden"), b.online("nurse@im.example/x")
		friends(juliet, romeo)
		friends(juliet, nurse)
		juliet.say(message("romeo@im.example", "chat", "1", "good night"))
		juliet.say(message("romeo@im.example", "chat", "2", "good night"))
		juliet.say("<presence><show>away</show></presence>")
		juliet.say("<presence type='unavailable'/>")
		romeo.gets()
		nurse.gets("away", "unavailable")
		slow <- struct{}{}
		romeo.gets("id='1'")
		slow <- struct{}{}
		romeo.gets("id='2'", "from='juliet@im.example/balcony'…type='unavailable'")
		close(slow)
		juliet.say("<presence/>")
		juliet.say(message("romeo@im.example", "chat", "3", "again"))
		juliet.lose()
		romeo.gets("<presence from='juliet@im.example/balcony' to='romeo@im.example'/>", "id='3'", "type='unavailable'")
	})
}
