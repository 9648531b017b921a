package labels

import (
	"strings"
	"time"
)

// Policy is a compiled policy: immutable, safe for any number of goroutines. Only Compile makes one.
type Policy struct {
	name, id, version   string
	notBefore, notAfter time.Time
	about               About
	digest              [32]byte
	markings            []MarkingSpec
	qualifiers          []QualifierSpec
	privacyMarks        []PrivacyMarkSpec
	equivalents         []EquivalentPolicySpec

	classes []class
	byClass map[uint32]int
	sets    []tagSet
	bySet   map[string]int // OID
	tags    []tag
	cats    []category
	byValue map[Value]int

	restrictive bitset
	permissive  []permissiveTag
}

type class struct {
	ClassSpec
	required []requirement
	folded   [][]string // name and phrases as words in one case, for Contradicts
}

type tagSet struct {
	name, id    string
	tags        []int
	equivalents []EquivalentTagSetSpec
}

type tag struct {
	TagSpec // Categories is nil: they are in Policy.cats, lo to hi
	set     int
	lo, hi  int
	span    span
}

type permissiveTag struct {
	tag  int
	span span
}

type category struct {
	CategorySpec
	value         Value
	tag           int
	requiredClass int    // -1: any
	excluded      bitset // classes
	required      []requirement
	excludes      []group
}

type requirement struct {
	op     Operation
	groups []group
}

// group is a set of category bits; it matches a label that has one of them.
type group struct {
	mask  bitset
	words string // for people
}

func (g group) matches(b bitset) bool {
	for i, m := range g.mask {
		if b[i]&m != 0 {
			return true
		}
	}
	return false
}

// ID returns the object identifier, dotted.
func (p *Policy) ID() string { return p.id }

// Name returns the policy's own name.
func (p *Policy) Name() string { return p.name }

// Version returns the version its file states, "" when it states none.
func (p *Policy) Version() string { return p.version }

// privacyMark finds a privacy mark that the policy knows, by its exact name.
func (p *Policy) privacyMark(name string) (*PrivacyMarkSpec, bool) {
	for i := range p.privacyMarks {
		if p.privacyMarks[i].Name == name {
			return &p.privacyMarks[i], true
		}
	}
	return nil, false
}

// ClassName returns the name of the classification with that lacv.
func (p *Policy) ClassName(lacv uint32) (string, bool) {
	i, ok := p.byClass[lacv]
	if !ok {
		return "", false
	}
	return p.classes[i].Name, true
}

// ClassNamed returns the lacv of the classification with that name: the exact name, else the only one that
// differs by case (ADatP-4774 declares names case-insensitive).
func (p *Policy) ClassNamed(name string) (uint32, bool) {
	i := findName(len(p.classes), func(i int) string { return p.classes[i].Name }, name)
	if i < 0 {
		return 0, false
	}
	return p.classes[i].LACV, true
}

// findName returns the index of the exact name, else of the only one equal under case folding, else -1.
func findName(n int, name func(int) string, want string) int {
	folded := -1
	for i := range n {
		switch s := name(i); {
		case s == want:
			return i
		case strings.EqualFold(s, want):
			if folded >= 0 {
				folded = -2
			} else if folded == -1 {
				folded = i
			}
		}
	}
	return max(folded, -1)
}

// TagSetNamed finds a tag set by OID, by name, or by both, which must then agree. It returns the OID.
func (p *Policy) TagSetNamed(oid, name string) (string, error) {
	byName := findName(len(p.sets), func(i int) string { return p.sets[i].name }, name)
	if oid == "" {
		if byName < 0 {
			return "", Errorf(CodeUnknown, "policy %s has no tag set %s", p.name, Quote(name))
		}
		return p.sets[byName].id, nil
	}
	byOID, ok := p.bySet[oid]
	switch {
	case !ok:
		return "", Errorf(CodeUnknown, "policy %s has no tag set %s", p.name, Quote(oid))
	case byName != byOID:
		return "", Errorf(CodeMismatch, "tag set %s is %q, not %s", oid, p.sets[byOID].name, Quote(name))
	}
	return oid, nil
}

// ValueNamed finds a value by tag set OID, type and name. Two tags of the set that both have it make it unreadable.
func (p *Policy) ValueNamed(setOID string, t Type, name string) (Value, error) {
	si, ok := p.bySet[setOID]
	if !ok {
		return Value{}, Errorf(CodeUnknown, "policy %s has no tag set %s", p.name, Quote(setOID))
	}
	found, folds := -1, 0
	for _, ti := range p.sets[si].tags {
		tg := &p.tags[ti]
		if tg.Kind.Type() != t {
			continue
		}
		i := findName(tg.hi-tg.lo, func(i int) string { return p.cats[tg.lo+i].Name }, name)
		if i < 0 {
			continue
		}
		found = tg.lo + i
		folds++
	}
	switch folds {
	case 0:
		return Value{}, Errorf(CodeUnknown, "tag set %q of policy %s has no %s value %s", p.sets[si].name, p.name, t, Quote(name))
	case 1:
		return p.cats[found].value, nil
	}
	return Value{}, Errorf(CodeUnknown, "%s stands in two tags of tag set %q", Quote(name), p.sets[si].name)
}

// Category is a value with its names, for writers of syntaxes that carry names.
type Category struct {
	Value
	Tag        int // position of its tag in the policy
	TagSetName string
	Name       string
}
