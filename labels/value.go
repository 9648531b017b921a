package labels

import (
	"cmp"
	"slices"
)

// Limits of the normal form, for every syntax.
const (
	MaxValues      = 4096      // category values in one label or clearance
	MaxBit         = 65535     // highest bit of a bitmap category; NATO uses 10000
	MaxNumber      = 1<<31 - 1 // highest number of an enumerated category and of a classification
	MaxPrivacyMark = 256       // bytes
)

// Kind is the kind of a category value. Bitmap and enumerated values with one tag set are different kinds.
type Kind uint8

const (
	NoKind Kind = iota
	Restrictive
	EnumRestrictive
	Permissive
	EnumPermissive
	InformativeBits
	InformativeEnum
	// Enumerated is an integer of SDN.801c tag type 2, which does not say whether it restricts or permits: the
	// tag set of the policy does. It occurs in forms only, never in a resolved label.
	Enumerated
)

var kindNames = [...]string{
	NoKind: "none", Restrictive: "restrictive", EnumRestrictive: "enumerated restrictive", Permissive: "permissive",
	EnumPermissive: "enumerated permissive", InformativeBits: "informative bits", InformativeEnum: "informative numbers",
	Enumerated: "enumerated",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Type is what is left of a kind in STANAG 4774 XML.
type Type uint8

const (
	NoType Type = iota
	TypeRestrictive
	TypePermissive
	TypeInformative
)

func (t Type) String() string {
	return [...]string{"none", "RESTRICTIVE", "PERMISSIVE", "INFORMATIVE"}[min(t, TypeInformative)]
}

// Type returns what the decision makes of the kind. Enumerated has none before it is resolved.
func (k Kind) Type() Type {
	switch k {
	case Restrictive, EnumRestrictive:
		return TypeRestrictive
	case Permissive, EnumPermissive:
		return TypePermissive
	case InformativeBits, InformativeEnum:
		return TypeInformative
	case NoKind, Enumerated:
	}
	return NoType
}

// IsBits says whether the kind is carried as a bit string.
func (k Kind) IsBits() bool { return k == Restrictive || k == Permissive || k == InformativeBits }

// Value is one category value.
type Value struct {
	TagSet string // OID of the tag set, dotted
	Kind   Kind
	LACV   uint32 // bit number or integer
}

func compareValues(a, b Value) int {
	return cmp.Or(cmp.Compare(a.TagSet, b.TagSet), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.LACV, b.LACV))
}

// sortValues returns a sorted copy without repetitions: naming a value twice means naming it once.
func sortValues(vs []Value) []Value {
	out := slices.Clone(vs)
	slices.SortFunc(out, compareValues)
	return slices.Compact(out)
}

// LabelForm is a label as a syntax carries it, before a policy has been asked about it.
type LabelForm struct {
	Policy      string // OID, dotted
	Class       uint32 // lacv of the classification
	Values      []Value
	PrivacyMark string
}

// ClearanceForm is a clearance as a syntax carries it.
type ClearanceForm struct {
	Policy  string
	Classes []uint32
	Values  []Value
	// Ignored names classifications that the policy does not have and that a syntax carries by name. They have no
	// effect; the operator should know.
	Ignored []string
}
