package server_test

import (
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/roster"
)

// friends makes a mutual subscription between two online clients, as people do it.
func friends(a, b *client) {
	a.bed.t.Helper()
	a.say("<presence type='subscribe' to='" + b.address.Bare().String() + "'/>")
	b.say("<presence type='subscribed' to='" + a.address.Bare().String() + "'/>")
	b.say("<presence type='subscribe' to='" + a.address.Bare().String() + "'/>")
	a.say("<presence type='subscribed' to='" + b.address.Bare().String() + "'/>")
	a.drain()
	b.drain()
}

const askRoster = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>"

func TestSubscribing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		juliet.say(askRoster)
		romeo.say(askRoster)
		juliet.gets("type='result'><query xmlns='jabber:iq:roster' ver='0'/>")
		romeo.drain()

		romeo.say("<presence type='subscribe' to='juliet@im.example/balcony'><status>let me</status></presence>")
		juliet.gets("<presence from='romeo@im.example' to='juliet@im.example' type='subscribe'><status>let me")
		romeo.gets("type='set'><query xmlns='jabber:iq:roster' ver='…<item ask='subscribe' jid='juliet@im.example' subscription='none'/>")

		juliet.say("<presence type='subscribed' to='romeo@im.example'/>")
		juliet.gets("<item jid='romeo@im.example' subscription='from'/>")
		romeo.gets(
			"<presence from='juliet@im.example' to='romeo@im.example' type='subscribed'/>",
			"<item jid='juliet@im.example' subscription='to'/>",
			"<presence from='juliet@im.example/balcony' to='romeo@im.example'/>",
		)

		juliet.say("<presence><show>away</show></presence>")
		romeo.gets("<presence from='juliet@im.example/balcony' to='romeo@im.example'><show>away")
		juliet.gets("<show>away") // its own

		romeo.say("<presence type='unsubscribe' to='juliet@im.example'/>")
		juliet.gets("type='unsubscribe'", "<item jid='romeo@im.example' subscription='none'/>")
		romeo.gets("<item jid='juliet@im.example' subscription='none'/>", "<presence from='juliet@im.example/balcony' to='romeo@im.example' type='unavailable'/>")
	})
}

// A request waits for its owner to log in, each time, until it is answered; nobody else sees the contact in the roster before.
func TestARequestWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		romeo.say("<presence type='subscribe' to='juliet@im.example'><status>let me</status></presence>")
		romeo.say("<presence type='subscribe' to='juliet@im.example'/>")
		for range 2 {
			juliet := b.login("juliet@im.example/balcony")
			juliet.say(askRoster)
			juliet.gets("<query xmlns='jabber:iq:roster' ver='…'/>")
			juliet.say("<presence/>")
			juliet.gets("to='juliet@im.example/balcony'/>", "from='romeo@im.example'…type='subscribe'><status>let me")
			juliet.lose()
		}
		juliet := b.login("juliet@im.example/balcony")
		juliet.say("<presence type='unsubscribed' to='romeo@im.example'/>")
		romeo.drain()
		juliet.say("<presence/>")
		juliet.gets("to='juliet@im.example/balcony'/>")
	})
}

func TestApprovedBeforehand(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		juliet.say(askRoster)
		juliet.drain()
		juliet.say("<presence type='subscribed' to='romeo@far.example'/>")
		juliet.gets("<item approved='true' jid='romeo@far.example' subscription='none'/>")
		b.farGets()
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example' type='subscribe'/>")
		juliet.gets("<item approved='true' jid='romeo@far.example' subscription='from'/>")
		b.farGets("type='subscribed'", "<presence from='juliet@im.example/balcony' to='romeo@far.example'/>")
	})
}

// Login: contacts are told and asked, those of this server at once; and told again at the end, however it comes.
func TestPresenceOfALogin(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		friends(juliet, romeo)
		juliet.say("<presence type='subscribe' to='nurse@far.example'/>")
		b.fromFar("<presence from='nurse@far.example' to='juliet@im.example' type='subscribed'/>")
		juliet.lose()
		romeo.gets("<presence from='juliet@im.example/balcony' to='romeo@im.example' type='unavailable'/>")
		b.farGets("type='subscribe'")

		juliet = b.login("juliet@im.example/chamber")
		juliet.say("<presence><priority>3</priority></presence>")
		juliet.gets("from='juliet@im.example/chamber'…<priority>3", "<presence from='romeo@im.example/garden' to='juliet@im.example/chamber'/>")
		romeo.gets("<presence from='juliet@im.example/chamber' to='romeo@im.example'><priority>3")
		b.farGets("<presence from='juliet@im.example' to='nurse@far.example' type='probe'/>") // §4.3

		second := b.login("juliet@im.example/garden")
		second.say("<presence/>")
		second.gets("from='juliet@im.example/garden'", "from='romeo@im.example/garden'", "from='juliet@im.example/chamber' to='juliet@im.example/garden'><priority>3")
		juliet.gets("from='juliet@im.example/garden' to='juliet@im.example/chamber'")
		romeo.drain()

		juliet.say("<presence to='stranger@far.example/x'/>")
		b.farGets("from='juliet@im.example' to='nurse@far.example' type='probe'", "to='stranger@far.example/x'")
		juliet.say("<presence type='unavailable'><status>bye</status></presence>")
		romeo.gets("type='unavailable'><status>bye")
		second.gets("from='juliet@im.example/chamber'…type='unavailable'><status>bye")
		b.farGets("to='stranger@far.example/x' type='unavailable'><status>bye")
	})
}

// A probe says nothing to who is not subscribed, and the same of accounts that there are and that there are not.
func TestProbesOfOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		juliet.say("<presence type='subscribed' to='romeo@far.example'/>")
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example' type='subscribe'/>")
		b.farGets("subscribed", "balcony")
		b.fromFar("<presence from='romeo@far.example/x' to='juliet@im.example' type='probe'/>")
		b.farGets("<presence from='juliet@im.example/balcony' to='romeo@far.example/x'/>")
		b.fromFar("<presence from='tybalt@far.example/x' to='juliet@im.example' type='probe'/>")
		b.farGets("<presence from='juliet@im.example' to='tybalt@far.example' type='unsubscribed'/>")
		b.fromFar("<presence from='tybalt@far.example/x' to='nobody@im.example' type='probe'/>")
		b.farGets("<presence from='nobody@im.example' to='tybalt@far.example' type='unsubscribed'/>")
		b.fromFar("<presence from='tybalt@far.example' to='nobody@im.example' type='subscribe'/>")
		b.farGets()
		juliet.lose()
		b.farGets("type='unavailable'")
		b.fromFar("<presence from='romeo@far.example/x' to='juliet@im.example' type='probe'/>")
		b.farGets("<presence from='juliet@im.example' to='romeo@far.example/x' type='unavailable'/>")
	})
}

// Who is in a group with others has them in the roster from the first login.
func TestGroupsFillRosters(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, func(c *server.Config) {
			g := account.Group{Domain: "im.example", Name: "watch", Title: "The Watch", Members: []jid.JID{jid.MustParse("juliet@im.example"), jid.MustParse("romeo@im.example")}}
			if err := c.Directory.Store.PutGroup(t.Context(), g); err != nil {
				t.Fatal(err)
			}
		}, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		juliet := b.login("juliet@im.example/balcony")
		juliet.say(askRoster)
		juliet.gets("<item jid='romeo@im.example' name='romeo' subscription='both'><group>The Watch</group></item>")
		juliet.say("<presence/>")
		juliet.gets("to='juliet@im.example/balcony'", "from='romeo@im.example/garden'")
		romeo.gets("from='juliet@im.example/balcony'")
	})
}

// Somebody who changes all the time is heard by his contacts only so often.
func TestPresenceIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, func(c *server.Config) { c.Limits.Presences = 2 }, "juliet")
		juliet := b.login("juliet@im.example/balcony")
		for range 3 {
			juliet.say("<presence/>")
		}
		juliet.gets("<presence", "<presence", "type='error'…type='wait'><policy-violation")
		juliet.say("<presence type='unavailable'/>")
		time.Sleep(time.Minute) // virtual
		juliet.say("<presence/>")
		juliet.gets("type='unavailable'/>", "to='juliet@im.example/balcony'/>")
	})
}

func TestNewSubscriptionsAreCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, func(c *server.Config) { c.Limits.PerMinute = 2 }, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		juliet.say("<presence type='subscribe' to='a@far.example'/>")
		juliet.say("<presence to='b@far.example'/>")
		juliet.say("<presence type='subscribe' to='c@far.example'/>")
		juliet.say("<presence to='d@far.example'/>")
		juliet.gets("type='error'…type='wait'><policy-violation", "type='error'…type='wait'><policy-violation")
		juliet.say("<presence to='b@far.example'/>") // known already
		b.farGets("a@far.example", "b@far.example", "b@far.example")
	})
}

// Who comes into a group later is in the roster of those who are there already as soon as one of their clients logs in.
func TestANewMemberOfAGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		juliet.say(askRoster)
		juliet.drain()
		g := account.Group{Domain: "im.example", Name: "watch", Members: []jid.JID{jid.MustParse("juliet@im.example"), jid.MustParse("romeo@im.example")}}
		if err := b.directory.Store.PutGroup(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		b.online("romeo@im.example/orchard").drain()
		juliet.gets("from='romeo@im.example/garden'", "from='romeo@im.example/orchard'") // he shows himself; her own roster does not have him
		second := b.login("juliet@im.example/chamber")
		second.say("<presence/>")
		juliet.gets("<item jid='romeo@im.example' name='romeo' subscription='both'><group>watch</group></item>", "romeo", "romeo", "from='juliet@im.example/chamber'")
		romeo.gets("from='romeo@im.example/orchard'", "from='juliet@im.example/balcony'", "from='juliet@im.example/chamber'")
	})
}

func TestAdministration(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		first, second := b.online("juliet@im.example/balcony"), b.online("juliet@im.example/chamber")
		first.say(askRoster)
		first.drain()
		if _, err := b.server.ChangeContact(t.Context(), first.address.Bare(), jid.MustParse("romeo@far.example"), func(i *roster.Item) error {
			i.Subscription = roster.From
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		first.gets("<item jid='romeo@far.example' subscription='from'/>")
		second.say("<presence><show>xa</show></presence>")
		b.farGets("from='juliet@im.example/chamber' to='romeo@far.example'")
		for who, want := range map[string]bool{"romeo@far.example/x": true, "juliet@im.example/y": true, "tybalt@far.example": false} {
			if ok, err := b.server.Sees(t.Context(), first.address.Bare(), jid.MustParse(who)); ok != want || err != nil {
				t.Errorf("%s: %v, %v", who, ok, err)
			}
		}
		if n := b.server.End(second.address, stanza.StreamPolicyViolation, "go"); n != 1 {
			t.Errorf("%d sessions ended", n)
		}
		first.drain()
		if second.closed != stanza.StreamPolicyViolation || first.closed != stanza.NoStreamCondition {
			t.Errorf("closed with %v and %v", second.closed, first.closed)
		}
		if n := b.server.End(first.address.Bare(), stanza.StreamNotAuthorized, "removed"); n != 1 {
			t.Errorf("%d sessions ended", n)
		}
		first.drain()
		if c := b.server.Census(); c != (server.Census{}) {
			t.Errorf("there are %+v", c)
		}
	})
}
