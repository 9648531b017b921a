package cases_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"sallyport/labels/cases"
)

// at is when the table is judged: after FOXTROT of the guard policy ended.
var at = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func judge() *cases.Judge {
	return &cases.Judge{Data: os.DirFS("../testdata"), At: at, Lenient: true}
}

// TestExpectedTable: the whole table, made with another implementation, comes out the same in the columns that are
// facts. The last three are words.
func TestExpectedTable(t *testing.T) {
	b, err := os.ReadFile("../testdata/expected.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := cases.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 552 {
		t.Fatalf("%d rows, want 552", len(rows))
	}
	j := judge()
	same, shown := 0, 0
	for _, want := range rows {
		t.Run(want.ID+" "+want.Kind+" "+want.Label, func(t *testing.T) {
			got := j.Answer(want)
			for i, name := range cases.Columns()[:13] {
				if g, w := got.Fields()[i], want.Fields()[i]; g != w {
					t.Errorf("%s\ngot  %s\nwant %s\nnote %s\nnote of the table %s", name, g, w, got.Note, want.Note)
				}
			}
			if got.Basis != "sallyport" || got.Note == "" {
				t.Errorf("basis %q, note %q", got.Basis, got.Note)
			}
			if got.Decision == "block" && got.Note == "-" {
				t.Error("blocked without a word")
			}
			if want.ClearanceMarking != "-" {
				shown++
				if got.ClearanceMarking == want.ClearanceMarking {
					same++
				}
			}
		})
	}
	// The rest are food/c-nothing.xml and guard/c-nil.xml, which have no classification: the other implementation makes
	// one up.
	if shown != 435 || same != 406 {
		t.Errorf("%d of %d clearance markings are the same, want 406 of 435", same, shown)
	}
}

func TestAnswersThatAreNoDecision(t *testing.T) {
	row := func(policy, label, clearance string) cases.Row {
		return cases.Row{ID: "x", Kind: "pair", Policy: policy, Label: label, Clearance: clearance, Lang: "-", Target: "-"}
	}
	const guard, ok = "guard/guard.spif.xml", "guard/l-public.xml"
	for _, c := range []struct {
		name         string
		row          cases.Row
		status, note string
	}{
		{"no policy file", row("guard/absent.xml", ok, "guard/c-all.xml"), "policy-error", "no such file"},
		{"policy with an error", row("spiffing/food-policy-borked.xml", ok, "guard/c-all.xml"), "policy-error", "food-policy-borked.xml:"},
		{"two policies of one name", row(guard+","+guard, ok, "guard/c-all.xml"), "policy-error", "same identifier"},
		{"no label file", row(guard, "guard/absent.xml", "guard/c-all.xml"), "label-error", "no such file"},
		{"a label outside the data", row(guard, "../testdata/"+ok, "guard/c-all.xml"), "label-error", "invalid argument"},
		{"a clearance for a label", row(guard, "guard/c-all.xml", "guard/c-all.xml"), "label-error", "this is a clearance"},
		{"a label for a clearance", row(guard, ok, ok), "clearance-error", "this is a label"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := judge().Answer(c.row)
			if got.Status != c.status || !strings.Contains(got.Note, c.note) || got.Decision == "allow" {
				t.Errorf("status %s, decision %s, note %q", got.Status, got.Decision, got.Note)
			}
		})
	}
}

func TestStrictJudge(t *testing.T) {
	j := judge()
	j.Lenient = false
	got := j.Answer(cases.Row{Kind: "pair", Policy: "fixed/food-policy.xml", Label: "spiffing/food-label-water.xml", Clearance: "food/c-everything.xml"})
	if got.Status != "policy-error" {
		t.Errorf("a policy in no namespace was read: %+v", got)
	}
}

func TestParse(t *testing.T) {
	header := strings.Join(cases.Columns()[:8], "\t")
	for _, c := range []struct{ name, in, want string }{
		{"no header", "a\tb\n", `no column "id"`},
		{"no rows", header + "\n", "no row"},
		{"short row", header + "\nx\tpair\tg\tp\n", `line 2: it ends before the column "label"`},
		{"kind", header + "\nx\tother\tg\tp\tl\tc\t-\t-\n", `line 2: kind "other"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := cases.Parse([]byte(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestTablesRoundTrip: what is printed can be read, whatever is in it.
func TestTablesRoundTrip(t *testing.T) {
	row := cases.Row{ID: "a", Kind: "mark", Group: "g", Policy: "p", Label: "l", Clearance: "-", Lang: "fr", Target: "-", Status: "ok", Note: "tab\tand\nline"}
	b := cases.Append(cases.AppendHeader(nil), &row)
	got, err := cases.Parse(b)
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if got[0].ID != "a" || got[0].Note != "tab and line" || got[0].Valid != "-" {
		t.Errorf("%+v", got[0])
	}
	reordered, err := cases.Parse([]byte("kind\tid\tgroup\tpolicy\tlabel\tclearance\tlang\ttarget\textra\nmark\tz\tg\tp\tl\tc\t-\t-\t?\r\n"))
	if err != nil || reordered[0].ID != "z" || reordered[0].Kind != "mark" {
		t.Errorf("%+v, %v", reordered, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(cases.Append(cases.AppendHeader(nil), &cases.Row{ID: "a", Kind: "pair"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := cases.Parse(b)
		if err != nil {
			return
		}
		out := cases.AppendHeader(nil)
		for i := range rows {
			out = cases.Append(out, &rows[i])
		}
		again, err := cases.Parse(out)
		if err != nil || len(again) != len(rows) {
			t.Fatalf("%d rows, then %d: %v", len(rows), len(again), err)
		}
	})
}
