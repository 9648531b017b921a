package labelfile

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"

	"sallyport/labels"
	"sallyport/labels/ess"
)

// First octets of the binary forms.
const (
	sequenceTag = 0x30
	setTag      = 0x31
)

// authorityConstraints is the extension of RFC 5913 §3.
const authorityConstraints = "1.3.6.1.5.5.7.1.21"

// maxBlocks bounds the certificates of one file.
const maxBlocks = 16

// shape is what octets are, by their first tags.
type shape uint8

const (
	noShape shape = iota
	oneLabel
	oneClearance
	manyLabels     // EquivalentLabels, RFC 2634 §3.4
	manyClearances // AuthorityClearanceConstraints, RFC 5913
	certificate
	signedMessage
)

// signedData is how the octets of id-signedData (1.2.840.113549.1.7.2) begin.
var signedData = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}

// shapeOf tells labels (a SET) from what else is a SEQUENCE by the tags inside it.
func shapeOf(b []byte) shape {
	if len(b) > 1 && b[0] == setTag {
		return oneLabel
	}
	if len(b) < 2 || b[0] != sequenceTag {
		return noShape
	}
	inner := content(b)
	switch {
	case bytes.HasPrefix(inner, signedData):
		return signedMessage
	case len(inner) > 0 && inner[0] == setTag:
		return manyLabels
	case len(inner) == 0 || inner[0] != sequenceTag:
		return oneClearance
	}
	if of := content(inner); len(of) > 0 && (of[0] == 0x06 || of[0] == 0x80) {
		return manyClearances
	}
	return certificate
}

// content is what follows the tag and the length of a value, whatever form the length has.
func content(b []byte) []byte {
	if len(b) < 2 {
		return nil
	}
	n := 2
	if b[1] > 0x80 {
		n += int(b[1] & 0x7f)
	}
	if n > len(b) {
		return nil
	}
	return b[n:]
}

// octets reads the binary forms, one by one.
func (p *parser) octets(b []byte) error {
	switch shapeOf(b) {
	case oneLabel:
		f, err := ess.ParseLabel(b)
		if err == nil {
			p.label("label", f, nil)
		}
		return err
	case oneClearance:
		f, err := ess.ParseClearance(b)
		if err == nil {
			p.clearance("clearance", f, nil)
		}
		return err
	case manyLabels:
		values, err := ess.ReadEquivalentLabels(b)
		for _, v := range values {
			p.equivalent(v.Form, v.Err)
		}
		return err
	case manyClearances:
		values, err := ess.ParseConstraints(b)
		p.clearances("upper bound", values)
		return err
	case certificate:
		return p.certificates([][]byte{b})
	case signedMessage:
		return p.cms(b)
	case noShape:
	}
	return bad("the octets are neither a label (SET) nor a clearance, a certificate or a signed message (SEQUENCE)")
}

func (p *parser) clearances(what string, values []ess.ClearanceValue) {
	for _, v := range values {
		p.clearance(what+" under "+v.Policy, v.Form, v.Err)
	}
}

// certificates reads the clearances of the first certificate, bounded by all of them: the rest are its path up to the
// trust anchor (RFC 5913 §4). Of a certificate of an authority without a clearance of its own, the bounds are shown.
func (p *parser) certificates(blocks [][]byte) error {
	values, err := ess.ReadCertificate(blocks[0])
	if err != nil {
		return err
	}
	p.note("nothing here verifies a certificate: its clearance is worth what its issuer is")
	var path []*x509.Certificate
	for i, b := range blocks {
		c, err := x509.ParseCertificate(b)
		if err != nil && i > 0 {
			return bad("certificate %d of the file: %v", i+1, err)
		}
		if err == nil { // the first may be an attribute certificate
			path = append(path, c)
		}
	}
	if values, err = ess.Constrain(values, path); err != nil {
		return err
	}
	p.clearances("clearance", values)
	if len(p.file.Clearances) > 0 {
		return nil
	}
	for _, c := range path[:min(len(path), 1)] {
		for _, e := range c.Extensions {
			if e.Id.String() == authorityConstraints {
				bounds, err := ess.ParseConstraints(e.Value)
				if err != nil {
					return err
				}
				p.clearances("upper bound", bounds)
			}
		}
	}
	if len(p.file.Clearances) == 0 {
		return labels.Errorf(labels.CodeClearance, "the certificate has no clearance and no clearance constraints")
	}
	return nil
}

// cms reads the signed label of a message. Signers who agree give one label.
func (p *parser) cms(b []byte) error {
	signed, err := ess.ReadSigned(b)
	if err != nil {
		return err
	}
	if len(signed) == 0 {
		return labels.Errorf(labels.CodeNoLabel, "no signer gave the message a label")
	}
	p.note("nothing here verifies a signature: the label is worth what its signer is")
	p.label("signed label", signed[0].Form, signed[0].Err)
	for _, e := range signed[0].Equivalents {
		p.equivalent(e.Form, e.Err)
	}
	return nil
}

// unwrap returns the octets inside PEM, base64 or hexadecimal digits, or the octets themselves.
func unwrap(b []byte) ([][]byte, error) {
	text := bytes.TrimSpace(b)
	switch {
	case isPEM(text):
		return unPEM(text)
	case len(b) > 0 && (b[0] == setTag || b[0] == sequenceTag) && shapeOf(b) != noShape && !isText(text):
		return [][]byte{b}, nil
	}
	if out, err := unhex(text); err == nil {
		return [][]byte{out}, nil
	}
	out, err := unbase64(text)
	return [][]byte{out}, err
}

func isPEM(b []byte) bool { return bytes.Contains(b, []byte("-----BEGIN ")) }

// isText says whether octets are printable: hexadecimal digits begin like a SET or SEQUENCE may.
func isText(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r > '~' })
}

// pemTypes are the blocks that can hold something.
var pemTypes = []string{"CERTIFICATE", "X509 CERTIFICATE", "ATTRIBUTE CERTIFICATE", "CMS", "PKCS7", "PKCS #7 SIGNED DATA"}

func unPEM(b []byte) ([][]byte, error) {
	var out [][]byte
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			break
		}
		if !isOneOf(block.Type, pemTypes) {
			return nil, bad("a PEM block of type %s; certificates and signed messages are read", labels.Quote(block.Type))
		}
		if out = append(out, block.Bytes); len(out) > maxBlocks {
			return nil, bad("more than %d PEM blocks", maxBlocks)
		}
	}
	if len(out) == 0 {
		return nil, bad("broken PEM")
	}
	return out, nil
}

// detectOctets says what syntax octets are in, wrapped as they are.
func detectOctets(b []byte) Syntax {
	blocks, err := unwrap(b)
	if err != nil {
		return NoSyntax
	}
	switch text := bytes.TrimSpace(b); shapeOf(blocks[0]) {
	case certificate:
		return Certificate
	case signedMessage:
		return CMS
	case oneLabel, oneClearance, manyLabels, manyClearances:
		switch {
		case isPEM(text):
		case !isText(text):
			return ESSDER
		default:
			if _, err := unhex(text); err == nil {
				return ESSHex
			}
			return ESS
		}
	case noShape:
	}
	return NoSyntax
}

// unbase64 reads base64 with white space and with or without padding (XEP-0258 has an example without).
func unbase64(b []byte) ([]byte, error) {
	s := strings.TrimRight(strings.Join(strings.Fields(string(b)), ""), "=")
	out, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, bad("not base64: %v", err)
	}
	return out, nil
}

// unhex reads hexadecimal digits with white space or colons between octets.
func unhex(b []byte) ([]byte, error) {
	s := strings.Join(strings.FieldsFunc(string(b), func(r rune) bool { return strings.ContainsRune(" \t\r\n:", r) }), "")
	out, err := hex.DecodeString(s)
	if err != nil {
		return nil, bad("not hexadecimal: %v", err)
	}
	return out, nil
}
