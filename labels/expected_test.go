package labels_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/labels"
)

// today is when the table is judged: after FOXTROT of the guard policy ended.
var today = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

type row struct {
	id, kind, policy, label, clearance, lang, target, status, valid, acdf, decision, marking, note string
}

// rows returns the rows of one kind of expected.tsv, which was made with another implementation.
func rows(t testing.TB, kind string) []row {
	t.Helper()
	var out []row
	for _, line := range strings.Split(strings.TrimSpace(string(readData(t, "expected.tsv"))), "\n")[1:] {
		f := strings.Split(line, "\t")
		if f[1] != kind {
			continue
		}
		out = append(out, row{
			id: f[0], kind: f[1], policy: f[3], label: f[4], clearance: f[5], lang: f[6], target: f[7], status: f[8], valid: f[9],
			acdf: f[10], decision: f[11], marking: f[12], note: f[15],
		})
	}
	return out
}

// policies loads each policy once for a test.
type policies map[string]*labels.Policy

func (ps policies) get(t testing.TB, file string) *labels.Policy {
	t.Helper()
	if ps[file] == nil {
		ps[file] = policyFile(t, file)
	}
	return ps[file]
}

func TestExpectedDecisions(t *testing.T) {
	all := rows(t, "pair")
	if len(all) != 478 {
		t.Fatalf("%d rows, want 478", len(all))
	}
	ps := policies{}
	for _, r := range all {
		t.Run(r.id+" "+r.label+" x "+r.clearance, func(t *testing.T) {
			p := ps.get(t, r.policy)
			l, lerr := labelFile(t, p, r.label)
			c, cerr := clearanceFile(t, p, r.clearance)
			if got := status(lerr, cerr); got != r.status {
				t.Fatalf("status %s (%v, %v), want %s: %s", got, lerr, cerr, r.status, r.note)
			}
			valid, granted := p.Validate(l, today), p.Decide(l, c)
			decision := "block"
			if valid.Granted && granted.Granted {
				decision = "allow"
			}
			if decision != r.decision {
				t.Errorf("decision %s, want %s: %s; %s", decision, r.decision, valid.Explain(), granted.Explain())
			}
			if r.status != "ok" {
				return
			}
			if valid.Granted != (r.valid == "true") {
				t.Errorf("valid %v, want %s: %s; %s", valid.Granted, r.valid, valid.Explain(), r.note)
			}
			if granted.Granted != (r.acdf == "grant") {
				t.Errorf("granted %v, want %s: %s; %s", granted.Granted, r.acdf, granted.Explain(), r.note)
			}
			if got, _, _ := p.Marking(l, ""); r.marking != "-" && got != r.marking {
				t.Errorf("marking\ngot  %q\nwant %q", got, r.marking)
			}
			if !valid.Granted && len(valid.Explain()) < 10 || !granted.Granted && len(granted.Explain()) < 10 {
				t.Errorf("a refusal without words: %q, %q", valid.Explain(), granted.Explain())
			}
		})
	}
}

func status(label, clearance error) string {
	switch {
	case label != nil:
		return "label-error"
	case clearance != nil:
		return "clearance-error"
	}
	return "ok"
}

func TestExpectedMarkings(t *testing.T) {
	all := rows(t, "mark")
	if len(all) != 23 {
		t.Fatalf("%d rows, want 23", len(all))
	}
	ps := policies{}
	for _, r := range all {
		t.Run(r.id+" "+r.label+" "+r.lang, func(t *testing.T) {
			p := ps.get(t, r.policy)
			if got, _, _ := p.Marking(mustLabel(t, p, r.label), r.lang); got != r.marking {
				t.Errorf("marking\ngot  %q\nwant %q\n%s", got, r.marking, r.note)
			}
		})
	}
}
