package labels_test

import (
	"strings"
	"testing"

	"sallyport/labels"
)

// readingFor is the rule of the table: outbound when the source policy lists the target, else the target's own
// equivalences backwards.
func readingFor(from, to *labels.Policy) labels.Reading {
	for _, e := range from.Equivalents() {
		if e.ID == to.ID() {
			return labels.Outbound
		}
	}
	return labels.LocalSPIF
}

// labelUnderAny reads a label under whichever policy it is of.
func labelUnderAny(t *testing.T, ps []*labels.Policy, file string) (*labels.Label, error) {
	t.Helper()
	var first error
	for _, p := range ps {
		l, err := labelFile(t, p, file)
		if err == nil {
			return l, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func TestExpectedTranslations(t *testing.T) {
	all := rows(t, "translate")
	if len(all) != 51 {
		t.Fatalf("%d rows, want 51", len(all))
	}
	cache := policies{}
	for _, r := range all {
		t.Run(r.id+" "+r.label+" to "+r.target, func(t *testing.T) {
			var ps []*labels.Policy
			var to *labels.Policy
			for _, file := range strings.Split(r.policy, ",") {
				p := cache.get(t, file)
				ps = append(ps, p)
				if p.ID() == r.target {
					to = p
				}
			}
			l, err := labelUnderAny(t, ps, r.label)
			if err != nil {
				if r.status != "label-error" {
					t.Fatalf("label-error (%v), want %s", err, r.status)
				}
				return
			}
			tr, problems := labels.NewTranslator(l.Policy(), to, readingFor(l.Policy(), to), labels.TranslatorOptions{})
			if tr == nil {
				t.Fatal(problems)
			}
			got := tr.Translate(l, today)
			status, valid := got.Status.String(), "-"
			switch got.Status {
			case labels.Translated:
				valid = "true"
			case labels.TargetInvalid:
				status, valid = "ok", "false"
			case labels.NotTranslated, labels.SourceInvalid, labels.NoMapping:
			}
			if status != r.status || valid != r.valid {
				t.Fatalf("status %s valid %s, want %s %s: %s; %v; %s", status, valid, r.status, r.valid, got.Reason, got.Steps, r.note)
			}
			if (got.Reason == "") != (got.Status == labels.Translated) || got.Status == labels.Translated && len(got.Steps) == 0 {
				t.Errorf("reason %q, steps %q of %s", got.Reason, got.Steps, got.Status)
			}
			if r.marking != "-" && got.Result.String() != r.marking {
				t.Errorf("marking\ngot  %q\nwant %q", got.Result, r.marking)
			}
		})
	}
}
