package server_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/server"
)

func (b *bed) waiting(account string) int {
	n, _ := b.store.CountOffline(b.t.Context(), jid.MustParse(account))
	return n
}

// What comes while nobody is there waits, and comes in its order with the time it came, before anything newer.
func TestMessagesWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		for _, body := range []string{"one", "two", "three", "four", "five"} {
			romeo.say(message("juliet@im.example", "chat", body, body))
			time.Sleep(time.Minute) // virtual
		}
		romeo.say("<message to='juliet@im.example' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
		romeo.gets()
		romeo.say("<message to='juliet@im.example' type='chat' id='n'><body>secret</body><no-store xmlns='urn:xmpp:hints'/></message>")
		romeo.gets("id='n'…type='error'…service-unavailable")
		juliet := b.login("juliet@im.example/balcony")
		juliet.say("<presence><priority>-1</priority></presence>")
		juliet.gets("priority")
		juliet.put("<presence/>")
		romeo.say(message("juliet@im.example", "chat", "six", "six"))
		delay := "…<delay xmlns='urn:xmpp:delay' from='im.example' stamp='2000-01-01T00:0"
		juliet.gets("<presence", "one"+delay+"0:00.000Z'", "two"+delay+"1", "three"+delay+"2", "four"+delay+"3", "five"+delay+"4", "six")
		if n := b.waiting("juliet@im.example"); n != 0 {
			t.Errorf("%d messages go on waiting", n)
		}
	})
}

// What a client has not acknowledged waits for the next, once.
func TestWhatWaitedIsDroppedWhenAcknowledged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		for _, body := range []string{"one", "two"} {
			romeo.say(message("juliet@im.example", "chat", body, body))
		}
		juliet := b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.gets("<presence", "one", "two")
		second := b.managed("juliet@im.example/chamber")
		second.say("<presence/>")
		second.gets("<presence", "<presence") // what another is just being given is not given twice
		if n := b.waiting("juliet@im.example"); n != 2 {
			t.Errorf("%d wait", n)
		}
		juliet.lose()
		second.gets("type='unavailable'", "one", "two")
		second.ack()
		second.drain()
		if n := b.waiting("juliet@im.example"); n != 0 {
			t.Errorf("%d wait", n)
		}
	})
}

// What a lost client did not acknowledge goes to another, or waits; what one of several has acknowledged goes nowhere.
func TestWhatALostClientHad(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		first, second := b.managed("juliet@im.example/balcony"), b.managed("juliet@im.example/chamber")
		first.say("<presence/>")
		second.say("<presence/>")
		first.drain()
		second.drain()
		romeo.say(message("juliet@im.example/balcony", "chat", "1", "for one"))
		romeo.say(message("juliet@im.example", "chat", "2", "for both"))
		second.gets("for both")
		first.lose()
		second.gets("unavailable", "for one…delay")
		second.lose()
		if n := b.waiting("juliet@im.example"); n != 0 {
			t.Log("the bubble is not done yet") // ends only in the next look
		}
		romeo.drain()
		if n := b.waiting("juliet@im.example"); n != 2 {
			t.Errorf("%d wait", n)
		}
		third, fourth := b.managed("juliet@im.example/balcony"), b.managed("juliet@im.example/chamber")
		third.say("<presence/>")
		third.gets("<presence", "for both", "for one")
		third.ack()
		fourth.say("<presence/>")
		third.drain()
		fourth.drain()
		romeo.say(message("juliet@im.example", "chat", "3", "again for both"))
		third.ack()
		third.lose()
		fourth.lose()
		romeo.drain()
		if n := b.waiting("juliet@im.example"); n != 0 {
			t.Errorf("%d wait although one has it", n)
		}
	})
}

// Whom a message cannot be kept for: everybody gets the same answer.
func TestNobodyThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		b.store.full = true
		romeo.say(message("juliet@im.example", "chat", "1", "x"))
		romeo.say(message("nobody@im.example", "chat", "2", "x"))
		romeo.gets("id='1'…type='error'…<error type='cancel'><service-unavailable", "id='2'…type='error'…<error type='cancel'><service-unavailable")
		for _, to := range []string{"juliet@im.example", "nobody@im.example", "juliet@im.example/x", "nobody@im.example/x"} {
			romeo.say("<iq to='" + to + "' type='get' id='q'><vCard xmlns='vcard-temp'/></iq>")
			romeo.gets("<iq from='" + to + "' id='q' to='romeo@im.example/garden' type='error'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
		}
		if romeo.settled != romeo.sent {
			t.Errorf("%d of %d settled", romeo.settled, romeo.sent)
		}
	})
}

// A burst for somebody who is not there waits in few changes of the store, in its order; for what there is no room its sender is told.
func TestMessagesWaitTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, _ := shelved(t, time.Second, "juliet", "romeo")
		juliet := b.online("juliet@im.example/balcony")
		b.store.most = 30
		var want, refused []string
		for i := range 40 {
			id := fmt.Sprintf("m%02d.", i)
			juliet.put(message("romeo@im.example", "chat", id, id))
			if i < b.store.most {
				want = append(want, "<body>"+id)
			} else {
				refused = append(refused, "id='"+id+"'…type='error'…<service-unavailable")
			}
		}
		time.Sleep(10 * time.Second) // virtual: the archive takes a second for each change
		synctest.Wait()
		if n := b.waiting("romeo@im.example"); n != b.store.most || b.store.puts > 6 {
			t.Errorf("%d wait after %d changes", n, b.store.puts)
		}
		juliet.gets(refused...)
		if juliet.settled != juliet.sent {
			t.Errorf("%d of %d settled", juliet.settled, juliet.sent)
		}
		romeo := b.login("romeo@im.example/garden")
		romeo.say("<presence/>")
		time.Sleep(10 * time.Second) // virtual, as above
		romeo.gets(append([]string{"<presence"}, want...)...)
	})
}

// Labels are looked at when the message is read, not only when it came.
func TestWhoIsNotClearedAnyMore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		romeo.say(message("juliet@im.example", "chat", "1", "secret"))
		romeo.say(message("juliet@im.example", "chat", "2", "open"))
		b.gate.hidden = func(m stanza.Stanza) bool { return strings.Contains(written(t, m), "secret") }
		juliet := b.login("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.gets("<presence", "open")
		juliet.lose()
		b.gate.hidden = nil
		juliet = b.login("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.gets("<presence", "secret")
	})
}

func TestCopies(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo, desk, phone := b.online("romeo@im.example/garden"), b.online("juliet@im.example/desk"), b.online("juliet@im.example/phone")
		desk.drain()
		for _, c := range []*client{desk, phone, romeo} {
			c.say("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
			c.gets("<iq…id='c'…type='result'")
		}
		romeo.say(message("juliet@im.example/desk", "chat", "1", "hello"))
		desk.gets("<message from='romeo@im.example/garden' id='1'…hello")
		phone.gets("<message from='juliet@im.example' to='juliet@im.example/phone' type='chat'><received xmlns='urn:xmpp:carbons:2'>" +
			"<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='romeo@im.example/garden' id='1' to='juliet@im.example/desk' type='chat'>…hello")
		phone.say(message("romeo@im.example", "chat", "2", "well met"))
		romeo.gets("well met")
		desk.gets("<sent xmlns='urn:xmpp:carbons:2'>…from='juliet@im.example/phone'…well met")
		phone.gets()
		for name, raw := range map[string]string{
			"private":   "<message to='juliet@im.example/desk' type='chat'><body>x</body><private xmlns='urn:xmpp:carbons:2'/></message>",
			"no-copy":   "<message to='juliet@im.example/desk' type='chat'><body>x</body><no-copy xmlns='urn:xmpp:hints'/></message>",
			"headline":  "<message to='juliet@im.example/desk' type='headline'><body>x</body></message>",
			"no body":   "<message to='juliet@im.example/desk'><x xmlns='urn:x'/></message>",
			"groupchat": "<message to='juliet@im.example/desk' type='groupchat'><body>x</body></message>",
		} {
			romeo.say(raw)
			if got := phone.drain(); len(got) != 0 {
				t.Errorf("%s was copied: %s", name, got)
			}
			if got := desk.drain(); len(got) != 1 {
				t.Errorf("%s: %s", name, got)
			}
		}
		phone.say("<iq type='set' id='c'><disable xmlns='urn:xmpp:carbons:2'/></iq>")
		phone.drain()
		romeo.say("<message to='juliet@im.example/desk' id='3'><received xmlns='urn:xmpp:receipts' id='2'/></message>")
		desk.gets("id='3'")
		phone.gets()
	})
}

// What is refused was never said: the other clients of who said it are shown nothing of it (XEP-0280 §7).
func TestNoCopiesOfWhatIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		desk, phone := b.online("juliet@im.example/desk"), b.online("juliet@im.example/phone")
		desk.say("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
		desk.drain()
		phone.drain()
		phone.say(message("romeo@nowhere.example", "chat", "1", "farewell"))
		phone.drain()
		desk.gets()
		phone.say(message("romeo@far.example", "chat", "2", "well met"))
		desk.gets("<sent xmlns='urn:xmpp:carbons:2'>…well met")
		if phone.settled != phone.sent {
			t.Errorf("%d of %d settled", phone.settled, phone.sent)
		}
	})
}

func TestNobodyLooks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		friends(juliet, romeo)
		b.server.EventOf(juliet, stream.ClientState{})
		romeo.say("<presence><show>away</show></presence>")
		romeo.say("<presence><show>xa</show></presence>")
		romeo.say("<message to='juliet@im.example' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
		juliet.gets()
		romeo.say(message("juliet@im.example", "chat", "1", "hello"))
		juliet.gets("<show>xa", "composing", "hello")
		romeo.say("<presence><show>dnd</show></presence>")
		juliet.gets()
		b.server.EventOf(juliet, stream.ClientState{Active: true})
		juliet.gets("<show>dnd")
		romeo.say("<presence/>")
		juliet.gets("<presence from='romeo@im.example/garden' to='juliet@im.example'/>")
	})
}

// Nobody but its own server gives a client orders (bad-inputs H09).
func TestOrdersOfOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		romeo.say("<iq to='juliet@im.example/balcony' type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='x@im.example'/></query></iq>")
		romeo.say("<iq to='juliet@im.example' type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>")
		romeo.gets("id='1'…type='error'…service-unavailable", "id='2'…type='error'…service-unavailable")
		juliet.gets()
	})
}

func TestTooManyResources(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, func(c *server.Config) { c.Limits.Resources = 2 }, "juliet")
		b.login("juliet@im.example/1")
		b.login("juliet@im.example/2")
		in := b.server.BindTo(&client{bed: b}, stream.BindWanted{Account: jid.MustParse("juliet@im.example"), Resource: "3"})
		if got, ok := in.(stream.BindRefused); !ok || got.Reason != stream.BindConstraint {
			t.Errorf("got %#v", in)
		}
		b.login("juliet@im.example/2")
		b.server.SetLimits(server.Limits{Resources: 3}) // another configuration
		b.login("juliet@im.example/3")
	})
}

// A client that takes nothing more is closed; nothing is lost (bad-inputs D18).
func TestAClientThatDoesNotAcknowledge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo, juliet := b.online("romeo@im.example/garden"), b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		romeo.say(message("juliet@im.example", "chat", "1", "one"))
		juliet.mu.Lock()
		juliet.overflow = true
		juliet.mu.Unlock()
		romeo.say(message("juliet@im.example", "chat", "2", "two"))
		romeo.gets()
		if juliet.closed != stanza.StreamResourceConstraint || b.waiting("juliet@im.example") != 2 {
			t.Errorf("closed with %v, %d wait", juliet.closed, b.waiting("juliet@im.example"))
		}
	})
}

// What only a session holds that waits to be resumed is kept, and dropped when the client has come back for it.
func TestForAClientThatMayComeBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo, juliet := b.online("romeo@im.example/garden"), b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		park := func(is bool) {
			juliet.mu.Lock()
			juliet.parked = is
			juliet.mu.Unlock()
		}
		park(true)
		romeo.say(message("juliet@im.example", "chat", "1", "one"))
		if n := b.waiting("juliet@im.example"); n != 1 {
			t.Errorf("%d wait", n)
		}
		park(false)
		juliet.ack()
		romeo.say(message("juliet@im.example", "chat", "2", "two"))
		juliet.gets("<presence", "one", "two")
		if n := b.waiting("juliet@im.example"); n != 0 {
			t.Errorf("%d wait", n)
		}
		juliet.ack()
		park(true)
		romeo.say(message("juliet@im.example", "chat", "3", "three"))
		second := b.managed("juliet@im.example/chamber")
		second.say("<presence/>")
		second.gets("<presence", "<presence") // the first may still come back
		juliet.lose()
		second.gets("unavailable", "three")
	})
}

// What only the own server says is taken out of what somebody else says (bad-inputs H15).
func TestClaimsInOurName(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		const inner = "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@im.example' to='juliet@im.example'><body>trust him</body></message></forwarded>"
		for name, claim := range map[string]string{
			"a copy":          "<received xmlns='urn:xmpp:carbons:2'>" + inner + "</received>",
			"another copy":    "<sent xmlns='urn:xmpp:carbons:2'>" + inner + "</sent>",
			"an old message":  "<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>" + inner + "</result>",
			"an old time":     "<delay xmlns='urn:xmpp:delay' from='im.example' stamp='1999-01-01T00:00:00Z'/>",
			"another's claim": "<delay xmlns='urn:xmpp:delay' from='juliet@im.example' stamp='1999-01-01T00:00:00Z'/>",
		} {
			romeo.say("<message to='juliet@im.example' type='chat'>" + claim + "<body>hello</body>" + claim + "</message>")
			if got := juliet.drain(); len(got) != 1 || got[0] != "<message from='romeo@im.example/garden' to='juliet@im.example' type='chat'><body>hello</body></message>" {
				t.Errorf("%s: %s", name, got)
			}
		}
	})
}
