package imserver_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

// What was released to somebody and did not arrive is read by what he is cleared for when his client resumes its session (XEP-0198 §5), and
// goes on waiting for the time when he may.
func TestResumedByWhoIsClearedForLess(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	w.policyLike("internal.label.xml", "hers.label.xml", "INTERNAL", "CONFIDENTIAL")
	w.policyLike("guest.clearance.xml", "staff.clearance.xml", "<Classification>PUBLIC</Classification>", "<Classification>PUBLIC</Classification><Classification>INTERNAL</Classification>")
	w.more("\n[[default-label]]\nid = \"hers\"\nlabel = \"policy/hers.label.xml\"\nusers = [\"juliet@home.test\"]\n\n[server.clearance.staff]\nfile = \"policy/staff.clearance.xml\"\n")
	juliet := w.login("juliet", "balcony")
	all := juliet.offered("")
	lost := w.rawKnown("romeo")
	lost.until("</stream:features>")
	lost.say(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>orchard</resource></bind></iq><enable xmlns='urn:xmpp:sm:3' resume='true'/>`)
	lost.until("<enabled xmlns='urn:xmpp:sm:3' id='")
	id := strings.TrimSuffix(lost.until("'"), "'")
	lost.say(`<presence/><iq type='set' id='p'><enable xmlns='urn:xmpp:carbons:2'/></iq>`)
	lost.until("id='p'")
	say := func(body, label string) {
		t.Helper()
		juliet.must(juliet.Send(client.Message{To: "romeo@" + imserver.Domain, Body: body, Type: "chat", Extra: []string{labelOf(t, all, label)}}))
	}
	say("written and not acknowledged", "CONFIDENTIAL")
	lost.until("</message>")
	other := w.login("romeo", "garden")
	juliet.must(juliet.Send(client.Message{To: other.JID, Body: "hers by default", Type: "chat"}))
	lost.until("<received xmlns='urn:xmpp:carbons:2'>")
	other.must(other.Close())
	lost.say(`<iq type='set' id='m'><query xmlns='urn:xmpp:mam:2' queryid='q'/></iq>`)
	lost.until("<fin ")
	lost.must(lost.conn.Close())
	say("while nobody was there", "CONFIDENTIAL")
	say("for everybody", "PUBLIC")
	juliet.asks("get", imserver.Domain, `<ping xmlns="urn:xmpp:ping"/>`)
	w.clear("romeo", "staff") // as the account itself is held to say, and not as she is

	back := w.rawKnown("romeo")
	back.until("</stream:features>")
	back.say(`<resume xmlns='urn:xmpp:sm:3' previd='` + id + `' h='0'/>`)
	back.until("<resumed ")
	said := back.until("for everybody") // the last of them
	back.say(`<iq type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>`)
	said += back.until("id='q'")
	for _, hidden := range []string{"written and not", "while nobody", "hers by default", "CONFIDENTIAL"} {
		if strings.Contains(said, hidden) {
			t.Errorf("he is given %s", said)
		}
	}
	back.say(`</stream:stream>`)
	back.until("</stream:stream>")
	w.clear("romeo")
	romeo := w.login("romeo", "kitchen")
	romeo.hears("written and not acknowledged")
	romeo.hears("while nobody was there")
}

// policyLike makes a file of the policy that is like another but for some words.
func (w *world) policyLike(like, name, old, now string) {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.home.Dir, "policy", like))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.home.Dir, "policy", name), []byte(strings.ReplaceAll(string(text), old, now)), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// Whatever he may still read is written again, of every kind that a server tells a client: messages, copies, archive, catalogue, items.
func TestResumedWithAllThatMayBeRead(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	juliet, other := w.login("juliet", "balcony"), w.login("romeo", "kitchen")
	all := juliet.offered("")
	other.asks("set", "", publication("http://jabber.org/protocol/tune", "an item", labelOf(t, all, "CONFIDENTIAL")))
	lost := w.rawKnown("romeo")
	lost.until("</stream:features>")
	lost.say(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>orchard</resource></bind></iq><enable xmlns='urn:xmpp:sm:3' resume='true'/>`)
	lost.until("<enabled xmlns='urn:xmpp:sm:3' id='")
	id := strings.TrimSuffix(lost.until("'"), "'")
	lost.say(`<presence/><iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`)
	lost.until("id='c'")
	juliet.says("romeo@"+imserver.Domain, "a message", labelOf(t, all, "CONFIDENTIAL"))
	lost.until(">a message<")
	juliet.says("romeo@"+imserver.Domain, "one without a label")
	lost.until(">one without a label<")
	other.must(other.Send(client.Message{To: juliet.Bare(), Body: "a copy", Type: "chat", Extra: []string{labelOf(t, all, "CONFIDENTIAL")}}))
	lost.until(">a copy<")
	lost.say(`<iq type='set' id='m'><query xmlns='urn:xmpp:mam:2' queryid='q'/></iq><iq type='get' id='l' to='` + imserver.Domain + `'><catalog xmlns='urn:xmpp:sec-label:catalog:2' to='juliet@` + imserver.Domain + `'/></iq>` +
		`<iq type='get' id='i'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='http://jabber.org/protocol/tune'/></pubsub></iq><iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>`)
	lost.until("id='p'")
	lost.must(lost.conn.Close())

	back := w.rawKnown("romeo")
	back.until("</stream:features>")
	back.say(`<resume xmlns='urn:xmpp:sm:3' previd='` + id + `' h='0'/>`)
	back.until("<resumed ")
	said := back.until("id='p'")
	for what, times := range map[string]int{
		">a message<": 2, ">one without a label<": 2, ">a copy<": 2, "<sent xmlns='urn:xmpp:carbons:2'>": 1, "<result xmlns='urn:xmpp:mam:2'": 3, "<fin ": 1, "<catalog ": 1, ">an item<": 1, "BASIC CONFIDENTIAL": 8,
	} {
		if got := strings.Count(said, what); got < times {
			t.Errorf("%s comes %d times again, want %d: %s", what, got, times, said)
		}
	}
}

// must fails the test.
func (r *raw) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// Errors have no label (XEP-0258 §5): nobody can say something in one, be it a user or a component (XEP-0114).
func TestNothingIsSaidInErrors(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	at := netip.AddrPortFrom(w.home.Clients.Addr(), 5347)
	w.secret("echo.secret", echoSecret)
	w.more(fmt.Sprintf("\n[server.components]\nlisten = [%q]\n\n[server.component.echo]\ndomain = %q\nsecret = \"echo.secret\"\n", at, echoDomain))
	w.clear("romeo", "guest")
	c, err := w.driver.Component(echoDomain, echoSecret, at)
	if err != nil {
		t.Fatalf("%v\n%s", err, w.logTail())
	}
	echo, juliet, romeo := &person{c, t}, w.login("juliet", "balcony"), w.login("romeo", "orchard")
	const inside = `<subject>canary</subject><body>canary</body><html xmlns="http://jabber.org/protocol/xhtml-im"><body xmlns="http://www.w3.org/1999/xhtml">canary</body></html>` +
		`<error type="cancel"><gone xmlns="urn:ietf:params:xml:ns:xmpp-stanzas">xmpp:canary@home.test</gone><text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas">canary</text><x xmlns="urn:canary">canary</x></error>`
	for i, by := range []struct {
		who  *person
		from string
	}{{juliet, juliet.JID}, {echo, echoDomain}, {echo, "hall@" + echoDomain}, {echo, "hall@" + echoDomain + "/somebody"}} {
		for _, to := range []string{romeo.JID, romeo.Bare()} {
			id := fmt.Sprintf("error%d", i)
			by.who.must(by.who.SendRaw(`<message type="error" id="` + id + `" from="` + by.from + `" to="` + to + `">` + inside + `</message>`))
		}
		told := romeo.sees(func(e client.Event) bool {
			return e.Kind == "message" && e.Type == "error" && e.ID == fmt.Sprintf("error%d", i)
		})
		if strings.Contains(told.XML, "canary") {
			t.Errorf("he is told %s", told.XML)
		}
	}
}

// What somebody passes on is read by who was not there, too, and by nobody who may not read what is inside (XEP-0297).
func TestWhatIsPassedOnIsRead(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo", "nurse")
	juliet := w.login("juliet", "balcony")
	all := juliet.offered("")
	forwards := func(body, inner string) string {
		return `<forwarded xmlns="urn:xmpp:forward:0"><message xmlns="jabber:client" from="nurse@home.test/r" to="juliet@home.test/r" type="chat">` + inner + `<body>` + body + `</body></message></forwarded>`
	}
	confidential, public := labelOf(t, all, "CONFIDENTIAL"), labelOf(t, all, "PUBLIC")
	for _, name := range []string{"romeo", "nurse"} {
		to := name + "@" + imserver.Domain
		juliet.must(juliet.Send(client.Message{To: to, Body: "high in high", Type: "chat", Extra: []string{confidential, forwards("canary one", confidential)}}))
		juliet.must(juliet.Send(client.Message{To: to, Body: "none in high", Type: "chat", Extra: []string{confidential, forwards("canary two", "")}}))
		juliet.must(juliet.Send(client.Message{To: to, Body: "high in low", ID: "high in low", Type: "chat", Extra: []string{public, forwards("canary three", confidential)}}))
		juliet.refusedFor("high in low")
		juliet.must(juliet.Send(client.Message{To: to, Body: "low in low", Type: "chat", Extra: []string{public, forwards("passed on", public)}}))
	}
	juliet.asks("get", imserver.Domain, `<ping xmlns="urn:xmpp:ping"/>`)
	w.clear("romeo", "guest")
	romeo, nurse := w.login("romeo", "orchard"), w.login("nurse", "chamber")
	for _, body := range []string{"high in high", "none in high", "low in low"} {
		nurse.hears(body)
	}
	if heard := romeo.hears("low in low"); !strings.Contains(heard.XML, "passed on") {
		t.Errorf("he is given %s", heard.XML)
	}
	kept, _ := nurse.archived("all", "")
	if got := strings.Join(kept, "\n"); len(kept) != 3 || !strings.Contains(got, "canary one") || !strings.Contains(got, "canary two") || strings.Contains(got, "canary three") {
		t.Errorf("who may reads in the archive\n%s", got)
	}
	romeo.archived("his", "")
	if said := romeo.Received(func(e client.Event) bool { return strings.Contains(e.XML, "canary") }); len(said) > 0 {
		t.Errorf("he is given %s", said[0].XML)
	}
}
