package labels

import (
	"fmt"
	"strings"
	"time"
)

// Translation of labels between policies through the equivalences of Open XML SPIF 2.1 (equivalentPolicy,
// equivalentClassification, equivalentSecCategoryTag, equivalentSecurityCategoryTagSet) and the handling rules of
// ADatP-4774.1 §4.2. The steps in order:
//
//  1. the label must be valid in its own policy
//  2. the classification becomes the equivalent one, and what that calls for is added
//  3. every value, informative ones too, becomes its equivalents or may be dropped; one that does neither stops it
//  4. what the tag sets that had a value call for is added
//  5. what the equivalent policy calls for is added
//  6. the result must be valid in the target policy
//
// The result has no privacy mark, which is free text of another policy, and never an obsolete classification or value.

// Reading says how the equivalences of two policies are used to translate labels of one into labels of the other.
// There is no guessing: a deployment chooses one for each neighbour. The zero value translates nothing.
type Reading uint8

const (
	NoReading   Reading = iota
	Outbound            // the source policy's equivalences applied=encrypt or both: by the originator's side
	ForeignSPIF         // the source policy's equivalences applied=decrypt or both: by the recipient's side
	LocalSPIF           // the target policy's equivalences applied=decrypt or both, read backwards
	Table               // a list of pairs and nothing else
)

var readingNames = [...]string{
	NoReading: "none", Outbound: "outbound", ForeignSPIF: "foreign-spif", LocalSPIF: "local-spif", Table: "table",
}

func (r Reading) String() string {
	if int(r) < len(readingNames) {
		return readingNames[r]
	}
	return "unknown"
}

// ParseReading is the inverse of String.
func ParseReading(s string) (Reading, bool) {
	for i, n := range readingNames {
		if n == s && Reading(i) != NoReading {
			return Reading(i), true
		}
	}
	return NoReading, false
}

// Mapping is one pair of a table.
type Mapping struct{ From, To *Label }

// TranslatorOptions are what a profile adds to the policies.
type TranslatorOptions struct {
	// Discard are values of the source policy that may be dropped when nothing in the target means the same.
	Discard []Value
	// Table is for the reading of that name.
	Table []Mapping
}

// TranslationStatus is how a translation ended. The zero value is no translation.
type TranslationStatus uint8

const (
	NotTranslated TranslationStatus = iota
	Translated
	SourceInvalid // the label breaks the rules of its own policy: translating it could hide that
	NoMapping     // something in it has no equivalent in the target, or an ambiguous one
	TargetInvalid // what came out breaks the rules of the target policy
)

var translationNames = [...]string{
	NotTranslated: "not-translated", Translated: "ok", SourceInvalid: "source-invalid", NoMapping: "no-mapping",
	TargetInvalid: "target-invalid",
}

func (s TranslationStatus) String() string {
	if int(s) < len(translationNames) {
		return translationNames[s]
	}
	return "unknown"
}

// Translation is a result with what is needed to explain it. The zero value is none.
type Translation struct {
	Status TranslationStatus
	Result *Label   // with TargetInvalid too, for explanation alone
	Steps  []string // what was done, in words for people
	Reason string   // why there is no label, "" when there is one
}

// Label returns the translated label, nil unless the status is Translated.
func (t Translation) Label() *Label {
	if t.Status != Translated {
		return nil
	}
	return t.Result
}

// Translator turns labels of one policy into labels of another. It is immutable, safe for any number of goroutines;
// a nil one translates nothing.
type Translator struct {
	from, to *Policy
	reading  Reading
	plan     *plan
	table    map[string]*Label // by the key of the source label; reading Table alone
}

// NewTranslator prepares the translation of labels under one policy into labels under another. The translator is nil
// when a problem is more than a warning. Two policies without equivalences make a translator whose every answer is
// NoMapping, and a warning.
func NewTranslator(from, to *Policy, r Reading, o TranslatorOptions) (*Translator, []Problem) {
	b := &planner{from: from, to: to, reading: r}
	switch {
	case from == nil || to == nil:
		b.problem(0, "policy", "a translation needs two policies")
		return nil, b.problems
	case from.id == to.id:
		b.problem(0, "policy", "source and target are both policy %s (%s)", from.name, from.id)
		return nil, b.problems
	}
	t := &Translator{from: from, to: to, reading: r}
	switch r {
	case Outbound, ForeignSPIF:
		t.plan = b.forward()
		b.discard(t.plan, o.Discard)
	case LocalSPIF:
		t.plan = b.backward()
		b.discard(t.plan, o.Discard)
	case Table:
		t.table = b.table(o.Table)
	case NoReading:
		b.problem(0, "reading", "how the policies are read must be chosen: outbound, foreign-spif, local-spif or table")
	default:
		b.problem(0, "reading", "reading %d does not exist", r)
	}
	if len(o.Table) > 0 && r != Table {
		b.problem(0, "table", "a table of labels belongs to the reading table, not %s", r)
	}
	if len(o.Discard) > 0 && r == Table {
		b.problem(0, "discard", "a table says itself what each label becomes: discardable values have no effect with it")
	}
	if b.failed {
		return nil, b.problems
	}
	return t, b.problems
}

// From returns the policy whose labels are translated.
func (t *Translator) From() *Policy {
	if t == nil {
		return nil
	}
	return t.from
}

// To returns the policy of the results.
func (t *Translator) To() *Policy {
	if t == nil {
		return nil
	}
	return t.to
}

// Reading returns how the translator reads the policies.
func (t *Translator) Reading() Reading {
	if t == nil {
		return NoReading
	}
	return t.reading
}

// Translate answers what the label is in the other policy at that time. It reads no clock and remembers nothing: the
// same label at the same time gives the same answer.
func (t *Translator) Translate(l *Label, at time.Time) Translation {
	switch {
	case t == nil:
		return Translation{Reason: "there is no translator"}
	case l.Policy() == nil:
		return Translation{Reason: "there is no label"}
	case l.policy.id != t.from.id:
		return Translation{Reason: fmt.Sprintf("the label is under policy %s; labels of %s are translated here", l.policy.name, t.from.name)}
	}
	if l.policy != t.from {
		again, err := t.from.Label(l.Form())
		if err != nil {
			return Translation{Reason: "the label cannot be read under the policy as it is now: " + err.Error()}
		}
		l = again
	}
	if d := t.from.Validate(l, at); !d.Granted {
		return Translation{Status: SourceInvalid, Reason: d.Explain()}
	}
	w := &translating{t: t, l: l, bits: newBitset(len(t.to.cats))}
	result := w.result()
	if result == nil {
		return Translation{Status: NoMapping, Steps: w.steps, Reason: strings.Join(w.missing, "; ")}
	}
	if l.privacy != "" {
		w.step("the privacy mark is dropped: it is free text of policy %s", t.from.name)
	}
	if d := t.to.Validate(result, at); !d.Granted {
		return Translation{Status: TargetInvalid, Result: result, Steps: w.steps, Reason: fmt.Sprintf(
			"policy %s does not allow %s: %s", t.to.name, result, d.Explain())}
	}
	return Translation{Status: Translated, Result: result, Steps: w.steps}
}
