package stream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// Every question about a key gets exactly one answer, whatever becomes of the stream.
func TestVerifyAlwaysAnswers(t *testing.T) {
	ask := stream.Verify{Local: domA, Remote: domB, ID: "D6", Key: "key"}
	answer := func(rest string) string { return `<db:verify from='b.example' to='a.example' id='D6' ` + rest }
	for _, tc := range []struct {
		name string
		then func(w *world)
		want stream.Outcome
	}{
		{"valid", func(w *world) { w.b.inject(answer(`type='valid'/>`)) }, stream.KeyValid},
		{"invalid", func(w *world) { w.b.inject(answer(`type='invalid'/>`)) }, stream.KeyInvalid},
		{"error", func(w *world) { w.b.inject(answer(`type='error'><error type='cancel'/></db:verify>`)) }, stream.KeyError},
		{"twice", func(w *world) { w.b.inject(answer(`type='invalid'/>`) + answer(`type='valid'/>`)) }, stream.KeyInvalid},
		{"G03 other id, then silence", func(w *world) {
			w.b.inject(strings.ReplaceAll(answer(`type='valid'/>`), "D6", "D7"))
			w.advance(30 * time.Second)
		}, stream.NoAnswer},
		{"G03 too late", func(w *world) { w.advance(30 * time.Second); w.b.inject(answer(`type='valid'/>`)) }, stream.NoAnswer},
		{"stream closed", func(w *world) { w.b.inject(`</stream:stream>`) }, stream.NoAnswer},
		{"connection lost", func(w *world) { w.lose() }, stream.NoAnswer},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := connected(t, stream.Policy{Auth: everything.Auth}, dialback)
			w.a.step(ask)
			if !strings.HasSuffix(w.a.sent, `<db:verify from='a.example' id='D6' to='b.example'>key</db:verify>`) {
				t.Fatalf("sent %s", w.a.sent)
			}
			tc.then(w)
			if len(w.a.answers) != 1 || w.a.answers[0].Outcome != tc.want || w.a.answers[0].ID != "D6" {
				t.Errorf("answers %+v, want %v", w.a.answers, tc.want)
			}
		})
	}
	w := connected(t, stream.Policy{Auth: everything.Auth}, dialback)
	w.a.step(ask)
	w.a.step(ask)
	w.lose()
	w.a.step(ask)
	if len(w.a.answers) != 3 {
		t.Errorf("twice and after the end: %+v", w.a.answers)
	}
}

// Some peers name themselves only in the first db:result.
func TestNoFromOnTheHeader(t *testing.T) {
	w := rawResponder(t, everything, names{domA})
	w.a.inject(openTags + ` to='b.example'>`)
	if strings.Contains(w.b.sent, "EXTERNAL") {
		t.Errorf("EXTERNAL for nobody: %s", w.b.sent)
	}
	w.a.inject(`<db:result from='a.example' to='b.example'>key</db:result>` + stanzaAB)
	if !w.b.has(pairOf(domB, domA), stream.Inbound, stream.ByCertificateDialback) || w.b.ids() != "m1" {
		t.Errorf("authorised %+v, got %q", w.b.auth, w.b.ids())
	}
}

func TestStartTLSNotOnOffer(t *testing.T) {
	w := authenticated(t, everything)
	w.a.inject(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
	if !strings.HasSuffix(w.b.sent, `<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>`) || w.b.wantTLS {
		t.Errorf("sent %s", w.b.sent)
	}
	w.a.inject(`</stream:stream>`)
	if w.b.closed == nil || w.b.closed.Cause != stream.TLSFailed {
		t.Errorf("closed %+v", w.b.closed)
	}
}

// What the peer acknowledges between our close tag and its own still counts;
// after a stream error nothing does.
func TestAfterOurCloseTag(t *testing.T) {
	for _, condition := range []bool{false, true} {
		w := managed(t, stream.ManageConfig{})
		w.a.send(domA, domB, 1)
		end := stream.Close{}
		if condition {
			end.Condition = 1
		}
		w.b.send(domB, domA, 101)
		w.a.step(end)
		w.run()
		if condition {
			if w.a.ids() != "" || fmt.Sprint(w.a.unsure) != "[1]" || w.a.closed.Clean {
				t.Errorf("after an error: a got %q, unconfirmed %v", w.a.ids(), w.a.unsure)
			}
			continue
		}
		if w.a.ids() != "101" || fmt.Sprint(w.a.acked) != "[1]" || len(w.a.unsure) > 0 || !w.a.closed.Clean {
			t.Errorf("a got %q, acked %v, unconfirmed %v, %+v", w.a.ids(), w.a.acked, w.a.unsure, w.a.closed)
		}
	}
}

// A failed resumption may still confirm a part.
func TestFailedResumeConfirms(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	for i := range uint64(3) {
		w.a.send(domA, domB, i)
	}
	w.lose()
	cfg := stream.Config{
		Local: domA, Remote: domB, Rand: seeded(9), Secret: stream.NewSecret("s"), Policy: policyOf(everything),
		Hosted: hosts(domA), Resume: w.a.closed.Resume,
	}
	if within := cfg.Resume.Within(); within != 5*time.Minute || cfg.Resume.Owner() != pairOf(domA, domB) {
		t.Errorf("session of %v within %v", cfg.Resume.Owner(), within)
	}
	n := raw(t, stream.NewInitiator(cfg), "a", names{domB})
	n.b.inject(helloFromB + `<stream:features>` + external + `</stream:features>`)
	n.b.inject(`<success` + saslNS + `/>`)
	n.b.inject(helloFromB + `<stream:features><sm xmlns='urn:xmpp:sm:3'/></stream:features>`)
	n.b.inject(`<failed xmlns='urn:xmpp:sm:3' h='2'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`)
	if fmt.Sprint(n.a.acked) != "[0 1]" || fmt.Sprint(n.a.unsure) != "[2]" || !strings.HasSuffix(n.a.sent, `<enable xmlns='urn:xmpp:sm:3' max='300' resume='true'/>`) {
		t.Errorf("acked %v, unconfirmed %v, sent %s", n.a.acked, n.a.unsure, n.a.sent)
	}
}

// A peer that has more than we sent gets no second try.
func TestResumedTooHigh(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	w.a.send(domA, domB, 1)
	w.lose()
	id := w.a.closed.Resume.ID()
	n := raw(t, stream.NewInitiator(stream.Config{
		Local: domA, Remote: domB, Rand: seeded(9), Policy: policyOf(everything), Resume: w.a.closed.Resume,
	}), "a", names{domB})
	n.b.inject(helloFromB + `<stream:features>` + external + `</stream:features>`)
	n.b.inject(`<success` + saslNS + `/>`)
	n.b.inject(helloFromB + `<stream:features><sm xmlns='urn:xmpp:sm:3'/></stream:features>`)
	n.b.inject(`<resumed xmlns='urn:xmpp:sm:3' previd='` + id + `' h='2'/>`)
	n.a.wantError(t, stanza.StreamUndefinedCondition)
	if fmt.Sprint(n.a.unsure) != "[1]" || n.a.closed.Resume != nil || len(n.a.auth) > 0 {
		t.Errorf("unconfirmed %v, closed %+v", n.a.unsure, n.a.closed)
	}
}

// A session of another pair is not resumed, and not lost.
func TestResumeOfAnotherPair(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	w.a.send(domA, domB, 1)
	w.lose()
	n := raw(t, stream.NewInitiator(stream.Config{
		Local: domA2, Remote: domB, Rand: seeded(9), Policy: policyOf(everything), Resume: w.a.closed.Resume,
	}), "a", names{domB})
	if fmt.Sprint(n.a.unsure) != "[1]" {
		t.Errorf("unconfirmed %v", n.a.unsure)
	}
}

// An edge that is held up by those who take the stanzas does not call the peer dead.
func TestBusy(t *testing.T) {
	w := authenticated(t, everything)
	w.a.inject(enable)
	w.advance(5*time.Minute + 50*time.Second)
	w.b.m.Busy(w.now)
	w.advance(50 * time.Second)
	if w.b.closed != nil {
		t.Errorf("closed %+v", w.b.closed)
	}
}

// No randomness, no stream.
func TestNoRandomness(t *testing.T) {
	m := stream.NewResponder(stream.Config{Local: domB, Hosted: hosts(domB), Policy: policyOf(everything), OfferTLS: true})
	w := raw(t, m, "b", nil)
	w.a.inject(helloFromA)
	if w.b.closed == nil || w.b.sent != "" {
		t.Errorf("closed %+v, sent %s", w.b.closed, w.b.sent)
	}
}

// The zero configuration opens nothing to anybody.
func TestZeroConfig(t *testing.T) {
	w := raw(t, stream.NewResponder(stream.Config{Rand: seeded(3)}), "b", names{domA})
	w.a.inject(helloFromA + authEmpty + stanzaAB)
	if len(w.b.auth)+len(w.b.got) > 0 || w.b.ready != nil {
		t.Errorf("authorised %+v", w.b.auth)
	}
	w = raw(t, stream.NewInitiator(stream.Config{}), "a", names{domB})
	w.b.inject(helloFromB + `<stream:features>` + external + dialback + `</stream:features>`)
	if strings.Contains(w.a.sent, "<auth") || strings.Contains(w.a.sent, "db:result") {
		t.Errorf("sent %s", w.a.sent)
	}
}

// Names for logs exist and differ.
func TestNames(t *testing.T) {
	check := func(kind string, n int, name func(int) string) {
		seen := map[string]bool{}
		for i := range n {
			s := name(i)
			if s == "" || s == "unknown" || seen[s] {
				t.Errorf("%s %d is called %q", kind, i, s)
			}
			seen[s] = true
		}
		if name(n) != "unknown" {
			t.Errorf("%s has a name beyond its last: %q", kind, name(n))
		}
	}
	check("Outcome", int(stream.BelowPolicy)+1, func(i int) string { return stream.Outcome(i).String() })
	check("Direction", int(stream.Outbound)+1, func(i int) string { return stream.Direction(i).String() })
	check("Method", int(stream.ByResolution)+1, func(i int) string { return stream.Method(i).String() })
	check("Problem", int(stream.NotHosted)+1, func(i int) string { return stream.Problem(i).String() })
	check("Cause", int(stream.CloseTimedOut)+1, func(i int) string { return stream.Cause(i).String() })
	check("FactKind", int(stream.FactSeeOther)+1, func(i int) string { return stream.FactKind(i).String() })
	check("Verdict", int(stream.SendKept)+1, func(i int) string { return stream.Verdict(i).String() })
	check("Carry", int(stream.CarryNow)+1, func(i int) string { return stream.Carry(i).String() })
	check("Role", int(stream.Responder)+1, func(i int) string { return stream.Role(i).String() })
}
