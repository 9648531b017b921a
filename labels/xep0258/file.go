package xep0258

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/nato4774"
)

// maxFile bounds a label or clearance file.
const maxFile = 256 << 10

// LoadClearance reads a clearance from a file: ESS octets, their base64, or STANAG 4774 XML.
func LoadClearance(path string, reg *labels.Registry) (*labels.Clearance, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	c, err := ParseClearance(b, reg)
	if err != nil {
		return nil, fmt.Errorf("clearance %s: %w", path, err)
	}
	return c, nil
}

// LoadLabel reads a label, such as a default label, from a file in the same syntaxes.
func LoadLabel(path string, reg *labels.Registry) (*labels.Label, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	l, err := ParseLabel(b, reg)
	if err != nil {
		return nil, fmt.Errorf("label %s: %w", path, err)
	}
	return l, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case len(b) > maxFile:
		return nil, fmt.Errorf("read %s: more than %d bytes", path, maxFile)
	}
	return b, nil
}

// First octets of the binary forms.
const (
	sequenceTag = 0x30
	setTag      = 0x31
)

// ParseClearance reads a clearance in any of the file syntaxes.
func ParseClearance(b []byte, reg *labels.Registry) (*labels.Clearance, error) {
	octets, e, err := open(b, sequenceTag)
	if err != nil {
		return nil, err
	}
	var f labels.ClearanceForm
	if e != nil {
		f, err = nato4774.ParseClearance(e, reg)
	} else {
		f, err = ess.ParseClearance(octets)
	}
	if err != nil {
		return nil, err
	}
	return reg.Clearance(f)
}

// ParseLabel reads a label in any of the file syntaxes.
func ParseLabel(b []byte, reg *labels.Registry) (*labels.Label, error) {
	octets, e, err := open(b, setTag)
	if err != nil {
		return nil, err
	}
	var f labels.LabelForm
	if e != nil {
		f, err = nato4774.ParseLabel(e, reg)
	} else {
		f, err = ess.ParseLabel(octets)
	}
	if err != nil {
		return nil, err
	}
	return reg.Label(f)
}

// open tells the syntaxes apart: XML begins with '<', octets with the tag, and anything else is base64. The letters
// '0' and '1' are the two tags, so base64 that begins with them would be taken for octets; the base64 of a SEQUENCE or
// SET always begins with 'M'.
func open(b []byte, tag byte) ([]byte, *xmlstream.Element, error) {
	if len(b) > 0 && b[0] == tag {
		return b, nil, nil
	}
	text := bytes.TrimSpace(b)
	switch {
	case len(text) == 0:
		return nil, nil, bad("empty")
	case text[0] == '<':
		e, err := xmlstream.ParseDocument(text, xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
		if err != nil {
			return nil, nil, bad("%v", err)
		}
		return nil, e, nil
	}
	octets, err := unbase64(string(text))
	return octets, nil, err
}
