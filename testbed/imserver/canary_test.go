package imserver_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

// canaries are marks that stand for every leaf of what somebody says: names, values, texts. Each is of its own, so that whoever shows one
// says where he has it from.
type canaries map[string]string // the shape that it stood in

// fill puts a new mark wherever a shape has an @.
func (c canaries) fill(shape string) string {
	var out strings.Builder
	for i, part := range strings.Split(shape, "@") {
		if i > 0 {
			mark := "canary" + strings.ToLower(rand.Text())
			c[mark] = shape
			out.WriteString(mark)
		}
		out.WriteString(part)
	}
	return out.String()
}

var (
	mark = regexp.MustCompile(`canary[a-z2-7]{26}`)
	// What marks begin with, in base64 by where they begin, and in hexadecimal digits.
	disguised = []string{"Y2FuYXJ5", "NhbmFye", "jYW5hcn", "63616e617279"}
)

// in gives the shapes whose marks are somewhere, each once.
func (c canaries) in(text string) (found []string) {
	seen := map[string]bool{}
	for _, m := range mark.FindAllString(strings.ToLower(text), -1) {
		if shape, ours := c[m]; ours && !seen[m] {
			seen[m] = true
			found = append(found, m+" of "+shape)
		}
	}
	for _, form := range disguised {
		if strings.Contains(text, form) {
			found = append(found, form)
		}
	}
	return found
}

// shapes are what clients put into messages beside the label.
var shapes = []string{
	`<body>@</body>`,
	`<body>@</body><body xml:lang="fr">@</body><subject>@</subject><subject xml:lang="fr">@</subject><thread parent="@">@</thread>`,
	`<body>@</body><html xmlns="http://jabber.org/protocol/xhtml-im"><body xmlns="http://www.w3.org/1999/xhtml"><p style="@">@</p><a href="http://@">@</a></body></html>`,
	`<body>@</body><x xmlns="jabber:x:oob"><url>http://@</url><desc>@</desc></x>`,
	`<body>@</body><replace xmlns="urn:xmpp:message-correct:0" id="@"/><origin-id xmlns="urn:xmpp:sid:0" id="@"/><stanza-id xmlns="urn:xmpp:sid:0" by="room@` + "\x00" + `home.test" id="@"/>`,
	`<body>@</body><reply xmlns="urn:xmpp:reply:0" to="a@` + "\x00" + `b.test/@" id="@"/><fallback xmlns="urn:xmpp:fallback:0" for="urn:xmpp:reply:0"><body start="0" end="4"/></fallback>`,
	`<reactions xmlns="urn:xmpp:reactions:0" id="@"><reaction>@</reaction></reactions><store xmlns="urn:xmpp:hints"/>`,
	`<retract xmlns="urn:xmpp:message-retract:1" id="@"/><body>@</body>`,
	`<file-sharing xmlns="urn:xmpp:sfs:0" id="@"><file xmlns="urn:xmpp:file:metadata:0"><name>@</name><desc>@</desc><hash xmlns="urn:xmpp:hashes:2" algo="@">@</hash></file><sources><url-data xmlns="http://jabber.org/protocol/url-data" target="http://@"/></sources></file-sharing>`,
	`<body>@</body><n xmlns="urn:@" a@="@">@<m@/></n><n@ xmlns="urn:@"/>`,
	`<received xmlns="urn:xmpp:receipts" id="@"/>`, `<displayed xmlns="urn:xmpp:chat-markers:0" id="@"/>`,
	`<propose xmlns="urn:xmpp:jingle-message:0" id="@"><description xmlns="urn:xmpp:jingle:apps:rtp:1" media="@"/></propose>`,
	`<encrypted xmlns="urn:xmpp:omemo:2"><header sid="@"/><payload>@</payload></encrypted>`,
	`<rtt xmlns="urn:xmpp:rtt:0" seq="@"><t>@</t></rtt>`, `<subject>@</subject>`,
	`<x xmlns="jabber:x:conference" jid="room@` + "\x00" + `r.test" reason="@" password="@"/>`,
	`<x xmlns="http://jabber.org/protocol/muc#user"><invite from="a@` + "\x00" + `b.test"><reason>@</reason></invite><password>@</password></x>`,
	`<x xmlns="jabber:x:data" type="form"><title>@</title><field var="@" label="@"><value>@</value></field></x>`,
	`<event xmlns="http://jabber.org/protocol/pubsub#event"><items node="@"><item id="@"><n xmlns="urn:@">@</n></item></items></event>`,
	`<forwarded xmlns="urn:xmpp:forward:0"><delay xmlns="urn:xmpp:delay" stamp="2026-01-01T00:00:00Z">@</delay><message xmlns="jabber:client" from="a@` + "\x00" + `b.test" id="@">LABEL<body>@</body></message></forwarded>`,
}

// nodes are published by accounts.
var nodes = []string{
	"http://jabber.org/protocol/tune", "http://jabber.org/protocol/nick", "http://jabber.org/protocol/mood", "http://jabber.org/protocol/geoloc",
	"urn:xmpp:avatar:metadata", "urn:xmpp:avatar:data", "urn:xmpp:bookmarks:1", "storage:bookmarks", "urn:xmpp:vcard4", "urn:xmpp:tmp:profile", "urn:xmpp:microblog:0",
	"urn:xmpp:omemo:2:devices",
}

// said is everything that a client has not been asked for, and asked is what it was answered, errors too.
func (p *person) said() string {
	var all strings.Builder
	for _, e := range p.Received(func(client.Event) bool { return true }) {
		all.WriteString(e.XML)
	}
	return all.String()
}

func (p *person) asked(kind, to, payload string) string {
	answer, err := p.IQ(kind, to, payload)
	if err != nil {
		return err.Error()
	}
	return answer
}

// ping waits until everything before has been dealt with.
func (p *person) ping() { p.asks("get", imserver.Domain, `<ping xmlns="urn:xmpp:ping"/>`) }

func fetched(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, answer.Status, err)
	}
	return string(text)
}

// Nothing of what is said, or published, above what somebody is cleared for comes to him by any way that there is, nor to an operator, a log or a
// service that wakes phones.
func TestCanaries(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo", "nurse")
	at, metrics := netip.AddrPortFrom(w.home.Clients.Addr(), 5347), netip.AddrPortFrom(w.home.Clients.Addr(), 9100)
	w.secret("echo.secret", echoSecret)
	w.more(fmt.Sprintf("\n[log]\nlevel = \"debug\"\n\n[metrics]\nlisten = %q\n\n[server.components]\nlisten = [%q]\n\n[server.component.echo]\ndomain = %q\nsecret = \"echo.secret\"\n", metrics, at, echoDomain))
	c, err := w.driver.Component(echoDomain, echoSecret, at)
	if err != nil {
		t.Fatalf("%v\n%s", err, w.logTail())
	}
	service := &person{c, t}
	wants := func(name, resource string) *person {
		return w.enter(client.Account{
			User: name, Domain: imserver.Domain, Resource: resource, Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA, Interests: nodes,
		})
	}
	juliet, nurse, romeo := wants("juliet", "balcony"), wants("nurse", "chamber"), wants("romeo", "orchard")
	juliet.befriends(romeo)
	juliet.befriends(nurse)
	nurse.befriends(romeo)
	for _, p := range []*person{w.login("romeo", "phone"), w.login("nurse", "phone")} {
		p.asks("set", "", `<enable xmlns="urn:xmpp:push:0" jid="`+echoDomain+`" node="of `+p.Bare()+`"/>`)
		p.must(p.Close())
	}
	romeo.asks("set", "", `<enable xmlns="urn:xmpp:carbons:2"/>`)
	label := labelOf(t, juliet.offered(""), "CONFIDENTIAL")
	marks := canaries{}
	shape := func(s string) string {
		return strings.ReplaceAll(marks.fill(strings.ReplaceAll(strings.ReplaceAll(s, "@\x00", "\x01"), "LABEL", "\x02")), "\x01", "@")
	}
	serial := 0
	send := func(p *person, to string) {
		t.Helper()
		for _, typ := range []string{"chat", "normal", "headline", "groupchat"} {
			for _, s := range shapes {
				inside := strings.ReplaceAll(shape(s), "\x02", label)
				serial++
				p.must(p.SendRaw(fmt.Sprintf(`<message type="%s" id="m%d" to="`, typ, serial) + to + `">` + inside + label + `</message>`))
			}
		}
		p.ping()
	}

	// What he is sent while he may read it is not there for him when he may not any more.
	send(nurse, romeo.Bare())
	romeo.sees(func(e client.Event) bool { return e.Kind == "message" && len(marks.in(e.XML)) > 0 })
	for _, node := range nodes {
		romeo.asked("set", "", `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="`+node+`"><item id="`+shape("@")+`"><x xmlns="urn:x">`+shape("@")+`</x></item>`+label+`</publish></pubsub>`)
	}
	romeo.must(romeo.Close())
	w.clear("romeo", "guest")
	romeo = wants("romeo", "again")
	romeo.ping()

	// Nor is what comes afterwards, for him or past him.
	for _, to := range []string{romeo.Bare(), romeo.JID, nurse.Bare(), "romeo@" + imserver.Domain + "/nowhere", "nobody@" + imserver.Domain, "juliet@" + imserver.Domain} {
		send(juliet, to)
	}
	send(romeo, nurse.Bare()) // refused, too
	for _, node := range nodes {
		item := shape("@")
		for _, p := range []*person{juliet, nurse} {
			p.asked("set", "", `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="`+node+`"><item id="`+item+`"><x xmlns="urn:x" a="`+shape("@")+`">`+shape("@")+`</x></item>`+label+
				`</publish><publish-options><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE" type="hidden"><value>http://jabber.org/protocol/pubsub#publish-options</value></field>`+
				`<field var="pubsub#access_model"><value>open</value></field></x></publish-options></pubsub>`)
			p.ping()
		}
	}
	heard := romeo.said()
	looks := wants("romeo", "later") // is shown the last items
	looks.ping()
	for _, p := range []*person{romeo, looks} {
		for _, whom := range []string{"", juliet.Bare(), nurse.Bare()} {
			for _, node := range nodes {
				heard += p.asked("get", whom, `<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="`+node+`"/></pubsub>`) +
					p.asked("get", whom, `<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="`+node+`" max_items="1"/><set xmlns="http://jabber.org/protocol/rsm"><before/><max>1</max></set></pubsub>`) +
					p.asked("get", whom, `<query xmlns="http://jabber.org/protocol/disco#items" node="`+node+`"/>`)
			}
			for _, question := range []string{
				`<query xmlns="http://jabber.org/protocol/disco#items"/>`, `<query xmlns="http://jabber.org/protocol/disco#info"/>`, `<vCard xmlns="vcard-temp"/>`,
				`<profile xmlns="urn:xmpp:tmp:profile"/>`, `<query xmlns="jabber:iq:last"/>`, `<query xmlns="jabber:iq:private"><storage xmlns="storage:bookmarks"/></query>`,
				`<catalog xmlns="urn:xmpp:sec-label:catalog:2" to="` + juliet.Bare() + `"/>`, `<metadata xmlns="urn:xmpp:mam:2"/>`, `<query xmlns="jabber:iq:roster"/>`,
			} {
				heard += p.asked("get", whom, question)
			}
			for _, page := range []string{``, `<max>0</max>`, `<max>1</max>`, `<max>5</max><before/>`} {
				heard += p.asked("set", whom, `<query xmlns="urn:xmpp:mam:2" queryid="q"><set xmlns="http://jabber.org/protocol/rsm">`+page+`</set></query>`)
			}
			heard += p.asked("set", whom, `<query xmlns="urn:xmpp:mam:2" queryid="w"><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>urn:xmpp:mam:2</value></field><field var="with"><value>`+nurse.Bare()+`</value></field></x></query>`)
		}
		heard += p.said()
	}
	for _, node := range nodes { // who could read it is told that it is gone
		for _, of := range []string{`<purge node="` + node + `"/>`, `<delete node="` + node + `"/>`} {
			juliet.asked("set", "", `<pubsub xmlns="http://jabber.org/protocol/pubsub#owner">`+of+`</pubsub>`)
		}
	}
	juliet.ping()
	romeo.ping()
	heard += romeo.said() + looks.said()
	woken := service.sees(func(e client.Event) bool { return e.Kind == "iq" && e.Has("urn:xmpp:push:0", "notification") }).XML + service.said()
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for sink, text := range map[string]string{
		"he was told": heard, "the service was told": woken, "the log has": read(w.home.Log()), "metrics have": fetched(t, "http://"+metrics.String()+"/metrics"),
		"the record has":  w.commands("audit show --json --labels"),
		"the status has":  w.commands("status --json"),
		"operators see":   w.commands("user sessions "+imserver.Domain) + w.commands("user roster "+romeo.Bare()) + w.commands("user show --json "+romeo.Bare()) + w.commands("peer show --json local"),
		"the audit shows": w.commands("audit show --outcome refused"),
	} {
		if found := marks.in(text); len(found) > 0 {
			t.Errorf("%s %d of %d, as %s", sink, len(found), len(marks), found[0])
		}
	}
	t.Logf("%d bytes heard, %d marks", len(heard), len(marks))
	if len(marks) < 1000 || len(marks.in(nurse.said())) < 200 {
		t.Errorf("%d marks, of which who may was told %d", len(marks), len(marks.in(nurse.said())))
	}
}
