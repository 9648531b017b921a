package textmark

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"sallyport/labels"
)

// Entry is a marking and the label that it stands for.
type Entry struct {
	Text  string
	Label *labels.Label
}

// Table tells which label a marking stands for. It is immutable. The zero value and nil know none.
type Table struct {
	byText    map[string]*labels.Label
	ambiguous []string
}

// NewTable makes a table. An entry whose text stands for two different labels, once case and white space are folded,
// is left out: see Ambiguous. So are entries without text, without label, or longer than a marking may be.
func NewTable(entries ...[]Entry) *Table {
	t := &Table{byText: map[string]*labels.Label{}}
	for _, e := range slices.Concat(entries...) {
		key := Fold(e.Text)
		if key == "" || e.Label.Policy() == nil || tooLong(e.Text) {
			continue
		}
		switch old, ok := t.byText[key]; {
		case !ok:
			t.byText[key] = e.Label
		case old != nil && !old.Equal(e.Label):
			t.byText[key] = nil
			t.ambiguous = append(t.ambiguous, key)
		}
	}
	slices.Sort(t.ambiguous)
	return t
}

// Lookup returns the label that a marking stands for: compared in Unicode form NFC, without regard to case, white
// space collapsed.
func (t *Table) Lookup(text string) (*labels.Label, bool) {
	if t == nil || tooLong(text) {
		return nil, false
	}
	l := t.byText[Fold(text)]
	return l, l != nil
}

// Ambiguous returns the folded markings that stand for two labels and therefore for none.
func (t *Table) Ambiguous() []string {
	if t == nil {
		return nil
	}
	return slices.Clone(t.ambiguous)
}

// Len returns how many markings the table knows.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return len(t.byText) - len(t.ambiguous)
}

func tooLong(s string) bool {
	return len(s) > labels.MaxMarking && utf8.RuneCountInString(s) > labels.MaxMarking
}

// Fold returns the form in which markings are compared (Unicode: canonical caseless matching). Lower case follows
// because the folding leaves Cherokee in two cases.
func Fold(s string) string {
	s = norm.NFD.String(strings.Join(strings.Fields(s), " "))
	return norm.NFC.String(strings.ToLower(cases.Fold().String(s)))
}
