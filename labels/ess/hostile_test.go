package ess_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/ess"
)

// A label under 2.999.258.1 with class 2: SET { 02 01 02, 06 05 88 37 82 02 01 }.
const (
	classTwo = "020102"
	guardOID = "06058837820201"
)

func TestLabelRefusals(t *testing.T) { // I16
	nested := strings.Repeat("3080", 3000) + strings.Repeat("0000", 3000)
	tests := []struct {
		name, hex string
		code      labels.Code
	}{
		{"empty", "", labels.CodeSyntax},
		{"one octet", "31", labels.CodeSyntax},
		{"empty set", "3100", labels.CodeSyntax},
		{"sequence instead of set", "300a" + classTwo + guardOID, labels.CodeSyntax},
		{"I16 trailing octets", "310a" + classTwo + guardOID + "0500", labels.CodeSyntax},
		{"I16 length beyond the end", "310b" + classTwo + guardOID, labels.CodeSyntax},
		{"I16 length of 2^31", "3184ffffffff" + classTwo + guardOID, labels.CodeSyntax},
		{"I16 length of 127 octets", "31ff" + strings.Repeat("01", 127), labels.CodeSyntax},
		{"I16 length ends early", "3182", labels.CodeSyntax},
		{"I16 nested sequences", nested, labels.CodeSyntax},
		{"I16 nested sequences inside", "3180" + classTwo + guardOID + nested + "0000", labels.CodeSyntax},
		{"I16 negative classification", "310a0201ff" + guardOID, labels.CodeSyntax},
		{"I16 classification 257", "310b02020101" + guardOID, labels.CodeSyntax},
		{"I16 64-bit classification", "311102087fffffffffffffff" + guardOID, labels.CodeSyntax},
		{"I16 80-bit classification", "3113020a7fffffffffffffffffff" + guardOID, labels.CodeSyntax},
		{"I16 non-minimal integer", "310b02020002" + guardOID, labels.CodeSyntax},
		{"I16 empty integer", "31090200" + guardOID, labels.CodeSyntax},
		{"I16 repeated member", "310d" + classTwo + classTwo + guardOID, labels.CodeSyntax},
		{"I16 repeated policy", "3111" + classTwo + guardOID + guardOID, labels.CodeSyntax},
		{"I10 no classification", "3107" + guardOID, labels.CodeSyntax},
		{"I12 no policy", "3103" + classTwo, labels.CodeSyntax},
		{"unknown member", "310c" + classTwo + guardOID + "0500", labels.CodeSyntax},
		{"indefinite primitive", "310a028002" + guardOID, labels.CodeSyntax},
		{"missing end of contents", "3180" + classTwo + guardOID, labels.CodeSyntax},
		{"high tag number", "310c" + classTwo + guardOID + "1f00", labels.CodeSyntax},
		{"padded arc in policy", "310b" + classTwo + "0606808837820201", labels.CodeSyntax},
		{"policy ends inside an arc", "3109" + classTwo + "060488378202"[:8] + "8882", labels.CodeSyntax},
		{"empty policy", "3105" + classTwo + "0600", labels.CodeSyntax},
		{"I14 empty set of categories", "310c" + classTwo + guardOID + "3100", labels.CodeSyntax},
		{"I14 empty permissive category", label("030100", "8302"), labels.CodeSyntax},
		{"I14 empty enumerated category", label("3100", "8301"), labels.CodeSyntax},
		{"bit string without octets", label("0300", "8300"), labels.CodeSyntax},
		{"bit string with 8 unused bits", label("03020880", "8300"), labels.CodeSyntax},
		{"bit set among the unused", label("030207ff", "8300"), labels.CodeSyntax},
		{"numbers where bits belong", label("3103020101", "8300"), labels.CodeSyntax},
		{"bits where numbers belong", label("03020780", "8301"), labels.CodeSyntax},
		{"negative number", label("31030201ff", "8301"), labels.CodeSyntax},
		{"number of 2^31", label("310702050080000000", "8301"), labels.CodeSyntax},
		{"I13 unknown category type", label("03020780", "8305"), labels.CodeUnknown},
		{"I13 local category type", label("03020780", "8200"), labels.CodeUnknown},
		{"privacy mark empty", "310c" + classTwo + guardOID + "0c00", labels.CodeSyntax},
		{"privacy mark not UTF-8", "310d" + classTwo + guardOID + "0c01ff", labels.CodeSyntax},
		{"privacy mark with a line feed", "310d" + classTwo + guardOID + "0c010a", labels.CodeSyntax},
		{"privacy mark not printable", "310d" + classTwo + guardOID + "13012a", labels.CodeSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			f, err := ess.ParseLabel(b)
			le, ok := err.(*labels.Error)
			if !ok || le.Code != tt.code {
				t.Errorf("got %v (%+v), want %s", err, f, tt.code)
			}
		})
	}
}

// label builds one with a category of type 2.16.840.1.101.2.1.8.x.y over tag set 2.999.258.1.1; the two octets are
// the last arcs, except that 83.. is 8.3 and 82.. is 8.2.
func label(value, arcs string) string {
	oid := "608648016502010803" + arcs[2:]
	if arcs[:2] == "82" {
		oid = "608648016502010802" + arcs[2:]
	}
	set := "0606" + "883782020101"
	inner := tlv("30", set+value)
	cat := tlv("30", tlv("80", oid)+tlv("a1", inner))
	return tlv("31", classTwo+guardOID+tlv("31", cat))
}

func tlv(tag, content string) string {
	return tag + hex.EncodeToString([]byte{byte(len(content) / 2)}) + content
}

func TestTooManyCategories(t *testing.T) {
	set := tlv("30", "0606883782020101"+"03020780")
	cat := tlv("30", tlv("80", "60864801650201080300")+tlv("a1", set))
	b, err := hex.DecodeString("3180" + classTwo + guardOID + "3180" + strings.Repeat(cat, 65) + "0000" + "0000")
	if err != nil {
		t.Fatal(err)
	}
	if f, err := ess.ParseLabel(b); err == nil {
		t.Errorf("65 categories were read: %d values", len(f.Values))
	}
	b, _ = hex.DecodeString("3180" + classTwo + guardOID + "3180" + strings.Repeat(cat, 64) + "0000" + "0000")
	if _, err := ess.ParseLabel(b); err != nil {
		t.Errorf("64 categories: %v", err)
	}
}

func TestTooLong(t *testing.T) {
	if _, err := ess.ParseLabel(bytes.Repeat([]byte{0x31}, 1<<20)); err == nil {
		t.Error("1 MiB was read as a label")
	}
}

// What a peer that must send DER may not send, though anybody else may.
func TestDEROnly(t *testing.T) {
	tests := []struct {
		name, hex string
		ok        bool
	}{
		{"DER", "310a" + classTwo + guardOID, true},
		{"DER with categories", label("03020780", "8300"), true},
		{"DER with numbers in order", label("3106020101020102", "8301"), true},
		{"members out of order", "310a" + guardOID + classTwo, false},
		{"indefinite length", "3180" + classTwo + guardOID + "0000", false},
		{"long length", "31810a" + classTwo + guardOID, false},
		{"padded bit string", label("0303078000", "8300"), false},
		{"wrong unused bits", label("03020080", "8300"), false},
		{"numbers out of order", label("3106020102020101", "8301"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := hex.DecodeString(tt.hex)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ess.ParseLabel(b); err != nil {
				t.Errorf("as BER: %v", err)
			}
			if _, err := ess.ParseLabelDER(b); (err == nil) != tt.ok {
				t.Errorf("as DER: %v, want accepted %v", err, tt.ok)
			}
		})
	}
}

func FuzzParseLabel(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(octets(f, v))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		form, err := ess.ParseLabel(b)
		if err != nil {
			if _, err := ess.ParseLabelDER(b); err == nil {
				t.Fatal("accepted as DER, refused as BER")
			}
			return
		}
		form = numbersAs(form, labels.EnumPermissive)
		der, err := ess.AppendLabel(nil, form)
		if err != nil {
			return // more tag sets than an ESS label can carry when each stands alone
		}
		again, err := ess.ParseLabelDER(der)
		if err != nil {
			t.Fatalf("% x: what was written is refused: %v", der, err)
		}
		second, err := ess.AppendLabel(nil, again)
		if err != nil || !bytes.Equal(der, second) {
			t.Fatalf("% x: written twice differs: % x (%v)", b, second, err)
		}
	})
}

func FuzzParseClearance(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(octets(f, v))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		form, err := ess.ParseClearance(b)
		if err != nil {
			return
		}
		form.Values = numbersAs(labels.LabelForm{Values: form.Values}, labels.EnumPermissive).Values
		der, err := ess.AppendClearance(nil, form)
		if err != nil {
			return
		}
		again, err := ess.ParseClearance(der)
		if err != nil {
			t.Fatalf("% x: what was written is refused: %v", der, err)
		}
		second, err := ess.AppendClearance(nil, again)
		if err != nil || !bytes.Equal(der, second) {
			t.Fatalf("% x: written twice differs: % x (%v)", b, second, err)
		}
	})
}
