package labels

import (
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"
)

// Limits of a policy.
const (
	MaxClasses    = 1024
	MaxTagSets    = 1024
	MaxTags       = 4096
	MaxCategories = 16384
	MaxGroups     = 32768 // references in required and excluded categories
	maxName       = 256   // bytes (the schema says characters)
	maxProblems   = 500   // reported of one policy
	maxESSClass   = 256   // RFC 2634 §3.2, ub-integer-options
)

// Compile checks a policy and builds its tables. The policy is nil when a problem is more than a warning.
func Compile(s PolicySpec) (*Policy, []Problem) {
	c := &compiler{spec: s, p: &Policy{
		name: s.Name, id: s.ID, version: s.Version, notBefore: s.NotBefore, notAfter: s.NotAfter,
		markings: s.Markings, qualifiers: s.Qualifiers, about: s.About,
		byClass: map[uint32]int{}, bySet: map[string]int{}, byValue: map[Value]int{},
	}}
	c.identity()
	c.classes()
	c.tagSets()
	c.texts()
	c.equivalents()
	if c.failed {
		c.warn(s.Line, "problems", "rules and what they refer to were not looked at because of the errors: more may follow once they are corrected")
	} else {
		c.masks()
		c.rules()
	}
	if !c.failed {
		c.advice()
	}
	if c.more > 0 {
		c.problems = append(c.problems, Problem{
			Line: s.Line, Rule: "problems", Text: fmt.Sprintf("%d more problems are not listed; correct these first", c.more), Warning: !c.failed,
		})
	}
	if c.failed {
		return nil, c.problems
	}
	c.p.digest = digest(&s)
	return c.p, c.problems
}

type compiler struct {
	spec     PolicySpec
	p        *Policy
	problems []Problem
	more     int // not kept
	groups   int
	failed   bool
}

func (c *compiler) problem(line int, rule, format string, args ...any) {
	c.failed = true
	c.add(Problem{Line: line, Rule: rule, Text: fmt.Sprintf(format, args...)})
}

func (c *compiler) warn(line int, rule, format string, args ...any) {
	c.add(Problem{Line: line, Rule: rule, Text: fmt.Sprintf(format, args...), Warning: true})
}

func (c *compiler) add(p Problem) {
	if len(c.problems) >= maxProblems {
		c.more++
		return
	}
	c.problems = append(c.problems, p)
}

// identity checks what the policy says of itself.
func (c *compiler) identity() {
	s := &c.spec
	c.name(s.Line, "policy-name", "policy", s.Name)
	if err := CheckOID(s.ID); err != nil {
		c.problem(s.Line, "policy-id", "policy identifier %s: %v", Quote(s.ID), err)
	}
	c.period(s.Line, "the policy", s.NotBefore, s.NotAfter)
	if _, ok := new(big.Int).SetString(s.Version, 10); s.Version != "" && (!ok || len(s.Version) > maxVersion) {
		c.warn(s.Line, "version", "version %s is not an integer: this policy can never replace another or be replaced", Quote(s.Version))
	}
	for _, id := range []struct{ attribute, oid string }{
		{"privilegeId", s.About.Privilege},
		{"rbacId", s.About.RBAC},
		{"defaultSecurityPolicyId", s.About.Default.ID},
	} {
		if err := CheckOID(id.oid); id.oid != "" && err != nil {
			c.warn(s.Line, "identifier", "%s %s: %v; it has no effect", id.attribute, Quote(id.oid), err)
		}
	}
}

// name checks a name: there, bounded, and nothing in it that changes how the text around it is shown.
func (c *compiler) name(line int, rule, what, name string) {
	switch {
	case name == "":
		c.problem(line, rule, "%s without a name: give it one", what)
	case len(name) > maxName:
		c.problem(line, rule, "%s name %s has %d bytes, at most %d", what, Quote(name), len(name), maxName)
	case !Shown(name):
		c.problem(line, rule, "%s name %s holds a control or direction character", what, Quote(name))
	}
}

// Shown says whether text may be put in front of people: no control characters, and none that turn the direction of what
// stands beside them (Unicode UAX #9 §2, embeddings, overrides and isolates), with which a marking could be made to read
// as another.
func Shown(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029
	})
}

func (c *compiler) period(line int, what string, from, to time.Time) {
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		c.problem(line, "period", "%s ends (notAfter) before it begins (notBefore)", what)
	}
}

// names finds names that are used twice, and those that differ only by case.
type names struct {
	exact  map[string]bool
	folded map[string]string
}

func newNames() names { return names{exact: map[string]bool{}, folded: map[string]string{}} }

// add returns whether the name was there, and another that differs only by case.
func (n names) add(s string) (twice bool, other string) {
	twice, other = n.exact[s], n.folded[strings.ToLower(s)]
	n.exact[s] = true
	if other == "" {
		n.folded[strings.ToLower(s)] = s
	}
	if other == s {
		other = ""
	}
	return twice, other
}

func (c *compiler) unique(line int, rule, what, name string, in names) {
	c.name(line, rule, what, name)
	twice, other := in.add(name)
	switch {
	case twice && name != "":
		c.problem(line, rule, "%s name %q is used twice: a reference to it could mean either", what, name)
	case other != "":
		c.warn(line, rule, "%s names %q and %q differ only by case: text must spell them exactly", what, other, name)
	}
}

func (c *compiler) classes() {
	if n := len(c.spec.Classes); n == 0 || n > MaxClasses {
		c.problem(c.spec.Line, "classes", "a policy has 1 to %d classifications, not %d", MaxClasses, n)
		return
	}
	seen, ranks, colors := newNames(), map[int]string{}, map[string]string{}
	for _, s := range c.spec.Classes {
		c.unique(s.Line, "class-name", "classification", s.Name, seen)
		switch o, twice := c.p.byClass[s.LACV]; {
		case twice:
			c.problem(s.Line, "class-lacv", "classifications %q and %q have the same lacv %d: a label could mean either", c.p.classes[o].Name, s.Name, s.LACV)
		case s.LACV > MaxNumber:
			c.problem(s.Line, "class-lacv", "classification %q: lacv %d is larger than %d", s.Name, s.LACV, MaxNumber)
		case s.LACV > maxESSClass:
			c.warn(s.Line, "class-lacv", "classification %q: lacv %d does not fit in a binary label (at most %d)", s.Name, s.LACV, maxESSClass)
		}
		if o, twice := ranks[s.Hierarchy]; twice {
			c.problem(s.Line, "class-hierarchy", "classifications %q and %q have the same hierarchy %d: say which is higher", o, s.Name, s.Hierarchy)
		}
		c.color(&s, colors)
		ranks[s.Hierarchy] = s.Name
		c.p.byClass[s.LACV] = len(c.p.classes)
		cl := class{ClassSpec: s, folded: [][]string{fold(s.Name)}}
		for i := range s.Markings {
			if namesThing(&s.Markings[i]) {
				cl.folded = append(cl.folded, fold(s.Markings[i].Phrase))
			}
		}
		c.p.classes = append(c.p.classes, cl)
	}
}

func (c *compiler) color(s *ClassSpec, seen map[string]string) {
	if s.Color == "" {
		return
	}
	_, bg := colors(s.Color)
	if bg == "" {
		c.warn(s.Line, "class-color", "classification %q: color %s is not known (a name, or # and six digits); none is shown", s.Name, Quote(s.Color))
		return
	}
	if o, twice := seen[strings.ToLower(bg)]; twice {
		c.warn(s.Line, "class-color", "classifications %q and %q have the same color %q", o, s.Name, s.Color)
	}
	seen[strings.ToLower(bg)] = s.Name
}
