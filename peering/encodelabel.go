package peering

import (
	"encoding/binary"
	"fmt"

	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// labelFactsVersion is the encoding of label facts: 2 had no normal forms.
const labelFactsVersion = 3

// maxSteps bounds the steps of a translation that are kept.
const maxSteps = 64

// LabelRecord is what a verdict knew of a label, read back.
type LabelRecord struct {
	Source              LabelSource
	SourceName          string
	Equivalent          int // which one spoke, from 1; 0: none
	Syntax              xep0258.Syntax
	Received, Sent      string   // normal forms, of items one after the other; Sent counts for what was released
	Digest              [32]byte // SHA-256 of the securitylabel as received; zero: there was none
	PolicyIn, PolicyOut string   // OID
	RelabelledBy        string
	Translations        []TranslationRecord // for the side, for the peer
	Checks              []CheckRecord
}

// TranslationRecord is one translation, read back.
type TranslationRecord struct {
	For    string // "side it goes to" or "peer it goes to"
	Status labels.TranslationStatus
	Steps  []string
	Reason string
}

// CheckRecord is one check, read back.
type CheckRecord struct {
	Stage   Stage
	As      As
	Granted bool
	Name    string
	Policy  string // OID of the policy of the clearance; "": there was none
}

// AppendLabelFacts appends how the label of v was found and what became of it to dst.
func AppendLabelFacts(dst []byte, v *Verdict) []byte {
	f := &v.Facts
	dst = append(dst, labelFactsVersion, byte(f.Source), byte(f.Received.Syntax))
	dst = binary.AppendUvarint(dst, uint64(f.Received.Source.Equivalent()))
	sum, _ := v.LabelDigest()
	dst = append(dst, sum[:]...)
	for _, s := range [...]string{f.SourceName, policyID(f.PolicyIn), policyID(f.PolicyOut), f.RelabelledBy} {
		dst = appendString(dst, s)
	}
	in := len(dst)
	dst = appendNormalForms(dst, v.LabelIn, f.ItemsIn)
	if v.LabelOut == v.LabelIn && f.ItemsIn == nil && f.ItemsOut == nil {
		dst = append(dst, dst[in:]...)
	} else {
		dst = appendNormalForms(dst, v.LabelOut, f.ItemsOut)
	}
	dst = appendTranslation(dst, f.TranslatedIn)
	dst = appendTranslation(dst, f.TranslatedOut)
	dst = append(dst, v.NChecks)
	for i := range v.NChecks {
		c := &v.Checks[i]
		dst = append(dst, byte(c.Stage), byte(c.As), flag(c.Granted))
		dst = appendString(dst, c.Name)
		dst = appendString(dst, c.Clearance.PolicyID())
	}
	return dst
}

// appendNormalForms writes the normal form of a label, or those of the labels of items.
func appendNormalForms(dst []byte, l *labels.Label, items []*labels.Label) []byte {
	var stack [512]byte
	b := stack[:0]
	if len(items) == 0 {
		b = appendNormalForm(b, l)
	}
	for i, l := range items {
		if i > 0 {
			b = append(b, "; "...)
		}
		b = appendNormalForm(b, l)
	}
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

func policyID(p *labels.Policy) string {
	if p == nil {
		return ""
	}
	return p.ID()
}

func appendTranslation(dst []byte, t *labels.Translation) []byte {
	if t == nil {
		return append(dst, 0)
	}
	dst = append(dst, 1, byte(t.Status))
	dst = appendString(dst, t.Reason)
	steps := t.Steps[:min(len(t.Steps), maxSteps)]
	dst = append(dst, byte(len(steps)))
	for _, s := range steps {
		dst = appendString(dst, s)
	}
	return dst
}

// ParseLabelFacts reads what AppendLabelFacts wrote from b and returns the rest of b.
func ParseLabelFacts(b []byte) (LabelRecord, []byte, error) {
	r := reader{b: b}
	version := r.byteUpTo(labelFactsVersion)
	if version < encodingVersion {
		r.fail(fmt.Sprintf("label facts of version %d, this is %d", version, labelFactsVersion))
	}
	var l LabelRecord
	l.Source, l.Syntax = LabelSource(r.byteUpTo(byte(numLabelSources-1))), xep0258.Syntax(r.byteUpTo(byte(xep0258.SDN801c)))
	l.Equivalent = int(r.uvarint(maxEquivalent))
	copy(l.Digest[:], r.bytes(len(l.Digest), len(l.Digest)))
	l.SourceName, l.PolicyIn, l.PolicyOut, l.RelabelledBy = r.string(), r.string(), r.string(), r.string()
	if version >= labelFactsVersion {
		l.Received, l.Sent = r.string(), r.string()
	}
	for _, who := range [...]string{"side it goes to", "peer it goes to"} {
		if r.flag() {
			l.Translations = append(l.Translations, r.translation(who))
		}
	}
	for range r.byteUpTo(MaxChecks) {
		l.Checks = append(l.Checks, CheckRecord{
			Stage(r.byteUpTo(byte(LabelOut))), As(r.byteUpTo(byte(numAs - 1))), r.flag(), r.string(), r.string(),
		})
	}
	if r.err != nil {
		return LabelRecord{}, nil, r.err
	}
	return l, r.b, nil
}

// maxEquivalent is above the number of equivalents that a reader takes.
const maxEquivalent = 255

func (r *reader) translation(who string) TranslationRecord {
	t := TranslationRecord{For: who, Status: labels.TranslationStatus(r.byteUpTo(byte(labels.TargetInvalid))), Reason: r.string()}
	for range r.byteUpTo(maxSteps) {
		t.Steps = append(t.Steps, r.string())
	}
	return t
}
