package peering

import (
	"fmt"
	"time"

	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/xep0258"
)

// Recorded is what a node knew of a stanza when it decided, read back from its record. No security policy is needed for
// it: what policies say is in identifiers and numbers.
type Recorded struct {
	Sender, Recipient SubjectRecord
	Label             *LabelRecord // nil: there was neither a label nor anything in its place
}

// SubjectRecord is what was known of the clearances of somebody, read back.
type SubjectRecord struct {
	Source   string
	Age      time.Duration
	Policies []string // OID of each clearance
}

// ParseRecorded reads what AppendFacts wrote, with what AppendLabelFacts wrote behind it if anything.
func ParseRecorded(b []byte) (Recorded, error) {
	r := reader{b: b}
	var f Facts
	r.factsHead(&f)
	var out Recorded
	for _, s := range [...]*SubjectRecord{&out.Sender, &out.Recipient} {
		s.Source, s.Age = r.string(), time.Duration(r.uvarint(1<<62))
		for range r.uvarint(labels.MaxClearances) {
			form, err := ess.ParseClearance(r.bytes(int(r.uint32()), maxEncodedString))
			if r.err == nil && err != nil {
				r.fail("clearance from " + s.Source + ": " + err.Error())
			}
			s.Policies = append(s.Policies, form.Policy)
		}
	}
	if r.err != nil {
		return Recorded{}, r.err
	}
	if len(r.b) == 0 {
		return out, nil
	}
	label, rest, err := ParseLabelFacts(r.b)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: bytes after the facts", ErrEncoding)
	}
	if err != nil {
		return Recorded{}, err
	}
	out.Label = &label
	return out, nil
}

// Explained lays the record out like the label of a verdict. Markings and the octets that left are not in it, and the
// clearance of a check is named by its policy.
func (l *LabelRecord) Explained() *ExplainedLabel {
	x := &ExplainedLabel{
		Source: sourceWords(l.Source, l.SourceName, l.Equivalent), Received: l.Received, RelabelledBy: l.RelabelledBy, Sent: l.Sent,
	}
	if l.Syntax != xep0258.NoSyntax {
		x.Syntax = l.Syntax.String()
	}
	if l.Digest != [32]byte{} {
		x.Digest = fmt.Sprintf("%x", l.Digest)
	}
	for _, t := range l.Translations {
		x.Translations = append(x.Translations, ExplainedTranslation{For: t.For, Status: t.Status.String(), Reason: t.Reason, Steps: t.Steps})
	}
	for _, c := range l.Checks {
		one := ExplainedCheck{Stage: c.Stage.String(), Subject: c.As.String() + " " + c.Name, Clearance: "none", Result: "denied"}
		if c.Policy != "" {
			one.Clearance = "under " + c.Policy
		}
		if c.Granted {
			one.Result = "granted"
		}
		x.Checks = append(x.Checks, one)
	}
	return x
}
