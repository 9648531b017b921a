package peering

import (
	"strings"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Explanation is a verdict laid out for people and programs. It may hold content of the
// stanza and so is only made where the reader gave the stanza himself.
type Explanation struct {
	Outcome   string            `json:"outcome"`
	FromPeer  string            `json:"from_peer,omitempty"`
	ToPeer    string            `json:"to_peer,omitempty"`
	Policy    string            `json:"policy"`
	Stage     string            `json:"stage,omitempty"`
	Reason    string            `json:"reason,omitempty"`
	Rule      string            `json:"rule,omitempty"`
	Detail    string            `json:"detail,omitempty"`
	Allowing  string            `json:"would_allow,omitempty"`
	Condition string            `json:"sender_gets,omitempty"`
	Ref       string            `json:"ref,omitempty"`
	LabelIn   string            `json:"label_in,omitempty"`
	LabelOut  string            `json:"label_out,omitempty"`
	Label     *ExplainedLabel   `json:"label,omitempty"`
	Steps     []ExplanationStep `json:"steps"`
	Changed   bool              `json:"changed"`
	Diff      []string          `json:"difference,omitempty"`
	Released  string            `json:"released,omitempty"`
}

// ExplanationStep is one line of the trace.
type ExplanationStep struct {
	Stage   string `json:"stage"`
	Note    string `json:"note"`
	Subject string `json:"subject,omitempty"`
	Changed bool   `json:"changed,omitempty"`
}

// Explain lays v out, the difference between what came and what leaves included.
func Explain(v *Verdict) Explanation {
	x := Explanation{
		Outcome: v.Outcome.String(), FromPeer: v.FromPeer, ToPeer: v.ToPeer, Policy: v.Version.String(),
		Changed: v.Changed, LabelIn: v.Facts.MarkingIn, Label: explainLabel(v),
	}
	if x.Label != nil && x.Label.Written != "" { // else no label leaves: refused, or the peer is sent none
		x.LabelOut = v.Facts.MarkingOut
	}
	for i := range v.Trace.Len() {
		s := v.Trace.At(i)
		x.Steps = append(x.Steps, ExplanationStep{s.Stage.String(), s.Note, s.Subject, s.Changed})
	}
	released, ok := v.Released()
	if !ok {
		r := &v.Refusal
		x.Stage, x.Reason, x.Rule, x.Detail, x.Allowing = r.Stage.String(), string(r.Reason), r.Rule, r.Detail, r.Allowing
		x.Ref = v.Ref()
		if r.Condition != stanza.NoCondition {
			x.Condition = r.Condition.String()
		}
		return x
	}
	before, after := Outline(v.source.stanza.Element()), Outline(released.Element())
	x.Diff = Difference(before, after)
	if b, err := xmlstream.AppendElement(nil, released.Element(), xmlstream.NSServer); err == nil {
		x.Released = string(b)
	}
	return x
}

// Outline writes a tree one element or text a line, indented, in canonical form.
func Outline(e *xmlstream.Element) []string {
	if e == nil {
		return nil
	}
	return outline(nil, e, "", xmlstream.NSServer)
}

func outline(dst []string, e *xmlstream.Element, indent, ns string) []string {
	simple := true
	for range e.Children() {
		simple = false
		break
	}
	if simple {
		b, err := xmlstream.AppendElement(nil, e, ns)
		if err != nil {
			return append(dst, indent+"(cannot be written)")
		}
		return append(dst, indent+string(b))
	}
	b, err := xmlstream.AppendElement(nil, e.WithNodes(), ns)
	if err != nil {
		return append(dst, indent+"(cannot be written)")
	}
	dst = append(dst, indent+strings.TrimSuffix(string(b), "/>")+">")
	for i := range e.NumNodes() {
		if n := e.NodeAt(i); n.Element != nil {
			dst = outline(dst, n.Element, indent+"  ", e.Space())
		} else if strings.TrimSpace(n.Text) != "" {
			dst = append(dst, indent+"  "+strings.TrimSpace(n.Text))
		}
	}
	return append(dst, indent+"</"+e.Local()+">")
}

// maxDiffLines bounds the quadratic comparison; longer outlines are shown whole.
const maxDiffLines = 2000

// Difference compares two outlines line by line: " " kept, "-" removed, "+" added. Two
// equal outlines have none.
func Difference(a, b []string) []string {
	if len(a) > maxDiffLines || len(b) > maxDiffLines {
		return append(prefixed("-", a), prefixed("+", b)...)
	}
	longest := make([][]int, len(a)+1) // length of the longest common tail from (i, j)
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for k := len(b) - 1; k >= 0; k-- {
			if a[i] == b[k] {
				longest[i][k] = longest[i+1][k+1] + 1
			} else {
				longest[i][k] = max(longest[i+1][k], longest[i][k+1])
			}
		}
	}
	var out []string
	changed := false
	i, k := 0, 0
	for i < len(a) || k < len(b) {
		switch {
		case i < len(a) && k < len(b) && a[i] == b[k]:
			out = append(out, "  "+a[i])
			i, k = i+1, k+1
		case k == len(b) || i < len(a) && longest[i+1][k] >= longest[i][k+1]:
			out, changed = append(out, "- "+a[i]), true
			i++
		default:
			out, changed = append(out, "+ "+b[k]), true
			k++
		}
	}
	if !changed {
		return nil
	}
	return out
}

func prefixed(mark string, lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = mark + " " + l
	}
	return out
}
