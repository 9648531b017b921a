package hostile_test

import (
	"strings"
	"testing"

	"sallyport/gateway/audit"
)

// atHeader is a row whose bytes stand where a stream header is due: as the first bytes of a connection, and as the first
// inside TLS. Nobody is known yet, so the audit log has no peer and no stanza; the source stands for them.
func atHeader(name string, cases ...[]variant) row {
	return row{name, func(t *testing.T, w *world) {
		for _, list := range cases {
			for _, v := range list {
				t.Run(v.name, func(t *testing.T) {
					t.Parallel()
					for _, inside := range []bool{false, true} {
						for _, s := range allSplits {
							w.playHeader(t, v, s, inside)
						}
					}
				})
			}
		}
	}}
}

func (w *world) playHeader(t *testing.T, v variant, s split, inside bool) {
	t.Helper()
	seq := w.audit.read()
	r := w.dial(t, w.outside)
	defer r.close()
	if inside {
		r.encrypted("lane.evil.example", "b.example", w.evilCert)
	}
	text := strings.NewReplacer("$MARK", mark, "$FROM", "lane.evil.example", "$TO", "b.example").Replace(v.input)
	go r.saySplit(s, []byte(text))
	said := r.endPolitely(closeLimit)
	want := streamErrorText(v.want) + goodbye
	if !strings.HasPrefix(said, "<?xml version='1.0'?><stream:stream ") || !strings.HasSuffix(said, want) || strings.Count(said, "<stream:error") != 1 {
		t.Errorf("split %s, inside TLS %v: said %.500q, want our header, then %q; input %.300q", s, inside, said, want, text)
	}
	if found := findMark([]byte(said)); found != "" {
		t.Errorf("split %s: echo: %s", s, found)
	}
	w.endOfStranger(t, seq, r.address(), v.want.condition)
}

// endOfStranger wants one record of the end of a stream on which nobody was known.
func (w *world) endOfStranger(t *testing.T, seq uint64, address, condition string) {
	t.Helper()
	ends := func(e *audit.Entry) bool { return e.StanzaID == address && e.Rule == "stream-down" }
	e := w.audit.await(t, seq, "end of the stream of a stranger", ends)
	if e == nil {
		return
	}
	n := 0
	for _, e := range w.audit.since(seq) {
		if ends(&e) {
			n++
		}
	}
	if reason, _, _ := strings.Cut(e.Reason, ":"); n != 1 || reason != condition || e.Kind != audit.SecurityEvent {
		t.Errorf("%d records, want one security event with %s: %s", n, condition, show([]audit.Entry{*e}))
	}
}
