package stream_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

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
