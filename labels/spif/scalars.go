package spif

import (
	"slices"
	"strconv"
	"strings"

	"sallyport/labels"

	"github.com/beevik/etree"
)

// maxPhrase bounds a phrase or qualifier, in bytes of UTF-8 (256 characters by the schema).
const maxPhrase = 1024

// name collapses white space, as xs:token does.
func name(s string) string { return strings.Join(strings.Fields(s), " ") }

// text returns the text of an element that may hold nothing else.
func (r *reader) text(e *etree.Element) string {
	var b strings.Builder
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.CharData:
			b.WriteString(t.Data)
		case *etree.Element:
			r.problem(t, "element", "element %q is not known inside %q", t.FullTag(), e.Tag)
		}
	}
	return b.String()
}

// lacv reads a number; leading zeros occur ("004").
func (r *reader) lacv(e *etree.Element, a map[string]string) uint32 {
	n, err := strconv.ParseUint(strings.TrimSpace(a["lacv"]), 10, 31)
	if err != nil {
		r.problem(e, "lacv", "%s: lacv %s is not a number from 0 to %d", e.Tag, labels.Quote(a["lacv"]), labels.MaxNumber)
	}
	return uint32(n)
}

func (r *reader) boolean(e *etree.Element, a map[string]string, key string) bool {
	switch strings.TrimSpace(a[key]) {
	case "true", "1":
		return true
	case "", "false", "0":
		return false
	}
	r.problem(e, "boolean", "%s %q is neither true nor false", key, a[key])
	return false
}

// selection reads minSelection or maxSelection; "unbounded" and absence are 0.
func (r *reader) selection(e *etree.Element, a map[string]string, key string) int {
	s := strings.TrimSpace(a[key])
	if s == "" || s == "unbounded" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n == 0 && key == "maxSelection" {
		r.problem(e, "selection", "%s %q is not a usable number", key, s)
		return 0
	}
	return n
}

// maxLang bounds a language tag (RFC 5646 §4.4.1).
const maxLang = 35

// lang checks that a language tag is made of letters, digits and hyphens (RFC 5646 §2.1). One that is not would never
// match, and its text would be lost.
func (r *reader) lang(e *etree.Element, s string) string {
	odd := strings.ContainsFunc(s, func(c rune) bool {
		return c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
	if odd || len(s) > maxLang {
		r.problem(e, "language", "xml:lang %s is not a language tag such as fr or en-GB", labels.Quote(s))
	}
	return s
}

// codes are the marking codes of SPIF 2.1, in lower case, with the one NATO spells with a single p.
var codes = []string{
	"pagetop", "pagebottom", "pagetopbottom", "documentstart", "documentend", "firstlineoftext", "lastlineoftext",
	"subject", "xheader", "portionmarking", "watermark", "inputtitle", "nonamedisplay", "nomarkingdisplay",
	"suppressclassname", "supressclassname", "replacepolicy",
}

func (r *reader) code(e *etree.Element, s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if s != "" && !slices.Contains(codes, s) {
		r.warn(e, "marking-code", "marking code %s is not known and has no effect", labels.Quote(s))
	}
	return s
}

func (r *reader) marking(e *etree.Element) labels.MarkingSpec {
	a := r.attributes(e, "phrase")
	text, has := a["phrase"]
	s := labels.MarkingSpec{HasPhrase: has, Phrase: r.phrase(e, text), Lang: a["xml:lang"]}
	r.each(e, handlers{"code": func(c *etree.Element) { s.Codes = append(s.Codes, r.code(c, r.text(c))) }})
	return s
}

func (r *reader) qualifiers(e *etree.Element) []labels.QualifierSpec {
	a := r.attributes(e, "markingCode", "code")
	code := a["markingCode"]
	if code == "" {
		code = a["code"] // COMPAT(policies of the reference library)
	}
	code = r.code(e, code)
	var out []labels.QualifierSpec
	r.each(e, handlers{"qualifier": func(c *etree.Element) {
		b := r.attributes(c, "markingQualifier", "qualifierCode")
		q := labels.QualifierSpec{Code: code, Text: r.phrase(c, b["markingQualifier"]), Lang: b["xml:lang"]}
		switch b["qualifierCode"] {
		case "prefix":
			q.Role = labels.Prefix
		case "suffix":
			q.Role = labels.Suffix
		case "separator":
			q.Role = labels.Separator
		default:
			r.problem(c, "qualifier", "qualifierCode %q is none of prefix, suffix, separator", b["qualifierCode"])
		}
		out = append(out, q)
	}})
	return out
}

// phrase checks text that is going to be shown: bounded, and without characters that hide or turn what is beside them.
func (r *reader) phrase(e *etree.Element, s string) string {
	if len(s) > maxPhrase || !labels.Shown(s) {
		r.problem(e, "phrase", "text of %q is longer than %d bytes or holds a control or direction character", e.Tag, maxPhrase)
	}
	return s
}
