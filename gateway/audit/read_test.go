package audit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/internal/disk/faulty"
)

func TestReadFilters(t *testing.T) {
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	fs := faulty.New()
	l := openLog(t, fs, nil)
	for n := range 50 {
		rec := &audit.Record{
			Kind: audit.Decision, Time: noon.Add(time.Duration(n) * time.Minute), FromPeer: "a", ToPeer: "b",
			From: fmt.Sprintf("u%d@a.example/r", n), To: "bob@b.example", Outcome: "released",
		}
		switch {
		case n == 30:
			rec = &audit.Record{Kind: audit.Alarm, Time: rec.Time, FromPeer: "c", Link: "radio", Reason: "x"}
		case n%10 == 3:
			rec.Outcome, rec.Stage, rec.Rule, rec.Ref = "refused", "rules", "no-files", fmt.Sprintf("R-%d", n)
		}
		if _, err := l.Append(rec, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	closeLog(t, l)
	tests := []struct {
		name string
		f    audit.Filter
		want []uint64 // nil: only the count matters
		n    int
	}{
		{"all", audit.Filter{}, nil, 50},
		{"sequence", audit.Filter{FirstSeq: 48}, []uint64{48, 49, 50}, 3},
		{"one in the middle", audit.Filter{FirstSeq: 31, LastSeq: 31}, []uint64{31}, 1},
		{"time", audit.Filter{Since: noon.Add(2 * time.Minute), Until: noon.Add(4 * time.Minute)}, []uint64{3, 4}, 2},
		{"kind", audit.Filter{Kind: audit.Alarm}, []uint64{31}, 1},
		{"peer", audit.Filter{Peer: "b"}, nil, 49},
		{"link", audit.Filter{Link: "radio"}, []uint64{31}, 1},
		{"full address", audit.Filter{Address: "u7@a.example/r"}, []uint64{8}, 1},
		{"bare address", audit.Filter{Address: "u7@a.example"}, []uint64{8}, 1},
		{"domain", audit.Filter{Address: "b.example"}, nil, 49},
		{"part of a domain", audit.Filter{Address: "example"}, []uint64{}, 0},
		{"outcome", audit.Filter{Outcome: "refused"}, []uint64{4, 14, 24, 34, 44}, 5},
		{"stage and rule", audit.Filter{Stage: "rules", Rule: "no-files", FirstSeq: 20}, []uint64{24, 34, 44}, 3},
		{"reference", audit.Filter{Ref: "R-13"}, []uint64{14}, 1},
		{"nothing", audit.Filter{Rule: "other"}, []uint64{}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []uint64
			for e, err := range audit.Read(fs, tt.f) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Seq)
			}
			if len(got) != tt.n || tt.want != nil && !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %d: %v", got, tt.n, tt.want)
			}
		})
	}
}

func TestReadStopsWhenTold(t *testing.T) {
	s := newTampered(t)
	n := 0
	for range audit.Read(s.fs, audit.Filter{}) {
		if n++; n == 30 {
			break
		}
	}
	if n != 30 {
		t.Errorf("%d records", n)
	}
}

func TestReadTellsOfDamage(t *testing.T) {
	s := newTampered(t)
	name, data, from, _ := s.at(20)
	data[from+30] ^= 1
	s.fs.SetContents(name, data)
	var seqs []uint64
	problems := 0
	for e, err := range audit.Read(s.fs, audit.Filter{}) {
		var p *audit.Problem
		switch {
		case errors.As(err, &p) && p.Seq == 20 && p.Why == audit.Edited && len(seqs) == 19:
			problems++
		case err != nil:
			t.Fatalf("%v after %v", err, seqs)
		default:
			seqs = append(seqs, e.Seq)
		}
	}
	if problems != 1 || len(seqs) != 59 {
		t.Errorf("%d problems, records %v", problems, seqs)
	}
}

// TestReadWhileASegmentBegins: a reader may come between the making of a segment file and its header.
func TestReadWhileASegmentBegins(t *testing.T) {
	s := newTampered(t)
	s.fs.SetContents("segment-00099999.audit", nil)
	n := 0
	for _, err := range audit.Read(s.fs, audit.Filter{}) {
		if err != nil {
			t.Errorf("after %d records: %v", n, err)
		}
		n++
	}
	if n != 60 {
		t.Errorf("%d records, want 60", n)
	}
}

func TestTable(t *testing.T) {
	e := audit.Entry{Seq: 12, Record: full()}
	header, row := string(audit.AppendTableHeader(nil)), string(audit.AppendTableRow(nil, &e))
	for _, column := range []struct{ title, cell string }{
		{"TIME", "2026-11-21T23:00:00.123456Z"},
		{"KIND", "settlement"},
		{"OUTCOME", "bounced"},
		{"PEERS", "a > b"},
		{"FROM", "x@a.example/r"},
		{"TO ", "y@b.example"},
		{"STANZA", "message/chat"},
		{"STAGE", "rules"},
		{"REF", "R-1"},
		{"WHY", "of 2; rule=r1 condition=policy-violation label=SECRET because"},
	} {
		if at := strings.Index(header, column.title); at < 0 || !strings.HasPrefix(row[at:], column.cell) {
			t.Errorf("%s: not %q in\n%s%s", column.title, column.cell, header, row)
		}
	}
	e.From = strings.Repeat("é", 100)
	row = string(audit.AppendTableRow(nil, &e))
	if !strings.Contains(row, strings.Repeat("é", 27)+"… y@b") {
		t.Errorf("long cell: %s", row)
	}
}

func TestThrottle(t *testing.T) {
	var th audit.Throttle
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	allow := func(source string, wantCount uint32, want bool) {
		t.Helper()
		if count, ok := th.Allow(now, source); ok != want || count != wantCount {
			t.Errorf("%s: got %d %v, want %d %v", source, count, ok, wantCount, want)
		}
	}
	allow("a", 1, true)
	allow("a", 0, false)
	allow("a", 0, false)
	allow("b", 1, true)
	now = now.Add(time.Minute)
	allow("a", 3, true)
	now = now.Add(-24 * time.Hour) // the clock is set back
	allow("a", 1, true)
	allowed := 0
	for n := range 100_000 {
		if _, ok := th.Allow(now, fmt.Sprint(n)); ok {
			allowed++
		}
	}
	if allowed > 4096+1 {
		t.Errorf("%d records for a flood of sources in one instant", allowed)
	}
	now = now.Add(time.Hour)
	if count, ok := th.Allow(now, "another"); !ok || count != 1 {
		t.Errorf("after an hour: %d %v", count, ok)
	}
	if count, ok := th.Allow(now, ""); !ok || count < 90_000 {
		t.Errorf("what was suppressed of the flood: %d %v", count, ok)
	}
}
