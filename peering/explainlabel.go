package peering

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// ExplainedLabel is the label of a message on its way, laid out for people and programs.
type ExplainedLabel struct {
	Source   string `json:"source"`             // its own label, equivalent 1, first line, default of room ops
	Syntax   string `json:"syntax,omitempty"`   // as received
	Digest   string `json:"sha256,omitempty"`   // of the securitylabel as received, in canonical form
	Received string `json:"received,omitempty"` // normal form
	Marking  string `json:"marking,omitempty"`  // of what was received, from its policy

	Translations []ExplainedTranslation `json:"translations,omitempty"`
	RelabelledBy string                 `json:"relabelled_by,omitempty"` // rule
	Checks       []ExplainedCheck       `json:"checks,omitempty"`

	Sent        string `json:"sent,omitempty"`         // normal form of what the outgoing side was checked for
	SentMarking string `json:"sent_marking,omitempty"` // from its policy
	Written     string `json:"written,omitempty"`      // the securitylabel that leaves; nothing where none does
}

// ExplainedTranslation is one translation, step by step.
type ExplainedTranslation struct {
	For    string   `json:"for"` // the side it goes to, or the peer
	Status string   `json:"status"`
	Result string   `json:"result,omitempty"` // marking, also of one that is not valid
	Reason string   `json:"reason,omitempty"`
	Steps  []string `json:"steps,omitempty"`
}

// ExplainedCheck is one question about a clearance.
type ExplainedCheck struct {
	Stage     string `json:"stage"`
	Subject   string `json:"subject"`
	Label     string `json:"label"` // marking
	Clearance string `json:"clearance"`
	Result    string `json:"result"`
}

// explainLabel lays out what v knows of a label; nil when no label was found.
func explainLabel(v *Verdict) *ExplainedLabel {
	f := &v.Facts
	if !v.HasLabelFacts() {
		return nil
	}
	x := &ExplainedLabel{
		Source: f.SourceWords(), Received: normalForms(v.LabelIn, f.ItemsIn), Marking: f.MarkingIn, RelabelledBy: f.RelabelledBy,
	}
	if f.Received.Syntax != xep0258.NoSyntax {
		x.Syntax = f.Received.Syntax.String()
	}
	if sum, ok := v.LabelDigest(); ok {
		x.Digest = hex.EncodeToString(sum[:])
	}
	for _, t := range [...]struct {
		who string
		t   *labels.Translation
	}{{"side " + v.ToSide, f.TranslatedIn}, {"peer " + v.ToPeer, f.TranslatedOut}} {
		if t.t != nil {
			one := ExplainedTranslation{For: t.who, Status: t.t.Status.String(), Reason: t.t.Reason, Steps: t.t.Steps}
			if t.t.Result != nil {
				one.Result = t.t.Result.String()
			}
			x.Translations = append(x.Translations, one)
		}
	}
	for i := range v.NChecks {
		x.Checks = append(x.Checks, explainCheck(&v.Checks[i]))
	}
	if released, ok := v.Released(); ok && v.LabelOut != nil {
		x.Sent, x.SentMarking = normalForms(v.LabelOut, f.ItemsOut), f.MarkingOut
		for _, sl := range writtenLabels(released.Element()) {
			x.Written = strings.TrimPrefix(x.Written+"\n"+strings.Join(Outline(sl), "\n"), "\n")
		}
	}
	return x
}

// HasLabelFacts reports whether there was a label, or something in its place.
func (v *Verdict) HasLabelFacts() bool {
	return v.Facts.Source != NoLabelSource || v.Facts.Received.Received() != nil
}

// SourceWords says where the label came from: "its own label", "equivalent 1", "default of room ops".
func (f *LabelFacts) SourceWords() string {
	return sourceWords(f.Source, f.SourceName, f.Received.Source.Equivalent())
}

func sourceWords(s LabelSource, name string, equivalent int) string {
	switch {
	case s == OfEquivalent && equivalent > 0:
		return fmt.Sprintf("equivalent %d", equivalent)
	case name != "":
		return s.String() + " " + name
	}
	return s.String()
}

func explainCheck(c *Check) ExplainedCheck {
	x := ExplainedCheck{
		Stage: c.Stage.String(), Subject: c.As.String() + " " + c.Name, Label: c.Label.String(),
		Clearance: c.Clearance.String(), Result: "granted",
	}
	if !c.Granted {
		x.Result = c.Label.Policy().Decide(c.Label, c.Clearance).Explain()
	}
	return x
}

// NormalForm writes what a label means in numbers: policy, classification, then each value as tag set, kind and number,
// and whether it has a privacy mark. Two labels with one normal form are equal, whatever they looked like.
func NormalForm(l *labels.Label) string {
	return string(appendNormalForm(nil, l))
}

func appendNormalForm(dst []byte, l *labels.Label) []byte {
	if l.Policy() == nil {
		return dst
	}
	f := l.Form()
	dst = append(append(dst, f.Policy...), " class "...)
	dst = strconv.AppendUint(dst, uint64(f.Class), 10)
	for _, v := range f.Values {
		dst = append(append(append(dst, ", "...), v.TagSet...), ' ')
		dst = append(append(dst, v.Kind.String()...), ' ')
		dst = strconv.AppendUint(dst, uint64(v.LACV), 10)
	}
	if f.PrivacyMark != "" {
		dst = append(dst, ", privacy mark"...)
	}
	return dst
}

// normalForms are those of a label, or of the labels of items.
func normalForms(l *labels.Label, items []*labels.Label) string {
	if len(items) == 0 {
		return NormalForm(l)
	}
	var all []string
	for _, l := range items {
		all = append(all, NormalForm(l))
	}
	return strings.Join(all, "; ")
}
