package stream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

func TestTimeOuts(t *testing.T) {
	t.Run("silent peer", func(t *testing.T) {
		w := rawResponder(t, everything, nil)
		w.advance(59 * time.Second)
		if w.b.closed != nil {
			t.Fatal("closed too early")
		}
		w.advance(time.Second)
		w.b.wantError(t, stanza.StreamConnectionTimeout)
	})
	t.Run("idle, and a peer that does not answer the close", func(t *testing.T) {
		w := authenticated(t, everything)
		w.advance(2*time.Hour - time.Second)
		if w.b.closed != nil || strings.Contains(w.b.sent, "</stream:stream>") {
			t.Fatal("closed too early")
		}
		if n := strings.Count(w.b.sent, " "); n == 0 || !strings.HasSuffix(w.b.sent, "> ") && !strings.HasSuffix(w.b.sent, "  ") {
			t.Errorf("no keepalive: %q", w.b.sent)
		}
		w.advance(time.Second)
		if !strings.HasSuffix(w.b.sent, "</stream:stream>") || w.b.closed != nil {
			t.Errorf("closed %+v, sent %s", w.b.closed, w.b.sent)
		}
		w.a.inject(stanzaAB) // crossed our close tag: still taken
		w.advance(5 * time.Second)
		if w.b.ids() != "m1" || w.b.closed == nil || w.b.closed.Cause != stream.CloseTimedOut {
			t.Errorf("got %q, closed %+v", w.b.ids(), w.b.closed)
		}
	})
	t.Run("half-open", func(t *testing.T) {
		w := authenticated(t, everything)
		w.a.inject(enable)
		w.advance(5 * time.Minute) // keepalive asks
		if !strings.HasSuffix(w.b.sent, "<r xmlns='urn:xmpp:sm:3'/>") || w.b.closed != nil {
			t.Fatalf("sent %s", w.b.sent)
		}
		w.advance(59 * time.Second)
		if w.b.closed != nil {
			t.Fatal("closed too early")
		}
		w.advance(time.Second)
		if w.b.closed == nil || w.b.closed.Cause != stream.ConnLost || w.b.closed.Resume == nil {
			t.Errorf("closed %+v", w.b.closed)
		}
	})
}

func TestLimitsOfThePeer(t *testing.T) {
	w := connected(t, stream.Policy{Auth: stream.AllowExternal},
		`<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10000</max-bytes><idle-seconds>60</idle-seconds></limits>`)
	if w.a.ready == nil || w.a.ready.MaxBytes != 10_000 || w.a.ready.Idle != 60 {
		t.Fatalf("ready %+v, closed %+v, %+v", w.a.ready, w.a.closed, w.a.notes)
	}
	item := stream.Item{Bytes: 10_001, Pair: pairOf(domA, domB)}
	if r := w.a.m.Send(w.now, item); r.Verdict != stream.SendTooBig {
		t.Errorf("too big: %+v", r)
	}
	item.Bytes = 10_000
	if r := w.a.m.Send(w.now, item); r.Verdict != stream.SendNow {
		t.Errorf("just fits: %+v", r)
	}
	before := len(w.a.sent)
	w.advance(time.Minute)
	if got := w.a.sent[before:]; got != "  " { // twice within the peer's idle time
		t.Errorf("keepalive within 60 s: %q", got)
	}
}

func TestCleanKeepsOneLine(t *testing.T) {
	for in, want := range map[string]string{"plain ü": "plain ü", "a\nb": `a\u{a}b`, "\x1b[31m": `\u{1b}[31m`, "\xff": `\xff`, `\`: `\\`} {
		w := authenticated(t, everything)
		w.b.step(stream.Lost{Cause: in})
		if w.b.closed.Detail != want {
			t.Errorf("%q: got %q, want %q", in, w.b.closed.Detail, want)
		}
	}
	for n := 250; n < 262; n++ {
		w := authenticated(t, everything)
		w.b.step(stream.Lost{Cause: strings.Repeat("x", n)})
		if d := w.b.closed.Detail; len(d) > 256 || n <= 253 && len(d) != n {
			t.Errorf("%d bytes became %d: %s", n, len(d), fmt.Sprintf("%.10s", d))
		}
	}
}
