package rules

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// match is a compiled MatchSpec, without kinds and types, by which a Set sorts its rules beforehand. The tests stand in
// the order of their cost.
type match struct {
	fromSide, toSide []string
	fromPeer, toPeer []string
	from, to         []addressPattern
	labels           []string
	elements         []pattern
}

// addressPattern is a pattern for JIDs.
type addressPattern struct {
	local  string // not empty: one bare address
	domain string // with a dot in front: every domain that ends so
}

// pattern is a pattern for children of a stanza.
type pattern struct {
	space, local string // contentMark as space: the stanza's own namespace; * as local: every element
}

func (m *match) matches(in *Input) bool {
	s := &in.Stanza
	return oneOf(m.fromSide, in.FromSide) && oneOf(m.toSide, in.ToSide) &&
		oneOf(m.fromPeer, in.FromPeer) && oneOf(m.toPeer, in.ToPeer) &&
		anyAddress(m.from, s.From()) && anyAddress(m.to, s.To()) &&
		(m.labels == nil || in.Label != nil && slices.Contains(m.labels, in.Label.ClassName())) &&
		(m.elements == nil || anyChild(m.elements, s.Element()))
}

// oneOf: an absent key matches everything, and nothing else does that.
func oneOf(list []string, v string) bool {
	return list == nil || slices.Contains(list, v)
}

func anyAddress(list []addressPattern, j jid.JID) bool {
	if list == nil {
		return true
	}
	for i := range list {
		if list[i].matches(j) {
			return true
		}
	}
	return false
}

func (a *addressPattern) matches(j jid.JID) bool {
	domain := j.Domain()
	switch {
	case a.local != "":
		return domain == a.domain && j.Local() == a.local
	case a.domain[0] == '.':
		return strings.HasSuffix(domain, a.domain)
	}
	return domain == a.domain
}

// bitOf is a bit that a string sets. Most rules and stanzas share none, which is seen without comparing a string.
func bitOf(s string) uint64 {
	if s == "" {
		return 1
	}
	return 1 << ((len(s)*7 + int(s[len(s)-1])) & 63)
}

// labelBit is the bit of the classification of a label; none where there is no label.
func labelBit(l *labels.Label) uint64 {
	if l == nil {
		return 0
	}
	return bitOf(l.ClassName())
}

// labelBits are the bits that a label must have one of for any of the names to be its classification.
func labelBits(names []string) (bits uint64) {
	for _, n := range names {
		bits |= bitOf(n)
	}
	return bits
}

// childSpaces are the bits of the namespaces of the children of a stanza.
func childSpaces(e *xmlstream.Element) (bits uint64) {
	for i := range e.NumNodes() {
		if child := e.NodeAt(i).Element; child != nil {
			bits |= bitOf(child.Space())
		}
	}
	return bits
}

// patternSpaces are the bits that a child must have one of for any of the patterns to match it.
func patternSpaces(list []pattern) (bits uint64) {
	for _, p := range list {
		if p.space == contentMark {
			bits |= bitOf(xmlstream.NSServer) | bitOf(xmlstream.NSClient)
			continue
		}
		bits |= bitOf(p.space)
	}
	return bits
}

func anyChild(list []pattern, e *xmlstream.Element) bool {
	for i := range e.NumNodes() {
		if child := e.NodeAt(i).Element; child != nil && matchesAny(list, child, e.Space()) {
			return true
		}
	}
	return false
}

func matchesAny(list []pattern, e *xmlstream.Element, content string) bool {
	for i := range list {
		if p := &list[i]; (p.local == "*" || p.local == e.Local()) && sameSpace(p.space, e.Space(), content) {
			return true
		}
	}
	return false
}

// parseAddress reads "b.example", "*.b.example" or "u@b.example". The pattern is prepared like any address.
func parseAddress(s string) (a addressPattern, ok bool) {
	domain, sub := strings.CutPrefix(s, "*.")
	if sub {
		j, err := jid.ParseDomain(domain)
		return addressPattern{domain: "." + j.Domain()}, err == nil
	}
	j, err := jid.Parse(s)
	return addressPattern{local: j.Local(), domain: j.Domain()}, err == nil && !j.IsFull()
}

// parsePattern reads "body", "{namespace}local" or "{namespace}*".
func parsePattern(s string) (p pattern, ok bool) {
	n, ok := parseName(s)
	return pattern{n.Space, n.Local}, ok && (n.Local != "*" || n.Space != contentMark)
}
