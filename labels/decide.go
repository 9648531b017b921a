package labels

import "time"

// Decide answers whether the clearance covers the label. It is membership and nothing else: SECRET in a clearance
// does not imply INTERNAL, and a label with REL TO is more restricted than one without. A granted answer is no
// release: the label must also be valid. Nothing is allocated when the answer is yes.
func (p *Policy) Decide(l *Label, c *Clearance) Decision {
	switch {
	case p == nil:
		return Decision{Reason: NoPolicy}
	case l == nil || l.policy == nil:
		return Decision{Reason: NoLabel, policy: p}
	case c == nil || c.id == "":
		return Decision{Reason: NoClearance, policy: p, label: l}
	}
	l, c, reason := p.bind(l, c)
	d := Decision{policy: p, label: l, clearance: c, Reason: reason}
	switch {
	case reason != Undecided:
	case !c.classes.has(l.class):
		d.Reason = ClassNotHeld
	default:
		d.Reason, d.at = p.cover(l.bits, c.bits)
		d.Granted = d.Reason == Satisfied
	}
	return d
}

// cover compares the categories word by word.
func (p *Policy) cover(need, held bitset) (Reason, int) {
	for i, m := range p.restrictive {
		if need[i]&m&^held[i] != 0 {
			return RestrictiveNotHeld, 0
		}
	}
	for i := range p.permissive {
		if t := &p.permissive[i]; !t.span.met(need, held) {
			return PermissiveNotHeld, t.tag
		}
	}
	return Satisfied, 0
}

// bind makes both refer to p. The usual case is that they do; a value resolved by an earlier version of the same
// policy is resolved again, because its bits stand elsewhere, and what no longer exists denies.
func (p *Policy) bind(l *Label, c *Clearance) (*Label, *Clearance, Reason) {
	if l.policy != p {
		again, err := p.Label(l.Form())
		if err != nil {
			return l, c, LabelOtherPolicy
		}
		l = again
	}
	if c.policy != p {
		again, err := p.Clearance(c.Form())
		if err != nil {
			return l, c, ClearanceOtherPolicy
		}
		c = again
	}
	return l, c, Undecided
}

// Validate answers whether the label obeys the rules of the policy at that time: required and excluded classes and
// categories, periods, selection limits. Nothing is allocated when the answer is yes.
func (p *Policy) Validate(l *Label, at time.Time) Decision {
	switch {
	case p == nil:
		return Decision{Reason: NoPolicy}
	case l == nil || l.policy == nil:
		return Decision{Reason: NoLabel, policy: p}
	}
	if l.policy != p {
		again, err := p.Label(l.Form())
		if err != nil {
			return Decision{Reason: LabelOtherPolicy, policy: p, label: l}
		}
		l = again
	}
	f := p.check(l, at, nil)
	return Decision{Granted: f.reason == Satisfied, Reason: f.reason, policy: p, label: l, time: at}
}

// failure is one broken rule: of a class (cat -1) or of a category, n-th of its kind.
type failure struct {
	reason Reason
	cat, n int
}

// check returns the first broken rule, or Satisfied. With all it goes on and collects every one.
func (p *Policy) check(l *Label, at time.Time, all *[]failure) failure {
	first := failure{reason: Satisfied}
	note := func(f failure) bool {
		if first.reason == Satisfied {
			first = f
		}
		if all != nil {
			*all = append(*all, f)
		}
		return all == nil
	}
	if outside(at, p.notBefore, p.notAfter) && note(failure{reason: PolicyPeriod, cat: -1}) {
		return first
	}
	for n := range p.classes[l.class].required {
		if !p.classes[l.class].required[n].satisfied(l.bits) && note(failure{ClassRequires, -1, n}) {
			return first
		}
	}
	for b := l.bits.next(0); b >= 0; b = l.bits.next(b + 1) {
		if p.checkCategory(l, b, at, note) {
			return first
		}
	}
	for i := range p.tags {
		t := &p.tags[i]
		n := t.span.count(l.bits)
		if n > 0 && (t.Single && n > 1 || n < t.Min || t.Max > 0 && n > t.Max) && note(failure{SelectionLimit, -1, i}) {
			return first
		}
	}
	return first
}

// checkCategory notes what category b of the label breaks; true means that note wants no more.
func (p *Policy) checkCategory(l *Label, b int, at time.Time, note func(failure) bool) bool {
	c := &p.cats[b]
	if c.excluded.has(l.class) && note(failure{CategoryExcludesClass, b, 0}) {
		return true
	}
	if c.requiredClass >= 0 && c.requiredClass != l.class && note(failure{CategoryRequiresClass, b, 0}) {
		return true
	}
	for n := range c.excludes {
		if c.excludes[n].matches(l.bits) && note(failure{CategoryExcludesCategory, b, n}) {
			return true
		}
	}
	for n := range c.required {
		if !c.required[n].satisfied(l.bits) && note(failure{CategoryRequiresCategory, b, n}) {
			return true
		}
	}
	return outside(at, c.NotBefore, c.NotAfter) && note(failure{CategoryPeriod, b, 0})
}

func (r *requirement) satisfied(b bitset) bool {
	n := 0
	for i := range r.groups {
		if r.groups[i].matches(b) {
			n++
		}
	}
	switch r.op {
	case All:
		return n == len(r.groups)
	case OneOrMore:
		return n > 0
	case OnlyOne:
		return n == 1
	}
	return false
}

func outside(at, from, to time.Time) bool {
	return !from.IsZero() && at.Before(from) || !to.IsZero() && at.After(to)
}
