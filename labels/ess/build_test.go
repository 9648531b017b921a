package ess_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/labels"
	"sallyport/labels/ess"
)

// der builds one value out of what is inside it.
func der(tag byte, parts ...[]byte) []byte {
	var content []byte
	for _, p := range parts {
		content = append(content, p...)
	}
	n := len(content)
	out := []byte{tag}
	switch {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 0x100:
		out = append(out, 0x81, byte(n))
	case n < 0x10000:
		out = append(out, 0x82, byte(n>>8), byte(n))
	default:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, content...)
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pemFile(t testing.TB, name string) []byte {
	t.Helper()
	block, _ := pem.Decode(file(t, name))
	if block == nil {
		t.Fatalf("%s is not PEM", name)
	}
	return block.Bytes
}

// Object identifiers of the tests.
var (
	oidClearance    = asn1.ObjectIdentifier{2, 5, 4, 55}
	oidClearanceOld = asn1.ObjectIdentifier{2, 5, 1, 5, 55}
	oidAttributes   = asn1.ObjectIdentifier{2, 5, 29, 9}
	oidConstraints  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 21}
	oidData         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidLabel        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 2}
	oidEquivalents  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 9}
	oidSponsor      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 2, 1, 5, 68}
)

func attribute(t testing.TB, oid asn1.ObjectIdentifier, values ...[]byte) []byte {
	t.Helper()
	return der(0x30, marshal(t, oid), der(0x31, values...))
}

// clearance writes one that a test puts into a certificate.
func clearance(t testing.TB, policy string, classes []uint32, values ...labels.Value) []byte {
	t.Helper()
	b, err := ess.AppendClearance(nil, labels.ClearanceForm{Policy: policy, Classes: classes, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// foreignClearance is one of a policy with categories that nobody here can read, as RFC 3114 has.
func foreignClearance(t testing.TB, policy asn1.ObjectIdentifier) []byte {
	t.Helper()
	category := der(0x30, der(0x80, unhex(t, "2a864886f70d0109100704")), der(0xa1, der(0x30, der(0x0c, []byte("TEXT")))))
	return der(0x30, marshal(t, policy), der(0x03, []byte{5, 0xe0}), der(0x31, category))
}

// authority is a CA of the tests, or somebody below it.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// certify makes a certificate under an authority, a root without one, with extensions.
func certify(t testing.TB, by *authority, name string, extensions ...pkix.Extension) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name)) + 7), Subject: pkix.Name{CommonName: name, Organization: []string{"Example"}},
		NotBefore: time.Unix(1e9, 0), NotAfter: time.Unix(2e9, 0), ExtraExtensions: extensions,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	a := &authority{key: key}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	return a
}

func directoryAttributes(attributes ...[]byte) pkix.Extension {
	return pkix.Extension{Id: oidAttributes, Value: der(0x30, attributes...)}
}

func constraints(clearances ...[]byte) pkix.Extension {
	return pkix.Extension{Id: oidConstraints, Value: der(0x30, clearances...)}
}

// attributeCertificate says how one is built; change works on the parts of AttributeCertificateInfo.
type attributeCertificate struct {
	by, holder *authority
	attributes [][]byte
	extensions []byte
	change     func(parts [][]byte) [][]byte
}

func (a attributeCertificate) build(t testing.TB) []byte {
	t.Helper()
	name := func(raw []byte) []byte { return der(0xa4, raw) }
	algorithm := unhex(t, "300a06082a8648ce3d040302") // ecdsa-with-SHA256
	parts := [][]byte{
		{2, 1, 1},
		der(0x30, der(0xa0, der(0x30, name(a.holder.cert.RawIssuer)), marshal(t, a.holder.cert.SerialNumber)), der(0xa1, name(a.holder.cert.RawSubject))),
		der(0xa0, der(0x30, name(a.by.cert.RawSubject))),
		algorithm,
		{2, 1, 9},
		der(0x30, der(0x18, []byte("20250101000000Z")), der(0x18, []byte("20260101000000Z"))),
		der(0x30, a.attributes...),
	}
	if a.extensions != nil {
		parts = append(parts, der(0x30, a.extensions))
	}
	if a.change != nil {
		parts = a.change(parts)
	}
	info := der(0x30, parts...)
	sum := sha256.Sum256(info)
	signature, err := ecdsa.SignASN1(rand.Reader, a.by.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return der(0x30, info, algorithm, der(0x03, []byte{0}, signature))
}

// message builds a signed CMS message out of its signers.
func message(t testing.TB, signers ...[]byte) []byte {
	t.Helper()
	content := der(0x30, marshal(t, oidData), der(0xa0, der(0x04, []byte("text"))))
	signed := der(0x30, []byte{2, 1, 1}, der(0x31), content, der(0x31, signers...))
	return der(0x30, marshal(t, oidSignedData), der(0xa0, signed))
}

// signer builds a SignerInfo; the signature is none.
func signer(signed, unsigned []byte) []byte {
	parts := [][]byte{{2, 1, 3}, der(0x80, []byte("key")), der(0x30)}
	if signed != nil {
		parts = append(parts, der(0xa0, signed))
	}
	parts = append(parts, der(0x30), der(0x04, []byte("signature")))
	if unsigned != nil {
		parts = append(parts, der(0xa1, unsigned))
	}
	return der(0x30, parts...)
}
