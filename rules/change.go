package rules

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// change is the part of a rule that makes another stanza. Exactly one of the functions below belongs to each action.
//
// It takes the stanza and the marking of its label by value: a pointer to the Input would move every Input to the heap.
type change struct {
	apply func(s stanza.Stanza, marking string) (stanza.Stanza, bool) // false refuses: impossible, or nothing was left
}

// rebuilt puts a changed element back into its stanza. A stanza that a change would make malformed is refused.
func rebuilt(s stanza.Stanza, e *xmlstream.Element) (stanza.Stanza, bool) {
	if e == s.Element() {
		return s, true
	}
	out, err := s.WithElement(e)
	return out, err == nil
}

// stripping removes the children that match. A message in which nothing but its label is left is refused.
func stripping(list []pattern) change {
	return change{func(s stanza.Stanza, _ string) (stanza.Stanza, bool) {
		root := s.Element()
		e := root.MapChildren(func(child *xmlstream.Element) *xmlstream.Element {
			if matchesAny(list, child, root.Space()) {
				return nil
			}
			return child
		})
		if e != root && s.Kind() == stanza.Message && hollow(e) {
			return stanza.Stanza{}, false
		}
		return rebuilt(s, e)
	}}
}

// droppingStates removes chat states (XEP-0085), and refuses the message that was nothing else: what remains of such a
// one is its label and the hints that went with it.
func droppingStates() change {
	return change{func(s stanza.Stanza, _ string) (stanza.Stanza, bool) {
		root, dropped, content := s.Element(), false, false
		e := root.MapChildren(func(child *xmlstream.Element) *xmlstream.Element {
			switch child.Space() {
			case nsStates:
				dropped = true
				return nil
			case nsLabel, nsHints, nsIDs:
			default:
				content = content || !child.Is(root.Space(), "thread")
			}
			return child
		})
		if dropped && !content {
			return stanza.Stanza{}, false
		}
		return rebuilt(s, e)
	}}
}

// folding reduces presence to availability out of a list, and the children that rooms need.
func folding(shown []stanza.Show, other stanza.Show, keep []pattern) change {
	return change{func(s stanza.Stanza, _ string) (stanza.Stanza, bool) {
		if s.Kind() != stanza.Presence || s.IsError() {
			return s, true
		}
		root := s.Element()
		var nodes []xmlstream.Node
		if s.Type() == stanza.PresenceAvailable {
			show, ok := s.Show()
			if !ok || !slices.Contains(shown, show) {
				show = other
			}
			if show != stanza.Online {
				name := xmlstream.Name{Space: root.Space(), Local: "show"}
				nodes = append(nodes, xmlstream.ElementNode(xmlstream.NewElement(name, nil, xmlstream.TextNode(show.String()))))
			}
		}
		for child := range root.Children() {
			if matchesAny(keep, child, root.Space()) {
				nodes = append(nodes, xmlstream.ElementNode(child))
			}
		}
		e := root.WithNodes(nodes...)
		if e.Equal(root) {
			return s, true
		}
		return rebuilt(s, e)
	}}
}

// rewriting replaces or removes subject, thread and the resource of the sender.
func rewriting(spec RewriteSpec) change {
	gone := func(part string) bool { return slices.Contains(spec.Remove, part) }
	return change{func(s stanza.Stanza, _ string) (stanza.Stanza, bool) {
		if s.From().IsFull() && (spec.FromResource != "" || gone("from-resource")) {
			from, err := s.From().WithResource(spec.FromResource)
			if err != nil {
				return stanza.Stanza{}, false
			}
			s = s.WithAddresses(from, s.To())
		}
		if s.Kind() != stanza.Message {
			return s, true
		}
		root := s.Element()
		return rebuilt(s, root.MapChildren(func(child *xmlstream.Element) *xmlstream.Element {
			switch {
			case child.Is(root.Space(), "subject") && gone("subject"), child.Is(root.Space(), "thread") && gone("thread"):
				return nil
			case child.Is(root.Space(), "subject") && spec.Subject != "":
				return xmlstream.NewElement(child.Name(), nil, xmlstream.TextNode(spec.Subject))
			}
			return child
		}))
	}}
}

const markingWord = "{marking}"

// marking puts a line before each body. A line that shall name the label refuses a stanza that has none.
func marking(line string) change {
	return change{func(s stanza.Stanza, name string) (stanza.Stanza, bool) {
		text := line
		if strings.Contains(line, markingWord) {
			if name == "" {
				return stanza.Stanza{}, false
			}
			text = strings.ReplaceAll(line, markingWord, name)
		}
		root := s.Element()
		return rebuilt(s, root.MapChildren(func(child *xmlstream.Element) *xmlstream.Element {
			if !child.Is(root.Space(), "body") || s.Kind() != stanza.Message {
				return child
			}
			return child.WithNodes(xmlstream.TextNode(text + "\n" + child.Text()))
		}))
	}}
}
