package stream_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

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
