package server_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/server"
)

// What waits goes to whoever takes it, also where the first who could does not any more.
func TestWhatWaitsGoesToTheNextOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		romeo.say(message("juliet@im.example", "chat", "1", "hello"))
		one := b.managed("juliet@im.example/1")
		one.say("<presence/>")
		one.gets("<presence", "hello")
		two, three := b.managed("juliet@im.example/2"), b.managed("juliet@im.example/3")
		for _, c := range []*client{two, three} {
			c.say("<presence/>")
		}
		two.over = true // and nobody has been told yet
		three.drain()
		one.lose()
		check(t, "the third", slices.DeleteFunc(three.drain(), func(s string) bool { return strings.HasPrefix(s, "<presence") }), []string{"hello"})
		b.server.ClosedBy(two, stream.Closed{Cause: stream.ConnLost})
	})
}

// Of what a client did not acknowledge before it was lost, and what was said to it while it could have come back, nothing overtakes
// (RFC 6120 §10.1), wherever it was meanwhile.
func TestWhatALostClientHadStaysInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		juliet := b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		romeo.say(message("juliet@im.example", "chat", "1", "one"))
		juliet.parked = true
		romeo.say(message("juliet@im.example", "chat", "2", "two"))
		juliet.parked = false
		romeo.say(message("juliet@im.example", "chat", "3", "three"))
		juliet.parked = true
		romeo.say(message("juliet@im.example", "chat", "4", "four"))
		juliet.lose()
		romeo.say(message("juliet@im.example", "chat", "5", "five"))
		again := b.login("juliet@im.example/chamber")
		again.say("<presence/>")
		again.gets("<presence", "one", "two", "three", "four", "five")
		if n, err := b.store.CountOffline(t.Context(), jid.MustParse("juliet@im.example")); n != 0 || err != nil {
			t.Errorf("%d are kept still, %v", n, err)
		}
	})
}

// The same where another client takes it.
func TestWhatALostClientHadGoesToAnotherInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		juliet := b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.parked = true
		romeo.say(message("juliet@im.example", "chat", "1", "one"))
		juliet.parked = false
		romeo.say(message("juliet@im.example", "chat", "2", "two"))
		again := b.login("juliet@im.example/chamber")
		again.say("<presence/>")
		again.drain()
		juliet.lose()
		check(t, "chamber", slices.DeleteFunc(again.drain(), func(s string) bool { return strings.HasPrefix(s, "<presence") }), []string{"one", "two"})
	})
}

// What comes while others are told that a client is gone does not overtake what that client did not acknowledge.
func TestWhatComesWhileAClientGoesIsBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		goes := func() {}
		b := newBed(t, func(c *server.Config) {
			c.Features = append(c.Features, server.Feature{Name: "watches", Unavailable: func(context.Context, server.Resource) { goes() }})
		}, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		juliet := b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		romeo.say(message("juliet@im.example", "chat", "1", "one"))
		goes = func() { romeo.say(message("juliet@im.example", "chat", "2", "two")) }
		juliet.lose()
		goes = func() {}
		again := b.login("juliet@im.example/chamber")
		again.say("<presence/>")
		again.gets("<presence", "one", "two")
	})
}

// A client that begins to acknowledge while it is given something owes that, too: what it does not acknowledge goes to the next one.
func TestWhoBeginsToAcknowledgeOwesWhatComesThen(t *testing.T) {
	for name, waits := range map[string]bool{"what comes": false, "what waited": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBed(t, nil, "juliet", "romeo")
				romeo := b.online("romeo@im.example/garden")
				juliet := b.login("juliet@im.example/balcony")
				if waits {
					romeo.say(message("juliet@im.example", "chat", "1", "hello"))
				}
				juliet.enables = true
				if juliet.say("<presence/>"); !waits {
					romeo.say(message("juliet@im.example", "chat", "1", "hello"))
				}
				juliet.drain()
				juliet.lose()
				again := b.login("juliet@im.example/chamber")
				again.say("<presence/>")
				again.gets("<presence", "hello")
			})
		})
	}
}
