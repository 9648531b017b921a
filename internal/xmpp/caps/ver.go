package caps

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // XEP-0115 §5.1 makes it mandatory; a second preimage is what would matter
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"hash"
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// Errors of Ver.
var (
	// ErrIllFormed: XEP-0115 §5.4 forbids to use such a disco#info.
	ErrIllFormed = errors.New("disco#info with something twice")
	// ErrUncovered: something in it is not covered by the hash, or could be read in two ways.
	ErrUncovered = errors.New("disco#info with something that its hash does not cover")
	// ErrHash: no such algorithm.
	ErrHash = errors.New("no such hash")
)

const nsForm = "jabber:x:data"

// infoName is the element of a disco#info (XEP-0030 §3).
var infoName = xmlstream.Name{Space: "http://jabber.org/protocol/disco#info", Local: "query"}

// hashes by the length of their verification string: a question names the string and not the algorithm.
var hashes = map[int]func() hash.Hash{28: sha1.New, 44: sha256.New, 88: sha512.New}

// Verify reports whether node, "URI#ver", names exactly this disco#info, so that it may be told to whoever names the same.
//
// The hash joins all parts with "<" and keeps no word of what each was, so the same text can be read in several ways, and somebody could
// have a false reading of an honest client's hash shared (XEP-0115 §8; XEP-0390 was made for it). Therefore only what has one reading is
// taken: identities of plain words, features that are namespaces, and no forms.
func Verify(info *xmlstream.Element, node string) bool {
	if !oneReading(info) {
		return false
	}
	at := strings.LastIndexByte(node, '#')
	if at < 0 {
		return false
	}
	ver := node[at+1:]
	newHash := hashes[len(ver)]
	if newHash == nil {
		return false
	}
	text, err := covered(info)
	return err == nil && sum(newHash(), text) == ver
}

// oneReading reports whether no part of a disco#info could pass for another part.
func oneReading(info *xmlstream.Element) bool {
	if info == nil || !attrsAmong(info, "node") {
		return false
	}
	for e := range info.Children() {
		switch {
		case e.Is(info.Space(), "identity"):
			category, _ := e.Attr("category")
			kind, _ := e.Attr("type")
			if !word(category) || !word(kind) || !attrsAmong(e, "category", "type", "lang", "name") {
				return false
			}
		case e.Is(info.Space(), "feature"):
			v, _ := e.Attr("var")
			head, _, _ := strings.Cut(v, "/")
			if v != "vcard-temp" && !strings.Contains(head, ":") || !attrsAmong(e, "var") {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// word is what the registry of identities has.
func word(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return s != ""
}

func attrsAmong(e *xmlstream.Element, names ...string) bool {
	for i := range e.NumAttrs() {
		n := e.AttrAt(i).Name
		if !slices.Contains(names, n.Local) || n.Space != "" && n.Space != xmlstream.NSXML {
			return false
		}
	}
	return true
}

// Ver returns the verification string of a disco#info under sha-1, sha-256 or sha-512 (XEP-0115 §5.1).
func Ver(algorithm string, info *xmlstream.Element) (string, error) {
	size := map[string]int{"sha-1": 28, "sha-256": 44, "sha-512": 88}[algorithm]
	if size == 0 {
		return "", ErrHash
	}
	text, err := covered(info)
	if err != nil {
		return "", err
	}
	return sum(hashes[size](), text), nil
}

func sum(h hash.Hash, text string) string {
	h.Write([]byte(text)) // a hash never fails
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// covered makes the text that is hashed.
func covered(info *xmlstream.Element) (string, error) {
	if info == nil || info.Name() != infoName {
		return "", ErrUncovered
	}
	var identities [][4]string
	var features []string
	var forms []form
	for i := range info.NumNodes() {
		e := info.NodeAt(i).Element
		switch {
		case e.Is(info.Space(), "identity") && e.NumNodes() == 0:
			identities = append(identities, identity(e))
		case e.Is(info.Space(), "feature") && e.NumNodes() == 0:
			v, _ := e.Attr("var")
			features = append(features, v)
		case e.Is(nsForm, "x"):
			f, err := readForm(e)
			if err != nil {
				return "", err
			}
			forms = append(forms, f)
		default:
			return "", ErrUncovered
		}
	}
	var b strings.Builder
	if err := writeIdentities(&b, identities); err != nil {
		return "", err
	}
	if err := writeSorted(&b, features); err != nil {
		return "", err
	}
	if err := writeForms(&b, forms); err != nil {
		return "", err
	}
	return b.String(), nil
}

func identity(e *xmlstream.Element) (out [4]string) {
	out[0], _ = e.Attr("category")
	out[1], _ = e.Attr("type")
	out[2], _ = e.AttrNS(xmlstream.NSXML, "lang")
	out[3], _ = e.Attr("name")
	return out
}

func writeIdentities(b *strings.Builder, list [][4]string) error {
	slices.SortFunc(list, func(x, y [4]string) int {
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]), cmp.Compare(x[2], y[2]), cmp.Compare(x[3], y[3]))
	})
	for i, id := range list {
		if i > 0 && list[i-1] == id {
			return ErrIllFormed
		}
		if strings.Contains(id[0]+id[1]+id[2], "/") {
			return ErrUncovered
		}
		if err := writeOne(b, strings.Join(id[:], "/")); err != nil {
			return err
		}
	}
	return nil
}

// writeSorted writes a set.
func writeSorted(b *strings.Builder, list []string) error {
	slices.Sort(list)
	for i, s := range list {
		if i > 0 && list[i-1] == s {
			return ErrIllFormed
		}
		if err := writeOne(b, s); err != nil {
			return err
		}
	}
	return nil
}

// writeOne ends a part with the separator; a part that holds one could pass for two.
func writeOne(b *strings.Builder, s string) error {
	if strings.Contains(s, "<") {
		return ErrUncovered
	}
	b.WriteString(s)
	b.WriteByte('<')
	return nil
}

// form is one extension (XEP-0128).
type form struct {
	typ    string
	fields []field
}

type field struct {
	name   string
	values []string
}

// readForm takes only a form of which the hash covers everything: a hidden FORM_TYPE with one value, fields with values.
func readForm(e *xmlstream.Element) (form, error) {
	var f form
	for i := range e.NumNodes() {
		c := e.NodeAt(i).Element
		if !c.Is(nsForm, "field") {
			return form{}, ErrUncovered
		}
		name, _ := c.Attr("var")
		values, err := readValues(c)
		if err != nil {
			return form{}, err
		}
		if name != "FORM_TYPE" {
			f.fields = append(f.fields, field{name, values})
			continue
		}
		if kind, _ := c.Attr("type"); kind != "hidden" || len(values) == 0 || f.typ != "" {
			return form{}, ErrUncovered
		}
		if len(values) > 1 || values[0] == "" {
			return form{}, ErrIllFormed
		}
		f.typ = values[0]
	}
	if f.typ == "" {
		return form{}, ErrUncovered // a form without a type is left out of the hash
	}
	return f, nil
}

func readValues(e *xmlstream.Element) (values []string, err error) {
	for i := range e.NumNodes() {
		v := e.NodeAt(i).Element
		if !v.Is(nsForm, "value") {
			return nil, ErrUncovered
		}
		for range v.Children() {
			return nil, ErrUncovered
		}
		values = append(values, v.Text())
	}
	return values, nil
}

func writeForms(b *strings.Builder, forms []form) error {
	slices.SortFunc(forms, func(x, y form) int { return cmp.Compare(x.typ, y.typ) })
	for i, f := range forms {
		if i > 0 && forms[i-1].typ == f.typ {
			return ErrIllFormed
		}
		if err := writeOne(b, f.typ); err != nil {
			return err
		}
		slices.SortFunc(f.fields, func(x, y field) int { return cmp.Compare(x.name, y.name) })
		for j, one := range f.fields {
			if j > 0 && f.fields[j-1].name == one.name {
				return ErrIllFormed
			}
			if err := writeOne(b, one.name); err != nil {
				return err
			}
			slices.Sort(one.values)
			for _, v := range one.values {
				if err := writeOne(b, v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
