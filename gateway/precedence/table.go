package precedence

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sallyport/internal/xmpp/stanza"
	"sallyport/labels"
	"sallyport/rules"
)

// Spec is the table as an operator writes it. Values are routine, priority, immediate or flash.
type Spec struct {
	// By marking of the label, whole and exact: "NATO SECRET". Comes before classification.
	Marking map[string]string `toml:"marking"`
	// By classification of the label, as the policy names it.
	Classification map[string]string `toml:"classification"`
	// By kind of stanza, "message", or kind and type, "message.groupchat".
	Kind map[string]string `toml:"kind"`
	// Chat and requests may overtake presence and rooms: messages of the types chat and normal, their errors, and iq are
	// priority where kind says nothing of them. Without it everything is routine and keeps its order.
	Overtake bool `toml:"overtake"`
}

// Source is what gave a stanza its precedence. The zero value is the kind, which always gives one.
type Source uint8

// The sources, the strongest last.
const (
	ByKind Source = iota
	ByClassification
	ByMarking
	ByRule
)

// String returns the word for records.
func (s Source) String() string {
	switch s {
	case ByKind:
		return "kind"
	case ByClassification:
		return "classification"
	case ByMarking:
		return "marking"
	case ByRule:
		return "rule"
	}
	return fmt.Sprintf("source(%d)", uint8(s))
}

// Given is a precedence and where it came from.
type Given struct {
	Precedence rules.Precedence // never NoPrecedence
	Source     Source
	Name       string // of the rule, marking, classification or kind
}

// Table is a compiled Spec. It is immutable. For the zero Table, and a nil one, everything is routine.
type Table struct {
	markings map[string]rules.Precedence
	classes  map[string]rules.Precedence
	kinds    map[stanza.Type]rules.Precedence
	overtake bool
}

// overtaking is what somebody waits for. Presence and groupchat are not among it, see the order of the package doc.
func overtaking(t stanza.Type) rules.Precedence {
	switch t {
	case stanza.MessageNormal, stanza.MessageChat, stanza.MessageError, stanza.IQGet, stanza.IQSet, stanza.IQResult, stanza.IQError:
		return rules.Priority
	default: // presence of all types, rooms, headlines
		return rules.Routine
	}
}

// Problem is one mistake in a Spec, or a risk in it.
type Problem struct {
	Key  string
	Text string
	Risk bool // it works, and may not be what is wanted
}

// String gives key and text in one line.
func (p Problem) String() string { return p.Key + ": " + p.Text }

// Compile turns a Spec into a Table. If any problem is no mere risk, the table is nil.
func Compile(spec Spec) (*Table, []Problem) {
	c := compiler{table: &Table{kinds: map[stanza.Type]rules.Precedence{}, overtake: spec.Overtake}}
	c.table.markings = c.words("marking", spec.Marking)
	c.table.classes = c.words("classification", spec.Classification)
	c.kinds(spec.Kind)
	if c.failed {
		return nil, c.problems
	}
	if room, there := c.table.kind(stanza.MessageGroupchat), c.table.kind(stanza.PresenceAvailable); room > there {
		c.problems = append(c.problems, Problem{
			Key: "kind", Risk: true,
			Text: fmt.Sprintf("groupchat is %s and presence %s, so that a message may reach a room before its sender has joined", room, there),
		})
	}
	return c.table, c.problems
}

type compiler struct {
	table    *Table
	problems []Problem
	failed   bool
}

func (c *compiler) bad(key, format string, args ...any) {
	c.problems = append(c.problems, Problem{Key: key, Text: fmt.Sprintf(format, args...)})
	c.failed = true
}

// words reads one map, in order of its keys so that the same problems come in the same order.
func (c *compiler) words(key string, spec map[string]string) map[string]rules.Precedence {
	out := make(map[string]rules.Precedence, len(spec))
	for _, name := range slices.Sorted(maps.Keys(spec)) {
		if name == "" {
			c.bad(key, "has an empty name")
		}
		p, ok := rules.ParsePrecedence(spec[name])
		if !ok {
			c.bad(key+"."+name, "%q is none of routine, priority, immediate, flash", spec[name])
		}
		out[name] = p
	}
	return out
}

// kinds gives a type what is said of it, else what is said of its kind.
func (c *compiler) kinds(spec map[string]string) {
	given := c.words("kind", spec)
	for _, name := range slices.Sorted(maps.Keys(given)) { // "message" sorts before "message.chat"
		word, typ, both := strings.Cut(name, ".")
		k, ok := stanza.ParseKind(word)
		if !ok {
			c.bad("kind."+name, "%q is neither message, presence nor iq", word)
			continue
		}
		if !both {
			for t := stanza.MessageNormal; t <= stanza.IQError; t++ {
				if t.Kind() == k {
					c.table.kinds[t] = given[name]
				}
			}
			continue
		}
		t, ok := stanza.ParseType(k, typ)
		if !ok {
			c.bad("kind."+name, "%q is no type of %s", typ, word)
			continue
		}
		c.table.kinds[t] = given[name]
	}
}

// Of answers for one stanza: said and by are what the rules gave it (peering.Verdict), label is the one it leaves under, nil for none.
func (t *Table) Of(said rules.Precedence, by string, label *labels.Label, s stanza.Stanza) Given {
	if said != rules.NoPrecedence {
		return Given{said, ByRule, by}
	}
	if t != nil && label != nil {
		if p, ok := t.markings[label.String()]; ok {
			return Given{p, ByMarking, label.String()}
		}
		if p, ok := t.classes[label.ClassName()]; ok {
			return Given{p, ByClassification, label.ClassName()}
		}
	}
	return Given{t.kind(s.Type()), ByKind, s.Kind().String()}
}

func (t *Table) kind(typ stanza.Type) rules.Precedence {
	if t != nil {
		if p, ok := t.kinds[typ]; ok {
			return p
		}
	}
	if t != nil && t.overtake {
		return overtaking(typ)
	}
	return rules.Routine
}
