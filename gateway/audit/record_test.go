package audit_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"sallyport/gateway/audit"
)

func full() audit.Record {
	return audit.Record{
		Kind: audit.Settlement, Time: time.Date(2026, 11, 21, 23, 0, 0, 123456789, time.UTC), Node: "gw2",
		Serial: 1, Of: 2, Count: 3, FromPeer: "a", ToPeer: "b", Link: "s2s", From: "x@a.example/r", To: "y@b.example",
		StanzaKind: "message", StanzaType: "chat", StanzaID: "id", Size: 4, Digest: [32]byte{5},
		Outcome: "bounced", Stage: "rules", Rule: "r1", Reason: "because", Condition: "policy-violation", Ref: "R-1",
		PolicyVersion: "p1", LabelIn: "SECRET", LabelOut: "RESTRICTED", Changed: []string{"body", "id"},
		Facts: []byte{1, 2}, Content: []byte("<message/>"),
	}
}

func TestRecordRoundTrip(t *testing.T) {
	tests := map[string]audit.Record{
		"full":      full(),
		"least":     {Kind: audit.Start, Time: time.Unix(0, 0).UTC()},
		"no time":   {Kind: audit.Stop},
		"not UTF-8": {Kind: audit.Alarm, Reason: "\xff\xfe", Changed: []string{"", "\x00"}},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			b := audit.AppendRecord([]byte("before"), &want)
			got, rest, err := audit.ParseRecord(append(b, "after"...)[len("before"):])
			if err != nil || string(rest) != "after" {
				t.Fatalf("rest %q, %v", rest, err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRecordTimes(t *testing.T) {
	zero := time.Time{}
	far := time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
	r := audit.Record{Kind: audit.Alarm, Time: far}
	got, _, err := audit.ParseRecord(audit.AppendRecord(nil, &r))
	if err != nil || !got.Time.Equal(zero) {
		t.Errorf("time beyond year 9999: %v, %v", got.Time, err)
	}
}

func TestRecordCaps(t *testing.T) {
	long := strings.Repeat("é", 4<<10)
	r := full()
	r.From, r.Reason, r.StanzaID, r.Rule = long, long, long, "x"+long
	r.Changed = slices.Repeat([]string{"name"}, 100)
	r.Facts, r.Content = make([]byte, audit.MaxFacts+1), make([]byte, audit.MaxContent+1)
	got, _, err := audit.ParseRecord(audit.AppendRecord(nil, &r))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		name, value string
		limit       int
	}{{"from", got.From, audit.MaxAddress}, {"reason", got.Reason, audit.MaxReason}, {"id", got.StanzaID, audit.MaxWord}, {"rule", got.Rule, audit.MaxWord}} {
		if len(f.value) > f.limit || len(f.value) < f.limit-1 || !utf8.ValidString(f.value) {
			t.Errorf("%s has %d bytes, the cap is %d; valid UTF-8: %v", f.name, len(f.value), f.limit, utf8.ValidString(f.value))
		}
	}
	if len(got.Changed) != audit.MaxChanged || got.Facts != nil || got.Content != nil {
		t.Errorf("changed %d, facts %d, content %d", len(got.Changed), len(got.Facts), len(got.Content))
	}
	want := []string{"changed", "facts", "content", "id", "rule", "reason", "from"}
	names := got.Cut.Names()
	slices.Sort(want)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("cut: got %v, want %v", names, want)
	}
	if r.Cut != 0 || len(r.From) != len(long) {
		t.Error("the record given was changed")
	}
}

func TestParseRecordRefuses(t *testing.T) {
	r := full()
	good := audit.AppendRecord(nil, &r)
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	const fixed = 78
	tests := map[string][]byte{
		"empty":           nil,
		"cut":             good[:len(good)-1],
		"cut in fixed":    good[:fixed-1],
		"unknown version": change(0, 2),
		"no kind":         change(1, 0),
		"unknown kind":    change(1, 200),
		"nanoseconds":     change(14, 0xff),
		"field too long":  append(bytes.Clone(good[:fixed]), 0xff, 0xff, 0xff, 0x7f),
		"length too wide": append(bytes.Clone(good[:fixed]), 0x83, 0x00),
	}
	for name, b := range tests {
		if _, _, err := audit.ParseRecord(b); !errors.Is(err, audit.ErrRecord) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestKinds(t *testing.T) {
	for k := audit.Decision; k <= audit.SecurityEvent; k++ {
		if got, err := audit.ParseKind(k.String()); got != k || err != nil {
			t.Errorf("%v: %v %v", k, got, err)
		}
	}
	for _, s := range []string{"", "none", "Decision", "kind 3"} {
		if _, err := audit.ParseKind(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	r := full()
	f.Add(audit.AppendRecord(nil, &r))
	f.Add(audit.AppendRecord(nil, &audit.Record{Kind: audit.Start}))
	f.Add([]byte{1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := audit.ParseRecord(b)
		if err != nil {
			return
		}
		out := audit.AppendRecord(nil, &v)
		if !bytes.Equal(out, b[:len(b)-len(rest)]) {
			t.Fatalf("% x became % x", b, out)
		}
		e := audit.Entry{Seq: 1, Record: v}
		checkLine(t, audit.AppendTableRow(nil, &e))
		checkLine(t, audit.AppendJSON(nil, &e))
	})
}

func FuzzParseHeader(f *testing.F) {
	f.Add(audit.AppendHeader(nil, &audit.Header{Segment: 1, First: 1, Node: "gw1", Policy: "p"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := audit.ParseHeader(b)
		if err != nil {
			return
		}
		if out := audit.AppendHeader(nil, &v); !bytes.Equal(out, b[:len(b)-len(rest)]) {
			t.Fatalf("% x became % x", b, out)
		}
	})
}

// checkLine checks that a rendering is one line of plain visible text.
func checkLine(t *testing.T, line []byte) {
	t.Helper()
	if !utf8.Valid(line) || bytes.IndexByte(line, '\n') != len(line)-1 {
		t.Fatalf("not one line of UTF-8: %q", line)
	}
	for _, r := range string(line[:len(line)-1]) {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e {
			t.Fatalf("control character %U in %q", r, line)
		}
	}
}
