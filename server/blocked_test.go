package server_test

import (
	"context"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server"
)

// blocker is a feature that blocks what is in it.
type blocker map[string]bool

func (b blocker) feature() server.Feature {
	return server.Feature{Name: "blocker", Blocks: func(_ context.Context, _, other jid.JID) bool { return b[other.Bare().String()] }}
}

// A probe of who is blocked is not answered at all (XEP-0191 §3.3): the answer that there is no subscription would end the one that he has.
func TestProbesOfWhoIsBlocked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		blocks := blocker{}
		b := newBed(t, with(blocks.feature()), "juliet")
		juliet := b.online("juliet@im.example/balcony")
		juliet.say("<presence type='subscribed' to='romeo@far.example'/>")
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example' type='subscribe'/>")
		b.farGets("subscribed", "balcony")
		blocks["romeo@far.example"], blocks["tybalt@far.example"] = true, true
		for _, who := range []string{"romeo", "tybalt"} {
			b.fromFar("<presence from='" + who + "@far.example' to='juliet@im.example' type='probe'/>")
		}
		b.farGets()
	})
}

// What waited when somebody was blocked is not given to anybody (XEP-0191 §3.3): his request, his messages. It comes when he is not
// blocked any more.
func TestWhatWaitedOfWhoIsBlocked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		blocks := blocker{}
		b := newBed(t, with(blocks.feature()), "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		romeo.say("<presence type='subscribe' to='juliet@im.example'/>")
		romeo.say(message("juliet@im.example", "chat", "1", "let me"))
		blocks["romeo@im.example"] = true
		juliet := b.login("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.gets("to='juliet@im.example/balcony'/>")
		juliet.lose()
		delete(blocks, "romeo@im.example")
		juliet = b.login("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.gets("to='juliet@im.example/balcony'/>", "type='subscribe'", "let me")
	})
}
