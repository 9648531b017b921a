package stream_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// Headers and what comes before authentication.
func TestClientHostileStart(t *testing.T) {
	for _, tc := range []struct {
		name, said string
		ends       stanza.StreamCondition
	}{
		{"D01 HTTP", "GET / HTTP/1.1\r\n", stanza.StreamNotWellFormed},
		{"D01 TLS on a plain port", "\x16\x03\x01\x02", stanza.StreamNotWellFormed},
		{"D02 wrong namespace", strings.Replace(helloClient, "streams'", "stream'", 1), stanza.StreamInvalidNamespace},
		{"D03 version 2.0", strings.Replace(helloClient, "1.0", "2.0", 1), stanza.StreamUnsupportedVersion},
		{"D03 no version", strings.Replace(helloClient, " version='1.0'", "", 1), stanza.StreamUnsupportedVersion},
		{"D03 version 1.x", strings.Replace(helloClient, "1.0", "1.x", 1), stanza.StreamUnsupportedVersion},
		{"D04 another host", clientTags + ` to='nosuch.example'>`, stanza.StreamHostUnknown},
		{"D04 no to", clientTags + `>`, stanza.StreamHostUnknown},
		{"D04 empty to", clientTags + ` to=''>`, stanza.StreamImproperAddressing},
		{"D04 to with a localpart", clientTags + ` to='a@b.example'>`, stanza.StreamImproperAddressing},
		{"from of another domain", clientTags + ` to='b.example' from='user@evil.example'>`, stanza.StreamInvalidFrom},
		{"from is none", clientTags + ` to='b.example' from='@@'>`, stanza.StreamInvalidFrom},
		{"D05 stanza before authentication", helloClient + `<message to='other@b.example'><body>x</body></message>`, stanza.StreamNotAuthorized},
		{"D05 bind before authentication", helloClient + bindIQ, stanza.StreamNotAuthorized},
		{"D06 nested stream", helloClient + helloClient, stanza.StreamBadFormat},
		{"stanza of a server", helloClient + `<message xmlns='jabber:server'/>`, stanza.StreamInvalidNamespace},
		{"features from the client", helloClient + `<stream:features/>`, stanza.StreamUnsupportedStanzaType},
		{"unknown element", helloClient + `<x xmlns='urn:x'/>`, stanza.StreamNotAuthorized},
		{"state before authentication", helloClient + `<active xmlns='urn:xmpp:csi:0'/>`, stanza.StreamNotAuthorized},
		{"legacy authentication", helloClient + `<iq type='set' id='1'><query xmlns='jabber:iq:auth'/></iq>`, stanza.StreamNotAuthorized},
		{"F03 1 MiB", helloClient + `<auth` + nsSASL + ` mechanism='PLAIN'>` + strings.Repeat("A", 1<<20) + `</auth>`, stanza.StreamPolicyViolation},
		{"header at the element limit", clientTags + ` to='` + strings.Repeat("a", 20_000) + `'>`, stanza.StreamPolicyViolation},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := direct(t, nil)
			said := x.say(tc.said)
			if !strings.HasPrefix(said, "<?xml version='1.0'?><stream:stream") {
				t.Errorf("no header of ours first: %s", said)
			}
			x.ends(said, tc.ends)
			if len(x.got) > 0 || len(x.auth) > 0 {
				t.Errorf("got %+v, authenticated %+v", x.got, x.auth)
			}
		})
	}
	if x := direct(t, nil); !strings.Contains(x.say(strings.Replace(helloClient, "1.0", "1.1", 1)), "<stream:features>") {
		t.Error("D03 version 1.1 refused")
	}
}

// Nobody gets in by the zero values, and nothing is offered in clear where TLS is required.
func TestClientPolicies(t *testing.T) {
	x := direct(t, func(c *stream.ClientConfig) { c.Policy = nil })
	x.ends(x.say(helloClient), stanza.StreamPolicyViolation)
	x = newEdge(t, func(c *stream.ClientConfig) { c.OfferTLS = false })
	x.step(stream.Start{})
	x.ends(x.say(helloClient), stanza.StreamPolicyViolation)
	x = direct(t, func(c *stream.ClientConfig) {
		p := everyWay
		p.RequireBinding = true
		c.Policy = func(jid.JID) stream.ClientPolicy { return p }
	})
	if said := x.say(helloClient); strings.Contains(said, "PLAIN") || strings.Contains(said, "<mechanism>SCRAM-SHA-1</mechanism>") || strings.Contains(said, "HT-SHA-256-NONE") {
		t.Errorf("offered although binding is required: %s", said)
	}
	x.fails(x.say(plainAuth("user", "pencil")), sasl.InvalidMechanism)
	x = direct(t, func(c *stream.ClientConfig) {
		p := everyWay
		p.NoBinding = true
		c.Policy = func(jid.JID) stream.ClientPolicy { return p }
	})
	if said := x.say(helloClient); strings.Contains(said, "-PLUS") || strings.Contains(said, "sasl-channel-binding") {
		t.Errorf("offered although nothing is to be bound: %s", said)
	}
	said := x.say(`<auth` + nsSASL + ` mechanism='SCRAM-SHA-1'>` + base("y,,n=user,r=client-nonce") + `</auth>`)
	if !strings.HasPrefix(said, "<challenge") { // y is no downgrade where there is nothing to downgrade from
		t.Errorf("got %s", said)
	}
}

// E01: what stands behind <starttls/> in clear is never read.
func TestClientInjection(t *testing.T) {
	x := newEdge(t, nil)
	x.step(stream.Start{})
	x.say(helloClient)
	if said := x.say(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>` + plainAuth("user", "pencil")); said != "" || x.closed == nil || x.closed.Cause != stream.TLSFailed || len(x.asked) > 0 || !x.has(stream.FactInjection) {
		t.Errorf("said %s, closed %+v, asked %+v", said, x.closed, x.asked)
	}
}

// F01 to F05, F08, F12: attempts that fail and leave the stream open for another.
func TestClientHostileSASL(t *testing.T) {
	const name = "SCRAM-SHA-1"
	auth := func(mechanism, text string) string {
		return `<auth` + nsSASL + ` mechanism='` + mechanism + `'>` + text + `</auth>`
	}
	for _, tc := range []struct {
		name, said string
		fails      sasl.Condition
	}{
		{"F01 unknown", auth("NOSUCH", "="), sasl.InvalidMechanism},
		{"F01 empty", auth("", "="), sasl.InvalidMechanism},
		{"F01 none", `<auth` + nsSASL + `>=</auth>`, sasl.InvalidMechanism},
		{"F01 lower case", auth("plain", base("\x00user\x00pencil")), sasl.InvalidMechanism},
		{"F01 not on offer", auth("SCRAM-SHA-512", base("n,,n=user,r=client-nonce")), sasl.InvalidMechanism},
		{"F03 not base64", auth("PLAIN", "\x00user"[1:]+"!"), sasl.IncorrectEncoding},
		{"F03 inner newline", auth("PLAIN", "AHVzZXIA\ncGVuY2ls"), sasl.IncorrectEncoding},
		{"F03 = is empty", auth("PLAIN", "="), sasl.MalformedRequest},
		{"F04 without NULs", auth("PLAIN", base("user")), sasl.MalformedRequest},
		{"F04 three NULs", auth("PLAIN", base("\x00user\x00pen\x00cil")), sasl.MalformedRequest},
		{"F04 not UTF-8", auth("PLAIN", base("\x00user\x00\xff")), sasl.NotAuthorized},
		{"F05 somebody else", auth("PLAIN", base("other@b.example\x00user\x00pencil")), sasl.InvalidAuthzid},
		{"F06 empty password", auth("PLAIN", base("\x00user\x00")), sasl.NotAuthorized},
		{"wrong password", plainAuth("user", "Pencil"), sasl.NotAuthorized},
		{"no such account", plainAuth("nobody", "pencil"), sasl.NotAuthorized},
		{"disabled", plainAuth("gone", "pencil"), sasl.AccountDisabled},
		{"disabled, wrong password", plainAuth("gone", "x"), sasl.NotAuthorized},
		{"F08 y although plus was offered", auth(name, base("y,,n=user,r=client-nonce")), sasl.NotAuthorized},
		{"F08 tls-unique", auth(name+"-PLUS", base("p=tls-unique,,n=user,r=client-nonce")), sasl.NotAuthorized},
		{"F12 response without auth", `<response` + nsSASL + `>=</response>`, sasl.MalformedRequest},
		{"F12 abort", `<abort` + nsSASL + `/>`, sasl.Aborted},
		{"F12 response of SASL2", `<response` + nsSASL2 + `>AAAA</response>`, sasl.MalformedRequest},
		{"F12 abort of SASL2", `<abort` + nsSASL2 + `/>`, sasl.Aborted},
		{"F13 quote", plainAuth(`us"er`, "pencil"), sasl.NotAuthorized},
		{"F13 newline", plainAuth("us\ner", "pencil"), sasl.NotAuthorized},
		{"F13 trailing space", plainAuth("user ", "pencil"), sasl.NotAuthorized},
		{"F13 1,024 bytes", plainAuth(strings.Repeat("u", 1024), "pencil"), sasl.NotAuthorized},
		{"F13 a whole address", plainAuth("user@b.example", "pencil"), sasl.NotAuthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := direct(t, nil)
			x.say(helloClient)
			x.fails(x.say(tc.said), tc.fails)
			if strings.HasPrefix(tc.name, "F08") && !x.has(stream.FactDowngrade) {
				t.Errorf("not recorded as a downgrade: %+v", x.notes)
			}
			if said := x.say(plainAuth("USER", "pencil")); !strings.HasPrefix(said, "<success") || x.auth[0].Account != user { // F13: one account
				t.Errorf("no second attempt: %s", said)
			}
		})
	}
}

// F02: before TLS the credential is not looked at.
func TestClientAuthInClear(t *testing.T) {
	x := newEdge(t, nil)
	x.step(stream.Start{})
	x.say(helloClient)
	for _, said := range []string{plainAuth("user", "pencil"), `<auth` + nsSASL + ` mechanism='SCRAM-SHA-1'>` + base("n,,n=user,r=client-nonce") + `</auth>`, authenticate2("PLAIN", "\x00user\x00pencil", bind2)} {
		x.fails(x.say(said), sasl.EncryptionRequired)
	}
	if len(x.asked) > 0 {
		t.Errorf("asked %+v", x.asked)
	}
}

// F07, F12: an answer that was good on another stream, and a second <auth/>.
func TestClientReplay(t *testing.T) {
	first := `<auth` + nsSASL + ` mechanism='SCRAM-SHA-1'>` + base("n,,n=user,r=client-nonce") + `</auth>`
	x := direct(t, nil)
	x.say(helloClient)
	final, _ := scram(t, "n,,", "", "user", "pencil", x.say(first))
	y := direct(t, func(c *stream.ClientConfig) { c.Rand = seeded(99) })
	y.say(helloClient)
	y.say(first)
	y.fails(y.say(`<response`+nsSASL+`>`+base(final)+`</response>`), sasl.NotAuthorized)
	final, _ = scram(t, "n,,", "", "user", "pencil", x.say(first)) // starts over
	if said := x.say(`<response` + nsSASL + `>` + base(final) + `</response>`); !strings.HasPrefix(said, "<success") {
		t.Errorf("second auth: %s", said)
	}
	z := direct(t, nil)
	z.say(helloClient)
	z.say(first)
	z.ends(z.say(`<message to='other@b.example'/>`), stanza.StreamNotAuthorized) // in the middle of authentication
}

// F15: unknown accounts look like known ones until the proof, on the wire and to the edge.
func TestClientUnknownAccount(t *testing.T) {
	lengths := map[string]int{}
	for _, who := range []string{"user", "xxxx"} {
		x := direct(t, nil)
		x.say(helloClient)
		said := x.say(`<auth` + nsSASL + ` mechanism='SCRAM-SHA-1'>` + base("n,,n="+who+",r=client-nonce") + `</auth>`)
		lengths[who] = len(said)
		final, _ := scram(t, "n,,", "", who, "decoy", said)
		x.fails(x.say(`<response`+nsSASL+`>`+base(final)+`</response>`), sasl.NotAuthorized)
		if len(x.asked) != 1 || x.asked[0].Want != sasl.WantSecret {
			t.Errorf("%s: asked %+v", who, x.asked)
		}
	}
	if lengths["user"] != lengths["xxxx"] {
		t.Errorf("challenges differ: %v", lengths)
	}
}

// F14: the fifth failure ends the stream, by whichever profile.
func TestClientTooManyLogins(t *testing.T) {
	x := direct(t, nil)
	x.say(helloClient)
	for range 2 {
		x.fails(x.say(plainAuth("user", "x")), sasl.NotAuthorized)
		x.fails(x.say(authenticate2("PLAIN", "\x00user\x00x", "")), sasl.NotAuthorized)
	}
	x.ends(x.say(plainAuth("user", "x")), stanza.StreamPolicyViolation)
}

// The store is down: temporary-auth-failure, and an answer that nobody waits for is none.
func TestClientLookUpFails(t *testing.T) {
	x := direct(t, nil)
	x.hold = true
	x.say(helloClient)
	x.say(plainAuth("user", "pencil"))
	if !x.m.ReadPaused() {
		t.Error("reading while an answer is due")
	}
	x.step(stream.Bound{Resource: "desk"})
	x.step(stream.TokenGranted{Token: "x"})
	x.step(stream.SessionFound{ID: "x"})
	if x.take() != "" || x.ready != nil {
		t.Error("answers of other questions counted")
	}
	x.step(stream.LookUpFailed{})
	x.fails(x.take(), sasl.TemporaryAuthFailure)
	x.step(stream.Found{Reply: sasl.Reply{Standing: sasl.Good, Right: true}})
	if x.take() != "" || len(x.auth) > 0 {
		t.Error("a late answer counted")
	}
	x.say(plainAuth("user", "pencil"))
	x.now = x.now.Add(time.Minute)
	x.step(stream.Tick{})
	x.ends(x.take(), stanza.StreamConnectionTimeout)
}

// Restart and binding: D07, D08, and F12 after success.
func TestClientHostileBind(t *testing.T) {
	bind := func(resources string) string {
		return `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>` + resources + `</bind></iq>`
	}
	for _, tc := range []struct {
		name, said string
		ends       stanza.StreamCondition
		answers    string
	}{
		{"D07 another domain", clientTags + ` to='b2.example'>`, stanza.StreamNotAuthorized, ""},
		{"D08 another from", clientTags + ` to='b.example' from='other@b.example'>`, stanza.StreamInvalidFrom, ""},
		{"from of a machine", clientTags + ` to='b.example' from='localhost'>`, 0, "<stream:features>"},
		{"from with a resource alone", clientTags + ` to='b.example' from='b.example/x'>`, stanza.StreamInvalidFrom, ""},
		{"same from", clientTags + ` to='b.example' from='user@b.example'>`, 0, "<stream:features>"},
		{"D08 two resources", helloClient + bind("<resource>a</resource><resource>b</resource>"), 0, "<bad-request"},
		{"D08 resource of 1,024 bytes", helloClient + bind("<resource>"+strings.Repeat("a", 1024)+"</resource>"), 0, "<bad-request"},
		{"control character", helloClient + bind("<resource>a&#x9;b</resource>"), 0, "<bad-request"},
		{"get", helloClient + strings.Replace(bindIQ, "'set'", "'get'", 1), 0, "<bad-request"},
		{"no id", helloClient + strings.Replace(bindIQ, " id='bind'", "", 1), 0, "<bad-request"},
		{"stanza before bind", helloClient + `<message to='x@a.example'/>`, stanza.StreamNotAuthorized, ""},
		{"F12 auth after success", helloClient + plainAuth("user", "pencil"), stanza.StreamNotAuthorized, ""},
		{"F12 authenticate after success", helloClient + authenticate2("PLAIN", "\x00other\x00pencil", bind2), stanza.StreamNotAuthorized, ""},
		{"D19 enable before bind", helloClient + enableSM, 0, "<failed xmlns='urn:xmpp:sm:3'><unexpected-request"},
		{"starttls now", helloClient + `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`, 0, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"},
		{"too many binds", helloClient + strings.Repeat(bind("<resource>a</resource><resource>b</resource>"), 5), stanza.StreamPolicyViolation, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := direct(t, nil)
			x.say(helloClient)
			x.say(plainAuth("user", "pencil"))
			said := x.say(tc.said)
			if tc.ends != 0 {
				x.ends(said, tc.ends)
			} else if !strings.Contains(said, tc.answers) {
				t.Errorf("want %s, got %s", tc.answers, said)
			}
			if x.ready != nil || len(x.binds) > 0 || len(x.auth) != 1 {
				t.Errorf("ready %+v, binds %+v, auth %+v", x.ready, x.binds, x.auth)
			}
		})
	}
	x := direct(t, nil).login()
	if said := x.say(bindIQ); !strings.Contains(said, "<not-allowed") || len(x.binds) != 1 || x.closed != nil {
		t.Errorf("D08 second bind: %s", said)
	}
}

// A refused resource may be asked for again, and one is drawn where none was named.
func TestClientBindRefused(t *testing.T) {
	x := direct(t, nil)
	x.hold = true
	x.say(helloClient)
	x.say(plainAuth("user", "pencil"))
	x.step(stream.Found{Reply: sasl.Reply{Standing: sasl.Good, Right: true}})
	x.say(helloClient)
	for reason, want := range map[stream.RefusedBind]string{stream.BindConflict: "<conflict", stream.BindConstraint: "<resource-constraint", stream.BindNotAllowed: "<not-allowed"} {
		x.say(bindIQ)
		if x.step(stream.BindRefused{Reason: reason}); !strings.Contains(x.take(), want) {
			t.Errorf("want %s", want)
		}
	}
	x.say(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`)
	last := x.binds[len(x.binds)-1]
	if !last.Drawn || len(last.Resource) < 20 {
		t.Errorf("drawn %+v", last)
	}
	if x.step(stream.Bound{Resource: "other"}); x.ready == nil || x.ready.Address.Resource() != "other" {
		t.Errorf("ready %+v", x.ready)
	}
}

// Stanzas on an open session: C08, C09, C14, D09, H02, H03, H08, H10.
func TestClientHostileStanzas(t *testing.T) {
	for _, tc := range []struct {
		name, said string
		ends       stanza.StreamCondition
		problem    stanza.Condition // of the one arrival; zero with ends zero: it is fine
	}{
		{"C08 stanza of another namespace", `<message xmlns='urn:evil' to='b@b.example'/>`, stanza.StreamUnsupportedStanzaType, 0},
		{"C08 upper case", `<Message/>`, stanza.StreamUnsupportedStanzaType, 0},
		{"C08 unknown in the content namespace", `<evil xmlns='jabber:client'/>`, stanza.StreamUnsupportedStanzaType, 0},
		{"C09 prefixed", `<c:message xmlns:c='jabber:client' to='b@b.example'><c:body>x</c:body></c:message>`, 0, 0},
		{"C14 stream error inside", `<message to='b@b.example'><stream:error/></message>`, 0, stanza.BadRequest},
		{"C07 of a server", `<message xmlns='jabber:server' to='b@b.example'/>`, stanza.StreamInvalidNamespace, 0},
		{"body of another content namespace", `<message to='b@b.example'><body>a</body><body xmlns='jabber:server'>b</body></message>`, 0, stanza.BadRequest},
		{"H02 from of somebody else", `<message from='admin@b.example' to='b@b.example'/>`, stanza.StreamInvalidFrom, 0},
		{"H02 own bare address", `<message from='user@b.example' to='b@b.example'/>`, 0, 0},
		{"H02 own full address", `<message from='user@b.example/desk' to='b@b.example'/>`, 0, 0},
		{"H02 other resource", `<message from='user@b.example/phone' to='b@b.example'/>`, stanza.StreamInvalidFrom, 0},
		{"H02 empty from", `<message from='' to='b@b.example'/>`, stanza.StreamInvalidFrom, 0},
		{"H02 from is none", `<message from='@@' to='b@b.example'/>`, stanza.StreamInvalidFrom, 0},
		{"H03 to is none", `<message to='a@@b'/>`, 0, stanza.JIDMalformed},
		{"H03 empty to", `<message to=''/>`, 0, stanza.JIDMalformed},
		{"H03 no resource", `<message to='a@b/'/>`, 0, stanza.JIDMalformed},
		{"H03 resource /", `<message to='a@b//'/>`, 0, 0},
		{"H08 no payload", `<iq type='get' id='1' to='b@b.example'/>`, 0, stanza.BadRequest},
		{"H08 two payloads", `<iq type='get' id='1'><a xmlns='u'/><b xmlns='u'/></iq>`, 0, stanza.BadRequest},
		{"H08 unknown type", `<iq type='foo' id='1'><a xmlns='u'/></iq>`, 0, stanza.BadRequest},
		{"H08 no id", `<iq type='get'><a xmlns='u'/></iq>`, 0, stanza.BadRequest},
		{"H08 id of 100 KiB", `<iq type='get' id='` + strings.Repeat("i", 100<<10) + `'><a xmlns='u'/></iq>`, stanza.StreamPolicyViolation, 0},
		{"H10 unknown message type", `<message type='bogus' to='b@b.example'/>`, 0, 0},
		{"H10 unknown presence type", `<presence type='bogus'/>`, 0, stanza.BadRequest},
		{"A15 over the limit", `<message to='b@b.example'><body>` + strings.Repeat("x", 300<<10), stanza.StreamPolicyViolation, 0},
		{"D06 nested stream", helloClient, stanza.StreamBadFormat, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x, slow := direct(t, nil).login(), direct(t, nil).login()
			slow.slow = true
			said := x.say(tc.said)
			if other := slow.say(tc.said); said != other || len(x.got) != len(slow.got) || len(x.got) > 0 && !alike(&x.got[0], &slow.got[0]) {
				t.Errorf("on the steady path %s %+v, by Step %s %+v", said, x.got, other, slow.got)
			}
			if tc.ends != 0 {
				x.ends(said, tc.ends)
				if len(x.got) > 0 {
					t.Errorf("got %+v", x.got)
				}
				return
			}
			if len(x.got) != 1 || x.closed != nil {
				t.Fatalf("got %+v, closed %+v, said %s", x.got, x.closed, said)
			}
			checkArrival(t, x.got[0], tc.problem)
		})
	}
	x := direct(t, nil).login()
	x.say(`</stream:stream><message to='b@b.example'/>`)
	if len(x.got) > 0 || x.closed == nil { // D09
		t.Errorf("D09: got %+v", x.got)
	}
}

// alike: both ways of taking a stanza come to the same.
func alike(a, b *stream.Arrival) bool {
	if a.Stanza.IsZero() != b.Stanza.IsZero() || !a.Stanza.IsZero() && !a.Stanza.Element().Equal(b.Stanza.Element()) ||
		(a.Malformed == nil) != (b.Malformed == nil) || a.Malformed != nil && a.Malformed.Detail != b.Malformed.Detail {
		return false
	}
	return a.Problem == b.Problem && a.Pair == b.Pair && a.Bytes == b.Bytes && a.Undirected == b.Undirected && a.Seq == b.Seq
}

func checkArrival(t *testing.T, a stream.Arrival, problem stanza.Condition) {
	t.Helper()
	if problem == 0 {
		if a.Problem != stream.NoProblem || a.Stanza.From() != userDesk {
			t.Errorf("got %+v %+v", a, a.Malformed)
		}
		return
	}
	if a.Problem != stream.BadStanza || a.Malformed == nil || a.Malformed.Stanza != problem || !a.Stanza.IsZero() {
		t.Fatalf("got %+v %+v, want %v", a, a.Malformed, problem)
	}
	if reply, ok := a.Malformed.Reply(domB, stanza.ErrorOptions{}); ok && reply.To() != userDesk {
		t.Errorf("the answer goes to %s", reply.To())
	}
}
