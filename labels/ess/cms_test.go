package ess_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"sallyport/labels"
	"sallyport/labels/ess"

	"github.com/google/go-cmp/cmp"
)

// Row 78: the signed attribute of a CMS message is the label that was cut out of it. Its category is text that no
// policy here understands.
func TestRow78SignedLabel(t *testing.T) {
	raw := pemFile(t, "x509/rfc3114-signed-with-label.pem")
	signed, err := ess.ReadSigned(raw)
	if err != nil || len(signed) != 1 {
		t.Fatalf("%d labels, %v", len(signed), err)
	}
	if want := file(t, "x509/rfc3114-label.ber"); !bytes.Equal(signed[0].DER, want) {
		t.Errorf("got  %x\nwant %x", signed[0].DER, want)
	}
	if signed[0].Policy != whirlpool || code(signed[0].Err) != labels.CodeUnknown {
		t.Errorf("policy %s, %v", signed[0].Policy, signed[0].Err)
	}
	if forms, err := ess.SignedLabels(raw); forms != nil || code(err) != labels.CodeUnknown {
		t.Errorf("got %v, %v", forms, err)
	}
}

func TestSignedLabelOfRFC2634(t *testing.T) {
	raw := pemFile(t, "x509/rfc2634-signed-with-label.pem")
	want := []labels.LabelForm{{Policy: "1.3.6.1.4.1.22112.1.1", Class: 1, PrivacyMark: "Boagus Privacy Mark"}}
	forms, err := ess.SignedLabels(raw)
	if diff := cmp.Diff(want, forms); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if signed, err := ess.ReadSigned(raw); err != nil || !bytes.Equal(signed[0].DER, file(t, "x509/rfc2634-label.ber")) {
		t.Errorf("%+v, %v", signed, err)
	}
}

func TestSigned(t *testing.T) {
	guard := octets(t, named(t, "ess/label-guard-rel-gbr.ber"))
	indefinite := octets(t, named(t, "ess/label-guard-rel-gbr-ber-indefinite.ber"))
	public := octets(t, named(t, "ess/label-guard-public.ber"))
	other := octets(t, named(t, "spiffing/label-2.ber"))
	unknown := octets(t, named(t, "x509/rfc3114-label.ber"))
	labelled := func(values ...[]byte) []byte { return signer(attribute(t, oidLabel, values...), nil) }
	with := func(label []byte, equivalents ...[]byte) []byte {
		return signer(slices.Concat(attribute(t, oidLabel, label), attribute(t, oidEquivalents, der(0x30, equivalents...))), nil)
	}
	none := signer(nil, nil)
	tests := []struct {
		name        string
		raw         []byte
		labels      int
		equivalents int // of the first label
		code        labels.Code
	}{
		{"one signer", message(t, labelled(guard)), 1, 0, 0},
		{"two signers agree", message(t, labelled(guard), labelled(guard)), 2, 0, 0},
		{"two signers agree in other octets", message(t, labelled(guard), labelled(indefinite)), 2, 0, 0},
		{"one of two signers labels", message(t, none, labelled(guard)), 1, 0, 0},
		{"nobody labels", message(t, none), 0, 0, 0},
		{"no signer", message(t), 0, 0, 0},
		{"equivalents", message(t, with(guard, other, unknown)), 1, 2, 0},
		{"signers differ", message(t, labelled(guard), labelled(public)), 0, 0, labels.CodeMismatch},
		{"one that cannot be read differs", message(t, labelled(guard), labelled(unknown)), 0, 0, labels.CodeMismatch},
		{"two labels of one signer", message(t, labelled(guard, public)), 0, 0, labels.CodeSyntax},
		{"attribute twice", message(t, signer(slices.Concat(attribute(t, oidLabel, guard), attribute(t, oidLabel, guard)), nil)), 0, 0, labels.CodeSyntax},
		{"label not signed", message(t, signer(nil, attribute(t, oidLabel, guard))), 0, 0, labels.CodeMisplaced},
		{"label signed and not signed", message(t, signer(attribute(t, oidLabel, guard), attribute(t, oidLabel, public))), 0, 0, labels.CodeMisplaced},
		{"equivalents not signed", message(t, signer(attribute(t, oidLabel, guard), attribute(t, oidEquivalents, der(0x30, other)))), 0, 0, labels.CodeMisplaced},
		{"equivalents without label", message(t, signer(attribute(t, oidEquivalents, der(0x30, other)), nil)), 0, 0, labels.CodeSyntax},
		{"equivalent under the policy of the label", message(t, with(guard, public)), 0, 0, labels.CodeMismatch},
		{"two equivalents under one policy", message(t, with(guard, other, other)), 0, 0, labels.CodeMismatch},
		{"no equivalent in the list", message(t, with(guard)), 0, 0, labels.CodeSyntax},
		{"17 signers", message(t, slices.Repeat([][]byte{labelled(guard)}, 17)...), 0, 0, labels.CodeSyntax},
		{"octets after the message", append(message(t, labelled(guard)), 5, 0), 0, 0, labels.CodeSyntax},
		{"another content", bytes.Replace(message(t, labelled(guard)), marshal(t, oidSignedData), marshal(t, oidData), 1), 0, 0, labels.CodeSyntax},
		{"a label", guard, 0, 0, labels.CodeSyntax},
		{"nothing", nil, 0, 0, labels.CodeSyntax},
		{"a megabyte", make([]byte, 1<<20), 0, 0, labels.CodeSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			signed, err := ess.ReadSigned(tt.raw)
			if code(err) != tt.code || len(signed) != tt.labels {
				t.Fatalf("%d labels, %v; want %d, %s", len(signed), err, tt.labels, tt.code)
			}
			if len(signed) > 0 && len(signed[0].Equivalents) != tt.equivalents {
				t.Errorf("%d equivalents, want %d", len(signed[0].Equivalents), tt.equivalents)
			}
		})
	}
}

// A message in indefinite lengths, as programs write that do not know the size of the content beforehand.
func TestSignedIndefinite(t *testing.T) {
	whole := message(t, signer(attribute(t, oidLabel, octets(t, named(t, "ess/label-guard-rel-gbr.ber"))), nil))
	head := marshal(t, oidSignedData)
	inner := whole[bytes.Index(whole, head)+len(head):] // [0] with all that it holds
	content := inside(t, inner)
	b := slices.Concat([]byte{0x30, 0x80}, head, []byte{0xa0, 0x80}, content, []byte{0, 0, 0, 0})
	forms, err := ess.SignedLabels(b)
	if err != nil || len(forms) != 1 || forms[0].Policy != guardID {
		t.Errorf("got %v, %v", forms, err)
	}
}

// inside returns the content of a value with a length below 65536.
func inside(t *testing.T, b []byte) []byte {
	t.Helper()
	switch {
	case b[1] < 0x80:
		return b[2:]
	case b[1] == 0x81:
		return b[3:]
	case b[1] == 0x82:
		return b[4:]
	}
	t.Fatalf("length octet %02x", b[1])
	return nil
}

func TestEquivalentLabels(t *testing.T) {
	forms := []labels.LabelForm{
		{Policy: partnerID, Class: 3},
		{Policy: guardID, Class: 2, Values: []labels.Value{restrictedOne}, PrivacyMark: "CLEAR"},
	}
	b, err := ess.AppendEquivalentLabels(nil, forms)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ess.ParseEquivalentLabels(b)
	if diff := cmp.Diff(forms, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	foreign := der(0x30, octets(t, named(t, "x509/rfc3114-label.ber")), octets(t, named(t, "spiffing/label-2.ber")))
	got, err = ess.ParseEquivalentLabels(foreign)
	var partial *ess.PartialError
	if len(got) != 1 || got[0].Policy != "1.1" || !errors.As(err, &partial) || len(partial.Unreadable) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	for name, forms := range map[string][]labels.LabelForm{
		"none": nil, "two under one policy": {forms[0], forms[0]}, "nine": slices.Repeat(forms, 5)[:9],
	} {
		if b, err := ess.AppendEquivalentLabels(nil, forms); err == nil {
			t.Errorf("%s: % x", name, b)
		}
	}
	for name, b := range map[string][]byte{
		"empty": der(0x30), "set": der(0x31, octets(t, named(t, "spiffing/label-2.ber"))), "no policy": der(0x30, octets(t, named(t, "spiffing/label-1.ber"))),
		"trailing octets": append(slices.Clone(b), 5, 0),
	} {
		if got, err := ess.ParseEquivalentLabels(b); code(err) != labels.CodeSyntax || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
