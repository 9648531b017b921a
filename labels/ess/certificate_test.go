package ess_test

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"slices"
	"testing"
	"time"

	"sallyport/labels"
	"sallyport/labels/ess"

	"github.com/google/go-cmp/cmp"
)

const (
	guardID   = "2.999.258.1"
	partnerID = "2.999.258.2"
	whirlpool = "1.2.840.113549.1.9.16.7.3"
)

var restrictedOne = labels.Value{TagSet: guardID + ".1", Kind: labels.Restrictive, LACV: 1}

// Row 77: the clearance in a certificate is the value that was cut out of it. Its category is text that no policy here
// understands, so it must not become a clearance.
func TestRow77CertificateWithClearance(t *testing.T) {
	raw := pemFile(t, "x509/rfc5755-cert-with-clearance.pem")
	values, err := ess.ReadCertificate(raw)
	if err != nil || len(values) != 1 {
		t.Fatalf("%d values, %v", len(values), err)
	}
	v := values[0]
	if want := file(t, "x509/rfc5755-clearance.ber"); !bytes.Equal(v.DER, want) {
		t.Errorf("got  %x\nwant %x", v.DER, want)
	}
	if v.Policy != whirlpool || code(v.Err) != labels.CodeUnknown || v.Form.Policy != "" {
		t.Errorf("policy %s, form %+v, %v", v.Policy, v.Form, v.Err)
	}
	forms, err := ess.CertificateClearances(raw)
	var partial *ess.PartialError
	if len(forms) != 0 || !errors.As(err, &partial) || code(err) != labels.CodeUnknown {
		t.Errorf("got %+v, %v", forms, err)
	}
}

func TestCertificates(t *testing.T) {
	guard := clearance(t, guardID, []uint32{1, 2}, restrictedOne)
	partner := clearance(t, partnerID, []uint32{1})
	foreign := foreignClearance(t, asn1.ObjectIdentifier{2, 999, 7})
	old := octets(t, named(t, "ess/clearance-guard-secret-north-alpha-3281.ber"))
	tests := []struct {
		name       string
		attributes [][]byte
		policies   []string // of the clearances that count
		unreadable int      // values that do not
		refused    bool     // the whole certificate
	}{
		{"one", [][]byte{attribute(t, oidClearance, guard)}, []string{guardID}, 0, false},
		{"two policies", [][]byte{attribute(t, oidClearance, guard, partner)}, []string{guardID, partnerID}, 0, false},
		{"RFC 3281 attribute and tags", [][]byte{attribute(t, oidClearanceOld, old)}, []string{guardID}, 0, false},
		{"both attributes", [][]byte{attribute(t, oidClearance, partner), attribute(t, oidClearanceOld, old)}, []string{partnerID, guardID}, 0, false},
		{"other attributes beside", [][]byte{attribute(t, oidSponsor, der(0x0c, []byte("x"))), attribute(t, oidClearance, guard)}, []string{guardID}, 0, false},
		{"no clearance", [][]byte{attribute(t, oidSponsor, der(0x0c, []byte("x")))}, nil, 0, false},
		{"an unknown category takes nothing from others", [][]byte{attribute(t, oidClearance, foreign, guard)}, []string{guardID}, 1, false},
		{"two for one policy", [][]byte{attribute(t, oidClearance, guard, clearance(t, guardID, []uint32{4}))}, nil, 2, false},
		{"the same twice", [][]byte{attribute(t, oidClearance, guard, guard)}, nil, 2, false},
		{"two for one policy beside another", [][]byte{attribute(t, oidClearance, guard, partner, guard)}, []string{partnerID}, 2, false},
		{"two for one policy in two attributes", [][]byte{attribute(t, oidClearance, guard), attribute(t, oidClearanceOld, old)}, nil, 2, false},
		{"an unreadable one for the same policy", [][]byte{attribute(t, oidClearance, guard, foreignClearance(t, asn1.ObjectIdentifier{2, 999, 258, 1}))}, nil, 2, false},
		{"a value without policy", [][]byte{attribute(t, oidClearance, guard, der(0x30))}, nil, 0, true},
		{"a value that is none", [][]byte{attribute(t, oidClearance, guard, []byte{5, 0})}, nil, 0, true},
		{"attribute twice", [][]byte{attribute(t, oidClearance, guard), attribute(t, oidClearance, partner)}, nil, 0, true},
		{"attribute without value", [][]byte{attribute(t, oidClearance)}, nil, 0, true},
		{"no attribute", nil, nil, 0, true},
		{"not an attribute", [][]byte{{5, 0}}, nil, 0, true},
		{"33 values", [][]byte{attribute(t, oidClearance, slices.Repeat([][]byte{guard}, 33)...)}, nil, 0, true},
	}
	root := certify(t, nil, "root")
	for _, tt := range tests {
		subject := certify(t, root, "subject", directoryAttributes(tt.attributes...))
		t.Run("public key "+tt.name, func(t *testing.T) {
			forms, err := ess.CertificateClearances(subject.cert.Raw)
			checkClearances(t, forms, err, tt.policies, tt.unreadable, tt.refused)
		})
		if tt.name == "no attribute" {
			continue // an attribute certificate may be empty: nobody is cleared by it
		}
		t.Run("attribute "+tt.name, func(t *testing.T) {
			raw := attributeCertificate{by: root, holder: subject, attributes: tt.attributes}.build(t)
			forms, err := ess.CertificateClearances(raw)
			checkClearances(t, forms, err, tt.policies, tt.unreadable, tt.refused)
		})
	}
}

func checkClearances(t *testing.T, forms []labels.ClearanceForm, err error, policies []string, unreadable int, refused bool) {
	t.Helper()
	var got []string
	for _, f := range forms {
		got = append(got, f.Policy)
	}
	if !slices.Equal(got, policies) {
		t.Errorf("clearances under %v, want %v", got, policies)
	}
	var partial *ess.PartialError
	switch {
	case refused:
		if errors.As(err, &partial) || code(err) != labels.CodeSyntax {
			t.Errorf("got %v, want the whole refused", err)
		}
	case unreadable > 0:
		if !errors.As(err, &partial) || len(partial.Unreadable) != unreadable {
			t.Errorf("got %v, want %d unreadable", err, unreadable)
		}
	case err != nil:
		t.Error(err)
	}
}

// code returns the code of the first label error, NoCode for none.
func code(err error) labels.Code {
	var e *labels.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return labels.NoCode
}

func named(t testing.TB, file string) vector {
	t.Helper()
	for _, v := range vectors(t) {
		if v.file == file {
			return v
		}
	}
	t.Fatalf("no vector %s", file)
	return vector{}
}

// A certificate without the extension clears for nothing, and that is no error.
func TestCertificateWithoutClearance(t *testing.T) {
	forms, err := ess.CertificateClearances(certify(t, nil, "root").cert.Raw)
	if forms != nil || err != nil {
		t.Errorf("got %v, %v", forms, err)
	}
}

func TestCertificateRefusals(t *testing.T) {
	good := certify(t, nil, "root", directoryAttributes(attribute(t, oidClearance, clearance(t, guardID, []uint32{1})))).cert.Raw
	for _, tt := range []struct {
		name string
		raw  []byte
	}{
		{"empty", nil},
		{"trailing octets", append(slices.Clone(good), 5, 0)},
		{"truncated", good[:len(good)-1]},
		{"length beyond the end", append([]byte{0x30, 0x83, 0xff, 0xff, 0xff}, good[4:]...)},
		{"a clearance", clearance(t, guardID, []uint32{1})},
		{"a megabyte", make([]byte, 1<<20)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if forms, err := ess.CertificateClearances(tt.raw); code(err) != labels.CodeSyntax || forms != nil {
				t.Errorf("got %v, %v", forms, err)
			}
			if forms, err := ess.AuthorityConstraints(tt.raw); code(err) != labels.CodeSyntax || forms != nil {
				t.Errorf("constraints: got %v, %v", forms, err)
			}
		})
	}
}

func TestLDAPClearance(t *testing.T) {
	guard, partner := clearance(t, guardID, []uint32{1, 2}, restrictedOne), clearance(t, partnerID, []uint32{1})
	forms, err := ess.LDAPClearance([][]byte{guard, partner})
	want := []labels.ClearanceForm{
		{Policy: guardID, Classes: []uint32{1, 2}, Values: []labels.Value{restrictedOne}},
		{Policy: partnerID, Classes: []uint32{1}},
	}
	if diff := cmp.Diff(want, forms); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if forms, err := ess.LDAPClearance([][]byte{guard, partner, guard}); len(forms) != 1 || code(err) != labels.CodeSyntax {
		t.Errorf("two for one policy: %v, %v", forms, err)
	}
	if forms, err := ess.LDAPClearance(nil); forms != nil || err != nil {
		t.Errorf("no value: %v, %v", forms, err)
	}
}

func TestAttributeCertificate(t *testing.T) {
	root := certify(t, nil, "root")
	holder, other := certify(t, root, "holder"), certify(t, root, "somebody else")
	attributes := [][]byte{attribute(t, oidClearance, clearance(t, guardID, []uint32{1}))}
	within := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	critical := der(0x30, der(0x06, []byte{0x55, 0x1d, 0x37}), []byte{1, 1, 0xff}, der(0x04, der(0x30))) // targets
	harmless := der(0x30, der(0x06, []byte{0x55, 0x1d, 0x38}), der(0x04, []byte{5, 0}))                  // noRevAvail
	replace := func(i int, part []byte) func([][]byte) [][]byte {
		return func(parts [][]byte) [][]byte { parts[i] = part; return parts }
	}
	tests := []struct {
		name          string
		ac            attributeCertificate
		at            time.Time
		parsed, valid bool
		held          bool
	}{
		{"good", attributeCertificate{}, within, true, true, true},
		{"with an extension", attributeCertificate{extensions: harmless}, within, true, true, true},
		{"critical extension", attributeCertificate{extensions: critical}, within, true, false, true},
		{"too early", attributeCertificate{}, within.AddDate(-1, 0, 0), true, false, true},
		{"too late", attributeCertificate{}, within.AddDate(1, 0, 0), true, false, true},
		{"issued by another", attributeCertificate{by: other}, within, true, false, true},
		{"held by another", attributeCertificate{holder: other}, within, true, true, false},
		{"version 1", attributeCertificate{change: replace(0, []byte{2, 1, 0})}, within, false, false, false},
		{"issuer in the form of version 1", attributeCertificate{change: replace(2, der(0x30, der(0xa4, root.cert.RawSubject)))}, within, false, false, false},
		{"issuer by address", attributeCertificate{change: replace(2, der(0xa0, der(0x30, der(0x81, []byte("a@b.example")))))}, within, false, false, false},
		{"another algorithm inside", attributeCertificate{change: replace(3, unhex(t, "300a06082a8648ce3d040303"))}, within, false, false, false},
		{"UTC times", attributeCertificate{change: replace(5, der(0x30, der(0x17, []byte("250101000000Z")), der(0x17, []byte("260101000000Z"))))}, within, false, false, false},
		{"holder by subject", attributeCertificate{change: replace(1, der(0x30, der(0xa1, der(0xa4, holder.cert.RawSubject))))}, within, true, true, true},
		{"holder by another subject", attributeCertificate{change: replace(1, der(0x30, der(0xa1, der(0xa4, other.cert.RawSubject))))}, within, true, true, false},
		{"holder by digest", attributeCertificate{change: replace(1, der(0x30, der(0xa2, der(0x0a, []byte{0}))))}, within, true, true, false},
		{"nobody", attributeCertificate{change: replace(1, der(0x30))}, within, true, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.ac.attributes = attributes
			if tt.ac.by == nil {
				tt.ac.by = root
			}
			if tt.ac.holder == nil {
				tt.ac.holder = holder
			}
			ac, err := ess.ParseAttributeCertificate(tt.ac.build(t))
			if (err == nil) != tt.parsed {
				t.Fatalf("parsed: %v, want %v", err, tt.parsed)
			}
			if !tt.parsed {
				return
			}
			if err := ac.Verify(root.cert, tt.at); (err == nil) != tt.valid {
				t.Errorf("verified: %v, want %v", err, tt.valid)
			}
			if got := ac.HeldBy(holder.cert); got != tt.held {
				t.Errorf("held: %v, want %v", got, tt.held)
			}
			if len(ac.Clearances) != 1 || ac.Clearances[0].Policy != guardID || ac.SerialNumber.Int64() != 9 {
				t.Errorf("got %+v", ac)
			}
		})
	}
}

// One octet changed anywhere in what is signed is found.
func TestAttributeCertificateSignature(t *testing.T) {
	root := certify(t, nil, "root")
	holder := certify(t, root, "holder")
	raw := attributeCertificate{by: root, holder: holder, attributes: [][]byte{attribute(t, oidClearance, clearance(t, guardID, []uint32{1}))}}.build(t)
	at := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	for i := range raw {
		changed := slices.Clone(raw)
		changed[i] ^= 1
		ac, err := ess.ParseAttributeCertificate(changed)
		if err == nil && ac.Verify(root.cert, at) == nil {
			t.Errorf("octet %d of %d changed and not noticed", i, len(raw))
		}
	}
	var none *ess.AttributeCertificate
	if none.Verify(root.cert, at) == nil || none.HeldBy(holder.cert) {
		t.Error("no certificate is valid")
	}
}
