package peering_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/labels/xep0258"
	"sallyport/peering"
)

// judgedOutwards judges a message that is translated on its way out.
func judgedOutwards(t testing.TB) peering.Verdict {
	t.Helper()
	reg := guardRegistry(t)
	a := arrival(t, "in", outward(wire(t, made(t, reg, guardID, 2, countries(826)...))))
	v := peering.NewEngine(policy(t, twoPolicies(t, reg))).Judge(&a)
	if v.Outcome != peering.Release {
		t.Fatalf("%v %+v", v.Outcome, v.Refusal)
	}
	return v
}

func TestExplainShowsTheWayOfALabel(t *testing.T) {
	t.Parallel()
	v := judgedOutwards(t)
	got := peering.Explain(&v).Label
	if got == nil || len(got.Digest) != 64 || len(got.Translations) != 1 || len(got.Translations[0].Steps) == 0 {
		t.Fatalf("explained as %+v", got)
	}
	written := got.Written
	got.Digest, got.Written, got.Translations[0].Steps = "", "", nil
	want := &peering.ExplainedLabel{
		Source: "its own label", Syntax: "ess", Received: "2.999.258.1 class 2, 2.999.258.1.3 enumerated permissive 826", Marking: "GUARD INTERNAL USE REL TO GBR",
		Translations: []peering.ExplainedTranslation{{For: "peer out", Status: "ok", Result: "PARTNER LIMITED SHARE Britain [was internal; imported]"}},
		Checks: []peering.ExplainedCheck{
			{Stage: "label-in", Subject: "peer in", Label: "GUARD INTERNAL USE REL TO GBR", Clearance: got.Checks[0].Clearance, Result: "granted"},
			{Stage: "label-out", Subject: "peer out", Label: "PARTNER LIMITED SHARE Britain [was internal; imported]", Clearance: got.Checks[1].Clearance, Result: "granted"},
		},
		Sent:        "2.999.258.2 class 2, 2.999.258.2.2 enumerated permissive 44, 2.999.258.2.3 informative bits 0, 2.999.258.2.3 informative bits 1",
		SentMarking: "PARTNER LIMITED SHARE Britain [was internal; imported]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !strings.Contains(written, "esssecuritylabel") || !strings.HasPrefix(got.Checks[1].Clearance, "PARTNER {OPEN|LIMITED}") {
		t.Errorf("written %s, clearance %s", written, got.Checks[1].Clearance)
	}
}

func TestExplainSaysWhichCheckFailed(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	a := arrival(t, "in", outward(wire(t, made(t, reg, guardID, 2, countries(250)...))))
	v := peering.NewEngine(policy(t, onePolicy(t, reg))).Judge(&a)
	x := peering.Explain(&v)
	if len(x.Label.Checks) != 2 || x.Label.Checks[0].Result != "granted" || x.Label.Checks[1].Result != "label needs REL TO FRA; clearance has REL TO GBR" {
		t.Errorf("checks %+v", x.Label.Checks)
	}
}

func TestLabelFactsSurviveEncoding(t *testing.T) {
	t.Parallel()
	v := judgedOutwards(t)
	record, rest, err := peering.ParseVerdict(append(peering.AppendVerdict(nil, &v), 1, 2))
	if err != nil || len(rest) != 2 {
		t.Fatalf("%v, %d bytes left", err, len(rest))
	}
	sum, ok := v.LabelDigest()
	if !ok {
		t.Fatal("no digest of what was received")
	}
	want := peering.LabelRecord{
		Source: peering.OfLabel, Syntax: xep0258.ESS, Digest: sum, PolicyIn: guardID, PolicyOut: partnerID,
		Received:     "2.999.258.1 class 2, 2.999.258.1.3 enumerated permissive 826",
		Sent:         peering.NormalForm(v.LabelOut),
		Translations: []peering.TranslationRecord{{For: "peer it goes to", Status: labels.Translated, Steps: v.Facts.TranslatedOut.Steps}},
		Checks: []peering.CheckRecord{
			{Stage: peering.LabelIn, As: peering.AsPeer, Granted: true, Name: "in", Policy: guardID},
			{Stage: peering.LabelOut, As: peering.AsPeer, Granted: true, Name: "out", Policy: partnerID},
		},
	}
	if d := cmp.Diff(want, record.Label); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestLabelFactsOfEarlierVersionsAreRead: logs are kept for years. The file is what version 3 wrote of the same verdict.
func TestLabelFactsOfEarlierVersionsAreRead(t *testing.T) {
	t.Parallel()
	v := judgedOutwards(t)
	now := peering.AppendLabelFacts(nil, &v)
	before, err := os.ReadFile(filepath.Join("testdata", "records", "labelfacts-3.bin"))
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := peering.ParseLabelFacts(now)
	if err != nil {
		t.Fatal(err)
	}
	got, rest, err := peering.ParseLabelFacts(before)
	if d := cmp.Diff(want, got); err != nil || len(rest) > 0 || d != "" {
		t.Errorf("%v, %d bytes left (-now +then):\n%s", err, len(rest), d)
	}
	if len(now) >= len(before) {
		t.Errorf("%d bytes, it took %d", len(now), len(before))
	}
}

func TestLabelFactsOfAnotherVersionAreRefused(t *testing.T) {
	t.Parallel()
	v := judgedOutwards(t)
	b := peering.AppendLabelFacts(nil, &v)
	b[0] = 1
	if _, _, err := peering.ParseLabelFacts(b); err == nil || !strings.Contains(err.Error(), "version 1, this is 4") {
		t.Errorf("%v, want a refusal that names both versions", err)
	}
}

// What an audit record keeps is read without any policy, and says what explain says.
func TestRecordedFacts(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	def := twoPolicies(t, reg)
	def.Subjects = []peering.SubjectClearance{
		{Users: jids(t, "juliet@in.example"), Clearances: clearances(t, guardClear(t, reg), partnerClear(t, reg))},
		{Domains: []peering.Pattern{"out.example"}},
	}
	p := policy(t, def)
	a := arrival(t, "in", outward(wire(t, made(t, reg, guardID, 2, countries(826)...))))
	p.FillClearances(&a)
	v := p.Judge(&a)
	facts, err := peering.AppendFacts(nil, &a.Facts)
	if err != nil {
		t.Fatal(err)
	}
	whole := peering.AppendLabelFacts(facts, &v)
	got, err := peering.ParseRecorded(whole)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(peering.SubjectRecord{Source: "user juliet@in.example", Policies: []string{guardID, partnerID}}, got.Sender); d != "" {
		t.Errorf("sender (-want +got):\n%s", d)
	}
	if got.Recipient.Source != "domain out.example" || got.Recipient.Policies != nil {
		t.Errorf("recipient %+v", got.Recipient)
	}
	x, y := peering.Explain(&v).Label, got.Label.Explained()
	if x.Source != y.Source || x.Syntax != y.Syntax || x.Digest != y.Digest || x.Received != y.Received || len(x.Checks) != len(y.Checks) || y.Received == "" || y.Sent == "" {
		t.Errorf("explained as %+v, recorded as %+v", x, y)
	}
	if d := cmp.Diff(x.Translations[0].Steps, y.Translations[0].Steps); d != "" || y.Translations[0].For != "peer it goes to" {
		t.Errorf("translation for %s (-want +got):\n%s", y.Translations[0].For, d)
	}
	if last := y.Checks[len(y.Checks)-1]; last.Result != "denied" || last.Subject != "recipient domain out.example" || last.Clearance != "none" {
		t.Errorf("last check %+v", last)
	}
	if got, err := peering.ParseRecorded(facts); err != nil || got.Label != nil {
		t.Errorf("%v %+v, want no label", err, got.Label)
	}
	for _, bad := range [][]byte{nil, facts[:len(facts)-1], whole[:len(whole)-1], append(bytes.Clone(whole), 0)} {
		if _, err := peering.ParseRecorded(bad); !errors.Is(err, peering.ErrEncoding) {
			t.Errorf("%d bytes of %d: %v, want a refusal", len(bad), len(whole), err)
		}
	}
}

func FuzzParseRecorded(f *testing.F) {
	v := judgedOutwards(f)
	facts, _ := peering.AppendFacts(nil, &peering.Facts{})
	f.Add(facts)
	f.Add(peering.AppendLabelFacts(facts, &v))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := peering.ParseRecorded(b)
		if err != nil && (r.Label != nil || r.Sender.Source != "") {
			t.Fatalf("%v with %+v", err, r)
		}
		if len(r.Sender.Policies) > labels.MaxClearances || r.Label != nil && len(r.Label.Explained().Checks) > peering.MaxChecks {
			t.Fatalf("%+v", r)
		}
	})
}

func FuzzParseLabelFacts(f *testing.F) {
	v := judgedOutwards(f)
	f.Add(peering.AppendLabelFacts(nil, &v))
	f.Add(peering.AppendLabelFacts(nil, &peering.Verdict{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, rest, err := peering.ParseLabelFacts(b)
		if err != nil {
			return
		}
		if len(l.Checks) > peering.MaxChecks || len(l.Translations) > 2 || len(rest) > len(b) {
			t.Fatalf("%d checks, %d translations, %d bytes left of %d", len(l.Checks), len(l.Translations), len(rest), len(b))
		}
		again, _, err := peering.ParseLabelFacts(bytes.Clone(b))
		if d := cmp.Diff(l, again); err != nil || d != "" {
			t.Fatalf("%v %s", err, d)
		}
	})
}

// A label that needs a translation costs no memory either, once it was seen.
func TestTranslatedReleaseIsRemembered(t *testing.T) {
	reg := guardRegistry(t)
	e := peering.NewEngine(policy(t, twoPolicies(t, reg)))
	label := wire(t, made(t, reg, guardID, 2, countries(826)...))
	a := arrival(t, "in", outward(label))
	var v peering.Verdict
	e.JudgeInto(&a, &v)
	first := v.Facts.TranslatedOut
	b := arrival(t, "in", outward(label))
	e.JudgeInto(&b, &v)
	if v.Facts.TranslatedOut != first || first == nil {
		t.Error("an equal label was translated again")
	}
	const budget = 13 // the label is put in the place of the one received, and the tree held against the profile again
	if n := testing.AllocsPerRun(200, func() { e.JudgeInto(&a, &v) }); n > budget {
		t.Errorf("%v allocations for a translated release, budget %d", n, budget)
	}
}

// What is remembered is asked again whether it is valid: a translation does not outlive the policy it leads to.
func TestRememberedTranslationDoesNotOutliveItsPolicy(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "partner.spif.xml")
	b, err := os.ReadFile("../labels/testdata/guard/partner.spif.xml")
	if err != nil {
		t.Fatal(err)
	}
	ends := bytes.Replace(b, []byte(` version="1"`), []byte(` version="1" notAfter="2026-12-31T00:00:00Z"`), 1)
	if err := os.WriteFile(file, ends, 0o600); err != nil {
		t.Fatal(err)
	}
	guard, _ := guardRegistry(t).Policy(guardID)
	partner, problems := spif.Load(file)
	if partner == nil {
		t.Fatal(problems)
	}
	reg, err := labels.NewRegistry(guard, partner)
	if err != nil {
		t.Fatal(err)
	}
	e := peering.NewEngine(policy(t, twoPolicies(t, reg)))
	a := arrival(t, "in", outward(wire(t, made(t, reg, guardID, 2, countries(826)...))))
	for range 2 {
		if v := e.Judge(&a); v.Outcome != peering.Release {
			t.Fatalf("%v %+v", v.Outcome, v.Refusal)
		}
	}
	a.Time = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	if v := e.Judge(&a); v.Outcome != peering.Refuse || v.Refusal.Reason != peering.TargetInvalid {
		t.Errorf("after the end of the policy: %v %+v", v.Outcome, v.Refusal)
	}
}

// What is remembered of labels is shared by all who judge.
func TestTranslationsAreShared(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	e := peering.NewEngine(policy(t, twoPolicies(t, reg)))
	_, private := privateLabel(t, reg)
	texts := []string{
		outward(wire(t, made(t, reg, guardID, 1))), outward(private), outward(wire(t, made(t, reg, guardID, 2, countries(826)...))),
	}
	want := []string{"PARTNER OPEN [imported]", "PARTNER OPEN [imported]", "PARTNER LIMITED SHARE Britain [was internal; imported]"}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 60 {
				a := arrival(t, "in", texts[i%len(texts)])
				if v := e.Judge(&a); v.Outcome != peering.Release || v.Facts.MarkingOut != want[i%len(want)] {
					t.Errorf("%v %q, want %q", v.Outcome, v.Facts.MarkingOut, want[i%len(want)])
				}
			}
		})
	}
	all.Wait()
}
