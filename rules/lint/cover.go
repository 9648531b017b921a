package lint

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/rules"
)

// covers reports whether everything that b matches is matched by a, too. It answers no when in doubt.
func covers(a, b *rules.MatchSpec) bool {
	same := func(x, y string) bool { return x == y }
	return subset(typesOf(b), typesOf(a)) &&
		keyCovers(a.FromSide, b.FromSide, same) && keyCovers(a.ToSide, b.ToSide, same) &&
		keyCovers(a.FromPeer, b.FromPeer, same) && keyCovers(a.ToPeer, b.ToPeer, same) &&
		keyCovers(a.From, b.From, addressCovers) && keyCovers(a.To, b.To, addressCovers) &&
		keyCovers(a.Labels, b.Labels, same) && keyCovers(a.Elements, b.Elements, elementCovers)
}

// keyCovers: a key that is left out covers everything; else each value of b must be covered by one of a.
func keyCovers(a, b []string, covers func(a, b string) bool) bool {
	if len(a) == 0 {
		return true
	}
	return len(b) > 0 && all(b, func(y string) bool { return anyOf(a, func(x string) bool { return covers(x, y) }) })
}

// addressCovers compares two patterns for addresses.
func addressCovers(a, b string) bool {
	aDomain, aBelow := strings.CutPrefix(a, "*.")
	bDomain, bBelow := strings.CutPrefix(b, "*.")
	x, err := jid.Parse(aDomain)
	if err != nil {
		return false
	}
	y, err := jid.Parse(bDomain)
	if err != nil {
		return false
	}
	switch {
	case aBelow && bBelow && x == y:
		return true
	case aBelow:
		return strings.HasSuffix(y.Domain(), "."+x.Domain())
	case bBelow:
		return false
	case x.IsDomain():
		return x.Domain() == y.Domain()
	}
	return x == y
}

// elementCovers compares two patterns for children.
func elementCovers(a, b string) bool {
	if a == b {
		return true
	}
	space, local, ok := strings.Cut(a, "}")
	return ok && local == "*" && strings.HasPrefix(b, space+"}")
}

// unconditional reports a match that leaves out every key.
func unconditional(m *rules.MatchSpec) bool {
	return covers(m, &rules.MatchSpec{})
}

// typesOf is the set of stanza types that kinds and types leave.
func typesOf(m *rules.MatchSpec) map[stanza.Type]bool {
	set := map[stanza.Type]bool{}
	for t := stanza.MessageNormal; t <= stanza.IQError; t++ {
		kind := func(k string) bool { return k == t.Kind().String() }
		name := func(n string) bool { return n == t.String() }
		if (len(m.Kinds) == 0 || anyOf(m.Kinds, kind)) && (len(m.Types) == 0 || anyOf(m.Types, name)) {
			set[t] = true
		}
	}
	return set
}

func subset(a, b map[stanza.Type]bool) bool {
	for t := range a {
		if !b[t] {
			return false
		}
	}
	return true
}

func all(list []string, ok func(string) bool) bool {
	for _, s := range list {
		if !ok(s) {
			return false
		}
	}
	return true
}

func anyOf(list []string, ok func(string) bool) bool {
	return slices.ContainsFunc(list, ok)
}
