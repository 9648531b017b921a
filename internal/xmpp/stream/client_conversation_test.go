package stream_test

import (
	"strings"
	"testing"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// contains checks that parts come in this order.
func contains(t *testing.T, said string, parts ...string) {
	t.Helper()
	rest := said
	for _, p := range parts {
		at := strings.Index(rest, p)
		if at < 0 {
			t.Errorf("want %q\nin   %s", p, said)
			return
		}
		rest = rest[at+len(p):]
	}
}

// STARTTLS, SCRAM with and without channel binding, a resource, stanzas, the end (RFC 6120 §9.1).
func TestClientConversation(t *testing.T) {
	for _, tc := range []struct{ name, mechanism, gs2, bind string }{
		{"scram", "SCRAM-SHA-1", "n,,", ""},
		{"scram plus, exporter", "SCRAM-SHA-1-PLUS", "p=tls-exporter,,", "this channel"},
		{"scram plus, end point", "SCRAM-SHA-1-PLUS", "p=tls-server-end-point,,", "certificate"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := newEdge(t, nil)
			x.step(stream.Start{})
			contains(t, x.say(helloClient), "<stream:stream xmlns='jabber:client'", "from='b.example'", "<stream:features>",
				"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls><limits")
			if said := x.say(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`); said != `<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>` {
				t.Fatalf("got %s", said)
			}
			contains(t, x.say(helloClient), "<mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms>",
				"<authentication xmlns='urn:xmpp:sasl:2'>", "<channel-binding type='tls-exporter'/><channel-binding type='tls-server-end-point'/>")
			said := x.say(`<auth` + nsSASL + ` mechanism='` + tc.mechanism + `'>` + base(tc.gs2+"n=user,r=client-nonce") + `</auth>`)
			final, verifier := scram(t, tc.gs2, tc.bind, "user", "pencil", said)
			said = x.say(`<response` + nsSASL + `>` + base(final) + `</response>`)
			if want := `<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>` + base(verifier) + `</success>`; said != want {
				t.Fatalf("got  %s\nwant %s", said, want)
			}
			if len(x.auth) != 1 || x.auth[0].Account != user || x.auth[0].Binding != (tc.bind != "") {
				t.Errorf("authenticated %+v", x.auth)
			}
			contains(t, x.say(helloClient), "to='user@b.example'", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><required/></bind><sm xmlns='urn:xmpp:sm:3'/>")
			want := `<iq id='bind' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@b.example/desk</jid></bind></iq>`
			if said := x.say(bindIQ); said != want || x.ready == nil || x.ready.Address != userDesk {
				t.Fatalf("got  %s\nwant %s, ready %+v", said, want, x.ready)
			}
			checkClientTraffic(t, x)
		})
	}
}

func checkClientTraffic(t *testing.T, x *edge) {
	t.Helper()
	x.say(`<presence/><message to='x@a.example' type='chat'><body>hi</body></message>`)
	if len(x.got) != 2 {
		t.Fatalf("got %+v", x.got)
	}
	p, m := x.got[0], x.got[1].Stanza
	if !p.Undirected || p.Stanza.From() != userDesk || p.Stanza.To() != user {
		t.Errorf("presence: %+v", p)
	}
	if x.got[1].Undirected || m.From() != userDesk || m.To().String() != "x@a.example" || m.ContentNS() != xmlstream.NSServer ||
		m.Element().Child(xmlstream.NSServer, "body").Text() != "hi" {
		t.Errorf("message: %+v", m)
	}
	x.send(1)
	if got, want := x.take(), `<message from='x@a.example/r' id='1' to='user@b.example/desk'><body>b</body></message>`; got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
	if said := x.say(`</stream:stream>`); said != `</stream:stream>` || x.closed == nil || x.closed.Cause != stream.ClosedByPeer {
		t.Errorf("end: %s %+v", said, x.closed)
	}
	if len(x.notes) > 0 {
		t.Errorf("noted %+v", x.notes)
	}
}

// authenticate2 is a request of XEP-0388.
func authenticate2(mechanism, initial, more string) string {
	return `<authenticate` + nsSASL2 + ` mechanism='` + mechanism + `'><initial-response>` + base(initial) +
		`</initial-response><user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>` + more + `</authenticate>`
}

const bind2 = `<bind xmlns='urn:xmpp:bind:0'><tag>Awesome</tag><enable xmlns='urn:xmpp:carbons:2'/><enable xmlns='urn:xmpp:sm:3' resume='true'/><inactive xmlns='urn:xmpp:csi:0'/></bind>`

// SASL2 with a resource, stream management, a state and a token, all in one request; then back by the token and resumed.
func TestClientSASL2(t *testing.T) {
	x := direct(t, nil)
	contains(t, x.say(helloClient), "<authentication xmlns='urn:xmpp:sasl:2'>", "<mechanism>SCRAM-SHA-1-PLUS</mechanism>", "<inline>",
		"<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:csi:0'/><feature var='urn:xmpp:sm:3'/></inline></bind>",
		"<sm xmlns='urn:xmpp:sm:3'/>", "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-EXPR</mechanism><mechanism>HT-SHA-256-ENDP</mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast>")
	said := x.say(authenticate2("SCRAM-SHA-1-PLUS", "p=tls-exporter,,n=user,r=client-nonce", bind2+`<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>`))
	final, verifier := scram(t, "p=tls-exporter,,", "this channel", "user", "pencil", said)
	said = x.say(`<response` + nsSASL2 + `>` + base(final) + `</response>`)
	contains(t, said, "<success xmlns='urn:xmpp:sasl:2'><additional-data>"+base(verifier)+"</additional-data><authorization-identifier>user@b.example/Awesome/",
		"<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='", "<token xmlns='urn:xmpp:fast:0' expiry='2026-03-12T14:36:15Z' token='fresh'/></success><stream:features><csi")
	if x.ready == nil || !strings.HasPrefix(x.ready.Address.Resource(), "Awesome/") || !x.ready.Managed || len(x.states) != 1 || x.states[0] {
		t.Fatalf("ready %+v, states %v", x.ready, x.states)
	}
	if len(x.binds[0].Wishes) != 1 || !x.binds[0].Wishes[0].Is("urn:xmpp:carbons:2", "enable") || x.wanted[0].Mechanism != sasl.TokenNone {
		t.Errorf("wishes %v, tokens %+v", x.binds[0].Wishes, x.wanted)
	}
	x.send(1)
	x.send(2)
	x.say(`<message to='x@a.example'/><a xmlns='urn:xmpp:sm:3' h='1'/>`)
	x.step(stream.Lost{Cause: "reset"})
	if x.closed.Resume == nil {
		t.Fatalf("not resumable: %+v", x.closed)
	}

	y := direct(t, func(c *stream.ClientConfig) { c.Rand = seeded(8) })
	y.park, y.tokens = x.park, []sasl.Token{{ID: "first", Value: "fresh"}}
	y.say(helloClient)
	proof := hmacSHA256("fresh", "Initiator")
	said = y.say(authenticate2(sasl.TokenNone, "user\x00"+proof, `<fast xmlns='urn:xmpp:fast:0'/><resume xmlns='urn:xmpp:sm:3' previd='`+x.closed.Resume.ID()+`' h='1'/>`+bind2))
	contains(t, said, "<success xmlns='urn:xmpp:sasl:2'><additional-data>"+base(hmacSHA256("fresh", "Responder")), "<authorization-identifier>user@b.example/Awesome/",
		"<resumed xmlns='urn:xmpp:sm:3' h='1' previd='", "<token xmlns='urn:xmpp:fast:0'", "</success><message", "id='2'", "<r xmlns='urn:xmpp:sm:3'/>")
	// XEP-0198 §9.2: the stream is the old one again, so nothing is on offer.
	if strings.Contains(said, "<stream:features") || strings.Contains(said, "<bound") || strings.Contains(said, "<sm ") || y.ready == nil || y.ready.Address != x.ready.Address || !y.ready.Resumed || y.resumed != 1 || y.auth[0].Token != "first" {
		t.Errorf("said %s, ready %+v, auth %+v", said, y.ready, y.auth)
	}
	if !y.wanted[0].Rotate {
		t.Errorf("token wanted %+v", y.wanted)
	}
}

// A token is for SASL2 with <fast/> and the agent's id alone; a wrong one fails like a wrong password.
func TestClientTokenRefused(t *testing.T) {
	x := direct(t, nil)
	x.tokens = []sasl.Token{{ID: "first", Value: "fresh"}}
	x.say(helloClient)
	proof := "user\x00" + hmacSHA256("fresh", "Initiator")
	x.fails(x.say(authenticate2(sasl.TokenNone, proof, "")), sasl.InvalidMechanism)
	x.fails(x.say(`<auth`+nsSASL+` mechanism='HT-SHA-256-NONE'>`+base(proof)+`</auth>`), sasl.InvalidMechanism)
	x.fails(x.say(authenticate2(sasl.TokenExpr, proof, `<fast xmlns='urn:xmpp:fast:0'/>`)), sasl.NotAuthorized)
	x.fails(x.say(authenticate2(sasl.TokenNone, "user\x00"+hmacSHA256("wrong", "Initiator"), `<fast xmlns='urn:xmpp:fast:0'/>`)), sasl.NotAuthorized)
	contains(t, x.say(authenticate2(sasl.TokenNone, proof, `<fast xmlns='urn:xmpp:fast:0' invalidate='true'/>`)),
		"<success", "<authorization-identifier>user@b.example</authorization-identifier></success><stream:features><bind")
	if len(x.auth) != 1 || !x.auth[0].Void || len(x.wanted) != 0 {
		t.Errorf("auth %+v, wanted %+v", x.auth, x.wanted)
	}
	if x.say(bindIQ); x.ready == nil { // without Bind 2 the iq of RFC 6120 binds
		t.Error("not bound")
	}
}

// A session that is not there: <failed/> inside success, and the resource is bound all the same (XEP-0386 §3.2).
func TestClientSASL2ResumeFails(t *testing.T) {
	x := direct(t, nil)
	x.say(helloClient)
	said := x.say(authenticate2("PLAIN", "\x00user\x00pencil", `<resume xmlns='urn:xmpp:sm:3' previd='nosuch' h='0'/>`+bind2))
	contains(t, said, "<success", "<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed><bound", "<enabled", "</bound></success>")
	if x.ready == nil || x.ready.Resumed {
		t.Errorf("ready %+v", x.ready)
	}
}

// WebSocket framing: every Write is one message that stands alone (RFC 7395 §3).
func TestClientWebSocket(t *testing.T) {
	x := direct(t, func(c *stream.ClientConfig) { c.Framing, c.OfferTLS = stream.WebSocket, false })
	say := func(message string) []string {
		t.Helper()
		ev, bad := stream.ReadFrame([]byte(message), xmlstream.ClientLimits())
		var in stream.Input = stream.Received{Event: ev}
		if bad != nil {
			in = stream.Malformed{Err: bad}
		}
		var list []string
		outs := x.m.Step(x.now, in)
		for i := 0; i < len(outs); i++ {
			switch o := outs[i].(type) {
			case stream.Write:
				list = append(list, string(o.Data))
			case stream.LookUp:
				outs = append(outs, x.m.Step(x.now, stream.Found{Reply: x.reply(o)})...)
			case stream.BindWanted:
				outs = append(outs, x.m.Step(x.now, stream.Bound{Resource: o.Resource})...)
			case stream.Deliver:
				x.got = append(x.got, o.Arrival)
			case stream.Closed:
				x.closed = &o
			}
		}
		for _, message := range list {
			if _, err := xmlstream.ParseDocument([]byte(message), xmlstream.Options{}); err != nil {
				t.Errorf("%v: %s", err, message)
			}
		}
		return list
	}
	open := `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='b.example' version='1.0'/>`
	if got := say(open); len(got) != 2 || !strings.HasPrefix(got[0], "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'") || !strings.HasPrefix(got[1], "<features xmlns='http://etherx.jabber.org/streams'>") {
		t.Fatalf("got %q", got)
	}
	say(plainAuth("user", "pencil"))
	say(open)
	got := say(strings.Replace(bindIQ, "<iq", "<iq xmlns='jabber:client'", 1))
	if len(got) != 1 || !strings.HasPrefix(got[0], "<iq xmlns='jabber:client' id='bind' type='result'>") {
		t.Fatalf("got %q", got)
	}
	say(`<message xmlns='jabber:client' to='x@a.example'><body>hi</body></message>`)
	if len(x.got) != 1 || x.got[0].Stanza.From() != userDesk {
		t.Errorf("got %+v", x.got)
	}
	x.send(1)
	if out := x.take(); !strings.HasPrefix(out, "<message xmlns='jabber:client' from=") || !strings.Contains(out, "<body>b</body>") {
		t.Errorf("sent %s", out)
	}
	if got := say(`<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>`); len(got) != 1 || got[0] != `<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>` || x.closed == nil {
		t.Errorf("end: %q, %+v", got, x.closed)
	}
}

// D22: what a message must be.
func TestReadFrame(t *testing.T) {
	for _, tc := range []struct{ name, message, want string }{
		{"half a stanza", `<message xmlns='jabber:client'><body>`, "bad-format"},
		{"the other half", `</body></message>`, "not-well-formed"},
		{"two stanzas", `<a/><b/>`, "bad-format"},
		{"text behind", `<a/>x`, "bad-format"},
		{"nothing", ``, "bad-format"},
		{"document type", `<!DOCTYPE x><a/>`, "restricted-xml"},
		{"comment", `<a><!-- x --></a>`, "restricted-xml"},
		{"wrong end tag", `<a></b>`, "not-well-formed"},
		{"whole", `<a/>`, ""},
	} {
		t.Run("D22 "+tc.name, func(t *testing.T) {
			_, bad := stream.ReadFrame([]byte(tc.message), xmlstream.ClientLimits())
			got := ""
			if bad != nil {
				got = bad.Condition
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// An attempt without initial response gets an empty challenge.
func TestClientNoInitialResponse(t *testing.T) {
	x := direct(t, nil)
	x.say(helloClient)
	if said := x.say(`<auth` + nsSASL + ` mechanism='PLAIN'/>`); said != `<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>` {
		t.Fatalf("got %s", said)
	}
	if said := x.say(`<response` + nsSASL + `>` + base("\x00user\x00pencil") + `</response>`); !strings.HasPrefix(said, "<success") {
		t.Errorf("got %s", said)
	}
}

// EXTERNAL by a certificate with an address of this domain (F16).
func TestClientExternal(t *testing.T) {
	x := newEdge(t, nil)
	x.tls.Accounts = append(x.tls.Accounts, user)
	x.step(stream.Start{TLS: &x.tls})
	contains(t, x.say(helloClient), "<mechanism>EXTERNAL</mechanism>")
	x.fails(x.say(`<auth`+nsSASL+` mechanism='EXTERNAL'>`+base("other@b.example")+`</auth>`), sasl.InvalidAuthzid)
	if said := x.say(`<auth` + nsSASL + ` mechanism='EXTERNAL'>=</auth>`); !strings.HasPrefix(said, "<success") || x.auth[0].Account != user {
		t.Errorf("got %s, %+v", said, x.auth)
	}
	z := direct(t, nil)
	if said := z.say(helloClient); strings.Contains(said, "EXTERNAL") {
		t.Errorf("offered without a certificate: %s", said)
	}
}

func hmacSHA256(token, text string) string { return string(macSHA256(token, text)) }
