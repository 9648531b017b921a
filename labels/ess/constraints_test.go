package ess_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"slices"
	"strconv"
	"testing"

	"sallyport/labels"
	"sallyport/labels/ess"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestConstraintsOfASample(t *testing.T) {
	raw := pemFile(t, "x509/rfc5913-ca-clearance-constraints.pem")
	forms, err := ess.AuthorityConstraints(raw)
	want := []labels.ClearanceForm{
		{Policy: "1.2.840.113549.1.9.16.7.2", Classes: []uint32{0, 1, 2, 3}},
		{Policy: "1.2.840.113549.1.9.16.7.1", Classes: []uint32{0, 1, 2}},
	}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Error(diff)
	}
	var partial *ess.PartialError
	if !errors.As(err, &partial) || len(partial.Unreadable) != 1 {
		t.Errorf("the policy with text categories: %v", err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range cert.Extensions {
		if e.Id.Equal(oidConstraints) && !bytes.Equal(e.Value, file(t, "x509/rfc5913-constraints.ber")) {
			t.Errorf("the extension is %x", e.Value)
		}
	}
}

func value(set string, kind labels.Kind, n uint32) labels.Value {
	return labels.Value{TagSet: guardID + set, Kind: kind, LACV: n}
}

// TestPathClearance: each row is a subject's clearance and, from the subject's own certificate to the root, what the
// certificates allow; nil is a certificate without constraints.
func TestPathClearance(t *testing.T) {
	full := []labels.Value{value(".1", labels.Restrictive, 1), value(".3", labels.EnumPermissive, 826), value(".3", labels.EnumPermissive, 250)}
	subject := clearance(t, guardID, []uint32{1, 2, 5}, full...)
	guardForm := func(classes []uint32, values ...labels.Value) []labels.ClearanceForm {
		return []labels.ClearanceForm{{Policy: guardID, Classes: classes, Values: values}}
	}
	c := func(classes []uint32, values ...labels.Value) [][]byte {
		return [][]byte{clearance(t, guardID, classes, values...)}
	}
	tests := []struct {
		name       string
		path       [][][]byte
		want       []labels.ClearanceForm
		unreadable int
	}{
		{"no constraints anywhere", [][][]byte{nil, nil, nil}, guardForm([]uint32{1, 2, 5}, full[0], full[2], full[1]), 0},
		{"fewer classifications above", [][][]byte{nil, c([]uint32{1, 2}, full...), nil}, guardForm([]uint32{1, 2}, full[0], full[2], full[1]), 0},
		{"no categories above", [][][]byte{nil, c([]uint32{1, 2, 5, 6}), nil}, guardForm([]uint32{1, 2, 5}), 0},
		{"one category in common", [][][]byte{nil, c([]uint32{5}, full[1], value(".3", labels.EnumPermissive, 36)), nil}, guardForm([]uint32{5}, full[1]), 0},
		{"the same number of another kind", [][][]byte{nil, c([]uint32{5}, value(".1", labels.Permissive, 1)), nil}, guardForm([]uint32{5}), 0},
		{"two levels", [][][]byte{nil, c([]uint32{1, 2}, full[0]), c([]uint32{2, 5}, full...)}, guardForm([]uint32{2}, full[0]), 0},
		{"nothing in common", [][][]byte{nil, c([]uint32{1}), c([]uint32{5})}, guardForm([]uint32{}), 0},
		{"the subject's own certificate", [][][]byte{c([]uint32{1}), nil, nil}, guardForm([]uint32{1}), 0},
		{"policy not named above", [][][]byte{nil, nil, {clearance(t, partnerID, []uint32{1, 2, 5})}}, nil, 0},
		{"bound that cannot be read", [][][]byte{nil, {foreignClearance(t, []int{2, 999, 258, 1})}, nil}, nil, 1},
		{"bound stated twice", [][][]byte{nil, slices.Concat(c([]uint32{1}), c([]uint32{1})), nil}, nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var above *authority
			var path []*x509.Certificate
			for i := len(tt.path) - 1; i >= 0; i-- {
				var extensions []pkix.Extension
				if i == 0 {
					extensions = append(extensions, directoryAttributes(attribute(t, oidClearance, subject)))
				}
				if tt.path[i] != nil {
					extensions = append(extensions, constraints(tt.path[i]...))
				}
				above = certify(t, above, "level "+strconv.Itoa(i), extensions...)
				path = append([]*x509.Certificate{above.cert}, path...)
			}
			got, err := ess.PathClearance(path)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
			var partial *ess.PartialError
			if tt.unreadable > 0 != errors.As(err, &partial) || partial != nil && len(partial.Unreadable) != tt.unreadable {
				t.Errorf("got %v, want %d unreadable", err, tt.unreadable)
			}
		})
	}
}

func TestPathClearanceRefusals(t *testing.T) {
	subject := directoryAttributes(attribute(t, oidClearance, clearance(t, guardID, []uint32{1})))
	good := certify(t, nil, "good", subject).cert
	broken := func(value []byte) *x509.Certificate {
		return certify(t, nil, "broken", pkix.Extension{Id: oidConstraints, Value: value}).cert
	}
	for _, tt := range []struct {
		name string
		path []*x509.Certificate
	}{
		{"no path", nil},
		{"no subject", []*x509.Certificate{nil, good}},
		{"a hole", []*x509.Certificate{good, nil}},
		{"empty constraints", []*x509.Certificate{good, broken(der(0x30))}},
		{"constraints that are none", []*x509.Certificate{good, broken([]byte{5, 0})}},
		{"a clearance in their place", []*x509.Certificate{good, broken(clearance(t, guardID, []uint32{1}))}},
		{"octets after the constraints", []*x509.Certificate{good, broken(append(der(0x30, clearance(t, guardID, []uint32{1})), 5, 0))}},
		{"33 policies", []*x509.Certificate{good, broken(der(0x30, bytes.Repeat(clearance(t, guardID, []uint32{1}), 33)))}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := ess.PathClearance(tt.path); code(err) != labels.CodeSyntax || got != nil {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// A path with a critical constraints extension is verified by crypto/x509 once the caller says that somebody minds it.
func TestCriticalConstraints(t *testing.T) {
	ext := constraints(clearance(t, guardID, []uint32{1}))
	ext.Critical = true
	root := certify(t, nil, "root", ext)
	subject := certify(t, root, "subject", directoryAttributes(attribute(t, oidClearance, clearance(t, guardID, []uint32{1, 5}))))
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	root.cert.UnhandledCriticalExtensions = nil
	chains, err := subject.cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: subject.cert.NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ess.PathClearance(chains[0])
	if err != nil || len(got) != 1 || !slices.Equal(got[0].Classes, []uint32{1}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAppendConstraints(t *testing.T) {
	forms := []labels.ClearanceForm{
		{Policy: partnerID, Classes: []uint32{0, 1}},
		{Policy: guardID, Classes: []uint32{2}, Values: []labels.Value{restrictedOne}},
	}
	b, err := ess.AppendConstraints(nil, forms)
	if err != nil {
		t.Fatal(err)
	}
	values, err := ess.ParseConstraints(b)
	if err != nil || len(values) != 2 {
		t.Fatalf("%d values, %v", len(values), err)
	}
	for i, v := range values {
		if diff := cmp.Diff(forms[i], v.Form); diff != "" || v.Err != nil {
			t.Errorf("%v %s", v.Err, diff)
		}
	}
	for name, forms := range map[string][]labels.ClearanceForm{
		"none": nil, "two under one policy": {forms[0], forms[0]}, "no policy": {{}},
	} {
		if b, err := ess.AppendConstraints(nil, forms); err == nil {
			t.Errorf("%s: % x", name, b)
		}
	}
}
