package labelfile

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"sallyport/labels"
	"sallyport/labels/ess"
)

func bad(format string, args ...any) error { return labels.Errorf(labels.CodeSyntax, format, args...) }

// Parse reads what a file holds. The registry resolves the names that some syntaxes carry instead of numbers. The File
// tells the syntax that was found even when there is an error.
func Parse(b []byte, reg *labels.Registry, o Options) (*File, error) {
	if len(b) > MaxBytes {
		return &File{}, bad("%d bytes, at most %d", len(b), MaxBytes)
	}
	p := parser{reg: reg, o: o, file: &File{Syntax: o.Syntax}}
	if o.Syntax == NoSyntax {
		if p.file.Syntax = detect(b); p.file.Syntax == NoSyntax {
			return p.file, unknown(b)
		}
	}
	if err := p.parse(b); err != nil {
		return p.file, fmt.Errorf("read as %s: %w", p.file.Syntax, err)
	}
	return p.file, nil
}

type parser struct {
	reg  *labels.Registry
	o    Options
	file *File
}

func (p *parser) label(role string, f labels.LabelForm, err error) {
	p.file.Labels = append(p.file.Labels, Entry[labels.LabelForm]{Role: role, Form: f, Err: err})
}

func (p *parser) equivalent(f labels.LabelForm, err error) {
	p.file.Equivalent = append(p.file.Equivalent, Entry[labels.LabelForm]{
		Role: fmt.Sprintf("equivalent label %d", len(p.file.Equivalent)+1), Form: f, Err: err,
	})
}

func (p *parser) clearance(role string, f labels.ClearanceForm, err error) {
	p.file.Clearances = append(p.file.Clearances, Entry[labels.ClearanceForm]{Role: role, Form: f, Err: err})
}

func (p *parser) parse(b []byte) error {
	switch p.file.Syntax {
	case ESSDER:
		return p.octets(b)
	case ESS, SDN801c:
		octets, err := unbase64(b)
		if err != nil {
			return err
		}
		return p.octets(octets)
	case ESSHex:
		octets, err := unhex(b)
		if err != nil {
			return err
		}
		return p.octets(octets)
	case STANAG4774, XEP0258, Message, Spiffing:
		return p.xml(b)
	case LDIF:
		return p.ldif(b)
	case NoSyntax, STANAG4778, ICISM, Text, Certificate, CMS:
	}
	return bad("this syntax cannot be read")
}

// First octets of the binary forms.
const (
	sequenceTag = 0x30
	setTag      = 0x31
)

// octets reads a label (a SET) or a clearance (a SEQUENCE).
func (p *parser) octets(b []byte) error {
	switch {
	case len(b) == 0:
		return bad("empty")
	case b[0] == setTag:
		f, err := ess.ParseLabel(b)
		if err != nil {
			return err
		}
		p.label("label", f, nil)
		return nil
	case b[0] == sequenceTag:
		f, err := ess.ParseClearance(b)
		if err != nil {
			return err
		}
		p.clearance("clearance", f, nil)
		return nil
	}
	return bad("the octets are neither a label (SET) nor a clearance (SEQUENCE)")
}

// detect says what a file looks like. Octets begin with one of two tags; the letters "0" and "1" are the same octets,
// but no text syntax begins with them: base64 of a SET or SEQUENCE begins with M, hexadecimal with 3.
func detect(b []byte) Syntax {
	text := bytes.TrimSpace(b)
	switch {
	case len(text) == 0:
		return NoSyntax
	case b[0] == setTag || b[0] == sequenceTag:
		return ESSDER
	case text[0] == '<':
		return detectXML(text)
	case isLDIF(text):
		return LDIF
	}
	if octets, err := unhex(text); err == nil && beginsDER(octets) {
		return ESSHex
	}
	if octets, err := unbase64(text); err == nil && beginsDER(octets) {
		return ESS
	}
	return NoSyntax
}

func beginsDER(b []byte) bool { return len(b) > 1 && (b[0] == setTag || b[0] == sequenceTag) }

// unknown says what is wrong with a file of which no syntax is known.
func unknown(b []byte) error {
	switch text := bytes.TrimSpace(b); {
	case len(text) == 0:
		return bad("the file is empty")
	case text[0] == '<':
		return unknownXML(text)
	}
	return bad("this looks like no syntax of a label or clearance (neither XML, DER, base64, hexadecimal nor LDIF)")
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
