package stream_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// H01, H03, H08 and oversize: what costs only the stanza.
func TestProblemsGoUp(t *testing.T) {
	for _, tc := range []struct {
		row, input string
		problem    stream.Problem
		cond       stanza.Condition
		local      string
	}{
		{"H01 to not hosted", `<message from='x@a.example' to='y@nosuch.example'/>`, stream.NotHosted, 0, "b.example"},
		{"H03 to malformed", `<message from='x@a.example' to='a@@b'/>`, stream.BadStanza, stanza.JIDMalformed, "b.example"},
		{"H03 to with a space", `<message from='x@a.example' to='a b@b.example'/>`, stream.BadStanza, stanza.JIDMalformed, "b.example"},
		{"H03 from with a bad localpart", `<message from='a b@a.example' to='y@b.example'/>`, stream.BadStanza, stanza.JIDMalformed, "b.example"},
		{"H08 iq without payload", `<iq from='x@a.example' to='y@b.example' type='get' id='i'/>`, stream.BadStanza, stanza.BadRequest, "b.example"},
		{"oversize", `<message from='x@a.example' to='y@b.example' id='big'><body>` + strings.Repeat("x", 600<<10) + `</body></message>`, stream.Oversize, stanza.PolicyViolation, "b.example"},
	} {
		t.Run(tc.row, func(t *testing.T) {
			w := authenticated(t, everything)
			w.a.inject(enable + tc.input + stanzaAB + `<r xmlns='urn:xmpp:sm:3'/>`)
			if len(w.b.got) != 2 || w.b.closed != nil {
				t.Fatalf("got %+v, closed %+v, facts %+v", w.b.got, w.b.closed, w.b.notes)
			}
			a := w.b.got[0]
			if a.Problem != tc.problem || a.Pair.Remote != domA || a.Pair.Local.String() != tc.local || a.Method != stream.ByExternal {
				t.Errorf("got %+v", a)
			}
			if (a.Malformed != nil) != (tc.cond != 0) || a.Malformed != nil && a.Malformed.Stanza != tc.cond {
				t.Errorf("malformed %+v, want %v", a.Malformed, tc.cond)
			}
			if w.b.got[1].Stanza.ID() != "m1" || w.b.got[1].Problem != stream.NoProblem {
				t.Errorf("the next stanza: %+v", w.b.got[1])
			}
			if !strings.Contains(w.b.sent, `<a xmlns='urn:xmpp:sm:3' h='2'/>`) { // a refused stanza is handled, too
				t.Errorf("sent %s", w.b.sent)
			}
		})
	}
	// Nobody to answer: the stream ends.
	w := authenticated(t, everything)
	w.a.inject(`<message from='x@a.example' id='big'><body>` + strings.Repeat("x", 600<<10) + `</body></message>`)
	w.b.wantError(t, stanza.StreamPolicyViolation)
	if !strings.Contains(w.b.sent, "<stanza-too-big xmlns='urn:xmpp:errors'/>") {
		t.Errorf("sent %s", w.b.sent)
	}
	w = authenticated(t, everything)
	w.a.inject(`<message from='x@evil.example' to='y@b.example'><body>` + strings.Repeat("x", 600<<10) + `</body></message>`)
	w.b.wantError(t, stanza.StreamInvalidFrom)
}

// A certificate proves its domain towards every domain of ours; dialback proves one pair.
func TestOtherLocalDomain(t *testing.T) {
	toOther := `<message from='x@a.example' to='y@b2.example' id='m2'/>`
	w := authenticated(t, everything)
	w.a.inject(toOther)
	if w.b.ids() != "m2" || w.b.got[0].Pair != pairOf(domB2, domA) {
		t.Errorf("EXTERNAL: got %+v, closed %+v", w.b.got, w.b.closed)
	}
	w = rawResponder(t, everything, nobody)
	w.authority = func(stream.VerifyKey) stream.Outcome { return stream.KeyValid }
	w.a.inject(helloFromA + `<db:result from='a.example' to='b.example'>key</db:result>` + toOther)
	w.b.wantError(t, stanza.StreamInvalidFrom)
	if len(w.b.got) > 0 {
		t.Errorf("dialback: got %+v", w.b.got)
	}
}

func TestC14StreamPrefixInside(t *testing.T) {
	w := authenticated(t, everything)
	w.a.inject(`<message from='x@a.example' to='y@b.example' id='1'><stream:error xmlns:stream='urn:x'/></message>`)
	w.a.inject(`<message from='x@a.example' to='y@b.example' id='2'><stream:error/></message>`)
	if len(w.b.got) != 2 || w.b.closed != nil || w.b.got[0].Problem != stream.NoProblem || w.b.got[1].Problem != stream.BadStanza {
		t.Errorf("got %+v, closed %+v", w.b.got, w.b.closed)
	}
}
