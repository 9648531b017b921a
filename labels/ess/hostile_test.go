package ess_test

import (
	"bytes"
	"encoding/hex"
	"runtime"
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
		{"I16 2048-bit classification", tlvLong("31", "02820100"+"7f"+strings.Repeat("ff", 255)+guardOID), labels.CodeSyntax},
		{"I16 negative 64-bit classification", "311102088000000000000000" + guardOID, labels.CodeSyntax},
		{"I16 nested sets in a category value", "3180" + classTwo + guardOID + "3180" + strings.Repeat("3180", 4000), labels.CodeSyntax},
		{"policy of 33 arcs", tlv("31", classTwo+tlv("06", "88"+strings.Repeat("01", 32))), labels.CodeSyntax},
		{"policy with an arc of 2^63", tlv("31", classTwo+tlv("06", "8881808080808080808000")), labels.CodeSyntax},
		{"policy with an arc of 2^4096", tlvLong("31", classTwo+"06820250"+"88"+strings.Repeat("ff", 590)+"7f"), labels.CodeSyntax},
		{"category syntax of 2000 arcs", tlvLong("31", classTwo+guardOID+tlvLong("31", tlvLong("30", tlvLong("80", strings.Repeat("01", 2000))+tlv("a1", "0500")))), labels.CodeSyntax},
		{"bit 65536", bigBits(65536), labels.CodeSyntax},
		{"8 KiB of ones", tlvLong("31", classTwo+guardOID+bigCategory(strings.Repeat("ff", 8000))), labels.CodeSyntax},
		{"4097 values", tlvLong("31", classTwo+guardOID+bigCategory(strings.Repeat("ff", 512)+"80")), labels.CodeSyntax},
		{"category with a third member", tlv("31", classTwo+guardOID+tlv("31", tlv("30", tlv("80", "60864801650201080300")+tlv("a1", "0500")+"0500"))), labels.CodeSyntax},
		{"local RBAC value", missiLabel("30", tlv("06", "883782020101")+tlv("31", "")), labels.CodeSyntax},
		{"SDN.801c tag type 5", missiLabel("31", missiSet("a5", "3103020101")), labels.CodeUnknown},
		{"SDN.801c tag type 3", missiLabel("31", missiSet("a3", "3103020101")), labels.CodeUnknown},
		{"SDN.801c numbers where bits belong", missiLabel("31", missiSet("a1", "3103020101")), labels.CodeSyntax},
		{"SDN.801c empty tag", missiLabel("31", missiSet("a2", "3100")), labels.CodeSyntax},
		{"SDN.801c no tag", missiLabel("31", tlv("30", "0606883782020101"+"3000")), labels.CodeSyntax},
		{"SDN.801c no tag set", missiLabel("31", ""), labels.CodeSyntax},
		{"SDN.801c two values in a tag", missiLabel("31", missiSet("a1", "0302078003020780")), labels.CodeSyntax},
		{"SDN.801c security level of 2048 bits and nothing else", missiLabel("31", missiSet("a1", "020101")), labels.CodeSyntax},
		{"SSLPrivileges in a label", tlv("31", classTwo+guardOID+tlv("31", tlv("30", tlv("80", "608648016502010802")+tlv("a1", tlv("31", tlv("30", "0606883782020101"+tlv("30", "81020780"))))))), labels.CodeUnknown},
		{"primitive [1] around two values", tlv("31", classTwo+guardOID+tlv("31", tlv("30", tlv("80", "60864801650201080300")+tlv("81", strings.Repeat(tlv("30", "0606883782020101"+"03020780"), 2))))), labels.CodeSyntax},
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

// tlvLong is tlv for contents of up to 65535 octets.
func tlvLong(tag, content string) string {
	n := len(content) / 2
	return tag + "82" + hex.EncodeToString([]byte{byte(n >> 8), byte(n)}) + content
}

// bigBits builds a label with one restrictive bit.
func bigBits(bit int) string {
	octets := strings.Repeat("00", bit/8) + hex.EncodeToString([]byte{0x80 >> (bit % 8)})
	return tlvLong("31", classTwo+guardOID+bigCategory(octets))
}

// bigCategory builds the categories with one restrictive bit string out of its octets.
func bigCategory(octets string) string {
	value := tlvLong("30", "0606883782020101"+tlvLong("03", "00"+octets))
	return tlvLong("31", tlvLong("30", tlv("80", "60864801650201080300")+tlvLong("a1", value)))
}

// missiLabel builds a label with a category of SDN.801c; missiSet one of its tag sets with one tag.
func missiLabel(tag, value string) string {
	return tlv("31", classTwo+guardOID+tlv("31", tlv("30", tlv("80", "608648016502010801")+tlv("a1", tlv(tag, value)))))
}

func missiSet(tag, value string) string {
	return tlv("30", "0606883782020101"+tlv("30", tlv(tag, value)))
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

// A bit as high as the limit is read, in a label that is as long as the limit allows.
func TestHighestBit(t *testing.T) {
	const highest = labels.MaxBit - 1500 // MaxBytes does not allow more
	f, err := ess.ParseLabel(unhex(t, bigBits(highest-highest%8)))
	if err != nil || len(f.Values) != 1 || f.Values[0].LACV != highest-highest%8 {
		t.Errorf("got %v, %v", f, err)
	}
}

func TestClearanceRefusals(t *testing.T) {
	classes := "030205e0"
	seq := func(members ...string) string { return tlv("30", strings.Join(members, "")) }
	category := func(value, arcs string) string {
		return tlv("31", tlv("30", tlv("80", "6086480165020108"+arcs)+tlv("a1", value)))
	}
	bits := tlv("30", "0606883782020101"+"03020780")
	tests := []struct {
		name, hex string
		code      labels.Code
	}{
		{"empty", "", labels.CodeSyntax},
		{"set instead of sequence", tlv("31", guardOID+classes), labels.CodeSyntax},
		{"no policy", seq(classes), labels.CodeSyntax},
		{"empty sequence", "3000", labels.CodeSyntax},
		{"trailing octets", seq(guardOID, classes) + "0500", labels.CodeSyntax},
		{"trailing member", seq(guardOID, classes, "0500"), labels.CodeSyntax},
		{"truncated", seq(guardOID, classes)[:20], labels.CodeSyntax},
		{"length beyond the end", "307f" + guardOID + classes, labels.CodeSyntax},
		{"members in another order", seq(classes, guardOID), labels.CodeSyntax},
		{"policy twice", seq(guardOID, guardOID, classes), labels.CodeSyntax},
		{"class list twice", seq(guardOID, classes, classes), labels.CodeSyntax},
		{"categories twice", seq(guardOID, category(bits, "0300"), category(bits, "0300")), labels.CodeSyntax},
		{"the two taggings mixed", seq(guardOID, "810205e0"), labels.CodeSyntax},
		{"the two taggings mixed the other way", seq(tlv("80", "8837820201"), classes), labels.CodeSyntax},
		{"class list as number", seq(guardOID, "020102"), labels.CodeSyntax},
		{"class list without octets", seq(guardOID, "0300"), labels.CodeSyntax},
		{"class list with unused bits set", seq(guardOID, "030207ff"), labels.CodeSyntax},
		{"class list in pieces", seq(guardOID, "2304"+"03020780"), labels.CodeSyntax},
		{"class bit 65536", "3082" + "200e" + guardOID + "03822002" + "00" + strings.Repeat("00", 8192) + "80", labels.CodeSyntax},
		{"unknown category syntax", seq(guardOID, category(bits, "0305")), labels.CodeUnknown},
		{"label syntax of SDN.801c", seq(guardOID, category(tlv("31", missiSet("a1", "03020780")), "01")), labels.CodeUnknown},
		{"category without value", seq(guardOID, tlv("31", tlv("30", tlv("80", "60864801650201080300")))), labels.CodeSyntax},
		{"privilege with tag 7", seq(guardOID, category(tlv("31", tlv("30", "0606883782020101"+tlv("30", "87020780"))), "02")), labels.CodeUnknown},
		{"privilege with a negative number", seq(guardOID, category(tlv("31", tlv("30", "0606883782020101"+tlv("30", "a2030201ff"))), "02")), labels.CodeSyntax},
		{"nested sequences", strings.Repeat("3080", 3000) + strings.Repeat("0000", 3000), labels.CodeSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ess.ParseClearance(unhex(t, tt.hex))
			if code(err) != tt.code {
				t.Errorf("got %v (%+v), want %s", err, f, tt.code)
			}
		})
	}
}

// What a sender can make us allocate for one value stays within a small multiple of what he sent.
func TestMemoryIsBounded(t *testing.T) {
	const budget = 1 << 20
	constraintsOf := der(0x30, bytes.Repeat(clearance(t, guardID, []uint32{1}), 9000))
	signers := message(t, bytes.Repeat(signer(nil, nil), 9000))
	tests := []struct {
		name  string
		b     []byte
		parse func([]byte) error
	}{
		{"ones", unhex(t, tlvLong("31", classTwo+guardOID+bigCategory(strings.Repeat("ff", 8000)))), parseLabel},
		{"as many values as may be", unhex(t, tlvLong("31", classTwo+guardOID+bigCategory(strings.Repeat("ff", 512)))), parseLabel},
		{"indefinite lengths as deep as may be", unhex(t, strings.Repeat("3180", 17)+strings.Repeat("020102", 2500)), parseLabel},
		{"a class list of ones", unhex(t, "3082"+"1f4b"+guardOID+"03821f40"+"00"+strings.Repeat("ff", 7999)), parseClearance},
		{"constraints", constraintsOf, func(b []byte) error { _, err := ess.ParseConstraints(b); return err }},
		{"signers", signers, func(b []byte) error { _, err := ess.ReadSigned(b); return err }},
		{"a message of nothing", make([]byte, 1<<20), func(b []byte) error { _, err := ess.ReadSigned(b); return err }},
		{"a certificate of nothing", make([]byte, 1<<20), func(b []byte) error { _, err := ess.ReadCertificate(b); return err }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := tt.parse(tt.b)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > budget {
				t.Errorf("%d octets for an input of %d (%v)", n, len(tt.b), err)
			}
		})
	}
}

func parseLabel(b []byte) error     { _, err := ess.ParseLabel(b); return err }
func parseClearance(b []byte) error { _, err := ess.ParseClearance(b); return err }
