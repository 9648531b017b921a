package labels

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Reason says which step answered. The zero value is no answer and denies.
type Reason uint8

const (
	Undecided Reason = iota
	Satisfied
	NoPolicy
	NoLabel
	NoClearance
	LabelOtherPolicy
	ClearanceOtherPolicy
	PolicyPeriod
	ClassRequires
	CategoryExcludesClass
	CategoryRequiresClass
	CategoryExcludesCategory
	CategoryRequiresCategory
	CategoryPeriod
	SelectionLimit
	ClassNotHeld
	RestrictiveNotHeld
	PermissiveNotHeld
)

var reasonNames = [...]string{
	Undecided: "undecided", Satisfied: "satisfied", NoPolicy: "no-policy", NoLabel: "no-label", NoClearance: "no-clearance",
	LabelOtherPolicy: "label-other-policy", ClearanceOtherPolicy: "clearance-other-policy", PolicyPeriod: "policy-period",
	ClassRequires: "class-requires", CategoryExcludesClass: "category-excludes-class",
	CategoryRequiresClass: "category-requires-class", CategoryExcludesCategory: "category-excludes-category",
	CategoryRequiresCategory: "category-requires-category", CategoryPeriod: "category-period",
	SelectionLimit: "selection-limit", ClassNotHeld: "class-not-held", RestrictiveNotHeld: "restrictive-not-held",
	PermissiveNotHeld: "permissive-not-held",
}

func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "unknown"
}

// Code returns the word of the audit record.
func (r Reason) Code() Code {
	switch r {
	case Satisfied:
		return NoCode
	case NoPolicy, LabelOtherPolicy:
		return CodePolicy
	case NoLabel:
		return CodeNoLabel
	case PolicyPeriod, ClassRequires, CategoryExcludesClass, CategoryRequiresClass, CategoryExcludesCategory,
		CategoryRequiresCategory, CategoryPeriod, SelectionLimit:
		return CodeInvalid
	case Undecided, NoClearance, ClearanceOtherPolicy, ClassNotHeld, RestrictiveNotHeld, PermissiveNotHeld:
	}
	return CodeClearance
}

// Decision is an answer with what is needed to explain it. The zero value denies.
type Decision struct {
	Granted bool
	Reason  Reason

	policy    *Policy
	label     *Label
	clearance *Clearance
	at        int       // tag of PermissiveNotHeld
	time      time.Time // of Validate
}

// Explain says why in words, all failed rules and values together, joined by "; ". It is built on demand.
func (d Decision) Explain() string {
	p, l, c := d.policy, d.label, d.clearance
	switch d.Reason {
	case Undecided:
		return "nothing has been decided"
	case Satisfied:
		return "satisfied"
	case NoPolicy:
		return "there is no policy"
	case NoLabel:
		return "there is no label"
	case NoClearance:
		return "there is no clearance"
	case LabelOtherPolicy:
		return fmt.Sprintf("the label is under policy %s, which is not or no longer this %s", l.policy.name, p.name)
	case ClearanceOtherPolicy:
		return fmt.Sprintf("the clearance is under policy %s, which is not or no longer this %s", c.id, p.name)
	case ClassNotHeld:
		return fmt.Sprintf("label needs %s; clearance has %s", l.ClassName(), orNone(c.classNames()))
	case RestrictiveNotHeld:
		return p.explainRestrictive(l, c)
	case PermissiveNotHeld:
		return p.explainPermissive(l, c)
	case PolicyPeriod, ClassRequires, CategoryExcludesClass, CategoryRequiresClass, CategoryExcludesCategory,
		CategoryRequiresCategory, CategoryPeriod, SelectionLimit:
	}
	var all []failure
	p.check(l, d.time, &all)
	words := make([]string, len(all))
	for i, f := range all {
		words[i] = p.explainRule(l, f)
	}
	return strings.Join(words, "; ")
}

func orNone(s []string) string {
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, ", ")
}

func (c *Clearance) classNames() []string {
	var out []string
	for i := c.classes.next(0); i >= 0; i = c.classes.next(i + 1) {
		out = append(out, c.policy.classes[i].Name)
	}
	return out
}

func (p *Policy) explainRestrictive(l *Label, c *Clearance) string {
	var missing []string
	for b := l.bits.next(0); b >= 0; b = l.bits.next(b + 1) {
		if p.restrictive.has(b) && !c.bits.has(b) {
			missing = append(missing, p.catWords(b))
		}
	}
	return fmt.Sprintf("label needs %s; clearance lacks %s", strings.Join(missing, " and "), pronoun(len(missing)))
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

func (p *Policy) explainPermissive(l *Label, c *Clearance) string {
	var out []string
	for _, t := range p.permissive {
		if t.span.met(l.bits, c.bits) {
			continue
		}
		has := p.tagWords(t.tag, c.bits, ", ")
		if has == "" {
			has = "none of " + p.sets[p.tags[t.tag].set].name
		}
		out = append(out, fmt.Sprintf("label needs %s; clearance has %s", p.tagWords(t.tag, l.bits, " or "), has))
	}
	return strings.Join(out, "; ")
}

func (p *Policy) explainRule(l *Label, f failure) string {
	class := p.classes[l.class].Name
	switch f.reason {
	case PolicyPeriod:
		return "the policy is outside its validity period"
	case ClassRequires:
		return class + " needs " + p.classes[l.class].required[f.n].String()
	case CategoryExcludesClass:
		return p.catWords(f.cat) + " is not allowed with " + class
	case CategoryRequiresClass:
		return p.catWords(f.cat) + " is allowed only with " + p.classes[p.cats[f.cat].requiredClass].Name
	case CategoryExcludesCategory:
		return p.catWords(f.cat) + " is not allowed with " + p.cats[f.cat].excludes[f.n].words
	case CategoryRequiresCategory:
		return p.catWords(f.cat) + " needs " + p.cats[f.cat].required[f.n].String()
	case CategoryPeriod:
		return p.catWords(f.cat) + " is outside its validity period"
	case SelectionLimit:
		return p.explainSelection(&p.tags[f.n], l)
	case Undecided, Satisfied, NoPolicy, NoLabel, NoClearance, LabelOtherPolicy, ClearanceOtherPolicy, ClassNotHeld,
		RestrictiveNotHeld, PermissiveNotHeld:
	}
	return f.reason.String()
}

func (p *Policy) explainSelection(t *tag, l *Label) string {
	limit := "at most one"
	switch {
	case t.Single:
	case t.Max > 0:
		limit = fmt.Sprintf("%d to %d", t.Min, t.Max)
	default:
		limit = fmt.Sprintf("at least %d", t.Min)
	}
	return fmt.Sprintf("tag %q of %s takes %s, the label has %d", t.Name, p.sets[t.set].name, limit, t.span.count(l.bits))
}

// String names the groups: "A, and B", "one or more of A, B", "exactly one of A, B".
func (r *requirement) String() string {
	words := make([]string, len(r.groups))
	for i := range r.groups {
		words[i] = r.groups[i].words
	}
	last := len(words) - 1
	switch {
	case last > 0 && r.op == All:
		return strings.Join(words[:last], ", ") + ", and " + words[last]
	case last > 0 && r.op == OneOrMore:
		return "one or more of " + strings.Join(words, ", ")
	case last > 0 && r.op == OnlyOne:
		return "exactly one of " + strings.Join(words, ", ")
	}
	return strings.Join(words, ", ")
}

// anyOf names every value of a tag set, or those of a kind where the set has others, too.
func anyOf(kind, set string) string {
	if kind != "" {
		kind += " "
	}
	article := "a "
	if strings.HasPrefix(kind, "e") || strings.HasPrefix(kind, "i") {
		article = "an "
	}
	return article + kind + "value of " + set + " (any)"
}

// anyWords names every value of a kind in a tag set of the policy.
func (p *Policy) anyWords(set int, k Kind) string {
	mixed := slices.ContainsFunc(p.sets[set].tags, func(ti int) bool { return p.tags[ti].Kind.Type() != k.Type() })
	if !mixed {
		return anyOf("", p.sets[set].name)
	}
	return anyOf(strings.ToLower(k.Type().String()), p.sets[set].name)
}
