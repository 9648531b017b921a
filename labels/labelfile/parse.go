package labelfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sallyport/labels"
	"sallyport/labels/textmark"
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
		if p.file.Syntax = detect(b, o); p.file.Syntax == NoSyntax {
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

func (p *parser) note(format string, args ...any) {
	p.file.Notes = append(p.file.Notes, fmt.Sprintf(format, args...))
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
	case ESS, ESSHex, SDN801c, Certificate, CMS:
		blocks, err := unwrap(b)
		if err != nil {
			return err
		}
		if p.file.Syntax == Certificate {
			return p.certificates(blocks)
		}
		if len(blocks) > 1 {
			return bad("%d PEM blocks; keep the one that is meant", len(blocks))
		}
		return p.octets(blocks[0])
	case STANAG4774, STANAG4778, XEP0258, Message, Spiffing, ICISM:
		return p.xml(b)
	case LDIF:
		return p.ldif(b)
	case Text:
		return p.text(b)
	case NoSyntax:
	}
	return bad("this syntax cannot be read")
}

// text looks a display marking up. It is one line, with or without the brackets of a first line of text.
func (p *parser) text(b []byte) error {
	line := strings.TrimSpace(string(b))
	if l, ok := p.o.Table.Lookup(line); ok {
		p.label("label", l.Form(), nil)
		return nil
	}
	if inner, ok := textmark.TypedLine(line); ok {
		if l, ok := p.o.Table.Lookup(inner); ok {
			p.label("label", l.Form(), nil)
			return nil
		}
	}
	if slices.Contains(p.o.Table.Ambiguous(), textmark.Fold(line)) {
		return labels.Errorf(labels.CodeUnknown, "the marking %s stands for more than one label", labels.Quote(line))
	}
	return unknownMarking(line, "")
}

// unknownMarking says which markings can be read back: one with several values could come from more than one label.
func unknownMarking(line, where string) error {
	return labels.Errorf(labels.CodeUnknown, "no label that is known here has the marking %s%s; only markings in a catalogue, "+
		"and of labels with a single value, which are generated from the policy, can be read back", labels.Quote(line), where)
}

// detect says what a file looks like. Octets begin with one of two tags; the letters "0" and "1" are the same octets,
// but no text syntax begins with them: base64 of a SET or SEQUENCE begins with M, hexadecimal with 3.
func detect(b []byte, o Options) Syntax {
	text := bytes.TrimSpace(b)
	switch {
	case len(text) == 0:
		return NoSyntax
	case text[0] == '<':
		return detectXML(text, o)
	case isLDIF(text):
		return LDIF
	}
	if s := detectOctets(b); s != NoSyntax {
		return s
	}
	if o.Table.Len() > 0 && isLine(text) {
		return Text
	}
	return NoSyntax
}

// isLine says whether text is one line that a marking may be.
func isLine(b []byte) bool {
	return utf8.Valid(b) && len(b) <= 4*labels.MaxMarking && !bytes.ContainsFunc(b, unicode.IsControl)
}

// unknown says what is wrong with a file of which no syntax is known.
func unknown(b []byte) error {
	switch text := bytes.TrimSpace(b); {
	case len(text) == 0:
		return bad("the file is empty")
	case text[0] == '<':
		return unknownXML(text)
	}
	return bad("this looks like no syntax of a label or clearance (neither XML, DER, PEM, base64, hexadecimal nor LDIF)")
}
