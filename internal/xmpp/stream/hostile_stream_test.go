package stream_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// Rows of the hostile corpus that end with a stream error, on the responder.
func TestHostileResponder(t *testing.T) {
	header := func(rest string) string { return `<?xml version='1.0'?>` + openNoVersion + rest + `>` }
	for _, tc := range []struct {
		row, input string
		want       stanza.StreamCondition
		stage      string // "" in clear, "tls" before authentication, "auth" after EXTERNAL
	}{
		{"C07 client stanza", `<message xmlns='jabber:client' from='x@a.example' to='y@b.example'/>`, stanza.StreamInvalidNamespace, "auth"},
		{"C08 evil first-level element", `<evil xmlns='urn:evil'/>`, stanza.StreamUnsupportedStanzaType, "auth"},
		{"C08 wrong case", `<Message from='x@a.example' to='y@b.example'/>`, stanza.StreamUnsupportedStanzaType, "auth"},
		{"D01 HTTP", "GET / HTTP/1.1\r\n", stanza.StreamNotWellFormed, ""},
		{"D01 TLS on a plain port", "\x16\x03\x01\x02\x00\x01", stanza.StreamNotWellFormed, ""},
		{"D02 wrong stream namespace", `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/stream' version='1.0' to='b.example'>`, stanza.StreamInvalidNamespace, ""},
		{"D03 version 2.0", header(` from='a.example' to='b.example' version='2.0'`), stanza.StreamUnsupportedVersion, ""},
		{"D03 no version", header(` from='a.example' to='b.example'`), stanza.StreamUnsupportedVersion, ""},
		{"D03 version 1.x", header(` from='a.example' to='b.example' version='1.x'`), stanza.StreamUnsupportedVersion, ""},
		{"D03 version 11.0", header(` from='a.example' to='b.example' version='11.0'`), stanza.StreamUnsupportedVersion, ""},
		{"D04 to of nobody", header(` from='a.example' to='nosuch.example' version='1.0'`), stanza.StreamHostUnknown, ""},
		{"D04 no to", header(` from='a.example' version='1.0'`), stanza.StreamHostUnknown, ""},
		{"D04 empty to", header(` from='a.example' to='' version='1.0'`), stanza.StreamImproperAddressing, ""},
		{"D04 to with localpart", header(` from='a.example' to='a@b' version='1.0'`), stanza.StreamImproperAddressing, ""},
		{"D04 from with localpart", header(` from='x@a.example' to='b.example' version='1.0'`), stanza.StreamImproperAddressing, ""},
		{"D05 stanza in clear", helloFromA + stanzaAB, stanza.StreamNotAuthorized, ""},
		{"D05 stanza before authentication", helloFromA + stanzaAB, stanza.StreamNotAuthorized, "tls"},
		{"D06 nested stream", `<stream:stream to='b.example' version='1.0'/>`, stanza.StreamBadFormat, "auth"},
		{"D16 acknowledgement of more than sent", enable + `<a xmlns='urn:xmpp:sm:3' h='4294967295'/>`, stanza.StreamUndefinedCondition, "auth"},
		{"D16 negative", enable + `<a xmlns='urn:xmpp:sm:3' h='-1'/>`, stanza.StreamBadFormat, "auth"},
		{"D16 no number", enable + `<a xmlns='urn:xmpp:sm:3' h='x'/>`, stanza.StreamBadFormat, "auth"},
		{"D16 beyond 32 bits", enable + `<a xmlns='urn:xmpp:sm:3' h='4294967296'/>`, stanza.StreamBadFormat, "auth"},
		{"D16 absent", enable + `<a xmlns='urn:xmpp:sm:3'/>`, stanza.StreamBadFormat, "auth"},
		{"F12 auth after success", authEmpty, stanza.StreamNotAuthorized, "auth"},
		{"G08 result without from", `<db:result to='b.example'>key</db:result>`, stanza.StreamImproperAddressing, "auth"},
		{"G08 result without to", `<db:result from='a.example'>key</db:result>`, stanza.StreamImproperAddressing, "auth"},
		{"G08 verify without id", `<db:verify from='a.example' to='b.example'>key</db:verify>`, stanza.StreamImproperAddressing, "auth"},
		{"G08 result of a user", `<db:result from='x@a.example' to='b.example'>key</db:result>`, stanza.StreamImproperAddressing, "auth"},
		{"G08 key of 1 MiB", helloFromA + `<db:result from='a.example' to='b.example'>` + strings.Repeat("k", 1<<20) + `</db:result>`, stanza.StreamPolicyViolation, "tls"},
		{"H01 no to", `<message from='x@a.example'><body>b</body></message>`, stanza.StreamImproperAddressing, "auth"},
		{"H01 no from", `<message to='y@b.example'><body>b</body></message>`, stanza.StreamImproperAddressing, "auth"},
		{"H01 from of another domain", `<message from='x@evil.example' to='y@b.example'/>`, stanza.StreamInvalidFrom, "auth"},
		{"H01 from of our own domain", `<message from='x@b.example' to='y@b.example'/>`, stanza.StreamInvalidFrom, "auth"},
		{"features from the initiator", noFeatures, stanza.StreamUnsupportedStanzaType, "auth"},
		{"foreign stanza before it is one", `<iq from='x@evil.example' to='y@b.example' type='get' id='1'/>`, stanza.StreamInvalidFrom, "auth"},
	} {
		t.Run(tc.row, func(t *testing.T) {
			var w *world
			switch tc.stage {
			case "":
				w = rawResponder(t, everythingPlain, nil)
			case "tls":
				w = rawResponder(t, everything, nobody)
			case "auth":
				w = authenticated(t, everything)
			}
			w.a.inject(tc.input)
			w.b.wantError(t, tc.want)
			if len(w.b.got) > 0 {
				t.Errorf("a stanza went up: %+v", w.b.got)
			}
		})
	}
}

const (
	openNoVersion = `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'`
	enable        = `<enable xmlns='urn:xmpp:sm:3' resume='true'/>`
)

var everythingPlain = stream.Policy{TLS: stream.AllowPlain, Auth: everything.Auth, Bidi: true, Manage: true}

func TestD16RepeatIsIgnored(t *testing.T) {
	p := everything
	p.Bidi = true
	w := rawResponder(t, p, names{domA})
	w.a.inject(helloFromA + `<bidi xmlns='urn:xmpp:bidi'/>` + authEmpty)
	w.a.inject(helloFromA + enable)
	for i := range uint64(10) {
		w.b.send(domB, domA, i)
	}
	w.a.inject(`<a xmlns='urn:xmpp:sm:3' h='10'/><a xmlns='urn:xmpp:sm:3' h='10'/>`)
	if len(w.b.acked) != 10 || w.b.closed != nil {
		t.Errorf("acked %v, closed %+v", w.b.acked, w.b.closed)
	}
	w.a.inject(`<a xmlns='urn:xmpp:sm:3' h='11'/>`)
	w.b.wantError(t, stanza.StreamUndefinedCondition)
	if !strings.Contains(w.b.sent, `<handled-count-too-high xmlns='urn:xmpp:sm:3' h='11' send-count='10'/>`) {
		t.Errorf("sent %s", w.b.sent)
	}
}

func TestD03MinorVersion(t *testing.T) {
	for _, v := range []string{"1.1", "1.0", "01.00", "1.99"} {
		w := rawResponder(t, everythingPlain, nil)
		w.a.inject(openNoVersion + ` from='a.example' to='b.example' version='` + v + `'>`)
		if w.b.closed != nil || !strings.Contains(w.b.sent, "<stream:features>") || !strings.Contains(w.b.sent, "version='1.0'") {
			t.Errorf("version %s: sent %s", v, w.b.sent)
		}
	}
}

// D07, D08: the pair of the restart is the pair that was authenticated.
func TestRestartWithOtherAddresses(t *testing.T) {
	for _, tc := range []struct {
		name, header string
		want         stanza.StreamCondition
	}{
		{"D07 another to", openTags + ` from='a.example' to='b2.example'>`, stanza.StreamNotAuthorized},
		{"D08 another from", openTags + ` from='evil.example' to='b.example'>`, stanza.StreamInvalidFrom},
		{"to of nobody", openTags + ` from='a.example' to='nosuch.example'>`, stanza.StreamHostUnknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := rawResponder(t, everything, names{domA, evil})
			w.a.inject(helloFromA + authEmpty)
			w.a.inject(tc.header + stanzaAB)
			if len(w.b.auth) > 0 || len(w.b.got) > 0 {
				t.Errorf("authorised %+v, got %+v", w.b.auth, w.b.got)
			}
			w.b.wantError(t, tc.want)
		})
	}
	w := rawResponder(t, everything, names{domA})
	w.a.inject(helloFromA + authEmpty)
	w.a.inject(openTags + ` to='b.example'>` + stanzaAB)
	if w.b.ids() != "m1" {
		t.Errorf("no from after the restart: got %q, sent %s", w.b.ids(), w.b.sent)
	}
}

func TestD09NothingAfterTheEnd(t *testing.T) {
	w := authenticated(t, everything)
	w.a.inject(stanzaAB + `</stream:stream>` + stanzaAB)
	if w.b.ids() != "m1" || w.b.closed == nil || w.b.closed.Cause != stream.ClosedByPeer || !w.b.closed.Clean {
		t.Errorf("got %q, closed %+v", w.b.ids(), w.b.closed)
	}
	if strings.Contains(w.b.sent, "stream:error") {
		t.Errorf("sent %s", w.b.sent)
	}
}

// D10: the text of a stream error is cut, escaped, one line.
func TestD10PeerError(t *testing.T) {
	w := authenticated(t, everything)
	w.a.inject(`<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>` +
		"line\n\tof &#x9B;31m\u202e" + strings.Repeat("long ", 2_000) + `</text></stream:error></stream:stream>`)
	c := w.b.closed
	if c == nil || c.Cause != stream.PeerError || c.Condition != stanza.StreamConflict {
		t.Fatalf("closed %+v", c)
	}
	if len(c.Detail) > 256 || strings.ContainsAny(c.Detail, "\n\t\u009b\u202e") || !strings.HasPrefix(c.Detail, `line\u{a}\u{9}of \u{9b}31m\u{202e}long`) {
		t.Errorf("%d bytes: %q", len(c.Detail), c.Detail)
	}
	// 1 MiB of it passes the element limit: only the start tag is seen.
	w = authenticated(t, everything)
	w.a.inject(`<stream:error><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>` + strings.Repeat("x", 1<<20) + `</text></stream:error>`)
	if w.b.closed == nil || w.b.closed.Cause != stream.PeerError || len(w.b.closed.Detail) > 256 {
		t.Errorf("closed %+v", w.b.closed)
	}
}

func TestD11SeeOtherHost(t *testing.T) {
	moved := `<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:22</see-other-host></stream:error></stream:stream>`
	for _, cert := range []stream.Certificate{nil, names{domB}} {
		w := rawInitiator(t, everything, cert)
		w.b.inject(helloFromB + moved)
		c := w.a.closed
		if c == nil || c.Cause != stream.PeerError || c.Condition != stanza.StreamSeeOtherHost || c.SeeOther != "127.0.0.1:22" {
			t.Fatalf("closed %+v", c)
		}
		if strings.Contains(w.a.sent, "stream:error") || !w.a.saw(stream.FactSeeOther) {
			t.Errorf("sent %s, noted %+v", w.a.sent, w.a.notes)
		}
	}
}

func TestD12Features(t *testing.T) {
	mechanisms := func(n int, name string) string {
		return `<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>` +
			strings.Repeat("<mechanism>"+name+"</mechanism>", n) + `</mechanisms></stream:features>`
	}
	for _, tc := range []struct {
		name, features string
	}{
		{"65 mechanisms", mechanisms(65, "M")},
		{"10,000 mechanisms of 1 MiB", mechanisms(10_000, strings.Repeat("M", 80))},
		{"60 mechanisms over 10,000 bytes", mechanisms(60, strings.Repeat("M", 200))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := rawInitiator(t, everything, names{domB})
			w.b.inject(helloFromB + tc.features)
			w.a.wantError(t, stanza.StreamPolicyViolation)
		})
	}
	w := rawInitiator(t, everything, names{domB})
	w.b.inject(helloFromB + mechanisms(63, "M"))
	if w.a.closed != nil && w.a.closed.Condition == stanza.StreamPolicyViolation {
		t.Error("63 mechanisms refused")
	}
}

func TestD19(t *testing.T) {
	w := rawResponder(t, everything, names{domA})
	w.a.inject(helloFromA + enable)
	if n := strings.Count(w.b.sent, "<unexpected-request "); n != 1 {
		t.Errorf("enable before authentication: sent %s", w.b.sent)
	}
	w = authenticated(t, everything)
	w.a.inject(enable + enable)
	if strings.Count(w.b.sent, "<enabled ") != 1 || strings.Count(w.b.sent, "<unexpected-request ") != 1 {
		t.Errorf("enable twice: sent %s", w.b.sent)
	}
	// Each <r/> is answered; 1,000 a second are not too many, more in each of 10 seconds are.
	ask := strings.Repeat(`<r xmlns='urn:xmpp:sm:3'/>`, 1_000)
	for range 15 {
		w.b.sent = ""
		w.a.inject(ask)
		w.now = w.now.Add(time.Second)
		if n := strings.Count(w.b.sent, "<a xmlns='urn:xmpp:sm:3' h='0'/>"); n != 1_000 || w.b.closed != nil {
			t.Fatalf("%d answers to 1,000 requests, closed %+v", n, w.b.closed)
		}
	}
	for range 10 {
		w.b.sent = helloFromB // wantError looks for the header
		w.a.inject(ask + `<r xmlns='urn:xmpp:sm:3'/>`)
		w.now = w.now.Add(time.Second)
	}
	w.b.wantError(t, stanza.StreamPolicyViolation)
}

// E01, E02: clear bytes behind starttls or proceed.
func TestInjection(t *testing.T) {
	w := rawResponder(t, everything, nil)
	w.a.inject(helloFromA + `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>` + authEmpty)
	if w.b.closed == nil || strings.Contains(w.b.sent, "proceed") || w.b.wantTLS || !w.b.saw(stream.FactInjection) {
		t.Errorf("E01: closed %+v, facts %+v, sent %s", w.b.closed, w.b.notes, w.b.sent)
	}
	w = rawInitiator(t, everything, nil)
	w.b.inject(helloFromB + startTLS)
	w.b.inject(`<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>` + helloFromB)
	if w.a.closed == nil || w.a.wantTLS || !w.a.saw(stream.FactInjection) {
		t.Errorf("E02: closed %+v, facts %+v", w.a.closed, w.a.notes)
	}
}

// E03: no way round TLS where it is required.
func TestE03Downgrade(t *testing.T) {
	for _, tc := range []struct{ name, input string }{
		{"not offered", `<stream:features>` + external + dialback + `</stream:features>`},
		{"empty features", noFeatures},
		{"failure", startTLS + `<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := rawInitiator(t, everything, nil)
			w.b.inject(helloFromB + tc.input)
			w.a.wantError(t, stanza.StreamPolicyViolation)
			if !w.a.saw(stream.FactDowngrade) {
				t.Errorf("facts %+v", w.a.notes)
			}
			for _, never := range []string{"<auth", "db:result", "<message"} {
				if strings.Contains(w.a.sent, never) {
					t.Errorf("sent %s in clear", never)
				}
			}
		})
	}
}

// What was said in clear is forgotten inside TLS.
func TestClearOffersAreForgotten(t *testing.T) {
	w := rawInitiator(t, everything, nil)
	w.b.inject(helloFromB + `<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>` + dialback +
		`<sm xmlns='urn:xmpp:sm:3'/></stream:features>`)
	w.b.inject(`<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
	w.a.step(stream.Secured{TLS: stream.TLSFacts{Peer: names{domB}}})
	plain := strings.ReplaceAll(helloFromB, ` xmlns:db='jabber:server:dialback'`, "")
	w.b.inject(plain + noFeatures)
	if w.a.closed != nil && w.a.closed.Cause != stream.AuthFailed || strings.Contains(w.a.sent, "db:result") {
		t.Errorf("closed %+v, sent %s", w.a.closed, w.a.sent)
	}
}

func TestResponseHeader(t *testing.T) {
	for _, tc := range []struct {
		name, header string
		want         stanza.StreamCondition
	}{
		{"no version", openNoVersion + ` from='b.example' id='i'>`, stanza.StreamUnsupportedVersion},
		{"no id", openTags + ` from='b.example'>`, stanza.StreamBadFormat},
		{"id too long", openTags + ` from='b.example' id='` + strings.Repeat("i", 257) + `'>`, stanza.StreamBadFormat},
		{"another from", openTags + ` from='evil.example' id='i'>` + startTLS, stanza.StreamInvalidFrom},
		{"element before the header is due", helloFromB + startTLS + stanzaBA, stanza.StreamNotAuthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := rawInitiator(t, everything, nil)
			w.b.inject(tc.header)
			w.a.wantError(t, tc.want)
		})
	}
	// No 'from' and no 'to' is seen in the field, and so is another default domain before host-unknown.
	w := rawInitiator(t, everything, nil)
	w.b.inject(openTags + ` id='i'>` + startTLS)
	if !strings.Contains(w.a.sent, "<starttls ") {
		t.Errorf("header without from: sent %s", w.a.sent)
	}
	w = rawInitiator(t, everything, nil)
	w.b.inject(openTags + ` id='i' from='default.example'><stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`)
	if w.a.closed == nil || w.a.closed.Condition != stanza.StreamHostUnknown || w.a.closed.Cause != stream.PeerError {
		t.Errorf("closed %+v", w.a.closed)
	}
}
