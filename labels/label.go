package labels

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Label is a label resolved under one policy: its class and every category exist there. It is immutable. Whether
// it obeys the policy's rules is for Validate to say.
type Label struct {
	policy  *Policy
	class   int // index
	lacv    uint32
	values  []Value // sorted
	privacy string
	bits    bitset
	marking string
}

// Clearance is a clearance, resolved under one policy unless NewClearance made it. It is immutable.
type Clearance struct {
	id      string   // of the policy
	policy  *Policy  // nil: not resolved
	lacvs   []uint32 // sorted; also those that the policy does not have, which grant nothing
	values  []Value  // sorted
	classes bitset
	bits    bitset
	ignored []string
}

// Label resolves a form. Everything it names must exist in the policy; the error is an *Error.
func (p *Policy) Label(f LabelForm) (*Label, error) {
	if f.Policy != p.id {
		return nil, Errorf(CodePolicy, "label is under policy %s, not %s", Quote(f.Policy), p.id)
	}
	ci, ok := p.byClass[f.Class]
	if !ok {
		return nil, Errorf(CodeUnknown, "policy %s has no classification %d", p.name, f.Class)
	}
	if len(f.PrivacyMark) > MaxPrivacyMark {
		return nil, Errorf(CodeSyntax, "privacy mark of %d bytes", len(f.PrivacyMark))
	}
	l := &Label{policy: p, class: ci, lacv: f.Class, bits: newBitset(len(p.cats))}
	l.privacy = strings.Clone(f.PrivacyMark) // it may be a piece of a large stanza
	var err error
	if l.values, err = p.resolve(f.Values, l.bits); err != nil {
		return nil, err
	}
	l.marking, _, _ = p.Marking(l, "")
	return l, nil
}

// Clearance resolves a form. A classification that the policy does not have has no effect; a value that it does not
// have makes the clearance unreadable (ignoring it would be safe, but the operator should hear of it).
func (p *Policy) Clearance(f ClearanceForm) (*Clearance, error) {
	if f.Policy != p.id {
		return nil, Errorf(CodePolicy, "clearance is under policy %s, not %s", Quote(f.Policy), p.id)
	}
	c := NewClearance(f)
	c.policy, c.classes, c.bits = p, newBitset(len(p.classes)), newBitset(len(p.cats))
	for _, n := range c.lacvs {
		if i, ok := p.byClass[n]; ok {
			c.classes.set(i)
		}
	}
	var err error
	c.values, err = p.resolve(f.Values, c.bits)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// NewClearance keeps a clearance whose policy is not at hand, as when it is read back from a record. Decide resolves it
// each time; what cannot be resolved denies.
func NewClearance(f ClearanceForm) *Clearance {
	c := &Clearance{id: f.Policy, lacvs: slices.Clone(f.Classes), values: sortValues(f.Values), ignored: slices.Clone(f.Ignored)}
	slices.Sort(c.lacvs)
	c.lacvs = slices.Compact(c.lacvs)
	return c
}

// resolve sets the bit of every value and returns the values sorted, each with its true kind.
func (p *Policy) resolve(vs []Value, into bitset) ([]Value, error) {
	if len(vs) > MaxValues {
		return nil, Errorf(CodeSyntax, "%d category values, at most %d", len(vs), MaxValues)
	}
	out := sortValues(vs)
	for i, v := range out {
		b, err := p.lookup(v)
		if err != nil {
			return nil, err
		}
		if p.cats[b].Typed {
			return nil, Errorf(CodeUnknown, "%s is a value that users type, which is not supported", Quote(p.catWords(b)))
		}
		into.set(b)
		out[i] = p.cats[b].value
	}
	return sortValues(out), nil
}

func (p *Policy) lookup(v Value) (int, error) {
	if v.Kind != Enumerated {
		if b, ok := p.byValue[v]; ok {
			return b, nil
		}
		return 0, Errorf(CodeUnknown, "policy %s has no %s value %d in tag set %s", p.name, v.Kind, v.LACV, Quote(v.TagSet))
	}
	// SDN.801c tag type 2: the tag set says whether it restricts or permits; one that has both is ambiguous.
	si, ok := p.bySet[v.TagSet]
	if !ok {
		return 0, Errorf(CodeUnknown, "policy %s has no tag set %s", p.name, Quote(v.TagSet))
	}
	kind := NoKind
	for _, ti := range p.sets[si].tags {
		k := p.tags[ti].Kind
		if k != EnumRestrictive && k != EnumPermissive {
			continue
		}
		if kind != NoKind && kind != k {
			return 0, Errorf(CodeUnknown, "tag set %q has restrictive and permissive numbers; the label does not say which", p.sets[si].name)
		}
		kind = k
	}
	v.Kind = kind
	if b, ok := p.byValue[v]; ok {
		return b, nil
	}
	return 0, Errorf(CodeUnknown, "policy %s has no enumerated value %d in tag set %s", p.name, v.LACV, v.TagSet)
}

// Policy returns the policy that resolved the label; nil for a nil label.
func (l *Label) Policy() *Policy {
	if l == nil {
		return nil
	}
	return l.policy
}

// PolicyID returns the identifier of the label's policy, "" for no label.
func (l *Label) PolicyID() string {
	if l == nil || l.policy == nil {
		return ""
	}
	return l.policy.id
}

// Form returns the normal form.
func (l *Label) Form() LabelForm {
	if l == nil || l.policy == nil {
		return LabelForm{}
	}
	return LabelForm{Policy: l.policy.id, Class: l.lacv, Values: slices.Clone(l.values), PrivacyMark: l.privacy}
}

// ClassName returns the name of the classification.
func (l *Label) ClassName() string {
	if l == nil || l.policy == nil {
		return ""
	}
	return l.policy.classes[l.class].Name
}

// Categories yields the label's values with their names, in document order of the policy.
func (l *Label) Categories() iter.Seq[Category] {
	if l == nil || l.policy == nil {
		return func(func(Category) bool) {}
	}
	return l.policy.categories(l.bits)
}

func (p *Policy) categories(bits bitset) iter.Seq[Category] {
	return func(yield func(Category) bool) {
		for b := bits.next(0); b >= 0; b = bits.next(b + 1) {
			c := &p.cats[b]
			if !yield(Category{Value: c.value, Tag: c.tag, TagSetName: p.sets[p.tags[c.tag].set].name, Name: c.Name}) {
				return
			}
		}
	}
}

// Equal says whether two labels mean the same: policy, class, values and privacy mark.
func (l *Label) Equal(o *Label) bool {
	if l == nil || o == nil || l.policy == nil || o.policy == nil {
		return l == o
	}
	return l.policy.id == o.policy.id && l.lacv == o.lacv && l.privacy == o.privacy && slices.Equal(l.values, o.values)
}

// String returns the display marking in the policy's own language; allocates nothing. Safe for logs.
func (l *Label) String() string {
	if l == nil || l.policy == nil {
		return "no label"
	}
	return l.marking
}

// PolicyID returns the identifier of the clearance's policy, "" for no clearance.
func (c *Clearance) PolicyID() string {
	if c == nil {
		return ""
	}
	return c.id
}

// Policy returns the policy that resolved the clearance; nil for a clearance that is nil or not resolved.
func (c *Clearance) Policy() *Policy {
	if c == nil {
		return nil
	}
	return c.policy
}

// Form returns the normal form.
func (c *Clearance) Form() ClearanceForm {
	if c == nil {
		return ClearanceForm{}
	}
	return ClearanceForm{
		Policy: c.id, Classes: slices.Clone(c.lacvs), Values: slices.Clone(c.values), Ignored: slices.Clone(c.ignored),
	}
}

// Categories yields the clearance's values with their names, in document order of the policy.
func (c *Clearance) Categories() iter.Seq[Category] {
	if c == nil || c.policy == nil {
		return func(func(Category) bool) {}
	}
	return c.policy.categories(c.bits)
}

// Ignored returns what the clearance named and the policy does not have: text for a warning to the operator.
func (c *Clearance) Ignored() []string {
	if c == nil || c.policy == nil {
		return nil
	}
	out := slices.Clone(c.ignored)
	for _, n := range c.lacvs {
		if _, ok := c.policy.byClass[n]; !ok {
			out = append(out, "classification "+strconv.FormatUint(uint64(n), 10))
		}
	}
	return out
}

// Equal says whether two clearances mean the same.
func (c *Clearance) Equal(o *Clearance) bool {
	if c == nil || o == nil {
		return c == o
	}
	return c.id == o.id && slices.Equal(c.lacvs, o.lacvs) && slices.Equal(c.values, o.values)
}

// String returns the name of the policy and the clearance as Marking has it. Safe for logs.
func (c *Clearance) String() string {
	switch {
	case c == nil || c.id == "":
		return "no clearance"
	case c.policy == nil:
		return "clearance under policy " + c.id
	}
	return c.policy.name + " " + c.Marking("")
}
