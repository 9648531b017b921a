package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Modes of a profile.
const (
	modeStrict = "strict"
	modeStrip  = "strip"
)

// profileCompiler collects the problems of one specification.
type profileCompiler struct {
	spec     ProfileSpec
	p        *Profile
	all      []*node            // in the order of spec.Elements
	nodes    map[string][]*node // the same by written name
	problems []Problem
}

// CompileProfile turns a specification into a Profile. If there is any problem the profile is nil.
func CompileProfile(spec ProfileSpec) (*Profile, []Problem) {
	c := &profileCompiler{spec: spec, p: &Profile{name: spec.Name}, nodes: map[string][]*node{}}
	c.modes()
	c.kinds()
	c.limits()
	c.texts()
	c.carriers()
	c.elements()
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return c.p, nil
}

func (c *profileCompiler) bad(key, format string, args ...any) {
	c.problems = append(c.problems, Problem{ID: "profile " + c.spec.Name, Key: key, Text: fmt.Sprintf(format, args...)})
}

func (c *profileCompiler) modes() {
	if c.spec.Name == "" {
		c.bad("name", "is missing")
	}
	presence := c.spec.PresenceMode
	if presence == "" {
		presence = c.spec.Mode
	}
	for _, m := range []struct{ key, value string }{{"mode", c.spec.Mode}, {"presence-mode", presence}} {
		if m.value != modeStrict && m.value != modeStrip {
			c.bad(m.key, "%q is neither strict nor strip", m.value)
		}
	}
	c.p.strip = c.spec.Mode == modeStrip
	c.p.stripPresence = presence == modeStrip
}

func (c *profileCompiler) kinds() {
	for _, k := range []struct {
		key   string
		kind  stanza.Kind
		names []string
	}{{"messages", stanza.Message, c.spec.Messages}, {"presence", stanza.Presence, c.spec.Presence}, {"iq", stanza.IQ, c.spec.IQ}} {
		c.p.types |= c.typeSet(k.key, k.kind, k.names)
		root := &node{name: content(k.kind.String())}
		root.attrs = c.attributes("attributes", c.spec.Attributes)
		c.p.roots[k.kind] = root
	}
	for _, name := range c.spec.Errors {
		cond, ok := stanza.ParseCondition(name)
		if !ok {
			c.bad("errors", "%q is no stanza error condition of RFC 6120", name)
		}
		c.p.errors |= 1 << cond
	}
}

func (c *profileCompiler) typeSet(key string, k stanza.Kind, names []string) (set typeSet) {
	for _, name := range names {
		t, ok := stanza.ParseType(k, name)
		if !ok {
			c.bad(key, "%q is no type of %s", name, k)
		}
		set |= setOf(t)
	}
	return set
}

func (c *profileCompiler) limits() {
	l := c.spec.Limits.withDefaults()
	for _, f := range []struct {
		key   string
		value int
	}{
		{"body-bytes", l.BodyBytes},
		{"text-bytes", l.TextBytes},
		{"id-bytes", l.IDBytes},
		{"total", l.Total},
		{"elements", l.Elements},
		{"depth", l.Depth},
	} {
		if f.value < 1 {
			c.bad("limits."+f.key, "must be positive")
		}
	}
	c.p.limits = l
}

func (c *profileCompiler) texts() {
	t := c.spec.Text
	if t.CombiningMarks == 0 {
		t.CombiningMarks = defaultMarks
	}
	if t.Joiners < 0 || t.VariationSelectors < 0 || t.CombiningMarks < 0 {
		c.bad("text", "numbers must not be negative")
	}
	c.p.text = textPolicy{
		joiners: t.Joiners, selectors: t.VariationSelectors, marks: t.CombiningMarks,
		private: t.PrivateUse, noCompat: t.NoCompatibility,
	}
	if len(t.Scripts) == 0 {
		return
	}
	c.p.text.scripts = []*unicode.RangeTable{unicode.Common, unicode.Inherited}
	for _, name := range t.Scripts {
		table, ok := unicode.Scripts[name]
		if !ok {
			c.bad("text.scripts", "%q is no script of Unicode", name)
			continue
		}
		c.p.text.scripts = append(c.p.text.scripts, table)
	}
}

func (c *profileCompiler) carriers() {
	c.p.encrypted = c.spec.Encrypted
	for _, name := range c.spec.Carriers {
		carrier, ok := ParseCarrier(name)
		if !ok {
			c.bad("carriers", "%q is no carrier; there are forward, carbons, mam, pubsub, pubsub-event", name)
			continue
		}
		c.p.carriers |= 1 << carrier
		for _, spec := range carrierElements(carrier) {
			if !slices.ContainsFunc(c.spec.Elements, func(e ElementSpec) bool { return e.Name == spec.Name && slices.Equal(e.In, spec.In) }) {
				c.spec.Elements = append(slices.Clip(c.spec.Elements), spec)
			}
		}
	}
}

// elements builds all nodes, then hangs each below its parents.
func (c *profileCompiler) elements() {
	for i := range c.spec.Elements {
		spec := &c.spec.Elements[i]
		n := c.element(fmt.Sprintf("element[%d]", i+1), spec)
		c.all = append(c.all, n)
		c.nodes[spec.Name] = append(c.nodes[spec.Name], n)
	}
	for i, n := range c.all {
		c.hang(fmt.Sprintf("element[%d]", i+1), &c.spec.Elements[i], n)
	}
	for _, n := range append(c.all, c.p.roots[:]...) {
		if n == nil {
			continue
		}
		n.index()
		if n.inner != nil {
			n.inner.kids, n.inner.byLocal, n.inner.inner = n.kids, n.byLocal, n.inner
		}
	}
}

func (c *profileCompiler) element(key string, spec *ElementSpec) *node {
	name, ok := parseName(spec.Name)
	if !ok {
		c.bad(key+".name", "%q is neither a local name nor {namespace}local", spec.Name)
	}
	n := &node{name: name, drop: spec.Drop, max: uint16(max(spec.Max, 1)), body: name == content("body")}
	if spec.Max < 0 || spec.Max > maxOccurs {
		c.bad(key+".max", "must be between 0 and %d", maxOccurs)
	}
	n.attrs = c.attributes(key+".attributes", spec.Attributes)
	n.claim, n.unsaid = strings.CutSuffix(spec.Claim, "?")
	if n.claim != "" && n.attr(xmlstream.Name{Local: n.claim}) == nil {
		c.bad(key+".claim", "%q is not among the attributes", n.claim)
	}
	if spec.Text != "" {
		if n.text, ok = parseClass(spec.Text); !ok || n.text.kind == classDrop {
			c.bad(key+".text", "%q is no class of text", spec.Text)
		}
	}
	if spec.Deep {
		n.text = class{kind: classAny}
		n.inner = &node{name: name, max: maxOccurs, text: n.text}
	}
	c.special(key, n)
	return n
}

// special holds entries whose names mean something to the guard against the rest of the profile.
func (c *profileCompiler) special(key string, n *node) {
	if _, ok := stanza.ParseKind(n.name.Local); ok && n.name.Space == contentMark {
		c.bad(key+".name", "a stanza inside a stanza needs a carrier, not an element")
	}
	if isEncrypted(n.name) && !c.p.encrypted && !n.drop {
		c.bad(key+".name", "this is an encrypted payload; set encrypted = true if it may cross unread")
	}
	carrier, ok := carrierOf(n.name)
	if !ok {
		return
	}
	n.carries = c.p.carriers&(1<<carrier) != 0
	switch carrier {
	case Forward:
		n.carries = c.p.carriers != 0 // carbons and archive results hold their stanza in a forward
		if !n.carries {
			c.bad(key+".name", `this carries other stanzas; add "forward" to carriers`)
		}
	case Carbons, MAM:
		if !n.carries {
			c.bad(key+".name", "this carries other stanzas; add %q to carriers", carrier)
		}
	case Delegation:
		c.bad(key+".name", "delegated stanzas never cross a boundary")
	case UnknownCarrier, PubSub, PubSubEvent, numCarriers: // an item may be listed for other payloads
	}
}

// hang puts n below its parents and numbers it there.
func (c *profileCompiler) hang(key string, spec *ElementSpec, n *node) {
	if len(spec.In) == 0 {
		c.bad(key+".in", "is missing: message, presence, iq, or the name of another element")
	}
	for _, in := range spec.In {
		parents, types := c.nodes[in], allTypes
		if k, ok := stanza.ParseKind(in); ok {
			parents = []*node{c.p.roots[k]}
			if len(spec.Types) > 0 {
				types = c.typeSet(key+".types", k, spec.Types)
			}
		} else if len(spec.Types) > 0 {
			c.bad(key+".types", "only where in is message, presence or iq")
		}
		if len(parents) == 0 {
			c.bad(key+".in", "%q is neither message, presence, iq nor an element of this list", in)
		}
		for _, parent := range parents {
			c.hangBelow(key, parent, edge{node: n, types: types})
		}
	}
}

func (c *profileCompiler) hangBelow(key string, parent *node, e edge) {
	for _, k := range parent.kids {
		if k.name == e.name && k.types&e.types != 0 {
			c.bad(key+".name", "%s is listed twice in %s", written(e.name), written(parent.name))
			return
		}
	}
	if len(parent.kids) == maxKids {
		c.bad(key+".in", "more than %d elements in %s", maxKids, written(parent.name))
		return
	}
	e.slot = uint8(len(parent.kids))
	parent.kids = append(parent.kids, e)
}

func (c *profileCompiler) attributes(key string, specs []string) []attrRule {
	var rules []attrRule
	for _, s := range specs {
		r, ok := parseAttr(s)
		if !ok {
			c.bad(key, "%q is neither a name nor name=class", s)
			continue
		}
		if (&node{attrs: rules}).attr(r.name) != nil {
			c.bad(key, "%q is listed twice", s)
		}
		rules = append(rules, r)
	}
	return rules
}
