package server_test

import "testing"

// Who takes an approval back is gone for who had it, before that one hears that it is taken back (§3.2.2).
func TestGoneBeforeItIsTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		juliet.say("<presence type='subscribed' to='romeo@far.example'/>")
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example' type='subscribe'/>")
		b.farGets("subscribed", "balcony")
		juliet.say("<presence type='unsubscribed' to='romeo@far.example'/>")
		b.farGets("<presence from='juliet@im.example/balcony' to='romeo@far.example' type='unavailable'/>", "<presence from='juliet@im.example' to='romeo@far.example' type='unsubscribed'/>")
		if juliet.settled != juliet.sent {
			t.Errorf("%d of %d settled", juliet.settled, juliet.sent)
		}
	})
}

// What another server has not answered is asked again when a client comes (§3.1.2).
func TestAskedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		juliet.say("<presence type='subscribe' to='romeo@far.example'/>")
		b.farGets("type='subscribe'")
		juliet.say("<presence/>")
		b.farGets()
		juliet.lose()
		b.online("juliet@im.example/chamber")
		b.farGets("<presence from='juliet@im.example' id='…to='romeo@far.example' type='subscribe'/>")
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example' type='subscribed'/>")
		b.online("juliet@im.example/garden")
		b.farGets("type='probe'")
	})
}

// Subscriptions are between accounts: a request for one client is for all of them, and an answer to one that is gone is nobody's (§3.1.3,
// §8.5.3.2.2).
func TestSubscriptionsOfOneClient(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		balcony, chamber := b.online("juliet@im.example/balcony"), b.online("juliet@im.example/chamber")
		balcony.drain()
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example/balcony' type='subscribe'/>")
		for _, c := range []*client{balcony, chamber} {
			c.gets("<presence from='romeo@far.example' to='juliet@im.example' type='subscribe'/>")
		}
		balcony.say("<presence type='subscribed' to='romeo@far.example/x'/>")
		b.farGets("<presence from='juliet@im.example' to='romeo@far.example' type='subscribed'/>", "balcony", "chamber")
		balcony.drain()
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example/garden' type='unsubscribe'/>")
		b.farGets()
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example/chamber' type='unsubscribe'/>")
		b.farGets("unavailable", "unavailable")
	})
}

// A label says nothing of presence: who labels it is told, and nothing comes of it (XEP-0258 §5.3).
func TestLabelledPresence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		friends(juliet, romeo)
		const label = "<securitylabel xmlns='urn:xmpp:sec-label:0'><label/></securitylabel>"
		second := b.login("juliet@im.example/chamber")
		juliet.drain()
		romeo.drain()
		for _, to := range []string{"", " to='romeo@im.example'", " to='romeo@far.example'", " to='romeo@far.example' type='subscribe'"} {
			second.say("<presence id='p'" + to + ">" + label + "</presence>")
			second.gets("<presence from='…id='p' to='juliet@im.example/chamber' type='error'><error…<policy-violation")
		}
		second.say("<presence to='romeo@im.example' type='unavailable'>" + label + "</presence>")
		second.gets()
		romeo.gets()
		b.farGets()
		juliet.gets()
		juliet.lose()
		romeo.say(message("juliet@im.example", "chat", "1", "Who is there?"))
		second.gets()
		if second.settled != second.sent {
			t.Errorf("%d of %d settled", second.settled, second.sent)
		}
	})
}
