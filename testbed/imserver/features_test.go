package imserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
	"sallyport/testbed/scenario"
)

// asks sends a request, gives its answer, and fails the test on an error.
func (p *person) asks(kind, to, payload string) string {
	p.t.Helper()
	answer, err := p.IQ(kind, to, payload)
	if err != nil {
		p.t.Fatalf("%s: %v", payload, err)
	}
	return answer
}

// archived gives what a query of the own archive brings: the messages, in order, and what ends it.
func (p *person) archived(query, in string) (messages []string, fin string) {
	p.t.Helper()
	fin = p.asks("set", "", `<query xmlns="urn:xmpp:mam:2" queryid="`+query+`">`+in+`</query>`)
	for _, e := range p.Received(func(e client.Event) bool {
		return e.Kind == "message" && e.Has("urn:xmpp:mam:2", "result") && strings.Contains(e.XML, `queryid="`+query+`"`)
	}) {
		messages = append(messages, e.XML)
	}
	return messages, fin
}

// What was said is in both archives, under the id that the recipient was told, page by page; what was taken back is not (XEP-0313, 0359, 0424).
func TestArchive(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	for _, body := range []string{"one", "two", "three"} {
		juliet.must(juliet.Send(client.Message{To: romeo.Bare(), Body: body, ID: "id-" + body, Type: "chat"}))
	}
	romeo.hears("one")
	told := romeo.hears("two")
	romeo.hears("three")
	if !told.Has("urn:xmpp:sid:0", "stanza-id") {
		t.Fatalf("no id in %s", told.XML)
	}
	page, fin := romeo.archived("q1", `<set xmlns="http://jabber.org/protocol/rsm"><max>2</max></set>`)
	if len(page) != 2 || !strings.Contains(page[0], "one") || !strings.Contains(page[1], "two") || strings.Contains(fin, "complete") {
		t.Fatalf("the first page is %s\n%s", page, fin)
	}
	_, after, _ := strings.Cut(fin, "last>") // with whatever prefix
	last, _, _ := strings.Cut(after, "<")
	if !strings.Contains(told.XML, `id="`+last+`"`) {
		t.Errorf("the id %s is another than in %s", last, told.XML)
	}
	page, fin = romeo.archived("q2", `<set xmlns="http://jabber.org/protocol/rsm"><max>2</max><after>`+last+`</after></set>`)
	if len(page) != 1 || !strings.Contains(page[0], "three") || !strings.Contains(fin, `complete="true"`) {
		t.Errorf("the last page is %s\n%s", page, fin)
	}
	juliet.must(juliet.SendRaw(`<message to="` + romeo.Bare() + `" type="chat" id="r1"><retract xmlns="urn:xmpp:message-retract:1" id="id-two"/></message>`))
	romeo.sees(func(e client.Event) bool { return e.Has("urn:xmpp:message-retract:1", "retract") })
	for _, p := range []*person{juliet, romeo} {
		all, _ := p.archived("q3", "")
		text := strings.Join(all, "\n")
		if len(all) != 4 || strings.Contains(text, "two</") || strings.Count(text, "urn:xmpp:message-retract:1") != 2 {
			t.Errorf("the archive of %s has\n%s", p.JID, text)
		}
	}
	romeo.asks("set", "", `<prefs xmlns="urn:xmpp:mam:2" default="never"><always/><never/></prefs>`)
	juliet.says(romeo.Bare(), "four")
	romeo.hears("four")
	if all, _ := romeo.archived("q4", ""); len(all) != 4 {
		t.Errorf("kept although it was not to be: %s", all)
	}
	if _, err := romeo.IQ("set", juliet.Bare(), `<query xmlns="urn:xmpp:mam:2"/>`); err == nil {
		t.Error("somebody reads the archive of another")
	}
}

// Who shows interest is told of what friends publish, when it is published and when he comes; a picture is in the vCard, too.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo", "paris")
	const tune, avatar = "http://jabber.org/protocol/tune", "urn:xmpp:avatar:metadata"
	enter := func(name string) *person {
		return w.enter(client.Account{
			User: name, Domain: imserver.Domain, Resource: "r", Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA, Interests: []string{tune, avatar},
		})
	}
	juliet, romeo, paris := enter("juliet"), enter("romeo"), enter("paris")
	juliet.befriends(romeo)
	title := func(s string) func(client.Event) bool {
		return func(e client.Event) bool {
			return e.Kind == "message" && e.From == juliet.Bare() && strings.Contains(e.XML, s)
		}
	}
	juliet.must(juliet.Publish(tune, "a", `<tune xmlns="`+tune+`"><title>Yessongs</title></tune>`))
	romeo.sees(title("Yessongs"))
	juliet.sees(title("Yessongs"))
	romeo.must(romeo.Close())
	juliet.seesPresence("unavailable", romeo.JID)
	juliet.must(juliet.Publish(tune, "b", `<tune xmlns="`+tune+`"><title>Relayer</title></tune>`))
	again := enter("romeo")
	again.sees(title("Relayer"))
	items := `<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="` + tune + `"/></pubsub>`
	if got := again.asks("get", juliet.Bare(), items); !strings.Contains(got, "Relayer") || strings.Contains(got, "Yessongs") {
		t.Errorf("a friend reads %s", got)
	}
	if got, err := paris.IQ("get", juliet.Bare(), items); err == nil {
		t.Errorf("a stranger reads %s", got)
	}
	juliet.asks("set", "", `<vCard xmlns="vcard-temp"><FN>Juliet</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>ZmFjZQ==</BINVAL></PHOTO></vCard>`)
	const face = "49dc1cb094dffe3a42dd5f448ac612b0786a67e4"
	again.sees(title(face))
	juliet.must(juliet.Presence("", "", "with a picture"))
	again.sees(func(e client.Event) bool { // XEP-0398 §5
		return e.Kind == "presence" && strings.Contains(e.XML, "with a picture") && e.Has("vcard-temp:x:update", "x") && strings.Contains(e.XML, face)
	})
	if seen := paris.Received(title("")); len(seen) > 0 {
		t.Errorf("a stranger was told %v", seen)
	}
}

// Who is blocked sees nothing and is heard no more, until he is free again (XEP-0191).
func TestBlocking(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	juliet.befriends(romeo)
	juliet.asks("get", "", `<blocklist xmlns="urn:xmpp:blocking"/>`)
	item := `<item jid="` + romeo.Bare() + `"/>`
	juliet.asks("set", "", `<block xmlns="urn:xmpp:blocking">`+item+`</block>`)
	juliet.sees(func(e client.Event) bool { return e.Kind == "iq" && e.Has("urn:xmpp:blocking", "block") })
	romeo.seesPresence("unavailable", juliet.JID)
	refused := func(p *person, condition string) {
		t.Helper()
		p.sees(func(e client.Event) bool { return e.Kind == "message" && e.Type == "error" && e.Condition == condition })
	}
	romeo.says(juliet.Bare(), "do you hear me?")
	refused(romeo, "service-unavailable")
	juliet.says(romeo.Bare(), "can you hear me now?")
	refused(juliet, "not-acceptable")
	if _, err := juliet.IQ("get", romeo.JID, `<ping xmlns="urn:xmpp:ping"/>`); err == nil || !strings.Contains(err.Error(), "<not-acceptable ") || !strings.Contains(err.Error(), "urn:xmpp:blocking:errors") {
		t.Errorf("she asks whom she blocks: %v", err)
	}
	if _, err := romeo.IQ("get", juliet.JID, `<ping xmlns="urn:xmpp:ping"/>`); err == nil || !strings.Contains(err.Error(), "<service-unavailable ") {
		t.Errorf("he asks who blocks him: %v", err)
	}
	juliet.asks("set", "", `<unblock xmlns="urn:xmpp:blocking">`+item+`</unblock>`)
	romeo.seesPresence("", juliet.JID)
	juliet.asks("set", "", `<block xmlns="urn:xmpp:blocking"><item jid="nowhere.test"/></block>`) // which nobody holds
	juliet.says("romeo@nowhere.test", "can anybody hear me?")
	refused(juliet, "not-acceptable")
	romeo.says(juliet.Bare(), "and now?")
	juliet.hears("and now?")
	if heard := juliet.Received(func(e client.Event) bool { return e.Body == "do you hear me?" }); len(heard) > 0 {
		t.Errorf("heard although he was blocked: %v", heard)
	}
}

// What clients ask of a server and of each other's accounts.
func TestSmallQuestions(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo", "paris", "peter")
	juliet, romeo, paris := w.login("juliet", "balcony"), w.login("romeo", "orchard"), w.login("paris", "street")
	juliet.befriends(romeo)
	for what, q := range map[string]struct{ to, payload, want string }{
		"ping":                  {imserver.Domain, `<ping xmlns="urn:xmpp:ping"/>`, ""},
		"time":                  {imserver.Domain, `<time xmlns="urn:xmpp:time"/>`, "utc>"},
		"version":               {imserver.Domain, `<query xmlns="jabber:iq:version"/>`, "name>Sallyport</"},
		"uptime":                {imserver.Domain, `<query xmlns="jabber:iq:last"/>`, "seconds="},
		"a friend who is there": {romeo.Bare(), `<query xmlns="jabber:iq:last"/>`, `seconds="0"`},
		"the server":            {imserver.Domain, `<query xmlns="http://jabber.org/protocol/disco#info"/>`, `type="im"`},
		"the own account":       {"", `<query xmlns="http://jabber.org/protocol/disco#info"/>`, "urn:xmpp:mam:2#extended"},
		"a friend's account":    {romeo.Bare(), `<query xmlns="http://jabber.org/protocol/disco#info"/>`, `type="pep"`},
	} {
		if got := juliet.asks("get", q.to, q.payload); !strings.Contains(got, q.want) {
			t.Errorf("%s: %s", what, got)
		}
	}
	juliet.asks("set", "", `<query xmlns="jabber:iq:private"><prefs xmlns="urn:client"><nick>Jule</nick></prefs></query>`)
	if got := juliet.asks("get", "", `<query xmlns="jabber:iq:private"><prefs xmlns="urn:client"/></query>`); !strings.Contains(got, "Jule") {
		t.Errorf("private: %s", got)
	}
	juliet.asks("set", "", `<vCard xmlns="vcard-temp"><N><FAMILY>Capulet</FAMILY></N></vCard>`)
	if got := romeo.asks("set", imserver.Domain, `<query xmlns="jabber:iq:search"><last>cap</last></query>`); !strings.Contains(got, `jid="`+juliet.Bare()+`"`) {
		t.Errorf("found: %s", got)
	}
	romeo.asks("set", imserver.Domain, `<query xmlns="jabber:iq:register"><username>romeo</username><password>quite another pass phrase</password></query>`)
	again := w.enter(client.Account{
		User: "romeo", Domain: imserver.Domain, Resource: "new", Password: "quite another pass phrase", Server: w.home.Clients, CA: w.home.CA,
	})
	again.seesPresence("", juliet.JID)
	for what, payload := range map[string]string{
		"disco": `<query xmlns="http://jabber.org/protocol/disco#info"/>`, "last": `<query xmlns="jabber:iq:last"/>`, "vCard": `<vCard xmlns="vcard-temp"/>`,
		"pubsub": `<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="urn:x"/></pubsub>`, "profile": `<profile xmlns="urn:xmpp:tmp:profile"/>`,
		"what nobody has": `<query xmlns="urn:none"/>`,
	} {
		if nobody, stranger := paris.refusal("nobody@"+imserver.Domain, payload), paris.refusal("peter@"+imserver.Domain, payload); nobody != stranger || !strings.Contains(nobody, "<service-unavailable ") {
			t.Errorf("%s: of nobody %s, of somebody that he does not know %s", what, nobody, stranger)
		}
	}
}

// refusal is the error that answers a request, without what is another one each time.
func (p *person) refusal(to, payload string) string {
	p.t.Helper()
	answer, err := p.IQ("get", to, payload)
	if err == nil {
		p.t.Errorf("%s answers %s", to, answer)
		return ""
	}
	_, in, _ := strings.Cut(err.Error(), "<error ")
	in, _, ok := strings.Cut(in, "reference ")
	return fmt.Sprint(in, ok)
}

// What is in an archive is read by who is cleared for it today, whoever was when it came (XEP-0258, XEP-0313).
func TestArchiveIsReadByLabel(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	offered := juliet.asks("get", imserver.Domain, `<catalog xmlns="urn:xmpp:sec-label:catalog:2" to="`+romeo.Bare()+`"/>`)
	juliet.says(romeo.Bare(), "between us", labelOf(t, offered, "CONFIDENTIAL"))
	juliet.says(romeo.Bare(), "for everybody", labelOf(t, offered, "PUBLIC"))
	romeo.hears("between us")
	romeo.hears("for everybody")
	if all, _ := romeo.archived("before", ""); len(all) != 2 {
		t.Errorf("to begin with he reads %s", all)
	}
	if _, err := w.home.Command("user", "clearance", romeo.Bare(), "guest"); err != nil {
		t.Fatal(err)
	}
	// What a node knows of an account is a few seconds old at most.
	all, fin := romeo.archived("after", "")
	for end := time.Now().Add(scenario.Patience); len(all) > 1 && time.Now().Before(end); {
		all, fin = romeo.archived("after", "")
	}
	if len(all) != 1 || !strings.Contains(all[0], "for everybody") || !strings.Contains(fin, `complete="true"`) {
		t.Errorf("then he reads %s\n%s", all, fin)
	}
	if got := romeo.asks("get", "", `<metadata xmlns="urn:xmpp:mam:2"/>`); strings.Count(got, "id=") != 3 { // of the iq, and the same at both ends
		t.Errorf("the ends are %s", got)
	}
	// What is refused is not kept with who has said it.
	juliet.says(romeo.Bare(), "too much for a guest", labelOf(t, offered, "CONFIDENTIAL"))
	juliet.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.Type == "error" && e.Condition == "policy-violation"
	})
	if all, _ := juliet.archived("hers", ""); len(all) != 2 {
		t.Errorf("she reads %s", all)
	}
}

// Who is let in is told at once what was published last, if his client was seen before (XEP-0163 §4.3.4).
func TestEventsOnApproval(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	const tune = "http://jabber.org/protocol/tune"
	romeo := w.enter(client.Account{
		User: "romeo", Domain: imserver.Domain, Resource: "r", Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA, Interests: []string{tune},
	})
	juliet := w.login("juliet", "balcony")
	juliet.must(juliet.Publish(tune, "a", `<tune xmlns="`+tune+`"><title>Relayer</title></tune>`))
	juliet.must(juliet.Presence(romeo.Bare(), "subscribe", ""))
	romeo.seesPresence("subscribe", juliet.Bare())
	romeo.must(romeo.Presence(juliet.Bare(), "subscribed", ""))
	juliet.seesPresence("", romeo.JID)
	romeo.sees(func(e client.Event) bool { // what his caps mean is asked once, for whoever sees them
		return e.Kind == "iq" && e.Type == "get" && e.From == romeo.Bare() && e.Has("http://jabber.org/protocol/disco#info", "query")
	})
	romeo.asks("get", imserver.Domain, `<ping xmlns="urn:xmpp:ping"/>`) // behind his answer
	romeo.must(romeo.Presence(juliet.Bare(), "subscribe", ""))
	juliet.seesPresence("subscribe", romeo.Bare())
	juliet.must(juliet.Presence(romeo.Bare(), "subscribed", ""))
	romeo.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.From == juliet.Bare() && strings.Contains(e.XML, "Relayer")
	})
}
