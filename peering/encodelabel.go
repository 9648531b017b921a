package peering

import (
	"encoding/binary"

	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// maxSteps bounds the steps of a translation that are kept.
const maxSteps = 64

// LabelRecord is what a verdict knew of a label, read back.
type LabelRecord struct {
	Source              LabelSource
	SourceName          string
	Equivalent          int // which one spoke, from 1; 0: none
	Syntax              xep0258.Syntax
	Digest              [32]byte // SHA-256 of the securitylabel as received; zero: there was none
	PolicyIn, PolicyOut string   // OID
	RelabelledBy        string
	Translations        []TranslationRecord // for the side, for the peer
	Checks              []CheckRecord
}

// TranslationRecord is one translation, read back.
type TranslationRecord struct {
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
	dst = append(dst, encodingVersion, byte(f.Source), byte(f.Received.Syntax))
	dst = binary.AppendUvarint(dst, uint64(f.Received.Source.Equivalent()))
	sum, _ := v.LabelDigest()
	dst = append(dst, sum[:]...)
	for _, s := range [...]string{f.SourceName, policyID(f.PolicyIn), policyID(f.PolicyOut), f.RelabelledBy} {
		dst = appendString(dst, s)
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
	r.version()
	var l LabelRecord
	l.Source, l.Syntax = LabelSource(r.byteUpTo(byte(numLabelSources-1))), xep0258.Syntax(r.byteUpTo(byte(xep0258.SDN801c)))
	l.Equivalent = int(r.uvarint(maxEquivalent))
	copy(l.Digest[:], r.bytes(len(l.Digest), len(l.Digest)))
	l.SourceName, l.PolicyIn, l.PolicyOut, l.RelabelledBy = r.string(), r.string(), r.string(), r.string()
	for range 2 {
		if r.flag() {
			l.Translations = append(l.Translations, r.translation())
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

func (r *reader) translation() TranslationRecord {
	t := TranslationRecord{Status: labels.TranslationStatus(r.byteUpTo(byte(labels.TargetInvalid))), Reason: r.string()}
	for range r.byteUpTo(maxSteps) {
		t.Steps = append(t.Steps, r.string())
	}
	return t
}
