package rules

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// walk is one run of a profile over one stanza. It returns elements as they may pass, the same ones where nothing has
// to change, so that the usual stanza costs no allocation.
type walk struct {
	p        *Profile
	s        stanza.Stanza
	content  string
	strip    bool
	elements int
	total    int
	reason   Reason
	path     string // built from the inside out while a refusal travels up
	removed  []string
}

// element judges e as an n. ok is false where the whole stanza is refused. A nil element is one to be removed.
func (w *walk) element(e *xmlstream.Element, n *node, depth int) (out *xmlstream.Element, ok bool) {
	w.elements++
	w.total += len(e.Local())
	switch {
	case depth > w.p.limits.Depth:
		return w.refuse(TooDeep, e, "")
	case w.elements > w.p.limits.Elements:
		return w.refuse(TooLarge, e, "")
	case n.claim != "" && !w.claimed(e, n):
		return w.unlisted(e, "@"+n.claim, depth)
	}
	out, ok = w.attributes(e, n, depth == 1)
	if !ok {
		return nil, false
	}
	nodes, changed, remove, ok := w.nodes(e, n, depth)
	switch {
	case !ok:
		return w.refuse(w.reason, e, "")
	case remove:
		return w.unlisted(e, "", depth)
	case w.total > w.p.limits.Total:
		return w.refuse(TooLarge, e, "")
	case changed:
		out = out.WithNodes(nodes...)
	}
	return out, true
}

// refuse ends the walk. Each caller on the way up puts its own name in front.
func (w *walk) refuse(r Reason, e *xmlstream.Element, at string) (*xmlstream.Element, bool) {
	w.reason = r
	rest := w.path + at
	if w.path != "" {
		rest = "/" + rest
	}
	w.path = clip(shown(e.Name(), w.content)+rest, maxPath)
	return nil, false
}

// unlisted deals with an element that is not on the list, or not in this form: strict refuses the stanza, strip leaves
// it out, unless it hides something that must not be lost silently. depth is that of e.
func (w *walk) unlisted(e *xmlstream.Element, at string, depth int) (*xmlstream.Element, bool) {
	if r := hiding(e); r != NoReason && !(r == EncryptedBody && w.p.encrypted) {
		return w.refuse(r, e, at)
	}
	switch {
	case !w.strip:
		return w.refuse(NotListed, e, at)
	case deeper(e, w.p.limits.Depth-depth+1):
		return w.refuse(TooDeep, e, at)
	}
	w.note(shown(e.Name(), w.content) + at)
	return nil, true
}

// claimed reports whether the element was put there by someone of the sender's domain, as it must say (bad-inputs H15).
func (w *walk) claimed(e *xmlstream.Element, n *node) bool {
	v, ok := e.Attr(n.claim)
	if !ok {
		return n.unsaid
	}
	by, err := jid.Parse(v)
	return err == nil && by.Domain() == w.s.From().Domain()
}

// attributes judges the attributes of e. On the stanza itself, to, from, id and type have been checked already.
func (w *walk) attributes(e *xmlstream.Element, n *node, root bool) (*xmlstream.Element, bool) {
	out := e
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		w.total += len(a.Name.Local) + len(a.Value)
		c, listed := w.attrClass(n, a.Name, root)
		if listed && c.kind == classDrop {
			out = out.WithoutAttr(a.Name)
			w.note(shown(e.Name(), w.content) + "@" + shown(a.Name, ""))
			continue
		}
		if !listed || !c.matches(a.Value) {
			if !w.strip {
				return w.refuse(NotListed, e, "@"+shown(a.Name, ""))
			}
			out = out.WithoutAttr(a.Name)
			w.note(shown(e.Name(), w.content) + "@" + shown(a.Name, ""))
			continue
		}
		value, ok := w.words(a.Value, w.limit(c))
		if !ok {
			return w.refuse(w.reason, e, "@"+shown(a.Name, ""))
		}
		if value != a.Value {
			out = out.WithAttr(a.Name, value)
		}
	}
	return out, true
}

// attrClass finds what an attribute may be; nil where it is not on the list.
func (w *walk) attrClass(n *node, name xmlstream.Name, root bool) (*class, bool) {
	if root && name.Space == "" {
		switch name.Local {
		case "to", "from", "type":
			return &address, true
		case "id":
			return &anyID, true
		}
	}
	if r := n.attr(name); r != nil {
		return &r.class, true
	}
	if n.inner == nil {
		return nil, false
	}
	if name.Space == "" {
		return &anyText, true
	}
	if name.Space == xmlstream.NSXML && name.Local == "lang" {
		return &langTag, true
	}
	return nil, false
}

var (
	anyText = class{kind: classAny}
	anyID   = class{kind: classID}
	address = class{kind: classAddress}
	langTag = class{kind: classLang}
)

// nodes judges text and children of e. changed says that nodes replaces what e has; remove that e as a whole is not
// what the list means.
func (w *walk) nodes(e *xmlstream.Element, n *node, depth int) (nodes []xmlstream.Node, changed, remove, ok bool) {
	if n.text.kind > classID && !n.text.matches(e.Text()) {
		return nil, false, true, true
	}
	if len(n.kids) == 0 && n.inner == nil {
		nodes, changed, ok = w.inside(e, n, depth, nil) // a leaf: nothing to count
		return nodes, changed, false, ok
	}
	var counts counters
	nodes, changed, ok = w.inside(e, n, depth, &counts)
	return nodes, changed, false, ok
}

// counters has the number of children seen in each place of one parent; the last is for all of a deep parent.
type counters [maxKids + 1]uint16

func (w *walk) inside(e *xmlstream.Element, n *node, depth int, counts *counters) (nodes []xmlstream.Node, changed, ok bool) {
	ok = true
	for i := range e.NumNodes() {
		was := e.NodeAt(i)
		now, keep := was, true
		if was.Element == nil {
			now.Text, keep, ok = w.textNode(was.Text, n)
		} else {
			now.Element, ok = w.childNode(was.Element, n, depth, counts)
			keep = now.Element != nil
		}
		if !ok {
			return nil, false, false
		}
		if !changed && (!keep || now != was) {
			changed = true
			nodes = make([]xmlstream.Node, 0, e.NumNodes())
			for j := range i {
				nodes = append(nodes, e.NodeAt(j))
			}
		}
		if changed && keep {
			nodes = append(nodes, now)
		}
	}
	if changed {
		nodes, ok = w.joined(nodes, n)
	}
	return nodes, changed, ok
}

// joined puts texts together that met because something between them was left out, and judges the whole: the halves of
// a forbidden pile of marks may each have been fine.
func (w *walk) joined(nodes []xmlstream.Node, n *node) (_ []xmlstream.Node, ok bool) {
	out := nodes[:0]
	ok = true
	for _, next := range nodes {
		last := len(out) - 1
		if next.Element != nil || last < 0 || out[last].Element != nil {
			out = append(out, next)
			continue
		}
		if out[last].Text, _, ok = w.textNode(out[last].Text+next.Text, n); !ok {
			return nil, false
		}
	}
	return out, true
}

// childNode finds the place of a child in the grammar and judges it there.
func (w *walk) childNode(e *xmlstream.Element, n *node, depth int, counts *counters) (*xmlstream.Element, bool) {
	if isStanza(e) {
		if !n.carries {
			return w.refuse(WrappedStanza, e, "")
		}
		return w.measured(e, depth+1)
	}
	k := n.child(e, w.content, w.s.Type())
	if k.node == nil {
		return w.misplaced(e, n, depth)
	}
	if k.drop {
		return w.dropped(e)
	}
	if counts[k.slot]++; counts[k.slot] > k.max {
		return w.unlisted(e, "", depth+1)
	}
	return w.element(e, k.node, depth+1)
}

// dropped leaves out what the profile knows and does not want, in every mode. Its name may even be that of an encrypted
// payload; what is inside it must not be lost silently.
func (w *walk) dropped(e *xmlstream.Element) (*xmlstream.Element, bool) {
	for child := range e.Children() {
		if r := hiding(child); r != NoReason {
			return w.refuse(r, e, "")
		}
	}
	w.note(shown(e.Name(), w.content))
	return nil, true
}

// misplaced deals with a child that the grammar does not have. The payload of a request cannot be left out, and what
// an item of pubsub holds counts as wrapped (bad-inputs J05).
func (w *walk) misplaced(e *xmlstream.Element, n *node, depth int) (*xmlstream.Element, bool) {
	if depth == 1 && w.s.Kind() == stanza.IQ {
		if r := hiding(e); r != NoReason {
			return w.refuse(r, e, "")
		}
		return w.refuse(IQKind, e, "")
	}
	if n.name.Local == "item" && (n.name.Space == nsPubSub || n.name.Space == nsPubSubEvent) && hiding(e) == NoReason {
		return w.refuse(WrappedStanza, e, "")
	}
	return w.unlisted(e, "", depth+1)
}

// measured counts what is inside a carrier without judging it.
func (w *walk) measured(e *xmlstream.Element, depth int) (*xmlstream.Element, bool) {
	w.elements++
	w.total += len(e.Local()) + len(e.Text())
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		w.total += len(a.Name.Local) + len(a.Value)
	}
	switch {
	case depth > w.p.limits.Depth:
		return w.refuse(TooDeep, e, "")
	case w.elements > w.p.limits.Elements, w.total > w.p.limits.Total:
		return w.refuse(TooLarge, e, "")
	}
	for child := range e.Children() {
		if _, ok := w.measured(child, depth+1); !ok {
			return w.refuse(w.reason, e, "")
		}
	}
	return e, true
}

// textNode judges text inside an n. White space between elements means nothing and is left out.
func (w *walk) textNode(s string, n *node) (out string, keep, ok bool) {
	w.total += len(s)
	if n.text.kind == classNone {
		if strings.Trim(s, " \t\r\n") == "" {
			return "", false, true
		}
		if !w.strip {
			w.reason = NotListed
			return "", false, false
		}
		w.note("text in " + shown(n.name, contentMark))
		return "", false, true
	}
	limit := w.limit(&n.text)
	if n.body {
		limit = w.p.limits.BodyBytes
		if !w.p.encrypted && isEncryptedText(s) {
			w.reason = EncryptedBody
			return "", false, false
		}
	}
	out, ok = w.words(s, limit)
	return out, true, ok
}

func (w *walk) limit(c *class) int {
	switch c.kind {
	case classID:
		return w.p.limits.IDBytes
	case classAddress:
		return jid.MaxTotal
	case classNone, classAny, classToken, classNumber, classTime, classLang, classJID, classDrop, classEnum:
	}
	return w.p.limits.TextBytes
}

// words holds a text against the Unicode policy and, normalised, against its limit.
func (w *walk) words(s string, limit int) (string, bool) {
	switch w.p.text.check(s) {
	case textForbidden:
		w.reason = UnicodePolicy
		return "", false
	case textDenormal:
		s = norm.NFC.String(s)
	case textClean:
	}
	if len(s) > limit {
		w.reason = TooLarge
		return "", false
	}
	return s, true
}

// note remembers the name of what is removed.
func (w *walk) note(what string) {
	if len(w.removed) < maxRemoved {
		w.removed = append(w.removed, what)
	}
}
