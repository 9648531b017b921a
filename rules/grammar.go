package rules

import (
	"strings"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// node is one entry of a compiled profile: an element and what may be in it. Nodes refer to each other as the
// specification says, cycles included; the depth limit ends them.
type node struct {
	name    xmlstream.Name // Space is contentMark for the stanza's own namespace
	attrs   []attrRule
	text    class
	body    bool // the text is the message itself: its own limit, and a look for encryption
	max     uint16
	drop    bool
	claim   string
	unsaid  bool // the claim may be missing
	carries bool // a stanza may be inside
	kids    []edge
	byLocal map[string][]edge // set where kids are many
	inner   *node             // deep: what everything below in the same namespace is judged by
}

// edge is one place: a node below another, for some types of stanza. Slot numbers the places of one parent.
type edge struct {
	*node
	types typeSet
	slot  uint8
}

// attrRule is one allowed attribute.
type attrRule struct {
	name  xmlstream.Name
	class class
}

// contentMark stands for the stanza's own namespace. It cannot be a namespace: no namespace has a control character.
const contentMark = "\x00"

// Sizes of a compiled profile.
const (
	maxKids   = 96 // children of one place: the counters live on the stack
	manyKids  = 6  // more than these are looked up by a map
	maxOccurs = 4096
)

// typeSet is a set of stanza types.
type typeSet uint32

const allTypes = ^typeSet(0)

func setOf(t stanza.Type) typeSet { return 1 << t }

func (s typeSet) has(t stanza.Type) bool { return s&setOf(t) != 0 }

// child finds the place for e among the children of n; content is the namespace of the stanza. The node is nil where
// there is none.
func (n *node) child(e *xmlstream.Element, content string, t stanza.Type) edge {
	kids := n.kids
	if n.byLocal != nil {
		kids = n.byLocal[e.Local()]
	}
	for _, k := range kids {
		if k.name.Local == e.Local() && k.types.has(t) && sameSpace(k.name.Space, e.Space(), content) {
			return k
		}
	}
	if n.inner != nil && sameSpace(n.inner.name.Space, e.Space(), content) {
		return edge{node: n.inner, slot: maxKids}
	}
	return edge{}
}

func sameSpace(listed, space, content string) bool {
	if listed == contentMark {
		return space == content
	}
	return listed == space
}

// attr finds the rule for an attribute.
func (n *node) attr(name xmlstream.Name) *attrRule {
	for i := range n.attrs {
		if r := &n.attrs[i]; r.name == name {
			return r
		}
	}
	return nil
}

// index prepares the look-up of children.
func (n *node) index() {
	if len(n.kids) <= manyKids {
		return
	}
	n.byLocal = make(map[string][]edge, len(n.kids))
	for _, k := range n.kids {
		n.byLocal[k.name.Local] = append(n.byLocal[k.name.Local], k)
	}
}

// content names an element of the stanza's own namespace.
func content(local string) xmlstream.Name { return xmlstream.Name{Space: contentMark, Local: local} }

// parseName reads "local" or "{namespace}local". ok is false for anything else.
func parseName(s string) (n xmlstream.Name, ok bool) {
	n = xmlstream.Name{Space: contentMark, Local: s}
	if strings.HasPrefix(s, "{") {
		space, local, found := strings.Cut(s[1:], "}")
		n = xmlstream.Name{Space: space, Local: local}
		if !found || space == "" || strings.ContainsAny(space, " \t\r\n\x00") {
			return xmlstream.Name{}, false
		}
	}
	return n, n.Local != "" && !strings.ContainsAny(n.Local, " \t\r\n{}:/@<>&'\"\x00")
}

// parseAttr reads "name" or "name=class"; xml:lang is the one name with a prefix, "{namespace}local" any other.
func parseAttr(s string) (r attrRule, ok bool) {
	name, className, given := cutClass(s)
	r.class = class{kind: classAny}
	if given {
		if r.class, ok = parseClass(className); !ok {
			return attrRule{}, false
		}
	}
	if name == "xml:lang" {
		r.name = xmlstream.Name{Space: xmlstream.NSXML, Local: "lang"}
		return r, true
	}
	r.name, ok = parseName(name)
	if r.name.Space == contentMark {
		r.name.Space = ""
	}
	return r, ok
}

// cutClass splits at the equals sign behind the name: a namespace may have one too.
func cutClass(s string) (name, class string, given bool) {
	end := strings.IndexByte(s, '}') + 1
	i := strings.IndexByte(s[end:], '=')
	if i < 0 {
		return s, "", false
	}
	return s[:end+i], s[end+i+1:], true
}

// written is the inverse of parseName.
func written(n xmlstream.Name) string {
	if n.Space == contentMark {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}
