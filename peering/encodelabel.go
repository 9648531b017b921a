package peering

import (
	"encoding/binary"
	"fmt"

	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// Versions of the encoding of label facts: the first that is read had no normal forms, up to 3 each word was said in full.
const (
	labelFactsFirst   = 2
	labelFactsNormal  = 3
	labelFactsVersion = 4
)

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
	var w words
	dst = append(dst, labelFactsVersion, byte(f.Source), byte(f.Received.Syntax))
	dst = binary.AppendUvarint(dst, uint64(f.Received.Source.Equivalent()))
	sum, ok := v.LabelDigest()
	if dst = append(dst, flag(ok)); ok {
		dst = append(dst, sum[:]...)
	}
	for _, s := range [...]string{f.SourceName, policyID(f.PolicyIn), policyID(f.PolicyOut), f.RelabelledBy} {
		dst = w.append(dst, s)
	}
	dst = appendNormalForms(dst, &w, v.LabelIn, f.ItemsIn)
	same := v.LabelOut == v.LabelIn && f.ItemsIn == nil && f.ItemsOut == nil
	if dst = append(dst, flag(same)); !same {
		dst = appendNormalForms(dst, &w, v.LabelOut, f.ItemsOut)
	}
	dst = appendTranslation(dst, &w, f.TranslatedIn)
	dst = appendTranslation(dst, &w, f.TranslatedOut)
	dst = append(dst, v.NChecks)
	for i := range v.NChecks {
		c := &v.Checks[i]
		dst = append(dst, byte(c.Stage), byte(c.As), flag(c.Granted))
		dst = w.append(dst, c.Name)
		dst = w.append(dst, c.Clearance.PolicyID())
	}
	return dst
}

// appendNormalForms writes the normal form of a label, or those of the labels of items, as two pieces: the policy that it begins with, and the
// rest.
func appendNormalForms(dst []byte, w *words, l *labels.Label, items []*labels.Label) []byte {
	var stack [512]byte
	b := stack[:0]
	if len(items) == 0 {
		b = appendNormalForm(b, l)
	} else {
		l = items[0]
	}
	for i, l := range items {
		if i > 0 {
			b = append(b, "; "...)
		}
		b = appendNormalForm(b, l)
	}
	begins := ""
	if p := policyID(l.Policy()); len(b) > len(p) && string(b[:len(p)]) == p {
		begins = p
	}
	dst = w.append(dst, begins)
	b = b[len(begins):min(len(b), len(begins)+maxEncodedString)]
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func policyID(p *labels.Policy) string {
	if p == nil {
		return ""
	}
	return p.ID()
}

func appendTranslation(dst []byte, w *words, t *labels.Translation) []byte {
	if t == nil {
		return append(dst, 0)
	}
	dst = append(dst, 1, byte(t.Status))
	dst = w.append(dst, t.Reason)
	steps := t.Steps[:min(len(t.Steps), maxSteps)]
	dst = append(dst, byte(len(steps)))
	for _, s := range steps {
		dst = w.append(dst, s)
	}
	return dst
}

// ParseLabelFacts reads what AppendLabelFacts wrote from b and returns the rest of b.
func ParseLabelFacts(b []byte) (LabelRecord, []byte, error) {
	r := reader{b: b}
	version := r.byteUpTo(labelFactsVersion)
	if version < labelFactsFirst {
		r.fail(fmt.Sprintf("label facts of version %d, this is %d", version, labelFactsVersion))
	}
	word := r.word
	if version < labelFactsVersion {
		word = r.string
	}
	var l LabelRecord
	l.Source, l.Syntax = LabelSource(r.byteUpTo(byte(numLabelSources-1))), xep0258.Syntax(r.byteUpTo(byte(xep0258.SDN801c)))
	l.Equivalent = int(r.uvarint(maxEquivalent))
	if version < labelFactsVersion || r.flag() {
		copy(l.Digest[:], r.bytes(len(l.Digest), len(l.Digest)))
	}
	l.SourceName, l.PolicyIn, l.PolicyOut, l.RelabelledBy = word(), word(), word(), word()
	switch {
	case version == labelFactsVersion:
		l.Received = word() + r.string()
		if l.Sent = l.Received; !r.flag() {
			l.Sent = word() + r.string()
		}
	case version >= labelFactsNormal:
		l.Received, l.Sent = r.string(), r.string()
	}
	for _, who := range [...]string{"side it goes to", "peer it goes to"} {
		if r.flag() {
			l.Translations = append(l.Translations, r.translation(who, word))
		}
	}
	for range r.byteUpTo(MaxChecks) {
		l.Checks = append(l.Checks, CheckRecord{
			Stage(r.byteUpTo(byte(LabelOut))), As(r.byteUpTo(byte(numAs - 1))), r.flag(), word(), word(),
		})
	}
	if r.err != nil {
		return LabelRecord{}, nil, r.err
	}
	return l, r.b, nil
}

// maxEquivalent is above the number of equivalents that a reader takes.
const maxEquivalent = 255

func (r *reader) translation(who string, word func() string) TranslationRecord {
	t := TranslationRecord{For: who, Status: labels.TranslationStatus(r.byteUpTo(byte(labels.TargetInvalid))), Reason: word()}
	for range r.byteUpTo(maxSteps) {
		t.Steps = append(t.Steps, word())
	}
	return t
}
