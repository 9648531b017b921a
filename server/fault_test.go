package server_test

import (
	"errors"
	"testing"
)

func (b *bed) breaks(err error) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	b.store.broken = err
}

// While the store does not answer, senders and clients are told so; afterwards everything goes on, and nothing came out of order.
func TestTheStoreDoesNotAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		romeo.say(message("juliet@im.example", "chat", "1", "one"))
		b.breaks(errors.New("disk full"))
		romeo.say(message("juliet@im.example", "chat", "2", "two"))
		romeo.gets("id='2'…type='error'…internal-server-error")
		romeo.say("<presence type='subscribe' to='juliet@im.example'/>")
		romeo.gets("type='error'…internal-server-error")
		romeo.say(askRoster)
		romeo.gets("type='error'…internal-server-error")

		juliet := b.login("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.gets("type='error'…internal-server-error")
		b.breaks(nil)
		juliet.say("<presence/>")
		juliet.gets("<presence", "one")
		romeo.say(message("juliet@im.example", "chat", "3", "three"))
		juliet.gets("three")
		juliet.lose()

		romeo.say(message("juliet@im.example", "chat", "4", "four"))
		juliet = b.login("juliet@im.example/balcony")
		juliet.say(askRoster) // the roster is known, what waits cannot be read
		b.breaks(errors.New("disk full"))
		juliet.say("<presence/>")
		juliet.gets("<iq", "<presence")
		b.breaks(nil)
		romeo.say(message("juliet@im.example", "chat", "5", "five"))
		juliet.gets("four", "five")
		if romeo.settled != romeo.sent || juliet.settled != juliet.sent {
			t.Errorf("%d of %d, %d of %d settled", romeo.settled, romeo.sent, juliet.settled, juliet.sent)
		}
	})
}
