package xmlstream

import (
	"slices"
	"strings"
)

// maxDeclaration bounds an XML declaration, which needs 55 bytes at most if written plainly.
const maxDeclaration = 256

// prolog reads what stands before the stream header or the root of a document.
func (d *Decoder) prolog() step {
	b := d.buf[:d.end]
	if d.pos == len(b) {
		return short
	}
	if d.fresh && d.again { // COMPAT(go-xmpp, 0.0): says "</auth>\n", and then "<?xml …"
		if st := d.skipWhite(b); st != more {
			return st
		}
	}
	if d.fresh && b[d.pos] == '<' {
		if d.pos+1 == len(b) {
			return short
		}
		if b[d.pos+1] == '?' {
			return d.declaration(b, d.pos)
		}
	}
	d.fresh = false
	if st := d.skipWhite(b); st != more {
		return st
	}
	if d.noHeader {
		d.state = between
		return more
	}
	if b[d.pos] != '<' {
		return d.fail(NotWellFormed, d.pos, "text before the root") // a BOM, UTF-16, TLS and HTTP end here too
	}
	d.begin(d.pos)
	return more
}

// declaration reads the XML declaration (XML 1.0 §2.8) at b[i].
func (d *Decoder) declaration(b []byte, i int) step {
	const begin = "<?xml"
	for k := 2; ; k++ {
		if i+k == len(b) {
			return short
		}
		c := b[i+k]
		switch {
		case k < len(begin) && c != begin[k], k == len(begin) && class[c]&isSpace == 0:
			return d.fail(RestrictedXML, i+k, "processing instruction")
		case k >= maxDeclaration:
			return d.fail(PolicyViolation, i+k, "XML declaration too long")
		case c < ' ' && class[c]&isSpace == 0 || c >= 0x7F || c == '<' || (c == '>') != (b[i+k-1] == '?' && k > 2):
			return d.fail(NotWellFormed, i+k, "impossible character in the XML declaration")
		case c == '>':
			return d.declared(string(b[i+len(begin):i+k-1]), i+k)
		}
	}
}

// declared judges the inside of an XML declaration that ends at b[at].
func (d *Decoder) declared(inside string, at int) step {
	condition, detail := judgeDeclaration(inside)
	switch {
	case condition != "":
	case d.noHeader && !d.document:
		condition, detail = BadFormat, "header on a stream without headers"
	case d.canonical:
		condition, detail = NotWellFormed, "XML declaration in a frame"
	default:
		d.pos, d.fresh = at+1, false
		return more
	}
	return d.fail(condition, at, detail)
}

func judgeDeclaration(s string) (condition, detail string) {
	values := map[string]string{}
	order := []string{"version", "encoding", "standalone"}
	for {
		rest := strings.TrimLeft(s, " \t\r\n")
		if rest == "" {
			break
		}
		name, after, _ := strings.Cut(rest, "=")
		name, after = strings.TrimRight(name, " \t\r\n"), strings.TrimLeft(after, " \t\r\n")
		at := slices.Index(order, name)
		if at < 0 || rest == s || after == "" || after[0] != '\'' && after[0] != '"' {
			return NotWellFormed, "XML declaration is not formed well"
		}
		value, tail, closed := strings.Cut(after[1:], after[:1])
		if !closed {
			return NotWellFormed, "XML declaration is not formed well"
		}
		values[name], s, order = value, tail, order[at+1:]
	}
	version, ok := values["version"]
	encoding, encoded := values["encoding"]
	alone, said := values["standalone"]
	switch {
	case !ok:
		return NotWellFormed, "XML declaration without a version"
	case version != "1.0":
		return BadFormat, "not XML 1.0"
	case encoded && !strings.EqualFold(encoding, "UTF-8"):
		return UnsupportedEncoding, "encoding other than UTF-8"
	case said && alone != "yes" && alone != "no":
		return NotWellFormed, "standalone is neither yes nor no"
	}
	return "", ""
}

// streamHeader turns the start tag that has been read into the stream header (RFC 6120 §4.7, §4.8).
func (d *Decoder) streamHeader(space uint32, empty bool) step {
	at := d.pos - 1
	name := d.open[0].name
	qualified := string(d.records.text[name.off:name.end])
	if st := d.record(space, at); st != more {
		return st
	}
	d.records.endNodes(0, d.open[0].nodes)
	e := d.records.tree(&d.scope, nil)
	d.scope.keep(d.records.text)
	dialback := slices.ContainsFunc(d.scope.stream, func(b streamBinding) bool {
		return b.prefix != "" && b.space == dialbackSpace
	})
	switch {
	case e.Space() != NSStream:
		return d.fail(InvalidNamespace, at, "root is not in the namespace of streams")
	case e.Local() != "stream":
		return d.fail(BadFormat, at, "root is not a stream")
	case qualified != "stream:stream":
		return d.fail(BadNamespacePrefix, at, "root does not use the prefix stream")
	case d.contentNS == "" || d.scope.uri(d.scope.def) != d.contentNS:
		return d.fail(InvalidNamespace, at, "wrong content namespace")
	}
	h := Header{Name: e.Name(), ContentNS: d.contentNS, Dialback: dialback}
	h.To, _ = e.Attr("to")
	h.From, _ = e.Attr("from")
	h.ID, _ = e.Attr("id")
	h.Version, _ = e.Attr("version")
	h.Lang, _ = e.AttrNS(NSXML, "lang")
	h.Attrs = e.allAttrs()
	d.kind, d.header = HeaderEvent, h
	d.opened = true
	d.open = d.open[:0]
	d.endFirstLevel()
	if empty {
		d.state = atEmptied
	}
	return emit
}

// checkFirstLevel judges the name of a first-level element by what only the stream knows.
func (d *Decoder) checkFirstLevel(space uint32, at int) step {
	name := d.open[0].name
	local := d.records.text[name.off+d.tag.prefix : name.end]
	switch {
	case d.document:
	case space == streamSpace && string(local) == "stream":
		return d.fail(BadFormat, at, "stream header inside a stream")
	case (space == serverSpace || space == clientSpace) && wellKnown[space] != d.contentNS:
		return d.fail(InvalidNamespace, at, "stanza in the content namespace of another kind of stream")
	}
	return more
}

// endStream tells that the stream has ended.
func (d *Decoder) endStream() step {
	d.kind, d.state = EndEvent, ended
	return emit
}

// trailer reads what stands after the root of a document.
func (d *Decoder) trailer() step {
	b := d.buf[:d.end]
	if st := d.skipWhite(b); st != more {
		return st
	}
	if b[d.pos] != '<' {
		return d.fail(NotWellFormed, d.pos, "text after the root")
	}
	if next := b[d.pos+1:]; len(next) > 0 && next[0] == '?' || len(next) > 1 && next[0] == '!' {
		return d.markup(b, d.pos)
	}
	return d.fail(NotWellFormed, d.pos, "second root")
}
