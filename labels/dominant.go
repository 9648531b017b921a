package labels

import (
	"fmt"
	"time"
)

// UndecidedError says that the rules do not lead to a dominant label: a person must choose one, or the label of the
// highest system is taken. That is for a policy of the organisation to say, never for a program.
type UndecidedError struct{ Reason string }

func (e *UndecidedError) Error() string { return "policy decision: " + e.Reason }

func undecided(format string, args ...any) *UndecidedError {
	return &UndecidedError{Reason: fmt.Sprintf(format, args...)}
}

// Dominant returns the label for what holds parts with these labels: a folder, a room, a digest, a quoted reply
// (ADatP-4774.1 §4.4). The classification is the highest in the hierarchy; restrictive and informative values are
// united; of a permissive tag the common values are kept. The error is an *UndecidedError when the labels are not of
// one policy, when one of them or the result is not valid, and when a permissive tag has no common value: leaving the
// tag out would open the whole to people who may read neither part.
//
// A permissive tag that some of the labels do not use is left out, as the standard says, though the access decision
// takes it as a restriction. Whoever releases the parts by the label of the whole asks Dominates for each of them.
func Dominant(at time.Time, ls ...*Label) (*Label, error) {
	bound, p, err := sources(at, ls)
	if err != nil {
		return nil, err
	}
	whole := &Label{policy: p, class: bound[0].class, privacy: bound[0].privacy, bits: newBitset(len(p.cats))}
	for _, l := range bound {
		if p.classes[l.class].Hierarchy > p.classes[whole.class].Hierarchy {
			whole.class = l.class
		}
		if l.privacy != whole.privacy {
			whole.privacy = ""
		}
	}
	for i := range p.tags {
		if err := p.combineTag(whole.bits, i, bound); err != nil {
			return nil, err
		}
	}
	return p.dominantOf(whole, at)
}

// sources resolves all labels under the policy of the first and checks each.
func sources(at time.Time, ls []*Label) ([]*Label, *Policy, error) {
	if len(ls) == 0 {
		return nil, nil, undecided("there is no label")
	}
	p := ls[0].Policy()
	bound := make([]*Label, len(ls))
	for i, l := range ls {
		if l.Policy() == nil {
			return nil, nil, undecided("a part has no label")
		}
		if l.policy.id != p.id {
			return nil, nil, undecided("labels under policies %s and %s; one of them must be translated first", p.name, l.policy.name)
		}
		if l.policy != p {
			again, err := p.Label(l.Form())
			if err != nil {
				return nil, nil, undecided("%s: %v", l, err)
			}
			l = again
		}
		if d := p.Validate(l, at); !d.Granted {
			return nil, nil, undecided("%s is not valid: %s", l, d.Explain())
		}
		bound[i] = l
	}
	return bound, p, nil
}

// combineTag sets the values of one tag in the whole.
func (p *Policy) combineTag(whole bitset, ti int, ls []*Label) error {
	t := &p.tags[ti]
	users := 0
	for _, l := range ls {
		if t.span.count(l.bits) > 0 {
			users++
		}
	}
	permissive := t.Kind.Type() == TypePermissive
	if users == 0 || permissive && users < len(ls) {
		return nil
	}
	for b := t.lo; b < t.hi; b++ {
		n := 0
		for _, l := range ls {
			if l.bits.has(b) {
				n++
			}
		}
		if permissive && n == len(ls) || !permissive && n > 0 {
			whole.set(b)
		}
	}
	if t.span.count(whole) == 0 {
		return undecided("the labels have no common value of %s; without one more people could read the whole than its parts", p.sets[t.set].name)
	}
	return nil
}

// dominantOf returns the whole as a label if it is valid, with its informative values or, as those are optional,
// without.
func (p *Policy) dominantOf(whole *Label, at time.Time) (*Label, error) {
	l, err := p.labelOf(whole.class, whole.bits, whole.privacy)
	if err != nil {
		return nil, undecided("%v", err)
	}
	d := p.Validate(l, at)
	if d.Granted {
		return l, nil
	}
	bare := newBitset(len(p.cats))
	for b := whole.bits.next(0); b >= 0; b = whole.bits.next(b + 1) {
		if p.cats[b].value.Kind.Type() != TypeInformative {
			bare.set(b)
		}
	}
	if l, err := p.labelOf(whole.class, bare, whole.privacy); err == nil && p.Validate(l, at).Granted {
		return l, nil
	}
	return nil, undecided("%s would not be valid: %s", l, d.Explain())
}

// labelOf makes a label from the tables' numbers.
func (p *Policy) labelOf(class int, bits bitset, privacy string) (*Label, error) {
	f := LabelForm{Policy: p.id, Class: p.classes[class].LACV, PrivacyMark: privacy}
	for b := bits.next(0); b >= 0; b = bits.next(b + 1) {
		f.Values = append(f.Values, p.cats[b].value)
	}
	return p.Label(f)
}

// Dominates says whether whoever may read l may also read inner, for a clearance that lists with a classification all
// those below it: the classification of l is as high, its restrictive values include those of inner, and of every
// permissive tag that inner uses, l names some of the same values and no others. Labels under different policies, and
// a nil one, dominate nothing.
func (l *Label) Dominates(inner *Label) bool {
	if l.Policy() == nil || inner.Policy() == nil || l.policy.id != inner.policy.id {
		return false
	}
	p := l.policy
	if inner.policy != p {
		again, err := p.Label(inner.Form())
		if err != nil {
			return false
		}
		inner = again
	}
	if p.classes[l.class].Hierarchy < p.classes[inner.class].Hierarchy {
		return false
	}
	for i, m := range p.restrictive {
		if inner.bits[i]&m&^l.bits[i] != 0 {
			return false
		}
	}
	for i := range p.permissive {
		if !p.permissive[i].span.narrows(l.bits, inner.bits) {
			return false
		}
	}
	return true
}

// narrows says whether b, in the span, is not empty and within o, or o is empty there.
func (s span) narrows(b, o bitset) bool {
	var used, asked, more uint64
	for i, m := range s.mask {
		mine, theirs := b[s.first+i]&m, o[s.first+i]&m
		used |= mine
		asked |= theirs
		more |= mine &^ theirs
	}
	return asked == 0 || used != 0 && more == 0
}
