package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"sallyport/gateway/audit"
	"sallyport/peering"
)

// labelFactsJSON is what a record says of labels, for programs.
type labelFactsJSON struct {
	*peering.ExplainedLabel
	Sender    *subjectJSON `json:"sender,omitempty"`
	Recipient *subjectJSON `json:"recipient,omitempty"`
	Error     string       `json:"error,omitempty"`
}

// subjectJSON is what was known of somebody's clearances.
type subjectJSON struct {
	Source   string   `json:"source"`
	Age      string   `json:"age,omitempty"`
	Policies []string `json:"policies"`
}

// labelFacts decodes what a record keeps; false where it keeps nothing of labels.
func labelFacts(e *audit.Entry) (labelFactsJSON, bool) {
	if e.Kind != audit.Decision || len(e.Facts) == 0 {
		return labelFactsJSON{}, false
	}
	r, err := peering.ParseRecorded(e.Facts)
	if err != nil {
		return labelFactsJSON{Error: err.Error()}, true
	}
	if r.Label == nil {
		return labelFactsJSON{}, false
	}
	x := r.Label.Explained()
	if e.Outcome == peering.Refuse.String() || e.Outcome == peering.Drop.String() {
		x.Sent = "" // it was not
	}
	return labelFactsJSON{ExplainedLabel: x, Sender: subjectOf(&r.Sender), Recipient: subjectOf(&r.Recipient)}, true
}

func subjectOf(s *peering.SubjectRecord) *subjectJSON {
	if s.Source == "" {
		return nil
	}
	out := &subjectJSON{Source: s.Source, Policies: append([]string{}, s.Policies...)}
	if s.Age > 0 {
		out.Age = s.Age.String()
	}
	return out
}

func (s *subjectJSON) words() string {
	switch {
	case s == nil:
		return ""
	case len(s.Policies) == 0:
		return s.Source + ", without a clearance"
	}
	return s.Source + ", with a clearance under " + strings.Join(s.Policies, " and ")
}

// appendLabelsJSON is audit.AppendJSON with the label facts as one more member.
func appendLabelsJSON(dst []byte, e *audit.Entry) []byte {
	dst = audit.AppendJSON(dst, e)
	facts, ok := labelFacts(e)
	if !ok {
		return dst
	}
	b, err := json.Marshal(facts)
	if err != nil {
		return dst // no such value fails
	}
	dst = append(dst[:len(dst)-len("}\n")], `,"label_facts":`...)
	return append(append(dst, b...), "}\n"...)
}

// appendLabelsText is audit.AppendTableRow with the label facts in lines below.
func appendLabelsText(dst []byte, e *audit.Entry) []byte {
	dst = audit.AppendTableRow(dst, e)
	facts, ok := labelFacts(e)
	if !ok {
		return dst
	}
	var b strings.Builder
	if facts.Error != "" {
		fmt.Fprintf(&b, "  label facts that cannot be read: %s\n", printable(facts.Error))
		return append(dst, b.String()...)
	}
	x := facts.ExplainedLabel
	for _, f := range [...][2]string{
		{"label from", x.Source},
		{"syntax", x.Syntax},
		{"sha256", x.Digest},
		{"in numbers", x.Received},
		{"replaced by", x.RelabelledBy},
		{"sent as", x.Sent},
		{"sender", facts.Sender.words()},
		{"recipient", facts.Recipient.words()},
	} {
		if f[1] != "" {
			printBroken(&b, "  "+pad(f[0], 12, false), printable(f[1]), 14)
		}
	}
	for _, t := range x.Translations {
		line := "for the " + t.For + ": " + t.Status
		if t.Reason != "" {
			line += ", " + t.Reason
		}
		printBroken(&b, "  translated  ", printable(line), 14)
		for _, s := range t.Steps {
			printBroken(&b, strings.Repeat(" ", 14), printable(s), 16)
		}
	}
	for _, c := range x.Checks {
		printBroken(&b, "  checked     ", printable(c.Stage+", "+c.Subject+", clearance "+c.Clearance+": "+c.Result), 14)
	}
	return append(dst, b.String()...)
}
