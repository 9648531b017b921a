package stream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

const saslNS = ` xmlns='urn:ietf:params:xml:ns:xmpp-sasl'`

// F01, F03, F16, E08: EXTERNAL on the responder.
func TestExternalResponder(t *testing.T) {
	auth := func(text string) string {
		return `<auth` + saslNS + ` mechanism='EXTERNAL'>` + text + `</auth>`
	}
	for _, tc := range []struct {
		name, header, input string
		cert                stream.Certificate
		want                string // failure condition, or success
	}{
		{"F16 empty", helloFromA, auth("="), names{domA}, "success"},
		{"F16 empty, certificate with two names", helloFromA, auth("="), names{domA, evil}, "success"},
		{"F16 equal", helloFromA, auth("YS5leGFtcGxl"), names{domA}, "success"},                   // a.example
		{"F16 equal after preparation", helloFromA, auth("QS5FWEFNUExF"), names{domA}, "success"}, // A.EXAMPLE
		{"F16 different", helloFromA, auth("ZXZpbC5leGFtcGxl"), names{domA}, "invalid-authzid"},   // evil.example
		{"F16 other name of the certificate", helloFromA, auth("ZXZpbC5leGFtcGxl"), names{domA, evil}, "invalid-authzid"},
		{"challenge", helloFromA, auth("") + `<response` + saslNS + `/>`, names{domA}, "success"},
		{"F03 not base64", helloFromA, auth("a.example"), names{domA}, "incorrect-encoding"},
		{"F01 unknown mechanism", helloFromA, `<auth` + saslNS + ` mechanism='PLAIN'>=</auth>`, names{domA}, "invalid-mechanism"},
		{"F01 no mechanism", helloFromA, `<auth` + saslNS + `>=</auth>`, names{domA}, "invalid-mechanism"},
		{"F12 response without auth", helloFromA, `<response` + saslNS + `/>`, names{domA}, "malformed-request"},
		{"F12 abort", helloFromA, `<abort` + saslNS + `/>`, names{domA}, "aborted"},
		{"E08 certificate proves nobody", helloFromA, auth("="), nobody, "not-authorized"},
		{"E09 certificate of another", helloFromA, auth("="), names{evil}, "not-authorized"},
		{"no from on the header", openTags + ` to='b.example'>`, auth("YS5leGFtcGxl"), names{domA}, "not-authorized"},
		{"in clear", helloFromA, auth("="), nil, "encryption-required"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := rawResponder(t, everythingPlain, tc.cert)
			w.a.inject(tc.header)
			offered := strings.Contains(w.b.sent, "<mechanism>EXTERNAL</mechanism>")
			proven := tc.cert != nil && tc.cert.Proves(domA) && tc.header == helloFromA
			if offered != proven {
				t.Errorf("EXTERNAL offered %v, certificate proves the domain %v", offered, proven)
			}
			w.a.inject(tc.input)
			if !strings.Contains(w.b.sent, "<"+tc.want) {
				t.Errorf("want %s, sent %s", tc.want, w.b.sent)
			}
			if len(w.b.auth) > 0 {
				t.Error("authorised before the restart")
			}
			if tc.want == "success" {
				w.a.inject(helloFromA)
				if !w.b.has(pairOf(domB, domA), stream.Inbound, stream.ByExternal) || len(w.b.auth) != 1 {
					t.Errorf("authorised %+v", w.b.auth)
				}
			} else if w.b.closed != nil {
				t.Errorf("closed %+v", w.b.closed)
			}
		})
	}
}

func TestF14ThreeAttempts(t *testing.T) {
	w := rawResponder(t, everything, nobody)
	w.a.inject(helloFromA + authEmpty + authEmpty)
	if w.b.closed != nil || strings.Contains(w.b.sent, "stream:error") {
		t.Fatal("closed after two attempts")
	}
	w.a.inject(authEmpty)
	w.b.wantError(t, stanza.StreamPolicyViolation)
	if n := strings.Count(w.b.sent, "<not-authorized/>"); n != 3 {
		t.Errorf("%d failures, sent %s", n, w.b.sent)
	}
}

// The initiator: what it does with each answer to <auth/>.
func TestExternalInitiator(t *testing.T) {
	offer := helloFromB + `<stream:features>` + external + dialback + `</stream:features>`
	failure := func(c string) string { return `<failure` + saslNS + `><` + c + `/></failure>` }
	for _, tc := range []struct {
		name   string
		policy stream.Methods
		input  string
		want   string // the last element sent
	}{
		{"first with the domain", stream.AllowExternal, "", `<auth` + saslNS + ` mechanism='EXTERNAL'>YS5leGFtcGxl</auth>`},
		{"then with the derived identity", stream.AllowExternal, failure("invalid-authzid"), authEmpty},
		{"then dialback", everything.Auth, failure("not-authorized"), "</db:result>"},
		{"dialback after both", everything.Auth, failure("invalid-authzid") + failure("invalid-authzid"), "</db:result>"},
		{"no dialback where it is not allowed", stream.AllowExternal, failure("not-authorized"), "</stream:stream>"},
		{"empty challenge", stream.AllowExternal, `<challenge` + saslNS + `/>`, `<response` + saslNS + `>YS5leGFtcGxl</response>`},
		{"challenge with data", stream.AllowExternal, `<challenge` + saslNS + `>YQ==</challenge>`, `<abort` + saslNS + `/>`},
		{"second challenge", stream.AllowExternal, `<challenge` + saslNS + `/><challenge` + saslNS + `/>`, `<abort` + saslNS + `/>`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := rawInitiator(t, stream.Policy{Auth: tc.policy}, names{domB})
			w.b.inject(offer + tc.input)
			if !strings.HasSuffix(w.a.sent, tc.want) {
				t.Errorf("want %s at the end, sent %s", tc.want, w.a.sent)
			}
			if len(w.a.auth) > 0 || w.a.send(domA, domB, 1) == stream.SendNow {
				t.Error("authorised without success")
			}
		})
	}
}

// The vectors of XEP-0185 and XEP-0220, and the variant that is wrong.
func TestKeys(t *testing.T) {
	for _, tc := range []struct{ secret, target, sender, id, want string }{
		{"s3cr3tf0rd14lb4ck", "montague.example", "capulet.example", "D60000229F", "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3"},
		{"s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F", "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"},
		{"d14lb4ck43v3r", "capulet.example", "montague.example", "417GAF25", "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d"},
	} {
		s := stream.NewSecret(tc.secret)
		target, sender := jid.MustParse(tc.target), jid.MustParse(tc.sender)
		if got := s.Key(target, sender, tc.id); got != tc.want {
			t.Errorf("%s %s %s: got %s, want %s", tc.target, tc.sender, tc.id, got, tc.want)
		}
		if !s.Check(tc.want, target, sender, tc.id) || s.Check(tc.want, sender, target, tc.id) || s.Check("", target, sender, tc.id) {
			t.Errorf("%s %s: check", tc.target, tc.sender)
		}
	}
	var none stream.Secret
	if none.Key(domA, domB, "x") != "" || none.Check("", domA, domB, "x") || stream.NewSecret("") != none {
		t.Error("the zero secret makes or accepts keys")
	}
	if s := fmt.Sprintf("%v %+v %#v", stream.NewSecret("hidden!"), stream.NewSecret("hidden!"), stream.NewSecret("hidden!")); strings.Count(s, "Secret(hidden)") != 3 {
		t.Errorf("the secret prints as %s", s)
	}
}

// G04: no two triples share a key, also where the id tries to look like another boundary.
func TestG04KeysAreLengthSafe(t *testing.T) {
	s := stream.NewSecret("k")
	seen := map[string]string{}
	for _, target := range []string{"b", "bc", "c", "a.b"} {
		for _, sender := range []string{"c.example", "bc.example", "b", "c"} {
			for _, id := range []string{"ab", "a", "", " a", "c a", "c.example a", "a b", "ab "} {
				key := s.Key(jid.MustParse(target), jid.MustParse(sender), id)
				name := fmt.Sprintf("(%s, %s, %q)", target, sender, id)
				if other, ok := seen[key]; ok {
					t.Errorf("%s has the key of %s", name, other)
				}
				seen[key] = name
			}
		}
	}
	// End to end: a key of stream "a" for one domain is not valid for another.
	w := rawResponder(t, everything, nobody)
	key := stream.NewSecret("secret of b.example").Key(jid.MustParse("c.example"), domB, "ab")
	w.a.inject(helloFromA + `<db:verify from='bc.example' to='b.example' id='a'>` + key + `</db:verify>`)
	if !strings.Contains(w.b.sent, `type='invalid'`) {
		t.Errorf("sent %s", w.b.sent)
	}
	for _, bad := range []string{"a b.example", "a\tb", "a b"} {
		if _, err := jid.ParseDomain(bad); err == nil {
			t.Errorf("%q is a domain: the separator of the key data is not safe", bad)
		}
	}
}

// XEP-0220 step 2 and 3: we answer for our own domains, on streams that prove nothing, too.
func TestVerifyRequests(t *testing.T) {
	key := stream.NewSecret("secret of b.example").Key(domA, domB, "D6")
	for _, tc := range []struct{ name, input, want string }{
		{"valid", `<db:verify from='a.example' to='b.example' id='D6'>` + key + `</db:verify>`, `<db:verify from='b.example' id='D6' to='a.example' type='valid'/>`},
		{"valid for another domain of ours", `<db:verify from='a.example' to='b2.example' id='D6'>` + stream.NewSecret("secret of b.example").Key(domA, domB2, "D6") + `</db:verify>`, `type='valid'`},
		{"other id", `<db:verify from='a.example' to='b.example' id='D7'>` + key + `</db:verify>`, `type='invalid'`},
		{"other target", `<db:verify from='evil.example' to='b.example' id='D6'>` + key + `</db:verify>`, `type='invalid'`},
		{"raw 32-byte HMAC key", `<db:verify from='a.example' to='b.example' id='D6'>aab5380e</db:verify>`, `type='invalid'`},
		{"empty", `<db:verify from='a.example' to='b.example' id='D6'/>`, `type='invalid'`},
		{"not ours", `<db:verify from='a.example' to='nosuch.example' id='D6'>` + key + `</db:verify>`, `type='error'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:verify>`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := rawResponder(t, everything, nobody)
			w.a.inject(helloFromA + tc.input)
			if !strings.HasSuffix(w.b.sent, tc.want) && !strings.Contains(w.b.sent, tc.want) || w.b.closed != nil || len(w.b.auth) > 0 {
				t.Errorf("want %s, sent %s", tc.want, w.b.sent)
			}
		})
	}
	t.Run("in clear where TLS is required", func(t *testing.T) {
		w := rawResponder(t, everything, nil)
		w.a.inject(helloFromA + `<db:verify from='a.example' to='b.example' id='D6'>` + key + `</db:verify>`)
		if !strings.Contains(w.b.sent, "<policy-violation ") || strings.Contains(w.b.sent, "'valid'") {
			t.Errorf("sent %s", w.b.sent)
		}
	})
	t.Run("without end", func(t *testing.T) {
		w := rawResponder(t, everything, nobody)
		w.a.inject(helloFromA + strings.Repeat(`<db:verify from='a.example' to='b.example' id='D6'>x</db:verify>`, 1_001))
		w.b.wantError(t, stanza.StreamPolicyViolation)
	})
}

// The whole dance of XEP-0220 with four machines: the key goes to the
// authoritative server over a stream of its own that authenticates nobody.
func TestDialbackOverAnotherStream(t *testing.T) {
	p := policyOf(stream.Policy{Auth: stream.AllowDialback})
	s := setup{}
	s.a.Policy, s.b.Policy, s.b.OfferTLS = p, p, true
	s.a.Hosted = hosts(domA)
	var asked stream.VerifyKey
	s.authority = func(o stream.VerifyKey) stream.Outcome { asked = o; return neverAnswer }
	w := newWorld(t, s)
	if asked.Key == "" || w.a.ready != nil {
		t.Fatalf("no key to verify: %+v", asked)
	}
	// b asks a's authoritative server: here b is the initiator, a hosts the domain.
	v := setup{}
	v.a = stream.Config{Purpose: stream.ForVerify, Policy: p, Hosted: hosts(domB), Secret: stream.NewSecret("secret of b.example")}
	v.b = stream.Config{Policy: p, Hosted: hosts(domA), Secret: stream.NewSecret("secret of a.example"), OfferTLS: true}
	v.swap = true
	over := newWorld(t, v)
	if over.a.ready == nil || len(over.a.auth) > 0 || strings.Contains(over.a.sent, "db:result") {
		t.Fatalf("stream for verification: %+v, sent %s", over.a.closed, over.a.sent)
	}
	over.a.step(stream.Verify{Local: asked.Local, Remote: asked.Remote, ID: asked.ID, Key: asked.Key})
	over.run()
	if len(over.a.answers) != 1 || over.a.answers[0].Outcome != stream.KeyValid {
		t.Fatalf("answers %+v", over.a.answers)
	}
	got := over.a.answers[0]
	w.b.step(stream.Verified{Local: got.Local, Remote: got.Remote, ID: got.ID, Outcome: got.Outcome})
	w.run()
	if w.a.ready == nil || !w.b.has(pairOf(domB, domA), stream.Inbound, stream.ByDialback) {
		t.Errorf("a %+v, b %+v", w.a.notes, w.b.auth)
	}
}

// Table of XEP-0220 §2.4: what the peer is told for each outcome.
func TestOutcomes(t *testing.T) {
	for _, tc := range []struct {
		outcome stream.Outcome
		want    string
		closes  bool
	}{
		{stream.KeyValid, `type='valid'/>`, false},
		{stream.KeyInvalid, `type='invalid'/>`, true},
		{stream.KeyError, `<remote-server-not-found `, false},
		{stream.Unreachable, `<remote-server-timeout `, false},
		{stream.NoAnswer, `<remote-server-timeout `, false},
		{stream.BelowPolicy, `<policy-violation `, false},
		{stream.NoOutcome, `<remote-server-timeout `, false},
		{stream.Outcome(77), ``, false},
	} {
		t.Run(tc.outcome.String(), func(t *testing.T) {
			w := rawResponder(t, everything, nobody)
			w.authority = func(stream.VerifyKey) stream.Outcome { return tc.outcome }
			w.a.inject(helloFromA + `<db:result from='a.example' to='b.example'>key</db:result>`)
			if !strings.Contains(w.b.sent, tc.want) || strings.HasSuffix(w.b.sent, "</stream:stream>") != tc.closes {
				t.Errorf("want %s, sent %s", tc.want, w.b.sent)
			}
			if (len(w.b.auth) == 1) != (tc.outcome == stream.KeyValid) {
				t.Errorf("authorised %+v", w.b.auth)
			}
		})
	}
	t.Run("invalid beside a proven pair", func(t *testing.T) {
		w := authenticated(t, everything)
		w.authority = func(stream.VerifyKey) stream.Outcome { return stream.KeyInvalid }
		w.a.inject(`<db:result from='evil.example' to='b.example'>key</db:result>` + stanzaAB)
		if !strings.Contains(w.b.sent, "<forbidden ") || w.b.closed != nil || w.b.ids() != "m1" || !w.b.saw(stream.FactSpoof) {
			t.Errorf("sent %s", w.b.sent)
		}
	})
	t.Run("no answer in 30 s, and one too late", func(t *testing.T) {
		w := rawResponder(t, everything, nobody)
		w.authority = func(stream.VerifyKey) stream.Outcome { return neverAnswer }
		w.a.inject(helloFromA + `<db:result from='a.example' to='b.example'>key</db:result>`)
		id := w.b.m.ID()
		w.advance(30 * time.Second)
		if !strings.Contains(w.b.sent, "<remote-server-timeout ") {
			t.Errorf("sent %s", w.b.sent)
		}
		w.b.step(stream.Verified{Local: domB, Remote: domA, ID: id, Outcome: stream.KeyValid})
		if len(w.b.auth) > 0 || !w.b.saw(stream.FactUnsolicited) {
			t.Errorf("authorised %+v", w.b.auth)
		}
	})
	t.Run("G03 outcome for another stream id", func(t *testing.T) {
		w := rawResponder(t, everything, nobody)
		w.authority = func(stream.VerifyKey) stream.Outcome { return neverAnswer }
		w.a.inject(helloFromA + `<db:result from='a.example' to='b.example'>key</db:result>`)
		w.b.step(stream.Verified{Local: domB, Remote: domA, ID: "other", Outcome: stream.KeyValid})
		if len(w.b.auth) > 0 {
			t.Errorf("authorised %+v", w.b.auth)
		}
	})
}

// G01, G02, G03: answers that nobody asked for change nothing.
func TestUnsolicited(t *testing.T) {
	answers := []string{
		`<db:verify type='valid' id='known' from='victim.example' to='b.example'/>`,
		`<db:result type='valid' from='victim.example' to='b.example'/>`,
		`<db:result type='valid' from='b.example' to='victim.example'/>`,
		`<db:result type='valid' from='a.example' to='b.example'/>`,
		`<db:result type='bogus' from='victim.example' to='b.example'/>`,
		`<db:verify type='' id='known' from='victim.example' to='b.example'>key</db:verify>`,
	}
	for _, answer := range answers {
		w := authenticated(t, everything)
		before, auth := w.b.sent, len(w.b.auth)
		w.a.inject(answer + stanzaAB)
		if !w.b.saw(stream.FactUnsolicited) || len(w.b.auth) != auth || w.b.sent != before || w.b.ids() != "m1" {
			t.Errorf("inbound, %s: facts %+v, auth %+v, sent %s", answer, w.b.notes, w.b.auth, w.b.sent[len(before):])
		}
	}
	w := connected(t, stream.Policy{Auth: everything.Auth}, dialback)
	if w.a.ready == nil {
		t.Fatal("not connected")
	}
	before := w.a.sent
	for _, answer := range []string{
		`<db:result type='valid' from='victim.example' to='a.example'/>`,
		`<db:verify type='valid' id='known' from='victim.example' to='a.example'/>`,
		`<db:result type='valid' from='b.example' to='a2.example'/>`,
	} {
		w.b.inject(answer)
	}
	if len(w.a.auth) != 1 || w.a.sent != before || w.a.closed != nil || len(w.a.notes) != 3 {
		t.Errorf("outbound: auth %+v, facts %+v, sent %s", w.a.auth, w.a.notes, w.a.sent[len(before):])
	}
	// G03: a late answer, and the answer of an asked question in the wrong direction.
	w.a.step(stream.Prove{Local: domA2, Remote: domB})
	w.advance(30 * time.Second)
	w.b.inject(`<db:result type='valid' from='b.example' to='a2.example'/>`)
	if len(w.a.auth) != 1 || len(w.a.reject) != 1 || w.a.reject[0].Condition != stanza.RemoteServerTimeout {
		t.Errorf("late: auth %+v, rejected %+v", w.a.auth, w.a.reject)
	}
	w.a.step(stream.Prove{Local: domA2, Remote: domB})
	w.b.inject(`<db:result type='valid' from='a2.example' to='b.example'/>`)
	if len(w.a.auth) != 1 {
		t.Errorf("wrong direction: auth %+v", w.a.auth)
	}
	w.b.inject(`<db:result type='valid' from='b.example' to='a2.example'/>`)
	if len(w.a.auth) != 2 {
		t.Errorf("the right answer: auth %+v", w.a.auth)
	}
}

func TestG05SelfSpoof(t *testing.T) {
	for _, from := range []string{"b.example", "b2.example"} {
		w := rawResponder(t, everything, names{domB, domB2})
		w.a.inject(helloFromA + `<db:result from='` + from + `' to='b.example'>key</db:result>`)
		if !w.b.saw(stream.FactSelfSpoof) || len(w.b.auth) > 0 || w.b.closed != nil ||
			!strings.Contains(w.b.sent, "type='error'><error type='cancel'><policy-violation ") {
			t.Errorf("%s: facts %+v, sent %s", from, w.b.notes, w.b.sent)
		}
	}
}

func TestG06CertificateOnly(t *testing.T) {
	for _, cert := range []stream.Certificate{nobody, names{evil}, names{domA}} {
		w := rawResponder(t, stream.Policy{Auth: stream.AllowExternal}, cert)
		w.a.inject(helloFromA + `<db:result from='a.example' to='b.example'>key</db:result>`)
		if !strings.Contains(w.b.sent, "type='error'><error type='cancel'><policy-violation ") {
			t.Errorf("sent %s", w.b.sent)
		}
		w.a.inject(stanzaAB)
		w.b.wantError(t, stanza.StreamInvalidFrom)
		if len(w.b.auth)+len(w.b.got) > 0 {
			t.Errorf("authorised %+v, got %+v", w.b.auth, w.b.got)
		}
	}
}

func TestG07NoShortcutForAnother(t *testing.T) {
	asked := 0
	victim := `<db:result from='victim.example' to='b.example'>key</db:result>`
	w := rawResponder(t, everything, names{evil})
	w.authority = func(stream.VerifyKey) stream.Outcome { asked++; return stream.KeyInvalid }
	w.a.inject(helloFromA + victim)
	if asked != 1 || len(w.b.auth) > 0 {
		t.Errorf("asked %d times, authorised %+v", asked, w.b.auth)
	}
	w = rawResponder(t, stream.Policy{Auth: stream.AllowCertificateDialback}, names{evil})
	w.a.inject(helloFromA + victim)
	if len(w.b.auth) > 0 || !strings.Contains(w.b.sent, "<policy-violation ") {
		t.Errorf("authorised %+v, sent %s", w.b.auth, w.b.sent)
	}
}

func TestG08PairCap(t *testing.T) {
	for _, outcome := range []stream.Outcome{neverAnswer, stream.KeyValid} {
		w := rawResponder(t, everything, nobody)
		asked := 0
		w.authority = func(stream.VerifyKey) stream.Outcome { asked++; return outcome }
		w.a.inject(helloFromA)
		for i := range 10_000 {
			w.a.inject(fmt.Sprintf(`<db:result from='d%d.example' to='b.example'>key</db:result>`, i))
		}
		w.b.wantError(t, stanza.StreamPolicyViolation)
		if asked != 100 {
			t.Errorf("%d keys to verify, want 100", asked)
		}
	}
}

// Several pairs on one stream, as initiator.
func TestMultiplexing(t *testing.T) {
	for _, tc := range []struct {
		name          string
		features      string
		local, remote jid.JID
		want          stream.Carry
	}{
		{"authenticated pair", dialback, domA, domB, stream.CarryNow},
		{"new sender", dialback, domA2, domB, stream.CarryProve},
		{"new target with errors", dialback, domA, domB2, stream.CarryProve},
		{"new sender, classic", "", domA2, domB, stream.CarryProve},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := connected(t, stream.Policy{Auth: everything.Auth}, tc.features)
			if got := w.a.m.Carries(tc.local, tc.remote); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	t.Run("new target without errors", func(t *testing.T) {
		w := rawInitiator(t, everything, names{domB})
		w.b.inject(helloFromB + `<stream:features>` + external + `</stream:features>`)
		w.b.inject(`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`)
		w.b.inject(helloFromB + noFeatures)
		if got := w.a.m.Carries(domA, domB2); w.a.ready == nil || got != stream.CarryNo {
			t.Errorf("got %v", got)
		}
		w.a.step(stream.Prove{Local: domA, Remote: domB2})
		if len(w.a.reject) != 1 || strings.Contains(w.a.sent, "db:result") {
			t.Errorf("rejected %+v", w.a.reject)
		}
	})
	t.Run("not beyond a certificate", func(t *testing.T) {
		w := connected(t, stream.Policy{Auth: stream.AllowExternal | stream.AllowCertificateDialback}, dialback)
		if got := w.a.m.Carries(domA, domB2); got != stream.CarryNo { // the peer's certificate does not name b2
			t.Errorf("got %v", got)
		}
	})
	t.Run("end to end", func(t *testing.T) {
		s := setup{policyBoth: stream.Policy{Auth: stream.AllowDialback, Bidi: true}, direct: true}
		w := newWorld(t, s)
		w.a.step(stream.Prove{Local: domA2, Remote: domB2})
		w.a.step(stream.Prove{Local: domA2, Remote: domB2}) // once is enough
		w.run()
		if w.a.send(domA2, domB2, 5) != stream.SendNow || w.a.send(domA2, domB, 6) != stream.SendNever {
			t.Errorf("auth %+v, rejected %+v", w.a.auth, w.a.reject)
		}
		w.run()
		if w.b.ids() != "5" || w.b.send(domB2, domA2, 7) != stream.SendNow || w.b.send(domB2, domA, 8) != stream.SendNever {
			t.Errorf("b got %q, auth %+v", w.b.ids(), w.b.auth)
		}
		w.run()
		if w.a.ids() != "7" || strings.Count(w.a.sent, "<db:result ") != 2 {
			t.Errorf("a got %q", w.a.ids())
		}
		// A pair of a domain that b does not host: an error, the stream stays.
		w.a.step(stream.Prove{Local: domA, Remote: jid.MustParse("b3.example")})
		w.run()
		if len(w.a.reject) != 1 || w.a.reject[0].Said != stanza.ItemNotFound || w.a.closed != nil {
			t.Errorf("rejected %+v", w.a.reject)
		}
		// The responder proves a pair of its own (XEP-0288 §2.3).
		w.b.step(stream.Prove{Local: domB2, Remote: domA})
		w.run()
		if w.b.send(domB2, domA, 9) != stream.SendNow {
			t.Errorf("b: auth %+v, rejected %+v", w.b.auth, w.b.reject)
		}
		w.run()
		if w.a.ids() != "7 9" || w.a.closed != nil {
			t.Errorf("a got %q, %+v", w.a.ids(), w.a.notes)
		}
	})
}

// A one-way stream takes nothing from the responder.
func TestOneWay(t *testing.T) {
	w := connected(t, stream.Policy{Auth: everything.Auth}, dialback)
	w.b.inject(`<db:result from='b.example' to='a.example'>key</db:result>`)
	if !strings.Contains(w.a.sent, "<not-allowed ") || len(w.a.auth) != 1 {
		t.Errorf("key on a one-way stream: sent %s", w.a.sent)
	}
	w.b.inject(stanzaBA)
	w.a.wantError(t, stanza.StreamNotAuthorized)
	if len(w.a.got) > 0 {
		t.Error("stanza taken")
	}
}

// Bidi only after the initiator is proven, only before anything is, only when the policy says so.
func TestBidiRules(t *testing.T) {
	w := rawResponder(t, everything, names{domA})
	w.a.inject(helloFromA + `<bidi xmlns='urn:xmpp:features:bidi'><limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>20000</max-bytes></limits></bidi>`)
	if w.b.send(domB, domA, 1) != stream.SendNever {
		t.Error("sent before authentication")
	}
	w.a.inject(authEmpty)
	w.a.inject(helloFromA)
	if w.b.send(domB, domA, 1) != stream.SendNow || w.b.send(domB2, domA, 1) != stream.SendNever || w.b.ready.MaxBytes != 20_000 {
		t.Errorf("after authentication: auth %+v, ready %+v", w.b.auth, w.b.ready)
	}
	w = authenticated(t, everything)
	w.a.inject(`<bidi xmlns='urn:xmpp:bidi'/>`)
	if w.b.m.Bidi() || w.b.closed != nil || !w.b.saw(stream.FactUnexpected) {
		t.Error("bidi after authentication was turned on")
	}
	off := everything
	off.Bidi = false
	w = rawResponder(t, off, names{domA})
	w.a.inject(helloFromA + `<bidi xmlns='urn:xmpp:bidi'/>`)
	if w.b.m.Bidi() || strings.Contains(w.b.sent, "bidi") {
		t.Error("bidi against the policy")
	}
	w = connected(t, everything, dialback)
	if !strings.Contains(w.a.sent, `<bidi xmlns='urn:xmpp:bidi'><limits `) || strings.Contains(w.a.sent, "features:bidi") {
		t.Errorf("sent %s", w.a.sent)
	}
	w.b.inject(stanzaBA + `<message from='x@b2.example' to='y@a.example'/>`)
	if w.a.ids() != "m1" {
		t.Errorf("got %q", w.a.ids())
	}
	w.a.wantError(t, stanza.StreamInvalidFrom)
}
