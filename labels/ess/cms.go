package ess

import (
	"reflect"
	"slices"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Limits of what a message may hold.
const (
	maxSigners     = 16
	maxEquivalents = 8
)

// SignedLabel is the label that a signer gives a message, with the equivalents he asserts.
type SignedLabel struct {
	LabelValue
	Equivalents []LabelValue
}

// SignedLabels returns the label of a CMS message, once for each signer who gives one (RFC 2634 section 3: signed
// attribute id-aa-securityLabel). Labels that differ are refused, and so is one that is not signed. Signatures are not
// checked here: the caller has to verify the message before the label means anything.
func SignedLabels(der []byte) ([]labels.LabelForm, error) {
	signed, err := ReadSigned(der)
	if err != nil {
		return nil, err
	}
	var out []labels.LabelForm
	for _, s := range signed {
		if s.Err != nil {
			return nil, s.Err
		}
		out = append(out, s.Form)
	}
	return out, nil
}

// ReadSigned is SignedLabels with the octets, also of a label that cannot be read, and with the equivalent labels.
func ReadSigned(b []byte) ([]SignedLabel, error) {
	signers, err := signerInfos(b)
	if err != nil {
		return nil, err
	}
	var out []SignedLabel
	for n := 0; !signers.Empty(); n++ {
		if n == maxSigners {
			return nil, bad("CMS: more than %d signers", maxSigners)
		}
		attributes, err := signedAttributes(&signers)
		if err != nil {
			return nil, err
		}
		l, ok, err := signedLabel(attributes)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, l)
		}
	}
	for _, l := range out {
		if l.Policy != out[0].Policy || !slices.Equal(l.DER, out[0].DER) && (l.Err != nil || out[0].Err != nil || !reflect.DeepEqual(l.Form, out[0].Form)) {
			return nil, labels.Errorf(labels.CodeMismatch, "CMS: the signers give different labels")
		}
	}
	return out, nil
}

// signerInfos returns the content of the signers' SET (RFC 5652 sections 3 and 5.1).
func signerInfos(b []byte) (cryptobyte.String, error) {
	der, err := toDER(b, messageBounds)
	if err != nil {
		return nil, err
	}
	s := cryptobyte.String(der)
	var info, oid, wrap, data, digests, content, signers cryptobyte.String
	if !s.ReadASN1(&info, asn1.SEQUENCE) || !s.Empty() || !info.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
		return nil, bad("not a CMS message")
	}
	if kind, err := parseOID(oid); err != nil || kind != oidSignedData {
		return nil, bad("not a signed CMS message")
	}
	if !info.ReadASN1(&wrap, tag0cons) || !info.Empty() || !wrap.ReadASN1(&data, asn1.SEQUENCE) || !wrap.Empty() ||
		!data.SkipASN1(asn1.INTEGER) || !data.ReadASN1(&digests, asn1.SET) || !data.ReadASN1(&content, asn1.SEQUENCE) ||
		!data.SkipOptionalASN1(tag0cons) || !data.SkipOptionalASN1(tag1cons) ||
		!data.ReadASN1(&signers, asn1.SET) || !data.Empty() {
		return nil, bad("broken signed CMS message")
	}
	return signers, nil
}

// signedAttributes takes one SignerInfo (RFC 5652 section 5.3) from s and returns its signed attributes. A label among
// the others is no label, and nothing to pass over.
func signedAttributes(s *cryptobyte.String) ([]attribute, error) {
	var signer, id, signed, unsigned cryptobyte.String
	var tag asn1.Tag
	var hasSigned, hasUnsigned bool
	if !s.ReadASN1(&signer, asn1.SEQUENCE) || !signer.SkipASN1(asn1.INTEGER) || !signer.ReadAnyASN1(&id, &tag) ||
		!signer.SkipASN1(asn1.SEQUENCE) || !signer.ReadOptionalASN1(&signed, &hasSigned, tag0cons) ||
		!signer.SkipASN1(asn1.SEQUENCE) || !signer.SkipASN1(asn1.OCTET_STRING) ||
		!signer.ReadOptionalASN1(&unsigned, &hasUnsigned, tag1cons) || !signer.Empty() {
		return nil, bad("CMS: broken signer")
	}
	free, err := parseAttributes(unsigned)
	if err != nil {
		return nil, err
	}
	for _, a := range free {
		if a.oid == oidSecurityLabel || a.oid == oidEquivalentLabels {
			return nil, labels.Errorf(labels.CodeMisplaced, "CMS: a label that is not signed")
		}
	}
	return parseAttributes(signed)
}

// signedLabel reads the label attributes of one signer. Equivalents without a label have nothing to be equivalent to.
func signedLabel(attributes []attribute) (l SignedLabel, ok bool, err error) {
	for _, a := range attributes {
		switch a.oid {
		case oidSecurityLabel, oidEquivalentLabels:
			if len(a.values) != 1 {
				return l, false, bad("CMS: %d values of attribute %s", len(a.values), a.oid)
			}
		}
		switch a.oid {
		case oidSecurityLabel:
			l.LabelValue, ok = readLabel(a.values[0]), true
		case oidEquivalentLabels:
			if l.Equivalents, err = ReadEquivalentLabels(a.values[0]); err != nil {
				return l, false, err
			}
		}
	}
	if !ok && l.Equivalents != nil {
		return l, false, bad("CMS: equivalent labels without a label")
	}
	if slices.ContainsFunc(l.Equivalents, func(e LabelValue) bool { return e.Policy == l.Policy }) {
		return l, false, labels.Errorf(labels.CodeMismatch, "CMS: an equivalent under the policy of the label")
	}
	return l, ok, nil
}

// readLabel reads a label that stands among others.
func readLabel(b []byte) LabelValue {
	v := LabelValue{DER: slices.Clone(b)}
	if v.Form, v.Err = ParseLabel(b); v.Err != nil {
		v.Form = labels.LabelForm{}
		v.Policy = labelPolicy(b)
		return v
	}
	v.Policy = v.Form.Policy
	return v
}

// labelPolicy returns the policy of a label that cannot be read otherwise, "" when there is none.
func labelPolicy(b []byte) string {
	der, err := toDER(b, valueBounds)
	if err != nil {
		return ""
	}
	s := cryptobyte.String(der)
	var set cryptobyte.String
	for ok := s.ReadASN1(&set, asn1.SET); ok && !set.Empty(); {
		var content cryptobyte.String
		var tag asn1.Tag
		if ok = set.ReadAnyASN1(&content, &tag); ok && tag == asn1.OBJECT_IDENTIFIER {
			policy, _ := parseOID(content)
			return policy
		}
	}
	return ""
}

// ParseEquivalentLabels reads SEQUENCE OF ESSSecurityLabel (RFC 2634 section 3.4), at most one a policy. Policies that
// are foreign here may have categories that nobody here can read: with a *PartialError the forms returned are good.
func ParseEquivalentLabels(b []byte) ([]labels.LabelForm, error) {
	values, err := ReadEquivalentLabels(b)
	if err != nil {
		return nil, err
	}
	var out []labels.LabelForm
	var unreadable []error
	for _, v := range values {
		if v.Err != nil {
			unreadable = append(unreadable, v.Err)
			continue
		}
		out = append(out, v.Form)
	}
	if len(unreadable) > 0 {
		return out, &PartialError{unreadable}
	}
	return out, nil
}

// ReadEquivalentLabels is ParseEquivalentLabels with every label, also those that cannot be read.
func ReadEquivalentLabels(b []byte) ([]LabelValue, error) {
	der, err := toDER(b, bounds{maxEquivalents * MaxBytes, maxDepth + 1})
	if err != nil {
		return nil, err
	}
	s := cryptobyte.String(der)
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, bad("broken equivalent labels")
	}
	var out []LabelValue
	for !seq.Empty() {
		var value cryptobyte.String
		var tag asn1.Tag
		if len(out) == maxEquivalents || !seq.ReadAnyASN1Element(&value, &tag) {
			return nil, bad("broken or more than %d equivalent labels", maxEquivalents)
		}
		v := readLabel(value)
		if v.Policy == "" {
			return nil, v.Err
		}
		if slices.ContainsFunc(out, func(o LabelValue) bool { return o.Policy == v.Policy }) {
			return nil, labels.Errorf(labels.CodeMismatch, "two equivalent labels under policy %s", v.Policy)
		}
		out = append(out, v)
	}
	return out, nil
}

// AppendEquivalentLabels appends the DER of equivalent labels.
func AppendEquivalentLabels(dst []byte, forms []labels.LabelForm) ([]byte, error) {
	if len(forms) == 0 || len(forms) > maxEquivalents {
		return dst, bad("%d equivalent labels", len(forms))
	}
	var all []byte
	for i, f := range forms {
		if slices.ContainsFunc(forms[:i], func(o labels.LabelForm) bool { return o.Policy == f.Policy }) {
			return dst, labels.Errorf(labels.CodeMismatch, "two equivalent labels under policy %s", f.Policy)
		}
		var err error
		if all, err = AppendLabel(all, f); err != nil {
			return dst, err
		}
	}
	return append(appendHeader(dst, byte(asn1.SEQUENCE), len(all)), all...), nil
}
