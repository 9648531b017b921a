package ess

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sallyport/labels"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers of the places where labels and clearances live.
const (
	oidClearance           = "2.5.4.55"   // RFC 5755 section 4.4.6
	oidClearanceOld        = "2.5.1.5.55" // RFC 3281 section 4.4.6, X.841
	oidDirectoryAttributes = "2.5.29.9"   // RFC 5280 section 4.2.1.8
	oidConstraints         = "1.3.6.1.5.5.7.1.21"
	oidSignedData          = "1.2.840.113549.1.7.2"
	oidSecurityLabel       = "1.2.840.113549.1.9.16.2.2"
	oidEquivalentLabels    = "1.2.840.113549.1.9.16.2.9"
)

// Limits of attributes.
const (
	maxAttributes = 64
	maxAttrValues = 32
)

// ClearanceValue is one value of a clearance attribute. Each stands alone: what cannot be read of one policy takes
// nothing from the others.
type ClearanceValue struct {
	DER    []byte               // the octets as they stand in the certificate
	Policy string               // also of a value that cannot be read
	Form   labels.ClearanceForm // zero when Err is not nil
	Err    error                // *labels.Error: why the value grants nothing
}

// LabelValue is one label of a signed attribute.
type LabelValue struct {
	DER    []byte
	Policy string
	Form   labels.LabelForm // zero when Err is not nil
	Err    error            // *labels.Error
}

// PartialError comes with the values that could be read and says why others could not. Whoever wants all or nothing
// treats it as any other error.
type PartialError struct{ Unreadable []error }

func (e *PartialError) Error() string {
	words := make([]string, len(e.Unreadable))
	for i, err := range e.Unreadable {
		words[i] = err.Error()
	}
	return strings.Join(words, "; ")
}

// Unwrap makes errors.As find the *labels.Error of each value.
func (e *PartialError) Unwrap() []error { return e.Unreadable }

// usable returns the forms that can be read, and a *PartialError for the rest.
func usable(values []ClearanceValue, err error) ([]labels.ClearanceForm, error) {
	if err != nil {
		return nil, err
	}
	var out []labels.ClearanceForm
	var unreadable []error
	for _, v := range values {
		if v.Err != nil {
			unreadable = append(unreadable, fmt.Errorf("clearance under policy %s: %w", v.Policy, v.Err))
			continue
		}
		out = append(out, v.Form)
	}
	if len(unreadable) > 0 {
		return out, &PartialError{unreadable}
	}
	return out, nil
}

// ParseClearanceValues reads the values of a clearance attribute one by one (RFC 5755 section 4.4.6: several only for
// different policies). Two for one policy refuse each other, whatever they say. A value whose policy cannot be read
// might be a second one for any policy, so it refuses all.
func ParseClearanceValues(values [][]byte) ([]ClearanceValue, error) {
	if len(values) > maxAttrValues {
		return nil, bad("%d clearances in one attribute, at most %d", len(values), maxAttrValues)
	}
	var out []ClearanceValue
	for i, b := range values {
		v := ClearanceValue{DER: slices.Clone(b)}
		if v.Form, v.Err = ParseClearance(b); v.Err == nil {
			v.Policy = v.Form.Policy
		} else if v.Policy, v.Form = clearancePolicy(b), (labels.ClearanceForm{}); v.Policy == "" {
			return nil, bad("clearance %d of the attribute, whose policy cannot be told: %v", i+1, detail(v.Err))
		}
		for j := range out {
			if out[j].Policy == v.Policy {
				err := bad("two clearances under policy %s", v.Policy)
				out[j].Form, out[j].Err = labels.ClearanceForm{}, err
				v.Form, v.Err = labels.ClearanceForm{}, err
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// LDAPClearance reads the binary values of the directory attribute clearance, 2.5.4.55. Its error is a *PartialError
// when the forms returned are good and other values are not. An XML value, as NATO's confidentialityClearance has, is
// for package nato4774.
func LDAPClearance(values [][]byte) ([]labels.ClearanceForm, error) {
	return usable(ParseClearanceValues(values))
}

// detail is the text of an error without its code, which the error around it has again.
func detail(err error) string {
	var e *labels.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return err.Error()
}

// clearancePolicy returns the policy of a clearance that cannot be read otherwise, "" when there is none.
func clearancePolicy(b []byte) string {
	der, err := toDER(b, valueBounds)
	if err != nil {
		return ""
	}
	s := cryptobyte.String(der)
	var seq, oid cryptobyte.String
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) && !seq.ReadASN1(&oid, tag0) {
		return ""
	}
	policy, err := parseOID(oid)
	if err != nil {
		return ""
	}
	return policy
}

// attribute is a type with its values, in certificates and CMS alike (X.501, RFC 5652 section 5.3).
type attribute struct {
	oid    string
	values [][]byte
}

// parseAttributes reads attributes that stand one after another. A type that appears twice is refused: the second
// might be overlooked.
func parseAttributes(s cryptobyte.String) ([]attribute, error) {
	var out []attribute
	for !s.Empty() {
		var seq, oid, set cryptobyte.String
		if len(out) == maxAttributes || !s.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
			!seq.ReadASN1(&set, asn1.SET) || !seq.Empty() {
			return nil, bad("broken attributes")
		}
		a := attribute{}
		var err error
		if a.oid, err = parseOID(oid); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o attribute) bool { return o.oid == a.oid }) {
			return nil, bad("attribute %s twice", a.oid)
		}
		for !set.Empty() {
			var value cryptobyte.String
			var tag asn1.Tag
			if len(a.values) == maxAttrValues || !set.ReadAnyASN1Element(&value, &tag) {
				return nil, bad("broken values of attribute %s", a.oid)
			}
			a.values = append(a.values, value)
		}
		out = append(out, a)
	}
	return out, nil
}

// clearances collects the values of the clearance attribute under both its identifiers.
func clearances(attributes []attribute) ([]ClearanceValue, error) {
	var all [][]byte
	for _, a := range attributes {
		if a.oid == oidClearance || a.oid == oidClearanceOld {
			if len(a.values) == 0 {
				return nil, bad("clearance attribute without a value")
			}
			all = append(all, a.values...)
		}
	}
	return ParseClearanceValues(all)
}
