package server_test

import (
	"testing"

	"sallyport/server"
)

// Who was shown the presence of one client is told by a probe whether it is still there, and no more (RFC 6121 §4.6.6).
func TestProbesOfWhoWasShownPresence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		b.online("juliet@im.example/chamber")
		juliet.say("<presence to='room@far.example/juliet'><show>away</show></presence>")
		b.farGets("<show>away")
		for _, from := range []string{"room@far.example/juliet", "room@far.example"} {
			b.fromFar("<presence from='" + from + "' to='juliet@im.example/balcony' type='probe' id='p'/>")
			b.farGets("<presence from='juliet@im.example/balcony' id='p' to='" + from + "'/>")
		}
		for _, to := range []string{"juliet@im.example/chamber", "juliet@im.example"} { // they were not shown to it
			b.fromFar("<presence from='room@far.example/juliet' to='" + to + "' type='probe' id='p'/>")
			b.farGets("<presence from='juliet@im.example' id='p' to='room@far.example' type='unsubscribed'/>")
		}
		juliet.say("<presence to='room@far.example/juliet' type='unavailable'/>")
		b.farGets("unavailable")
		b.fromFar("<presence from='room@far.example/juliet' to='juliet@im.example/balcony' type='probe'/>")
		b.farGets("unsubscribed")
	})
}

// A probe for one client says nothing of the others (RFC 6121 §4.3.2), and what is no presence of a client has the id of the probe.
func TestProbesForOneClient(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		juliet.say("<presence type='subscribed' to='romeo@far.example'/>")
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example' type='subscribe'/>")
		juliet.say("<presence id='mine'><show>away</show></presence>")
		b.farGets("subscribed", "balcony", "id='mine'")
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example' type='probe' id='p'/>")
		b.farGets("<presence from='juliet@im.example/balcony' id='mine' to='romeo@far.example'><show>away</show></presence>")
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example/balcony' type='probe' id='p'/>")
		b.farGets("<presence from='juliet@im.example/balcony' id='mine' to='romeo@far.example'/>") // no more than that it is there
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example/chamber' type='probe' id='p'/>")
		b.farGets("<presence from='juliet@im.example/chamber' id='p' to='romeo@far.example' type='unavailable'/>")
		b.fromFar("<presence from='tybalt@far.example' to='juliet@im.example' type='probe' id='p'/>")
		b.farGets("<presence from='juliet@im.example' id='p' to='tybalt@far.example' type='unsubscribed'/>")
	})
}

// Who has said that he is gone need not be told when the client goes (RFC 6121 §4.6.1).
func TestWhoLeavesIsForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		for _, to := range []string{"room@far.example/juliet", "other@far.example/juliet", "third@far.example"} {
			juliet.say("<presence to='" + to + "'/>")
		}
		b.farGets("room", "other", "third")
		b.fromFar("<presence from='room@far.example/juliet' to='juliet@im.example/balcony' type='unavailable'/>")
		b.fromFar("<presence from='other@far.example/tybalt' to='juliet@im.example/balcony' type='unavailable'/>") // somebody else there
		juliet.say("<presence to='third@far.example' type='unavailable'/>")
		b.farGets("third")
		juliet.lose()
		b.farGets("to='other@far.example/juliet' type='unavailable'")
	})
}

// A client may probe by itself: it is passed on, or dealt with here (RFC 6121 §4.3).
func TestProbesOfClients(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, func(c *server.Config) { c.Limits.PerMinute = 7 }, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		friends(juliet, romeo)
		juliet.say("<presence to='romeo@im.example' type='probe'/>")
		juliet.gets("<presence from='romeo@im.example/garden' to='juliet@im.example/balcony'/>")
		romeo.gets()
		juliet.say("<presence to='room@far.example/nick' type='probe' id='p'/>")
		b.farGets("<presence from='juliet@im.example/balcony' id='p' to='room@far.example/nick' type='probe'/>")
		juliet.say("<presence to='juliet@im.example' type='probe'/>")
		juliet.gets()
		for range 3 {
			juliet.say("<presence to='room@far.example/nick' type='probe'/>")
		}
		b.farGets("probe", "probe")
		juliet.gets("type='error'…type='wait'><policy-violation")
	})
}
