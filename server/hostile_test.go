package server_test

import (
	"fmt"
	"strings"
	"testing"
)

// A list of recipients has an end, and nobody is sent anything because of it (bad-inputs H12).
func TestListsOfRecipients(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo", "nurse")
		juliet, romeo, nurse := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden"), b.online("nurse@im.example/x")
		list := func(n int) string {
			return "<addresses xmlns='http://jabber.org/protocol/address'>" + strings.Repeat("<address type='to' jid='nurse@im.example'/>", n) + "</addresses>"
		}
		juliet.say("<message to='romeo@im.example' id='1'><body>x</body>" + list(20) + "</message>")
		romeo.gets("<body>x")
		for _, lists := range []string{list(21), list(11) + list(10), list(2000)} {
			juliet.say("<message to='romeo@im.example' id='2'><body>x</body>" + lists + "</message>")
			juliet.gets("id='2'…type='error'…<policy-violation")
		}
		romeo.gets()
		nurse.gets()
	})
}

// No error is answered with an error, whoever it is for (bad-inputs H14).
func TestErrorsAreNotAnswered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		const why = "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
		for _, to := range []string{"nobody@im.example", "nobody@im.example/x", "romeo@im.example", "romeo@im.example/gone", "im.example", "im.example/x"} {
			for _, kind := range []string{"message", "presence", "iq"} {
				juliet.say(fmt.Sprintf("<%s to='%s' type='error' id='e'>%s</%s>", kind, to, why, kind))
				juliet.gets()
			}
		}
		romeo.gets("<presence…type='error'") // for the account: it may be about a subscription
		if juliet.settled != juliet.sent {
			t.Errorf("%d of %d settled", juliet.settled, juliet.sent)
		}
	})
}

// Ten thousand subscriptions are not a way to find out who is there, nor to make others busy (bad-inputs H11).
func TestManySubscriptions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		refused := 0
		for i := range 1000 {
			juliet.put(fmt.Sprintf("<presence type='subscribe' to='u%d@im.example' id='s'/>", i))
		}
		for _, got := range juliet.drain() {
			if !strings.Contains(got, "type='wait'><policy-violation") {
				t.Errorf("got %s", got)
			}
			refused++
		}
		if refused != 900 {
			t.Errorf("%d refused", refused)
		}
	})
}

// Strangers who ask cannot fill somebody's roster, and those whom he has asked himself get through.
func TestManyStrangersAsk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		for i := range 250 {
			b.fromFar(fmt.Sprintf("<presence from='x%d@far.example' to='juliet@im.example' type='subscribe'/>", i))
		}
		if n := len(juliet.drain()); n != 200 {
			t.Errorf("%d requests were shown", n)
		}
		juliet.say("<presence type='subscribe' to='romeo@far.example'/>")
		b.fromFar("<presence from='romeo@far.example' to='juliet@im.example' type='subscribe'/>")
		juliet.gets("from='romeo@far.example'…type='subscribe'")
		juliet.say("<presence type='unsubscribed' to='x1@far.example'/>")
		b.fromFar("<presence from='x249@far.example' to='juliet@im.example' type='subscribe'/>")
		juliet.gets("from='x249@far.example'")
	})
}
