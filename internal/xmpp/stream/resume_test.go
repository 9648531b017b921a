package stream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// managedSetup is EXTERNAL over direct TLS with bidi and stream management.
func managedSetup(cfg stream.ManageConfig) setup {
	s := setup{policyBoth: everything, direct: true, certA: names{domA}, certB: names{domB}}
	s.a.Manage, s.b.Manage = cfg, cfg
	return s
}

func managed(t *testing.T, cfg stream.ManageConfig) *world {
	t.Helper()
	w := newWorld(t, managedSetup(cfg))
	if !w.a.m.Managed() || !w.b.m.Managed() {
		t.Fatalf("not managed: %+v %+v", w.a.notes, w.b.notes)
	}
	return w
}

// again connects anew after a loss, with the session of a and the park of b.
func again(t *testing.T, old *world, s setup) *world {
	t.Helper()
	s.a.Resume, s.park, s.now, s.serial = old.a.closed.Resume, old.park, old.now, s.serial+1
	w := newWorld(t, s)
	return w
}

func TestResume(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	for i := range uint64(3) {
		w.a.send(domA, domB, i)
		w.b.send(domB, domA, 100+i)
	}
	w.run()
	w.advance(2 * time.Second)
	w.a.send(domA, domB, 3) // lost on the way
	w.b.send(domB, domA, 103)
	w.lose()
	if w.a.closed.Resume == nil || w.a.closed.Cause != stream.ConnLost || len(w.a.unsure) > 0 || w.park.Len() != 1 {
		t.Fatalf("a %+v, %d parked", *w.a.closed, w.park.Len())
	}
	n := again(t, w, managedSetup(stream.ManageConfig{}))
	if n.a.resumed != 1 || n.b.resumed != 1 || !n.a.ready.Resumed {
		t.Fatalf("not resumed: a %+v, b %+v, sent %s", n.a.notes, n.b.notes, n.b.sent)
	}
	if n.b.ids() != "3" || n.a.ids() != "103" {
		t.Errorf("after resumption b got %q, a got %q", n.b.ids(), n.a.ids())
	}
	n.a.send(domA, domB, 4)
	n.run()
	n.advance(2 * time.Second)
	if n.b.ids() != "3 4" || fmt.Sprint(n.a.acked) != "[3 4]" || fmt.Sprint(n.b.acked) != "[103]" {
		t.Errorf("b got %q, acknowledged %v and %v", n.b.ids(), n.a.acked, n.b.acked)
	}
	n.lose() // and once more, under the same id
	if m := again(t, n, managedSetup(stream.ManageConfig{})); m.a.resumed != 1 {
		t.Error("not resumed a second time")
	}
}

// Resumption waits until what was received before the loss is settled: h would
// otherwise be too low and the peer would send those stanzas twice.
func TestResumeWaitsForReceipts(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	w.a.keep, w.b.keep = true, true
	w.a.send(domA, domB, 1)
	w.b.send(domB, domA, 101)
	w.run()
	w.lose()
	s := managedSetup(stream.ManageConfig{})
	n := again(t, w, s)
	if n.a.ready != nil || strings.Contains(n.a.sent, "<resume ") {
		t.Fatal("did not wait for its own receipts")
	}
	settle := func(old, owner *side) {
		a := old.got[0]
		if !a.Session.Settled(a.Seq) {
			t.Errorf("%s: nobody is told that the last receipt is there", old.name)
		}
		owner.step(stream.AckDue{})
		n.run()
	}
	settle(w.a, n.a)
	if !strings.Contains(n.a.sent, "<resume ") || strings.Contains(n.b.sent, "<resumed ") {
		t.Fatal("b did not wait for its receipts")
	}
	settle(w.b, n.b)
	if n.a.resumed != 1 || n.b.ids()+n.a.ids() != "" || fmt.Sprint(n.a.acked) != "[1]" || fmt.Sprint(n.b.acked) != "[101]" {
		t.Errorf("resumed %d, doubled %q %q, acknowledged %v %v", n.a.resumed, n.b.ids(), n.a.ids(), n.a.acked, n.b.acked)
	}
}

// When the session is gone there, what is not confirmed comes out and a new session begins.
func TestResumeFails(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	w.a.send(domA, domB, 1)
	w.lose()
	w.park = stream.NewPark(1)
	n := again(t, w, managedSetup(stream.ManageConfig{}))
	if n.a.ready == nil || n.a.ready.Resumed || !n.a.m.Managed() || fmt.Sprint(n.a.unsure) != "[1]" || n.b.ids() != "" {
		t.Fatalf("ready %+v, unconfirmed %v, b got %q", n.a.ready, n.a.unsure, n.b.ids())
	}
	n.a.send(domA, domB, 2)
	n.advance(2 * time.Second)
	if n.b.ids() != "2" || fmt.Sprint(n.a.acked) != "[2]" {
		t.Errorf("b got %q, acked %v", n.b.ids(), n.a.acked)
	}
	// The other side gives up without stream management at all.
	w = managed(t, stream.ManageConfig{})
	w.a.send(domA, domB, 1)
	w.lose()
	s := managedSetup(stream.ManageConfig{})
	s.b.Policy = policyOf(stream.Policy{Auth: everything.Auth})
	n = again(t, w, s)
	if n.a.ready == nil || n.a.m.Managed() || fmt.Sprint(n.a.unsure) != "[1]" {
		t.Errorf("ready %+v, unconfirmed %v", n.a.ready, n.a.unsure)
	}
}

// A stream that fails before it could resume gives the session back.
func TestResumeLater(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	w.a.send(domA, domB, 1)
	w.lose()
	s := managedSetup(stream.ManageConfig{})
	s.certB = names{evil}
	s.a.Policy = policyOf(stream.Policy{Auth: stream.AllowExternal, Manage: true})
	n := again(t, w, s)
	if n.a.closed == nil || n.a.closed.Resume != w.a.closed.Resume || len(n.a.unsure) > 0 {
		t.Fatalf("closed %+v", n.a.closed)
	}
	m := again(t, n, managedSetup(stream.ManageConfig{}))
	if m.a.resumed != 1 || m.b.ids() != "1" {
		t.Errorf("resumed %d, b got %q", m.a.resumed, m.b.ids())
	}
}

// A peer that is less proven than before gets nothing of the old session.
func TestResumeNeedsTheSameProof(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	w.a.send(domA, domB, 1)
	w.b.send(domB, domA, 101)
	w.lose()
	s := managedSetup(stream.ManageConfig{})
	s.certA, s.certB = nil, nil // dialback only now
	n := again(t, w, s)
	if n.a.ready == nil || n.a.resumed+n.b.resumed > 0 || fmt.Sprint(n.a.unsure) != "[1]" || n.a.ids() != "" {
		t.Errorf("resumed %d %d, unconfirmed %v, a got %q", n.a.resumed, n.b.resumed, n.a.unsure, n.a.ids())
	}
	if w.park.Len() != 1 {
		t.Error("the parked session did not survive")
	}
}

// Pairs proven by dialback are proven again before anything of theirs is resent.
func TestResumeProvesPairsAgain(t *testing.T) {
	s := setup{policyBoth: stream.Policy{Auth: stream.AllowDialback, Bidi: true, Manage: true}, direct: true}
	open := func() *world {
		w := newWorld(t, s)
		w.a.step(stream.Prove{Local: domA2, Remote: domB})
		w.run()
		w.a.send(domA, domB, 1)
		w.a.send(domA2, domB, 2)
		w.a.send(domA, domB, 3)
		w.b.send(domB, domA2, 101)
		w.lose()
		return w
	}
	n := again(t, open(), s)
	if n.a.resumed != 1 || n.b.ids() != "1 2 3" || n.a.ids() != "101" || len(n.a.unsure) > 0 {
		t.Errorf("resumed %d, b got %q, a got %q, unconfirmed %v", n.a.resumed, n.b.ids(), n.a.ids(), n.a.unsure)
	}
	// This time the second pair is not confirmed: its stanza comes out, the counters stay right.
	refuse := s
	refuse.authority = func(o stream.VerifyKey) stream.Outcome {
		if o.Remote == domA2 {
			return stream.Unreachable
		}
		return stream.KeyValid
	}
	n = again(t, open(), refuse)
	if n.a.resumed != 1 || n.b.ids() != "1 3" || fmt.Sprint(n.a.unsure) != "[2]" || fmt.Sprint(n.b.unsure) != "[101]" {
		t.Errorf("resumed %d, b got %q, unconfirmed %v %v", n.a.resumed, n.b.ids(), n.a.unsure, n.b.unsure)
	}
	n.a.send(domA, domB, 4)
	n.advance(2 * time.Second)
	if n.b.ids() != "1 3 4" || fmt.Sprint(n.a.acked) != "[1 3 4]" {
		t.Errorf("b got %q, acked %v", n.b.ids(), n.a.acked)
	}
}

// D15: random and foreign sessions look alike; before authentication there is nothing to see.
func TestD15(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	w.lose()
	id := w.a.closed.Resume.ID()
	resume := func(id string) string { return `<resume xmlns='urn:xmpp:sm:3' previd='` + id + `' h='0'/>` }
	notFound := `<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`
	for _, tc := range []struct{ name, id string }{
		{"foreign", id}, {"random", "random"}, {"empty", ""}, {"huge", strings.Repeat("x", 300)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := rawResponder(t, everything, names{evil})
			r.park = w.park
			hello := strings.ReplaceAll(helloFromA, "a.example", "evil.example")
			r.a.inject(hello + authEmpty)
			r.a.inject(hello + resume(tc.id))
			if !strings.HasSuffix(r.b.sent, notFound) || r.b.closed != nil || r.park.Len() != 1 {
				t.Errorf("sent %s, %d parked", r.b.sent, r.park.Len())
			}
		})
	}
	r := rawResponder(t, everything, names{domA})
	r.park = w.park
	r.a.inject(helloFromA + resume(id))
	if !strings.HasSuffix(r.b.sent, `<failed xmlns='urn:xmpp:sm:3'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`) || r.park.Len() != 1 {
		t.Errorf("before authentication: sent %s", r.b.sent)
	}
	// The edge hands over a session without asking first: it comes back untouched.
	found := w.park.Take(w.now, id)
	r = rawResponder(t, everything, names{evil})
	hello := strings.ReplaceAll(helloFromA, "a.example", "evil.example")
	r.a.inject(hello + authEmpty)
	r.a.inject(hello)
	r.b.step(stream.SessionFound{ID: id, Session: found}) // never asked for
	if r.park.Len() != 1 || r.b.resumed > 0 {
		t.Errorf("%d returned", r.park.Len())
	}
}

// D20: of two streams that resume one session, one wins.
func TestD20(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	w.b.send(domB, domA, 101)
	w.lose()
	id := w.a.closed.Resume.ID()
	wins, got := 0, 0
	for range 2 {
		r := authenticated(t, everything)
		r.park = w.park
		r.a.inject(`<resume xmlns='urn:xmpp:sm:3' previd='` + id + `' h='0'/>`)
		wins += r.b.resumed
		got += strings.Count(r.b.sent, "<item-not-found ")
	}
	if wins != 1 || got != 1 {
		t.Errorf("%d winners, %d losers", wins, got)
	}
}

// The old stream still lives when its peer resumes on a new one.
func TestDetach(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	w.b.send(domB, domA, 101)
	s, outs := w.b.m.Detach(w.now)
	w.b.do(outs)
	if s == nil || s.ID() == "" || w.b.closed == nil || w.b.closed.Condition != stanza.StreamConflict || len(w.b.unsure) > 0 || w.b.closed.Resume != nil {
		t.Fatalf("session %v, closed %+v", s, w.b.closed)
	}
	if n, _ := s.Unacked(); n != 1 {
		t.Errorf("%d items went along", n)
	}
	if again, _ := w.b.m.Detach(w.now); again != nil {
		t.Error("detached twice")
	}
}

// A session ends with its stream unless the connection was lost.
func TestNoResumeAfterAnEnd(t *testing.T) {
	for _, end := range []string{
		`<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`,
		`</stream:stream>`, `<broken`, `<evil/>`,
	} {
		w := rawResponder(t, everything, names{domA})
		w.a.inject(helloFromA + `<bidi xmlns='urn:xmpp:bidi'/>` + authEmpty)
		w.a.inject(helloFromA + enable)
		w.b.send(domB, domA, 1)
		w.a.inject(end + "\x00")
		w.advance(5 * time.Second)
		if w.b.closed == nil || w.b.closed.Resume != nil || fmt.Sprint(w.b.unsure) != "[1]" {
			t.Errorf("%s: closed %+v, unconfirmed %v", end, w.b.closed, w.b.unsure)
		}
	}
}

func TestEnableAfterDialback(t *testing.T) {
	w := rawResponder(t, everything, nobody)
	w.authority = func(stream.VerifyKey) stream.Outcome { return stream.KeyValid }
	w.a.inject(helloFromA + `<db:result from='a.example' to='b.example'>key</db:result>` + `<enable xmlns='urn:xmpp:sm:3' resume='1' max='60'/>`)
	if !w.b.m.Managed() || !strings.Contains(w.b.sent, `max='60'`) {
		t.Errorf("sent %s", w.b.sent)
	}
	// An initiator that was told to asks although nothing was advertised.
	p := stream.Policy{Auth: stream.AllowDialback, ManageUnasked: true, Manage: true}
	w = rawInitiator(t, p, nobody)
	w.b.inject(helloFromB + `<stream:features>` + dialback + `</stream:features><db:result from='b.example' to='a.example' type='valid'/>`)
	if !strings.HasSuffix(w.a.sent, `<enable xmlns='urn:xmpp:sm:3' max='300' resume='true'/>`) || w.a.ready != nil {
		t.Errorf("sent %s", w.a.sent)
	}
	w.b.inject(`<failed xmlns='urn:xmpp:sm:3'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`)
	if w.a.ready == nil || w.a.m.Managed() || w.a.send(domA, domB, 1) != stream.SendNow {
		t.Errorf("ready %+v", w.a.ready)
	}
}

// Back-pressure in both directions.
func TestBackPressure(t *testing.T) {
	w := managed(t, stream.ManageConfig{MaxItems: 3, AskEvery: 100})
	for i := range uint64(3) {
		w.a.send(domA, domB, i)
	}
	if v := w.a.send(domA, domB, 3); v != stream.SendFull || !strings.HasSuffix(w.a.sent, "<r xmlns='urn:xmpp:sm:3'/>") {
		t.Fatalf("%v; sent %s", v, w.a.sent)
	}
	w.run()
	if v := w.a.send(domA, domB, 3); v != stream.SendNow || fmt.Sprint(w.a.acked) != "[0 1 2]" {
		t.Errorf("%v, acked %v", v, w.a.acked)
	}
	w = managed(t, stream.ManageConfig{MaxUnsettled: 3})
	w.b.keep = true
	for i := range uint64(6) {
		if paused := w.b.m.ReadPaused(); paused != (i >= 3) {
			t.Errorf("%d unsettled: paused %v", i, paused)
		}
		w.a.send(domA, domB, i)
		w.run()
	}
	w.a.send(domA, domB, 6) // an edge that reads on
	w.run()
	w.b.wantError(t, stanza.StreamResourceConstraint)
}
