package stream_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

var previd = regexp.MustCompile(`<enabled[^>]* id='([^']*)'`)

// managedClient is a session under stream management, and its resumption id.
func managedClient(t *testing.T, change func(*stream.ClientConfig)) (*edge, string) {
	t.Helper()
	x := direct(t, change).login()
	said := x.say(enableSM)
	found := previd.FindStringSubmatch(said)
	if found == nil || !x.m.Managed() {
		t.Fatalf("not enabled: %s", said)
	}
	return x, found[1]
}

// back is a new stream of an account, authenticated and restarted, with the park of another.
func back(t *testing.T, x *edge, serial uint64, name string) *edge {
	t.Helper()
	y := direct(t, func(c *stream.ClientConfig) { c.Rand = seeded(serial) })
	y.park, y.now = x.park, x.now
	y.say(helloClient)
	y.say(plainAuth(name, "pencil"))
	y.say(helloClient)
	return y
}

func resume(id string, h int) string {
	return fmt.Sprintf(`<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%d'/>`, id, h)
}

const noSession = `<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`

// A lost session goes on where it was, with its address, and what the client did not get comes again.
func TestClientResume(t *testing.T) {
	x, id := managedClient(t, nil)
	for n := range uint64(3) {
		x.send(n)
	}
	x.say(`<message to='x@a.example'/><message to='x@a.example'/><a xmlns='urn:xmpp:sm:3' h='1'/>`)
	x.step(stream.Lost{Cause: "reset"})
	y := back(t, x, 8, "user")
	said := y.say(resume(id, 2))
	contains(t, said, "<resumed xmlns='urn:xmpp:sm:3' h='2' previd='"+id+"'/>", "<message", "id='2'", "<r xmlns='urn:xmpp:sm:3'/>")
	if strings.Contains(said, "id='1'") || y.ready == nil || !y.ready.Resumed || y.ready.Address != userDesk || y.resumed != 1 {
		t.Errorf("said %s, ready %+v", said, y.ready)
	}
	if fmt.Sprint(x.acked, y.acked) != "[0] [1]" || y.park.Len() != 0 {
		t.Errorf("acknowledged %v %v, parked %d", x.acked, y.acked, y.park.Len())
	}
	if said := y.say(`<message to='x@a.example'/><r xmlns='urn:xmpp:sm:3'/>`); !strings.Contains(said, "<a xmlns='urn:xmpp:sm:3' h='3'/>") {
		t.Errorf("count goes on: %s", said)
	}
	if said := y.say(bindIQ); !strings.Contains(said, "<not-allowed") {
		t.Errorf("a second address: %s", said)
	}
}

// What a client missed is not of the time at which it comes back: it is told when it was said (XEP-0203), once and by whoever knows it best.
func TestClientResumeTellsTimes(t *testing.T) {
	x, id := managedClient(t, nil)
	const delayed = "<delay xmlns='urn:xmpp:delay' from='b.example' stamp='2001-02-03T04:05:06.000Z'/>"
	sends := func(n uint64, raw string) {
		e, err := xmlstream.ParseDocument([]byte(raw), xmlstream.Options{ContentNS: xmlstream.NSServer})
		if err != nil {
			t.Fatal(err)
		}
		if v := x.m.Send(x.now, stream.Item{Element: e, Bytes: len(raw), Token: n}).Verdict; v != stream.SendNow {
			t.Fatal(v)
		}
	}
	sends(1, "<message id='1'><body>written</body></message>")
	sends(2, "<message id='2'>"+delayed+"</message>")
	sends(3, "<iq id='3' type='get'/>")
	at := x.now
	x.now = x.now.Add(time.Minute)
	x.step(stream.Lost{Cause: "reset"})
	kept := x.park.Find(x.now, id)
	e, err := xmlstream.ParseDocument([]byte("<presence id='4'>said<x xmlns='x:x'/></presence>"), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil || kept == nil {
		t.Fatal(err, kept)
	}
	kept.Keep(x.now, stream.Item{Element: e, Bytes: 50})
	x.now = x.now.Add(time.Minute)
	kept.Keep(x.now, stream.Item{Element: e, Bytes: 50})
	stamp := func(at time.Time) string {
		return "<delay xmlns='urn:xmpp:delay' from='b.example' stamp='" + at.UTC().Format("2006-01-02T15:04:05.000Z") + "'/>"
	}
	y := back(t, x, 8, "user")
	contains(
		t, y.say(resume(id, 0)), "<resumed",
		"<message id='1'><body>written</body>"+stamp(at)+"</message>", "<message id='2'>"+delayed+"</message>", "<iq id='3' type='get'/>",
		"<presence id='4'>said<x xmlns='x:x'/>"+stamp(at.Add(time.Minute))+"</presence>", "<presence id='4'>said<x xmlns='x:x'/></presence>",
	)
	y.now = y.now.Add(time.Minute)
	y.step(stream.Lost{})
	contains(t, back(t, y, 9, "user").say(resume(id, 0)), "<resumed", "written</body>"+stamp(at)+"</message>")
}

// Nothing is resumed before all that came on the lost stream is settled: h would not be the truth.
func TestClientResumeWaitsForReceipts(t *testing.T) {
	x, id := managedClient(t, nil)
	x.keep = true
	x.say(`<message to='x@a.example'/>`)
	x.step(stream.Lost{})
	y := back(t, x, 8, "user")
	if said := y.say(resume(id, 0)); said != "" || !y.m.ReadPaused() {
		t.Fatalf("did not wait: %s", said)
	}
	if a := x.got[0]; a.Session.Settled(a.Seq) {
		y.step(stream.AckDue{})
	}
	if said := y.take(); !strings.HasPrefix(said, "<resumed xmlns='urn:xmpp:sm:3' h='1'") {
		t.Errorf("got %s", said)
	}
}

// D15, D20: the sessions of others, of nobody, of before authentication, taken by another already.
func TestClientResumeRefused(t *testing.T) {
	x, id := managedClient(t, nil)
	x.send(1)
	x.step(stream.Lost{})
	other := back(t, x, 8, "other")
	if said := other.say(resume(id, 0)); said != noSession || other.park.Len() != 1 {
		t.Errorf("D15 of another user: %s", said)
	}
	if said := other.say(resume("random", 0)); said != noSession {
		t.Errorf("D15 random: %s", said)
	}
	early := direct(t, nil)
	early.park = x.park
	early.say(helloClient)
	if said := early.say(resume(id, 0)); !strings.Contains(said, "<unexpected-request") || early.park.Len() != 1 {
		t.Errorf("D15 before authentication: %s", said)
	}
	one, two := back(t, x, 9, "user"), back(t, x, 10, "user")
	first, second := one.say(resume(id, 0)), two.say(resume(id, 0))
	if !strings.HasPrefix(first, "<resumed") || second != noSession { // D20
		t.Errorf("D20: %s and %s", first, second)
	}
	if two.say(bindIQ); two.ready == nil {
		t.Error("no resource after a refused resumption")
	}
	if said := two.say(resume(id, 0)); !strings.Contains(said, "<unexpected-request") {
		t.Errorf("resume after bind: %s", said)
	}
	x2, id2 := managedClient(t, nil)
	x2.step(stream.Lost{})
	x2.now = x2.now.Add(10 * time.Minute)
	if said := back(t, x2, 11, "user").say(resume(id2, 0)); said != noSession {
		t.Errorf("expired: %s", said)
	}
}

// A session may be taken from a stream that still seems to live: that one ends with conflict.
func TestClientDetach(t *testing.T) {
	x, id := managedClient(t, nil)
	x.send(1)
	x.take()
	y := back(t, x, 8, "user")
	y.hold = true
	y.say(resume(id, 0))
	if !y.m.MayResume(x.m.Session()) || back(t, x, 9, "other").m.MayResume(x.m.Session()) {
		t.Fatal("who may resume")
	}
	s, outs := x.m.Detach(x.now)
	for _, o := range outs {
		x.do(o)
	}
	if said := x.take(); !strings.Contains(said, "<conflict") || x.closed == nil || len(x.unsure) > 0 {
		t.Errorf("old stream: %s, %+v", said, x.closed)
	}
	y.step(stream.SessionFound{ID: id, Session: s})
	contains(t, y.take(), "<resumed", "id='1'")
}

// D16, D19 and what else stream management does not take.
func TestClientHostileManage(t *testing.T) {
	for _, tc := range []struct {
		name, said string
		ends       stanza.StreamCondition
		want       string
	}{
		{"D16 too high", `<a xmlns='urn:xmpp:sm:3' h='4294967295'/>`, stanza.StreamUndefinedCondition, "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='4294967295' send-count='2'/>"},
		{"D16 negative", `<a xmlns='urn:xmpp:sm:3' h='-1'/>`, stanza.StreamBadFormat, ""},
		{"D16 no number", `<a xmlns='urn:xmpp:sm:3' h='x'/>`, stanza.StreamBadFormat, ""},
		{"D16 repeated", `<a xmlns='urn:xmpp:sm:3' h='1'/><a xmlns='urn:xmpp:sm:3' h='1'/>`, 0, ""},
		{"D19 enable twice", enableSM, 0, "<failed xmlns='urn:xmpp:sm:3'><unexpected-request"},
		{"r", `<r xmlns='urn:xmpp:sm:3'/>`, 0, "<a xmlns='urn:xmpp:sm:3' h='0'/>"},
		{"not for servers", `<enabled xmlns='urn:xmpp:sm:3'/>`, stanza.StreamUnsupportedStanzaType, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x, _ := managedClient(t, nil)
			x.send(1)
			x.send(2)
			x.take()
			said := x.say(tc.said)
			if tc.ends != 0 {
				x.ends(said, tc.ends)
			}
			if !strings.Contains(said, tc.want) || tc.ends == 0 && x.closed != nil {
				t.Errorf("want %s, got %s", tc.want, said)
			}
		})
	}
	x, _ := managedClient(t, nil)
	if said := x.say(strings.Repeat(`<r xmlns='urn:xmpp:sm:3'/>`, 900)); strings.Count(said, "<a ") != 900 {
		t.Error("D19: a request went without an answer")
	}
	for range 12 {
		x.now = x.now.Add(time.Second)
		if x.closed != nil || strings.Contains(x.say(strings.Repeat(`<r xmlns='urn:xmpp:sm:3'/>`, 1_100)), "<policy-violation") {
			return
		}
	}
	t.Error("D19: the flood never ended the stream")
}

// D18: a client that never acknowledges; the end hands everything out once.
func TestClientWindowFull(t *testing.T) {
	x, _ := managedClient(t, func(c *stream.ClientConfig) { c.Manage = stream.ManageConfig{MaxItems: 10} })
	n := uint64(0)
	for ; x.send(n) == stream.SendNow; n++ {
		if n > 10 {
			t.Fatal("no end to it")
		}
	}
	x.take()
	x.step(stream.Close{Condition: stanza.StreamResourceConstraint})
	x.ends(x.take(), stanza.StreamResourceConstraint)
	if n != 10 || fmt.Sprint(x.unsure) != "[0 1 2 3 4 5 6 7 8 9]" {
		t.Errorf("%d sent, unconfirmed %v", n, x.unsure)
	}
}

// Time: nobody is kept waiting for ever, a silent client is asked and then lost, with its session kept.
func TestClientTime(t *testing.T) {
	x := direct(t, nil)
	said := x.say(helloClient)
	x.now = x.m.Deadline()
	x.step(stream.Tick{})
	x.ends(x.take(), stanza.StreamConnectionTimeout)
	if x.now.Sub(epoch) > 70*time.Second || said == "" {
		t.Errorf("after %v", x.now.Sub(epoch))
	}
	y, _ := managedClient(t, nil)
	asked := ""
	for range 5 {
		if y.closed != nil {
			break
		}
		y.now = y.m.Deadline()
		y.step(stream.Tick{})
		asked += y.take()
	}
	if asked != "<r xmlns='urn:xmpp:sm:3'/>" || y.closed == nil || y.closed.Cause != stream.ConnLost || y.closed.Resume == nil {
		t.Errorf("asked %q, closed %+v", asked, y.closed)
	}
	z := direct(t, nil).login()
	for range 3 {
		z.now = z.m.Deadline()
		z.step(stream.Tick{})
	}
	if z.take() != "   " || z.closed != nil {
		t.Errorf("without stream management: %+v", z.closed)
	}
	w := direct(t, func(c *stream.ClientConfig) { c.Framing = stream.WebSocket }).login()
	w.now = w.m.Deadline()
	if w.step(stream.Tick{}); w.pings != 1 || w.take() != "" {
		t.Errorf("%d pings", w.pings)
	}
}

// XEP-0352, and what a client sees of children in its own content namespace that nobody judged.
func TestClientStateAndSmuggling(t *testing.T) {
	x := direct(t, nil).login()
	x.say(`<inactive xmlns='urn:xmpp:csi:0'/><active xmlns='urn:xmpp:csi:0'/>`)
	if fmt.Sprint(x.states) != "[false true]" {
		t.Errorf("states %v", x.states)
	}
	raw := `<message from='x@a.example' to='user@b.example'><body>a</body><body xmlns='jabber:client'>b</body>` +
		`<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>c</body></message></forwarded></message>`
	e, err := xmlstream.ParseDocument([]byte(raw), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	got, err := x.m.AppendStanza(nil, e)
	want := strings.Replace(raw, `<body xmlns='jabber:client'>b</body>`, "", 1)
	if err != nil || string(got) != want {
		t.Errorf("got  %s %v\nwant %s", got, err, want)
	}
	x.ends(x.say(`<idle xmlns='urn:xmpp:csi:0'/>`), stanza.StreamUnsupportedStanzaType)
}
