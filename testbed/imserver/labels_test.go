package imserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
	"sallyport/testbed/scenario"
)

// labelled is a world in which romeo is cleared for what is PUBLIC alone, and the others for all.
func labelled(t *testing.T) *world {
	t.Helper()
	w := alone(t, "juliet", "romeo", "nurse")
	w.clear("romeo", "guest")
	return w
}

// clear gives somebody a clearance, or takes his own away; what a node knows of an account is a few seconds old at most.
func (w *world) clear(name string, clearance ...string) {
	w.t.Helper()
	if _, err := w.home.Command(append([]string{"user", "clearance", name + "@" + imserver.Domain}, clearance...)...); err != nil {
		w.t.Fatal(err)
	}
}

// offered is what somebody may choose from for an address; empty is for nobody in particular.
func (p *person) offered(to string) string {
	p.t.Helper()
	at := ""
	if to != "" {
		at = ` to="` + to + `"`
	}
	return p.asks("get", imserver.Domain, `<catalog xmlns="urn:xmpp:sec-label:catalog:2"`+at+`/>`)
}

// refusedFor waits for the error that says that a message with an id was refused by policy.
func (p *person) refusedFor(id string) {
	p.t.Helper()
	p.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.Type == "error" && e.ID == id && e.Condition == "policy-violation"
	})
}

// asksRefused sends a request and wants an error with a condition.
func (p *person) asksRefused(kind, to, payload, condition string) {
	p.t.Helper()
	answer, err := p.IQ(kind, to, payload)
	if err == nil || !strings.Contains(err.Error(), "<"+condition+" ") {
		p.t.Errorf("%s: %s, %v; want %s", payload, answer, err, condition)
	}
}

// What may be chosen depends on who asks and on whom he writes to, also beyond (XEP-0258 §4).
func TestCatalogues(t *testing.T) {
	t.Parallel()
	w := labelled(t)
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	for _, tt := range []struct {
		name     string
		who      *person
		to       string
		has, not []string
	}{
		{"for nobody in particular", juliet, "", []string{"PUBLIC", "INTERNAL", "CONFIDENTIAL"}, nil},
		{"for who is cleared", juliet, "nurse@" + imserver.Domain, []string{"PUBLIC", "INTERNAL", "CONFIDENTIAL"}, nil},
		{"for one of his clients", juliet, romeo.JID, []string{"PUBLIC"}, []string{"INTERNAL", "CONFIDENTIAL"}},
		{"by who is not", romeo, juliet.Bare(), []string{"PUBLIC"}, []string{"INTERNAL", "CONFIDENTIAL"}},
	} {
		got := tt.who.offered(tt.to)
		for _, selector := range tt.has {
			if !strings.Contains(got, `selector="`+selector+`"`) {
				t.Errorf("%s: no %s in %s", tt.name, selector, got)
			}
		}
		for _, selector := range tt.not {
			if strings.Contains(got, selector) {
				t.Errorf("%s: %s in %s", tt.name, selector, got)
			}
		}
		if tt.to != "" && !strings.Contains(got, ` to="`+tt.to+`"`) {
			t.Errorf("%s: it does not say for whom: %s", tt.name, got)
		}
	}
	ask := func(to string) string { return `<catalog xmlns="urn:xmpp:sec-label:catalog:2" to="` + to + `"/>` }
	for _, address := range []string{"", juliet.Bare()} { // Swift writes no address, which is its own account
		if got := juliet.asks("get", address, ask(romeo.Bare())); !strings.Contains(got, `selector="PUBLIC"`) || strings.Contains(got, "CONFIDENTIAL") {
			t.Errorf("asked at %q: %s", address, got)
		}
	}
	ofNode := strings.Replace(ask(juliet.Bare()), "/>", ` node="urn:xmpp:microblog:0"/>`, 1)
	if got := juliet.asks("get", "", ofNode); !strings.Contains(got, ` node="urn:xmpp:microblog:0"`) || !strings.Contains(got, `selector="PUBLIC"`) {
		t.Errorf("of a node (XEP-0314 §4.1): %s", got)
	}
	for _, address := range []string{imserver.Domain, juliet.Bare()} {
		features, err := juliet.DiscoInfo(address)
		if err != nil || !strings.Contains(features, `"urn:xmpp:sec-label:0"`) || !strings.Contains(features, `"urn:xmpp:sec-label:catalog:2"`) {
			t.Errorf("%s announces %s, %v", address, features, err)
		}
	}
	forAnother := strings.Replace(ask(juliet.Bare()), "/>", ` from="`+juliet.Bare()+`"/>`, 1)
	romeo.asksRefused("get", imserver.Domain, forAnother, "forbidden")
	juliet.asks("get", imserver.Domain, forAnother) // for herself
	juliet.asksRefused("get", romeo.Bare(), ask(romeo.Bare()), "service-unavailable")
	juliet.asksRefused("get", imserver.Domain, ask("bob@elsewhere.test"), "item-not-found")
	juliet.asksRefused("get", imserver.Domain, ask("@"), "jid-malformed")
	juliet.asksRefused("set", imserver.Domain, ask(romeo.Bare()), "not-allowed")
}

// What is said among the users of the server is judged by the clearances of both, and by the default where there is no label. What is refused
// is nowhere: not with the other clients of who said it, not in his archive.
func TestClearancesInside(t *testing.T) {
	t.Parallel()
	w := labelled(t)
	juliet, phone, romeo := w.login("juliet", "balcony"), w.login("juliet", "phone"), w.login("romeo", "orchard")
	phone.asks("set", "", `<enable xmlns="urn:xmpp:carbons:2"/>`)
	all := juliet.offered("")
	say := func(p *person, to *person, id, label string) {
		t.Helper()
		p.must(p.Send(client.Message{To: to.Bare(), Body: id, ID: id, Type: "chat", Extra: []string{label}}))
	}
	say(juliet, romeo, "above the recipient", labelOf(t, all, "CONFIDENTIAL"))
	juliet.refusedFor("above the recipient")
	juliet.must(juliet.Send(client.Message{To: romeo.Bare(), Body: "by default", ID: "by default", Type: "chat"}))
	juliet.refusedFor("by default")
	say(romeo, juliet, "above the sender", labelOf(t, all, "INTERNAL"))
	romeo.refusedFor("above the sender")
	say(juliet, romeo, "within", labelOf(t, all, "PUBLIC"))
	heard := romeo.hears("within")
	if !heard.Has("urn:xmpp:sec-label:0", "displaymarking") || !strings.Contains(heard.XML, ">BASIC PUBLIC<") {
		t.Errorf("without a marking: %s", heard.XML)
	}
	copied := phone.sees(func(e client.Event) bool { return e.Has("urn:xmpp:carbons:2", "sent") })
	if !strings.Contains(copied.XML, ">within<") {
		t.Errorf("the other client was shown first: %s", copied.XML)
	}
	if kept, _ := juliet.archived("hers", ""); len(kept) != 1 || !strings.Contains(kept[0], ">within<") {
		t.Errorf("her archive has %s", kept)
	}
	bad := `<securitylabel xmlns="urn:xmpp:sec-label:0"><label><esssecuritylabel xmlns="urn:xmpp:sec-label:ess:0">MQMGASk=</esssecuritylabel></label></securitylabel>`
	say(juliet, romeo, "of another policy", bad)
	juliet.refusedFor("of another policy")
}

// What waits for somebody is read by what he is cleared for when he comes, and goes on waiting for the time when he may (XEP-0160).
func TestWhatWaitsIsReadByLabel(t *testing.T) {
	t.Parallel()
	w := labelled(t)
	juliet := w.login("juliet", "balcony")
	all := juliet.offered("")
	for _, m := range [][2]string{{"one", "CONFIDENTIAL"}, {"two", "PUBLIC"}} {
		juliet.must(juliet.Send(client.Message{To: "nurse@" + imserver.Domain, Body: m[0], Type: "chat", Extra: []string{labelOf(t, all, m[1])}}))
	}
	juliet.asks("get", imserver.Domain, `<ping xmlns="urn:xmpp:ping"/>`)
	w.clear("nurse", "guest")
	// Who asks finds out when the node knows of it: then nothing above PUBLIC is offered for her.
	for end := time.Now().Add(scenario.Patience); strings.Contains(juliet.offered("nurse@"+imserver.Domain), "INTERNAL"); {
		if time.Now().After(end) {
			t.Fatal("the node does not see the clearance")
		}
	}
	nurse := w.login("nurse", "chamber")
	nurse.hears("two")
	if early := nurse.Received(func(e client.Event) bool { return e.Body == "one" }); len(early) > 0 {
		t.Errorf("she was given %s", early[0].XML)
	}
	nurse.must(nurse.Close())
	w.clear("nurse")
	for end := time.Now().Add(scenario.Patience); !strings.Contains(juliet.offered("nurse@"+imserver.Domain), "CONFIDENTIAL"); {
		if time.Now().After(end) {
			t.Fatal("the node does not see the clearance")
		}
	}
	w.login("nurse", "kitchen").hears("one")
}

// What is published with a label is told and shown to who may read it (XEP-0314), and what is published without is held to be the default.
func TestLabelsOfWhatIsPublished(t *testing.T) {
	t.Parallel()
	w := labelled(t)
	const tune = "http://jabber.org/protocol/tune"
	enter := func(name string) *person {
		return w.enter(client.Account{
			User: name, Domain: imserver.Domain, Resource: "r", Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA, Interests: []string{tune},
		})
	}
	juliet, romeo, nurse := enter("juliet"), enter("romeo"), enter("nurse")
	juliet.befriends(romeo)
	juliet.befriends(nurse)
	all := juliet.offered("")
	publish := func(p *person, id, label string) {
		t.Helper()
		p.asks("set", "", publication(tune, id, label))
	}
	told := func(id string) func(client.Event) bool {
		return func(e client.Event) bool {
			return e.Kind == "message" && e.From == juliet.Bare() && strings.Contains(e.XML, `id="`+id+`"`)
		}
	}
	publish(juliet, "confidential", labelOf(t, all, "CONFIDENTIAL"))
	publish(juliet, "unlabelled", "")
	publish(juliet, "public", labelOf(t, all, "PUBLIC"))
	for _, id := range []string{"confidential", "unlabelled", "public"} {
		e := nurse.sees(told(id))
		if marked := e.Has("urn:xmpp:sec-label:0", "displaymarking"); marked != (id != "unlabelled") {
			t.Errorf("told %s", e.XML)
		}
	}
	romeo.sees(told("public"))
	for _, id := range []string{"confidential", "unlabelled"} {
		if seen := romeo.Received(told(id)); len(seen) > 0 {
			t.Errorf("he was told %s", seen[0].XML)
		}
	}
	items := `<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="` + tune + `"/></pubsub>`
	if got := nurse.asks("get", juliet.Bare(), items); strings.Count(got, "title>") != 6 || strings.Count(got, ">BASIC CONFIDENTIAL<") != 1 {
		t.Errorf("who may reads %s", got)
	}
	if got := romeo.asks("get", juliet.Bare(), items); strings.Count(got, "title>") != 2 || !strings.Contains(got, "title>public<") || strings.Contains(got, "CONFIDENTIAL") {
		t.Errorf("who may not reads %s", got)
	}
	one := strings.Replace(items, "/></pubsub>", `><item id="confidential"/></items></pubsub>`, 1)
	if got := romeo.asks("get", juliet.Bare(), one); strings.Contains(got, "<item ") || strings.Contains(got, "title>") {
		t.Errorf("who may not reads one: %s", got)
	}
	above := `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="` + tune + `"><item id="x"/>` + labelOf(t, all, "INTERNAL") + `</publish></pubsub>`
	romeo.asksRefused("set", "", above, "forbidden")
}

// edits changes words of the configuration while the server runs.
func (w *world) edits(old, now string) {
	w.t.Helper()
	file := filepath.Join(w.home.Dir, "sallyport.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, now, 1)
	if changed == string(text) {
		w.t.Fatalf("the configuration has no %s", old)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.home.Command("reload"); err != nil {
		w.t.Fatal(err)
	}
}

// A client that says that it knows labels is shown them, and the others of the same account the marking as text (XEP-0258 §2).
func TestMarkingsForWhoKnowsNoLabels(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	w.edits("[server.labels]\n", "[server.labels]\nsend-labels = \"never\"\nwrite-first-line = true\nlabels-where-known = true\n")
	juliet, old := w.login("juliet", "balcony"), w.login("romeo", "old")
	label := labelOf(t, juliet.offered(""), "CONFIDENTIAL")
	knows := w.rawLogin("romeo", "new")
	knows.say(`<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:client' ver='new'/></presence>`)
	knows.until("<iq from='romeo@" + imserver.Domain + "' id='") // his other client asks, too
	id := strings.TrimSuffix(knows.until("'"), "'")
	knows.until("node='urn:client#new'/></iq>")
	knows.say(`<iq type='result' id='` + id + `' to='romeo@` + imserver.Domain + `'><query xmlns='http://jabber.org/protocol/disco#info' node='urn:client#new'>` +
		`<identity category='client' type='pc'/><feature var='urn:xmpp:sec-label:0'/></query></iq>`)
	for n, end := 0, time.Now().Add(scenario.Patience); ; n++ { // what it says is learned a moment later
		body := fmt.Sprint("word ", n)
		juliet.says(old.Bare(), body, label)
		old.hears("[BASIC CONFIDENTIAL]\n" + body)
		if shown := knows.until(body + "</body>"); strings.HasSuffix(shown, "<body>"+body+"</body>") {
			if rest := knows.until("</message>"); !strings.Contains(rest, ">BASIC CONFIDENTIAL</displaymarking>") {
				t.Errorf("it is shown %s", rest)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatal("a client that knows labels is shown none")
		}
	}
}

// Users whose clients know no labels are shown the marking as the first line of the text, and nothing beside that text (XEP-0258 §3).
func TestMarkingsAsText(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	w.edits("[server.labels]\n", "[server.labels]\nsend-labels = \"never\"\nwrite-first-line = true\n")
	juliet, phone := w.login("juliet", "balcony"), w.login("juliet", "phone")
	phone.asks("set", "", `<enable xmlns="urn:xmpp:carbons:2"/>`)
	label := labelOf(t, juliet.offered(""), "CONFIDENTIAL")
	const formatted = `<html xmlns="http://jabber.org/protocol/xhtml-im"><body xmlns="http://www.w3.org/1999/xhtml"><p>formatted</p></body></html>`
	juliet.must(juliet.Send(client.Message{To: "romeo@" + imserver.Domain, Body: "waited", Type: "chat", Extra: []string{label, formatted}}))
	copied := phone.sees(func(e client.Event) bool { return e.Has("urn:xmpp:carbons:2", "sent") })
	if strings.Count(copied.XML, "[BASIC CONFIDENTIAL]") != 1 {
		t.Errorf("her other client is shown %s", copied.XML)
	}
	romeo := w.login("romeo", "orchard")
	const marked = "[BASIC CONFIDENTIAL]\n"
	romeo.hears(marked + "waited")
	juliet.must(juliet.Send(client.Message{To: romeo.Bare(), Body: "now", Type: "chat", Extra: []string{label, formatted}}))
	heard := romeo.hears(marked + "now")
	for _, gone := range []string{"securitylabel", "xhtml", "formatted"} {
		if strings.Contains(heard.XML, gone) {
			t.Errorf("%s has not gone: %s", gone, heard.XML)
		}
	}
	juliet.says(romeo.Bare(), "plain")
	romeo.hears("[BASIC INTERNAL]\nplain")
	for _, p := range []*person{juliet, romeo} {
		kept, _ := p.archived("again", "")
		for i, body := range []string{"waited", "now", "plain"} {
			if len(kept) != 3 || strings.Count(kept[i], "[BASIC CONFIDENTIAL]")+strings.Count(kept[i], "[BASIC INTERNAL]") != 1 || !strings.Contains(kept[i], body) || strings.Contains(kept[i], "formatted") {
				t.Errorf("%s reads in the archive\n%s", p.JID, strings.Join(kept, "\n"))
				break
			}
		}
	}
	// What is kept has its label, whatever is shown of it: it is read by who is cleared for it today.
	juliet.says(romeo.Bare(), "open", labelOf(t, juliet.offered(""), "PUBLIC"))
	romeo.hears("[BASIC PUBLIC]\nopen")
	w.clear("romeo", "guest")
	kept, _ := romeo.archived("later", "")
	for end := time.Now().Add(scenario.Patience); len(kept) > 1 && time.Now().Before(end); {
		kept, _ = romeo.archived("later", "")
	}
	if len(kept) != 1 || strings.Count(kept[0], "[BASIC ") != 1 || !strings.Contains(kept[0], "[BASIC PUBLIC]\nopen") {
		t.Errorf("a guest reads in the archive %s", kept)
	}
}

// publication is a request to publish a tune under its title, in a node that keeps ten.
func publication(node, title, label string) string {
	return `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="` + node + `"><item id="` + title + `"><tune xmlns="http://jabber.org/protocol/tune"><title>` + title + `</title></tune></item>` + label +
		`</publish><publish-options><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE" type="hidden"><value>http://jabber.org/protocol/pubsub#publish-options</value></field>` +
		`<field var="pubsub#max_items"><value>10</value></field></x></publish-options></pubsub>`
}

// Clients that are shown no labels are told of what was published with one, and read it, without it (XEP-0314).
func TestNoLabelsOfWhatIsPublished(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	w.edits("[server.labels]\n", "[server.labels]\nsend-labels = \"never\"\nwrite-first-line = true\n")
	const tune = "http://jabber.org/protocol/tune"
	enter := func(name string) *person {
		return w.enter(client.Account{
			User: name, Domain: imserver.Domain, Resource: "r", Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA, Interests: []string{tune},
		})
	}
	juliet, romeo := enter("juliet"), enter("romeo")
	juliet.befriends(romeo)
	juliet.asks("set", "", publication(tune, "one", labelOf(t, juliet.offered(""), "CONFIDENTIAL")))
	items := `<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="` + tune + `"/></pubsub>`
	for who, shown := range map[string]string{
		"she is told":  juliet.sees(func(e client.Event) bool { return e.Kind == "message" && strings.Contains(e.XML, `id="one"`) }).XML,
		"he is told":   romeo.sees(func(e client.Event) bool { return e.Kind == "message" && strings.Contains(e.XML, `id="one"`) }).XML,
		"he may read":  romeo.asks("get", juliet.Bare(), items),
		"she may read": juliet.asks("get", "", items),
	} {
		if !strings.Contains(shown, "title>one<") || strings.Contains(shown, "sec-label") || strings.Contains(shown, "CONFIDENTIAL") {
			t.Errorf("%s %s", who, shown)
		}
	}
}
