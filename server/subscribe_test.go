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
