package ess_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/ess"
)

// Every target here holds a decoder to the same: it does not panic, it keeps to the limits, and what it accepts is
// written as DER that is read as the same normal form and written as the same octets again.

// seeds are the vectors of the test data.
func seeds(f *testing.F, kinds ...string) {
	f.Helper()
	for _, v := range vectors(f) {
		if slices.Contains(kinds, v.kind) {
			f.Add(octets(f, v))
		}
	}
}

func FuzzParseLabel(f *testing.F) {
	seeds(f, "label", "clearance")
	f.Add(unhex(f, missiLabel("31", missiSet("a2", "020105"+"3103020101"))))
	f.Add(unhex(f, missiLabel("31", missiSet("a7", "3103020101")+missiSet("a7", "03020780"))))
	f.Add(unhex(f, bigBits(10000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		form, err := ess.ParseLabel(b)
		if err != nil {
			if _, err := ess.ParseLabelDER(b); err == nil {
				t.Fatal("accepted as DER, refused as BER")
			}
			return
		}
		checkLabel(t, form)
	})
}

// checkLabel holds an accepted label to the properties, in both category syntaxes.
func checkLabel(t *testing.T, form labels.LabelForm) {
	t.Helper()
	if len(form.Values) > labels.MaxValues || len(form.PrivacyMark) > labels.MaxPrivacyMark || form.Class > ess.MaxClass || labels.CheckOID(form.Policy) != nil {
		t.Fatalf("beyond the limits: %+v", form)
	}
	for _, syntax := range []ess.CategorySyntax{ess.ACP145, ess.SDN801c} {
		want := form
		if syntax == ess.ACP145 {
			want = numbersAs(form, labels.EnumPermissive)
		}
		der, err := ess.AppendLabelAs(nil, want, syntax)
		if err != nil {
			mayNotFit(t, err)
			continue
		}
		again, err := ess.ParseLabelDER(der)
		if err != nil {
			t.Fatalf("% x: what was written is refused: %v", der, err)
		}
		if !sameForm(again.Values, want.Values, syntax) || again.Policy != want.Policy || again.Class != want.Class || again.PrivacyMark != want.PrivacyMark {
			t.Fatalf("%s: % x is read as %+v, not %+v", syntax, der, again, want)
		}
		if second, err := ess.AppendLabelAs(nil, again, syntax); err != nil || !bytes.Equal(der, second) {
			t.Fatalf("% x: written twice differs: % x (%v)", der, second, err)
		}
	}
}

// mayNotFit holds an error of a writer to what cannot be helped: one syntax is longer than the other, or has fewer
// places or kinds.
func mayNotFit(t *testing.T, err error) {
	t.Helper()
	for _, words := range []string{"categories cannot be carried", "octets", "values cannot be carried", "cannot tell them apart", "in SDN.801c"} {
		if strings.Contains(err.Error(), words) {
			return
		}
	}
	t.Fatalf("accepted and not to be written: %v", err)
}

// sameForm compares values as sets. SDN.801c does not carry whether a number restricts or permits.
func sameForm(a, b []labels.Value, syntax ess.CategorySyntax) bool {
	return slices.Equal(normal(a, syntax), normal(b, syntax))
}

func normal(values []labels.Value, syntax ess.CategorySyntax) []labels.Value {
	values = slices.Clone(values)
	for i, v := range values {
		if syntax == ess.SDN801c && (v.Kind == labels.EnumPermissive || v.Kind == labels.EnumRestrictive) {
			values[i].Kind = labels.Enumerated
		}
	}
	slices.SortFunc(values, func(a, b labels.Value) int {
		if c := strings.Compare(a.TagSet, b.TagSet); c != 0 {
			return c
		}
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		return int(a.LACV) - int(b.LACV)
	})
	return slices.Compact(values)
}

func FuzzParseClearance(f *testing.F) {
	seeds(f, "label", "clearance")
	f.Fuzz(func(t *testing.T, b []byte) {
		form, err := ess.ParseClearance(b)
		if err == nil {
			checkClearance(t, form)
		}
	})
}

func checkClearance(t *testing.T, form labels.ClearanceForm) {
	t.Helper()
	if len(form.Values) > labels.MaxValues || len(form.Classes) > labels.MaxValues || labels.CheckOID(form.Policy) != nil {
		t.Fatalf("beyond the limits: %d values, %d classes", len(form.Values), len(form.Classes))
	}
	for _, syntax := range []ess.CategorySyntax{ess.ACP145, ess.SDN801c} {
		want := form
		if syntax == ess.ACP145 {
			want.Values = numbersAs(labels.LabelForm{Values: form.Values}, labels.EnumPermissive).Values
		}
		der, err := ess.AppendClearanceAs(nil, want, syntax)
		if err != nil {
			mayNotFit(t, err)
			continue
		}
		again, err := ess.ParseClearance(der)
		if err != nil {
			t.Fatalf("% x: what was written is refused: %v", der, err)
		}
		if !sameForm(again.Values, want.Values, syntax) || again.Policy != want.Policy || !slices.Equal(again.Classes, want.Classes) {
			t.Fatalf("%s: % x is read as %+v, not %+v", syntax, der, again, want)
		}
		if second, err := ess.AppendClearanceAs(nil, again, syntax); err != nil || !bytes.Equal(der, second) {
			t.Fatalf("% x: written twice differs: % x (%v)", der, second, err)
		}
	}
}

// checkValues holds the values of an attribute to the properties: a policy each, at most one readable value a policy,
// and nothing beside an error.
func checkValues(t *testing.T, values []ess.ClearanceValue) {
	t.Helper()
	if len(values) > 32 {
		t.Fatalf("%d values", len(values))
	}
	for i, v := range values {
		if v.Policy == "" {
			t.Fatalf("value %d without policy", i)
		}
		if v.Err != nil {
			if v.Form.Policy != "" || len(v.Form.Classes)+len(v.Form.Values) > 0 {
				t.Fatalf("value %d is unreadable and says %+v", i, v.Form)
			}
			continue
		}
		for _, o := range values[:i] {
			if o.Policy == v.Policy {
				t.Fatalf("two values under policy %s, and one counts", v.Policy)
			}
		}
		checkClearance(t, v.Form)
	}
}

func FuzzReadCertificate(f *testing.F) {
	f.Add(pemFile(f, "x509/rfc5755-cert-with-clearance.pem"))
	f.Add(pemFile(f, "x509/rfc5913-ca-clearance-constraints.pem"))
	root := certify(f, nil, "root")
	attributes := [][]byte{attribute(f, oidClearance, clearance(f, guardID, []uint32{1}, restrictedOne), clearance(f, partnerID, []uint32{1}))}
	subject := certify(f, root, "subject", directoryAttributes(attributes...))
	f.Add(subject.cert.Raw)
	f.Add(attributeCertificate{by: root, holder: subject, attributes: attributes}.build(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		values, err := ess.ReadCertificate(b)
		if err != nil {
			if values != nil {
				t.Fatalf("%v with %d values", err, len(values))
			}
			return
		}
		checkValues(t, values)
		if ac, err := ess.ParseAttributeCertificate(b); err == nil {
			if len(ac.Clearances) != len(values) {
				t.Fatalf("%d clearances, %d values", len(ac.Clearances), len(values))
			}
			_ = ac.HeldBy(subject.cert)
			_ = ac.Verify(root.cert, ac.NotBefore)
		}
	})
}

func FuzzParseConstraints(f *testing.F) {
	f.Add(file(f, "x509/rfc5913-constraints.ber"))
	f.Add(der(0x30, clearance(f, guardID, []uint32{1, 2}, restrictedOne), clearance(f, partnerID, []uint32{1})))
	f.Fuzz(func(t *testing.T, b []byte) {
		values, err := ess.ParseConstraints(b)
		if err != nil {
			return
		}
		checkValues(t, values)
		var forms []labels.ClearanceForm
		for _, v := range values {
			if v.Err == nil {
				v.Form.Values = numbersAs(labels.LabelForm{Values: v.Form.Values}, labels.EnumPermissive).Values
				forms = append(forms, v.Form)
			}
		}
		if len(forms) == 0 {
			return
		}
		der, err := ess.AppendConstraints(nil, forms)
		if err != nil {
			mayNotFit(t, err)
			return
		}
		again, err := ess.ParseConstraints(der)
		if err != nil || len(again) != len(forms) {
			t.Fatalf("% x: read again as %d of %d (%v)", der, len(again), len(forms), err)
		}
	})
}

func FuzzReadSigned(f *testing.F) {
	f.Add(pemFile(f, "x509/rfc2634-signed-with-label.pem"))
	f.Add(pemFile(f, "x509/rfc3114-signed-with-label.pem"))
	guard, other := octets(f, named(f, "ess/label-guard-rel-gbr.ber")), octets(f, named(f, "spiffing/label-2.ber"))
	f.Add(message(f, signer(slices.Concat(attribute(f, oidLabel, guard), attribute(f, oidEquivalents, der(0x30, other))), nil)))
	f.Fuzz(func(t *testing.T, b []byte) {
		signed, err := ess.ReadSigned(b)
		if err != nil {
			if signed != nil {
				t.Fatalf("%v with %d labels", err, len(signed))
			}
			return
		}
		for _, s := range signed {
			if s.Policy != signed[0].Policy || len(s.Equivalents) > 8 {
				t.Fatalf("%+v", signed)
			}
			if s.Err == nil {
				checkLabel(t, s.Form)
			}
		}
		forms, err := ess.SignedLabels(b)
		if (err == nil) != (len(forms) == len(signed)) {
			t.Fatalf("%d of %d labels, %v", len(forms), len(signed), err)
		}
	})
}

func FuzzParseEquivalentLabels(f *testing.F) {
	for _, v := range vectors(f) {
		if v.kind == "label" {
			f.Add(der(0x30, octets(f, v), octets(f, named(f, "spiffing/label-2.ber"))))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		forms, err := ess.ParseEquivalentLabels(b)
		var partial *ess.PartialError
		if err != nil && !errors.As(err, &partial) {
			if forms != nil {
				t.Fatalf("%v with %d labels", err, len(forms))
			}
			return
		}
		for i, form := range forms {
			checkLabel(t, form)
			forms[i] = numbersAs(form, labels.EnumPermissive)
		}
		if len(forms) == 0 {
			return
		}
		der, err := ess.AppendEquivalentLabels(nil, forms)
		if err != nil {
			mayNotFit(t, err)
			return
		}
		again, err := ess.ParseEquivalentLabels(der)
		if err != nil || len(again) != len(forms) {
			t.Fatalf("% x: read again as %d of %d (%v)", der, len(again), len(forms), err)
		}
		for i := range forms {
			if again[i].Policy != forms[i].Policy || !sameForm(again[i].Values, forms[i].Values, ess.ACP145) {
				t.Fatalf("% x: %+v, not %+v", der, again[i], forms[i])
			}
		}
	})
}
