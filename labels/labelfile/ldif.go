package labelfile

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/nato4774"
)

// The attributes of a directory that hold clearances: the binary value of RFC 5755 under its name or object identifier,
// the older one of RFC 3281, and the XML value of the NATO schema (ADatP-4774.1).
var (
	binaryAttributes = []string{"clearance", "2.5.4.55", "2.5.1.5.55"}
	xmlAttributes    = []string{"confidentialityclearance", "2.16.840.1.101.2.2.1.198"}
)

// attribute is one line of LDIF (RFC 2849), unfolded.
type attribute struct {
	name  string // lower case, without options
	value []byte
}

// isLDIF looks for a first line as an entry or an attribute list has it.
func isLDIF(b []byte) bool {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	name, _, ok := strings.Cut(string(line), ":")
	if !ok {
		return false
	}
	name = baseName(name)
	return name == "dn" || name == "version" || isOneOf(name, binaryAttributes) || isOneOf(name, xmlAttributes)
}

func isOneOf(s string, list []string) bool {
	for _, l := range list {
		if s == l {
			return true
		}
	}
	return false
}

// baseName is an attribute description in lower case and without options such as ;binary.
func baseName(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}

func (p *parser) ldif(b []byte) error {
	attrs, err := unfold(b)
	if err != nil {
		return err
	}
	entries := 0
	for _, a := range attrs {
		n := len(p.file.Clearances) + 1
		switch {
		case a.name == "dn":
			if entries++; entries > 1 {
				return bad("more than one entry; keep the one that is meant")
			}
		case isOneOf(a.name, binaryAttributes):
			f, err := ess.ParseClearance(a.value)
			p.clearance(fmt.Sprintf("value %d, %s", n, a.name), f, err)
		case isOneOf(a.name, xmlAttributes):
			f, err := p.natoClearance(a.value)
			p.clearance(fmt.Sprintf("value %d, %s", n, a.name), f, err)
		}
	}
	if len(p.file.Clearances) == 0 {
		return bad("the entry has neither the attribute clearance nor confidentialityClearance")
	}
	return nil
}

func (p *parser) natoClearance(b []byte) (labels.ClearanceForm, error) {
	e, err := document(bytes.TrimSpace(b))
	if err != nil {
		return labels.ClearanceForm{}, bad("not readable as XML: %v", err)
	}
	return nato4774.ParseClearanceWith(nato4774.Options{Lenient: p.o.Lenient}, e, p.reg)
}

// unfold joins continued lines and decodes base64 values. URL values are refused: what they point at is not here.
func unfold(b []byte) ([]attribute, error) {
	text := strings.ReplaceAll(string(b), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\n ", "")
	var out []attribute
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, bad("line %d of the unfolded text is no attribute", i+1)
		}
		a := attribute{name: baseName(name)}
		switch {
		case strings.HasPrefix(value, ":"):
			v, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value[1:]))
			if err != nil {
				return nil, bad("attribute %s: not base64", labels.Quote(a.name))
			}
			a.value = v
		case strings.HasPrefix(value, "<"):
			return nil, bad("attribute %s: a value by URL cannot be read", labels.Quote(a.name))
		default:
			a.value = []byte(strings.TrimLeft(value, " "))
		}
		out = append(out, a)
	}
	return out, nil
}
