package server_test

import (
	"context"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
)

// blocker is a feature that blocks what is in it.
type blocker map[string]bool

func (b blocker) feature() server.Feature {
	return server.Feature{Name: "blocker", Blocks: func(_ context.Context, _, other jid.JID) bool { return b[other.Bare().String()] }}
}

// What a client must not say to somebody is answered, whoever holds that address, and if nobody does (RFC 6120 §8.2.3, XEP-0191 §3.3).
func TestRefusedInWhosesoeverName(t *testing.T) {
	bubble(t, func(t *testing.T) {
		domains := []string{"im.example", "far.example", "nowhere.example"}
		blocks := blocker{}
		for _, domain := range domains {
			blocks["tybalt@"+domain] = true
		}
		refuses := blocks.feature()
		refuses.Sends = func(_ context.Context, p *server.Passing) error {
			if blocks[p.Stanza.To().Bare().String()] {
				return &server.Bounce{Condition: stanza.NotAcceptable}
			}
			return nil
		}
		b := newBed(t, with(refuses), "juliet", "tybalt")
		juliet := b.online("juliet@im.example/balcony")
		for _, domain := range domains {
			to := "tybalt@" + domain
			for _, raw := range []string{
				message(to, "chat", "1", "x"), "<iq type='get' id='1' to='" + to + "'><ping xmlns='urn:xmpp:ping'/></iq>", "<presence id='1' to='" + to + "'/>",
			} {
				juliet.say(raw)
				juliet.gets(" from='" + to + "' id='1' to='juliet@im.example/balcony' type='error'…<not-acceptable ")
			}
			juliet.say("<iq type='result' id='2' to='" + to + "'/>")
			juliet.gets()
		}
		if b.farGets(); juliet.settled != juliet.sent {
			t.Errorf("%d of %d settled", juliet.settled, juliet.sent)
		}
	})
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
