package server_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func setItem(id, item string) string {
	return fmt.Sprintf("<iq type='set' id='%s'><query xmlns='jabber:iq:roster'>%s</query></iq>", id, item)
}

func TestChangingTheRoster(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		desk, phone := b.online("juliet@im.example/desk"), b.online("juliet@im.example/phone")
		desk.say(askRoster)
		desk.drain()
		phone.say(setItem("1", "<item jid='Nurse@far.example/x' name='N'><group>Servants</group></item>"))
		phone.gets("id='1'…type='result'/>") // it has not asked for the roster
		desk.gets("<iq from='juliet@im.example' id='…to='juliet@im.example/desk' type='set'><query xmlns='jabber:iq:roster' ver='…'><item jid='nurse@far.example' name='N' subscription='none'><group>Servants</group></item>")
		for name, tt := range map[string][2]string{
			"none":           {"", "bad-request"},
			"two":            {"<item jid='a@far.example'/><item jid='b@far.example'/>", "bad-request"},
			"no address":     {"<item/>", "bad-request"},
			"himself":        {"<item jid='juliet@im.example'/>", "not-allowed"},
			"a group twice":  {"<item jid='a@far.example'><group>x</group><group>x</group></item>", "bad-request"},
			"an empty group": {"<item jid='a@far.example'><group/></item>", "not-acceptable"},
			"a long group":   {"<item jid='a@far.example'><group>" + strings.Repeat("x", 2000) + "</group></item>", "not-acceptable"},
			"a long name":    {"<item jid='a@far.example' name='" + strings.Repeat("x", 2000) + "'/>", "not-acceptable"},
			"nobody":         {"<item jid='a@far.example' subscription='remove'/>", "item-not-found"},
		} {
			desk.say(setItem("2", tt[0]))
			if got := desk.drain(); len(got) != 1 || !strings.Contains(got[0], "type='error'") || !strings.Contains(got[0], "<"+tt[1]) {
				t.Errorf("%s: %s", name, got)
			}
		}
	})
}

// Whoever is removed hears that both subscriptions have ended (§2.5.2).
func TestRemovingAContact(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		friends(juliet, romeo)
		romeo.say(askRoster)
		romeo.drain()
		juliet.say(setItem("1", "<item jid='romeo@im.example' subscription='remove'/>"))
		juliet.gets("id='1'…type='result'/>", "<presence from='romeo@im.example/garden'…unavailable")
		romeo.gets("<presence from='juliet@im.example/balcony'…type='unavailable'", "type='unsubscribe'", "subscription='to'", "type='unsubscribed'", "subscription='none'")
		juliet.say(askRoster)
		juliet.gets("<query xmlns='jabber:iq:roster' ver='…'/>")
	})
}

// A client with an older copy is told what has changed, in order, or the whole.
func TestVersions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.login("juliet@im.example/balcony")
		ask := func(ver string) []string {
			juliet.say("<iq type='get' id='r'><query xmlns='jabber:iq:roster' ver='" + ver + "'/></iq>")
			return juliet.drain()
		}
		for _, ver := range []string{"", "0"} { // nothing has ever been in it
			check(t, "juliet", ask(ver), []string{"<query xmlns='jabber:iq:roster' ver='0'/>"})
		}
		juliet.say(setItem("1", "<item jid='a@far.example'/>"))
		juliet.drain()
		check(t, "juliet", ask("0"), []string{"<query xmlns='jabber:iq:roster' ver='…a@far.example"})
		juliet.say(askRoster)
		juliet.gets("<query xmlns='jabber:iq:roster' ver='…a@far.example") // who has not asked for versions is told, too (§2.6.3)
		first := ask("")
		m := regexp.MustCompile(`ver='([^']+)'`).FindStringSubmatch(first[0])
		if m == nil || !strings.Contains(first[0], "a@far.example") {
			t.Fatalf("got %s", first)
		}
		check(t, "juliet", ask(m[1]), []string{"<iq from='juliet@im.example' id='r' to='juliet@im.example/balcony' type='result'/>"})
		juliet.say(setItem("2", "<item jid='b@far.example'/>"))
		juliet.say(setItem("3", "<item jid='a@far.example' subscription='remove'/>"))
		juliet.drain()
		check(t, "juliet", ask(m[1]), []string{"type='result'/>", "ver='…jid='b@far.example' subscription='none'", "ver='…jid='a@far.example' subscription='remove'"})
		check(t, "juliet", ask("ffffffffffffffff-n"), []string{"<query xmlns='jabber:iq:roster' ver='…jid='b@far.example'…</query></iq>"})
		check(t, "juliet", ask("of another server"), []string{"<query xmlns='jabber:iq:roster' ver='…jid='b@far.example'…</query></iq>"})
	})
}

// Who was never in a roster does not leave it either: a request that is denied, or taken back, changes nothing that clients know (RFC 6121
// §3.1.3).
func TestRequestsAreInNoRoster(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		juliet.say(askRoster)
		juliet.drain()
		romeo.say("<presence type='subscribe' to='juliet@im.example'/>")
		juliet.gets("type='subscribe'")
		juliet.say("<presence type='unsubscribed' to='romeo@im.example'/>")
		juliet.gets()
		romeo.say("<presence type='subscribe' to='juliet@im.example'/>")
		juliet.gets("type='subscribe'")
		romeo.say("<presence type='unsubscribe' to='juliet@im.example'/>")
		juliet.gets("type='unsubscribe'")
	})
}

// What a client sets is its words for a contact, whole; what is between the two it cannot set (§2.1.2.5, §2.1.5, §2.4.1).
func TestWhatAClientMaySet(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		juliet.say(askRoster)
		juliet.drain()
		juliet.say(setItem("1", "<item jid='nurse@far.example' name='N' subscription='both' ask='subscribe' approved='true'><group>a</group><group>b</group></item>"))
		juliet.gets("<item jid='nurse@far.example' name='N' subscription='none'><group>a</group><group>b</group></item>", "id='1'…type='result'/>")
		b.farGets()
		friends(juliet, romeo)
		juliet.say(setItem("2", "<item jid='romeo@im.example' name='R' subscription='none'><group>a</group></item>"))
		juliet.gets("<item jid='romeo@im.example' name='R' subscription='both'><group>a</group></item>", "id='2'…type='result'/>")
		juliet.say(setItem("3", "<item jid='romeo@im.example' name=''/>"))
		juliet.gets("<item jid='romeo@im.example' subscription='both'/>", "id='3'…type='result'/>")
		romeo.gets()
	})
}
