package audit_test

import (
	"bytes"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/internal/disk/faulty"
)

// P12: audit; text containing a line end, a terminal sequence, JSON; 10 MiB reason; clock going back.
// One escaped record, field caps, chain intact; sequence rules, not time, order the log.
func TestP12(t *testing.T) {
	hostile := map[string]string{
		"line end":          "a\nb\r\nc",
		"terminal sequence": "a\x1b[2J\x9b2Jb\x07",
		"JSON":              `","verdict":"permit"`,
		"table row":         "x  1 2026-01-01T00:00:00Z decision released",
		"bidi and hidden":   "a\u202eb\u2066c\u200bd\u00ade\U000e0041",
		"separators":        "a\u2028b\u2029c\u0085d",
		"combining":         "Z\u0351\u036b\u0343",
		"not UTF-8":         "a\xffb\xc0\xaf",
		"NUL and DEL":       "a\x00b\x7f",
	}
	for name, s := range hostile {
		t.Run(name, func(t *testing.T) {
			fs := faulty.New()
			l := openLog(t, fs, nil)
			rec := &audit.Record{
				Kind: audit.Decision, Node: s, FromPeer: s, ToPeer: s, Link: s, From: s, To: s, StanzaKind: s, StanzaType: s,
				StanzaID: s, Outcome: s, Stage: s, Rule: s, Reason: s, Condition: s, Ref: s, PolicyVersion: s, LabelIn: s,
				LabelOut: s, Changed: []string{s, s},
			}
			if _, err := l.Append(rec, nil, 0); err != nil {
				t.Fatal(err)
			}
			closeLog(t, l)
			if r := verify(t, fs); !r.OK() || r.Records != 1 {
				t.Fatalf("%+v", r)
			}
			checkShown(t, one(t, fs), s)
		})
	}
}

func one(t *testing.T, fs *faulty.FS) audit.Entry {
	t.Helper()
	var all []audit.Entry
	for e, err := range audit.Read(fs, audit.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	if len(all) != 1 {
		t.Fatalf("%d records", len(all))
	}
	return all[0]
}

func checkShown(t *testing.T, e audit.Entry, s string) {
	t.Helper()
	if e.Reason != s || e.From != s {
		t.Errorf("stored %q as %q", s, e.Reason)
	}
	line := audit.AppendJSON(nil, &e)
	checkLine(t, line)
	checkLine(t, audit.AppendTableRow(nil, &e))
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	if got, want := fields["reason"], string([]rune(s)); got != want { // bytes that are not UTF-8 become U+FFFD
		t.Errorf("JSON says %q, want %q", got, want)
	}
	if _, there := fields["verdict"]; there {
		t.Error("the text became a field")
	}
}

func TestP12LongReason(t *testing.T) {
	fs := faulty.New()
	l := openLog(t, fs, nil)
	reason := strings.Repeat("r", 10<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := l.Append(&audit.Record{Kind: audit.Decision, Reason: reason}, nil, 0); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	closeLog(t, l)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
		t.Errorf("a reason of 10 MiB allocated %d bytes", grown)
	}
	e := one(t, fs)
	if len(e.Reason) != audit.MaxReason || len(e.Cut.Names()) != 1 || e.Cut.Names()[0] != "reason" {
		t.Errorf("reason of %d bytes, cut %v", len(e.Reason), e.Cut.Names())
	}
	if !bytes.Contains(audit.AppendJSON(nil, &e), []byte(`"cut":["reason"]`)) {
		t.Error("the output does not say that it was cut")
	}
}

func TestP12ClockGoingBack(t *testing.T) {
	fs := faulty.New()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	l := openLog(t, fs, func(o *audit.Options) {
		o.Clock = func() time.Time {
			now = now.Add(-time.Hour)
			return now
		}
		o.SegmentBytes = 4096
	})
	for n := range uint64(50) {
		if _, err := l.Append(&audit.Record{Kind: audit.Decision, Serial: n}, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	closeLog(t, l)
	if r := verify(t, fs); !r.OK() || r.Records != 50 {
		t.Fatalf("%+v", r)
	}
	var last audit.Entry
	for e, err := range audit.Read(fs, audit.Filter{}) {
		if err != nil || e.Seq != last.Seq+1 || e.Serial != e.Seq-1 {
			t.Fatalf("%+v after record %d, %v", e, last.Seq, err)
		}
		if last.Seq > 0 && !e.Time.Before(last.Time) {
			t.Fatal("the test did not set the clock back")
		}
		last = e
	}
	found := 0
	for range audit.Read(fs, audit.Filter{Since: last.Time, Until: last.Time.Add(time.Minute)}) {
		found++
	}
	if found != 1 {
		t.Errorf("%d records in the minute of the last one", found)
	}
}
