package labels

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// MaxClearances bounds the clearances of one subject.
const MaxClearances = 64

// ErrUnion is the refusal to add up clearances. RFC 5755 §4.4.6 allows one value of the clearance attribute a policy;
// no standard says what two of them mean together, and adding them would grant what nobody granted.
var ErrUnion = errors.New("several clearances under one policy: no standard says what they mean together")

// ErrOtherPolicy is the refusal to intersect clearances of different policies: a value of one means nothing in the
// other, and clearances are never translated.
var ErrOtherPolicy = errors.New("clearances under different policies have nothing in common")

// ClearanceSet are the clearances of one subject, at most one under each policy. The zero value is cleared for nothing.
// It is immutable.
type ClearanceSet struct {
	list []*Clearance // sorted by policy
}

// NewClearanceSet collects clearances. Two under one policy are refused with ErrUnion (RFC 5755 §4.4.6), also when they
// are equal; a nil clearance is none and is left out.
func NewClearanceSet(cs ...*Clearance) (ClearanceSet, error) {
	var s ClearanceSet
	for _, c := range cs {
		if c != nil && c.id != "" {
			s.list = append(s.list, c)
		}
	}
	if n := len(s.list); n > MaxClearances {
		return ClearanceSet{}, Errorf(CodeSyntax, "%d clearances of one subject, at most %d", n, MaxClearances)
	}
	slices.SortStableFunc(s.list, func(a, b *Clearance) int { return strings.Compare(a.id, b.id) })
	for i := 1; i < len(s.list); i++ {
		if s.list[i].id == s.list[i-1].id {
			return ClearanceSet{}, fmt.Errorf("policy %s: %w", Quote(s.list[i].id), ErrUnion)
		}
	}
	return s, nil
}

// For returns the clearance under a policy, nil when there is none. It allocates nothing.
func (s ClearanceSet) For(policyOID string) *Clearance {
	for _, c := range s.list {
		if c.id == policyOID {
			return c
		}
	}
	return nil
}

// All yields the clearances in the order of their policies' identifiers.
func (s ClearanceSet) All() iter.Seq[*Clearance] { return slices.Values(s.list) }

// Len returns the number of clearances.
func (s ClearanceSet) Len() int { return len(s.list) }

// IsEmpty says whether there is no clearance at all.
func (s ClearanceSet) IsEmpty() bool { return len(s.list) == 0 }

// Equal says whether two sets mean the same.
func (s ClearanceSet) Equal(o ClearanceSet) bool {
	return slices.EqualFunc(s.list, o.list, (*Clearance).Equal)
}

// String returns the clearances joined by "; ". Safe for logs.
func (s ClearanceSet) String() string {
	if s.IsEmpty() {
		return "no clearance"
	}
	words := make([]string, len(s.list))
	for i, c := range s.list {
		words[i] = c.String()
	}
	return strings.Join(words, "; ")
}

// Intersect returns what both sets grant, as along a certification path (RFC 5913): per policy the clearance that is
// the intersection of the two; a policy that one of them does not name, or where the two cannot be compared, has none.
func (s ClearanceSet) Intersect(o ClearanceSet) ClearanceSet {
	var out ClearanceSet
	for _, c := range s.list {
		if both, err := c.Intersect(o.For(c.id)); err == nil {
			out.list = append(out.list, both)
		}
	}
	return out
}

// Intersect returns the clearance that grants what both do (RFC 5913): the classifications and the category values that
// stand in both. It never grants what one of them does not. Clearances under different policies, and one of none, are
// refused with ErrOtherPolicy; one whose values the policy of the other does not have, with an *Error.
func (c *Clearance) Intersect(o *Clearance) (*Clearance, error) {
	if c == nil || o == nil || c.id == "" || c.id != o.id {
		return nil, fmt.Errorf("policies %s and %s: %w", Quote(c.PolicyID()), Quote(o.PolicyID()), ErrOtherPolicy)
	}
	p := c.policy
	if p == nil {
		p = o.policy
	}
	if p == nil {
		return NewClearance(common(c, o)), nil
	}
	a, err := c.under(p)
	if err != nil {
		return nil, err
	}
	b, err := o.under(p)
	if err != nil {
		return nil, err
	}
	return p.Clearance(common(a, b))
}

// under returns the clearance resolved by p.
func (c *Clearance) under(p *Policy) (*Clearance, error) {
	if c.policy == p {
		return c, nil
	}
	return p.Clearance(c.Form())
}

// common keeps what stands in both. Values that a policy has not resolved yet are compared as they were written, which
// can lose some and never adds one.
func common(a, b *Clearance) ClearanceForm {
	f := ClearanceForm{Policy: a.id}
	for _, n := range a.lacvs {
		if _, ok := slices.BinarySearch(b.lacvs, n); ok {
			f.Classes = append(f.Classes, n)
		}
	}
	for _, v := range a.values {
		if _, ok := slices.BinarySearchFunc(b.values, v, compareValues); ok {
			f.Values = append(f.Values, v)
		}
	}
	return f
}
