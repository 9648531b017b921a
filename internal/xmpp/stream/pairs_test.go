package stream_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

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
}

// Pairs of both sides on one stream between our two roles.
func TestMultiplexingEndToEnd(t *testing.T) {
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

// What was asked and promised in clear is void inside TLS.
func TestClearStateIsForgotten(t *testing.T) {
	w := rawResponder(t, everythingPlain, nil)
	w.authority = func(stream.VerifyKey) stream.Outcome { return neverAnswer }
	w.a.inject(helloFromA + `<bidi xmlns='urn:xmpp:bidi'/><db:result from='a.example' to='b.example'>key</db:result>`)
	clear := w.b.m.ID()
	if !w.b.m.Bidi() {
		t.Fatal("bidi in clear is allowed by this policy")
	}
	w.a.inject(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
	w.b.step(stream.Secured{TLS: stream.TLSFacts{Peer: nobody}})
	w.a.inject(helloFromA)
	w.b.step(stream.Verified{Local: domB, Remote: domA, ID: clear, Outcome: stream.KeyValid})
	w.b.step(stream.Verified{Local: domB, Remote: domA, ID: w.b.m.ID(), Outcome: stream.KeyValid})
	if w.b.m.Bidi() || len(w.b.auth) > 0 || clear == w.b.m.ID() {
		t.Errorf("bidi %v, authorised %+v", w.b.m.Bidi(), w.b.auth)
	}
	w.a.inject(stanzaAB)
	w.b.wantError(t, stanza.StreamNotAuthorized)
}
