package rules

import "strings"

// allowing says what would have let a stanza pass that the rule refused: to be unlike what the rule is about, or to be
// allowed by a rule before it. It speaks of the rule only, never of the stanza.
func allowing(spec *RuleSpec) string {
	var b strings.Builder
	switch actions[spec.Action] {
	case actRate:
		b.WriteString("waiting: the rule lets a limited number pass")
	case actMark:
		b.WriteString("a label, which the line before the body has to name")
	case actStrip, actDropStates:
		b.WriteString("other content beside what the rule removes")
	case actRelabel:
		b.WriteString("a label no more restrictive than that of the rule; or downgrade = true, if it may be lowered")
	default:
		b.WriteString("a stanza that the rule is not about")
	}
	if about := spec.When.about(); about != "" {
		b.WriteString(" (it is about " + about + ")")
	}
	b.WriteString(`; or an allow rule before "` + spec.ID + `"`)
	return b.String()
}

// about writes the keys that are given.
func (m *MatchSpec) about() string {
	var parts []string
	for _, f := range []struct {
		key    string
		values []string
	}{
		{"from side", m.FromSide},
		{"to side", m.ToSide},
		{"from peer", m.FromPeer},
		{"to peer", m.ToPeer},
		{"kind", m.Kinds},
		{"type", m.Types},
		{"from", m.From},
		{"to", m.To},
		{"with", m.Elements},
		{"labelled", m.Labels},
	} {
		if len(f.values) > 0 {
			parts = append(parts, f.key+" "+strings.Join(f.values, " or "))
		}
	}
	return strings.Join(parts, ", ")
}
