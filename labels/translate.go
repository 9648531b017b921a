package labels

import "time"

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
}

// NewTranslator prepares the translation of labels under one policy into labels under another. The translator is nil
// when a problem is more than a warning.
func NewTranslator(from, to *Policy, r Reading, o TranslatorOptions) (*Translator, []Problem) {
	return nil, []Problem{{Rule: "translation", Text: "translation is not available yet"}}
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

// Translate answers what the label is in the other policy at that time.
func (t *Translator) Translate(*Label, time.Time) Translation {
	return Translation{Reason: "there is no translator"}
}
