package stanza

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
)

// MaxID is the longest id we carry, in bytes. A stanza with a longer one is refused with policy-violation, and the error
// leaves the id out rather than repeat it. The list of bad inputs (H08) wants the stream ended instead; but an innocent
// server passes on the id that one of its users chose, and one user must not be able to cost two organisations their link.
const MaxID = 4096

// Attribute and child names that the shape of every stanza is made of.
const (
	toAttr    = "to"
	fromAttr  = "from"
	idAttr    = "id"
	typeAttr  = "type"
	errorName = "error"
)

// From checks a first-level element of a server stream. It allocates nothing when the addresses are canonical ASCII.
// Any error is a *Malformed.
func From(e *xmlstream.Element) (Stanza, error) { return read(e, false, nil) }

// Known are the addresses of the last stanza that somebody sent: the next one mostly has the same, which need not be read again. The zero
// value knows none. It is not safe for concurrent use.
type Known struct{ to, from jid.JID }

// From is the function From with what is known.
func (k *Known) From(e *xmlstream.Element) (Stanza, error) { return read(e, false, k) }

// parse reads the addresses, or takes the known ones that are written so.
func (k *Known) parse(to, from string) (t, f jid.JID, toErr, fromErr error) {
	if k == nil {
		return new(Known).read(to, from)
	}
	t, f, toErr, fromErr = k.read(to, from)
	if toErr == nil && t != k.to {
		k.to = t.Clone() // not what else stands in the memory of the stanza
	}
	if fromErr == nil && f != k.from {
		k.from = f.Clone()
	}
	return t, f, toErr, fromErr
}

func (k *Known) read(to, from string) (t, f jid.JID, toErr, fromErr error) {
	t, f = k.to, k.from
	if to != t.String() {
		t, toErr = jid.Parse(to)
	}
	if from != f.String() {
		f, fromErr = jid.Parse(from)
	}
	return t, f, toErr, fromErr
}

// FromCarried checks a stanza found inside another one (forwarded, archived, published). It may be in the client's
// content namespace and may leave addresses out; else the rules are the same. Any error is a *Malformed.
func FromCarried(e *xmlstream.Element) (Stanza, error) { return read(e, true, nil) }

func read(e *xmlstream.Element, carried bool, known *Known) (Stanza, error) {
	kind, cond := kindOf(e, carried)
	if kind == NoKind {
		return Stanza{}, &Malformed{Stream: cond, Detail: "not a stanza of this stream"}
	}
	s := Stanza{el: e, kind: kind, carried: carried}
	s.id, _ = e.Attr(idAttr)
	typ, typed := e.Attr(typeAttr)
	s.typ = typeFromAttr(kind, typ, typed)
	long := len(s.id) > MaxID
	if long {
		s.id = ""
	}
	if m := s.readAddresses(known); m != nil {
		return Stanza{}, m
	}
	if long {
		return Stanza{}, s.malformed(NoStreamCondition, PolicyViolation, "id over 4096 bytes")
	}
	if s.typ == NoType {
		return Stanza{}, s.malformed(NoStreamCondition, BadRequest, "unknown or missing type")
	}
	if m := s.checkShape(); m != nil {
		return Stanza{}, m
	}
	return s, nil
}

// kindOf tells the kind from the name, or the stream error that the name deserves (RFC 6120 §4.9.3.10, §4.9.3.24).
func kindOf(e *xmlstream.Element, carried bool) (Kind, StreamCondition) {
	if e == nil {
		return NoKind, StreamUnsupportedStanzaType
	}
	k, ok := ParseKind(e.Local())
	space := e.Space()
	switch {
	case !ok:
		return NoKind, StreamUnsupportedStanzaType
	case space == xmlstream.NSServer, carried && space == xmlstream.NSClient:
		return k, NoStreamCondition
	case space == xmlstream.NSClient:
		return NoKind, StreamInvalidNamespace
	}
	return NoKind, StreamUnsupportedStanzaType
}

// readAddresses fills in to and from (RFC 6120 §8.1.1, §8.1.2). An address that has to be there and is not ends the
// stream, and so does a from whose very domain is none, for then nobody can be held to it. Any other malformed address
// costs only this stanza: servers that still use stringprep pass on what PRECIS does not allow.
func (s *Stanza) readAddresses(known *Known) *Malformed {
	to, hasTo := s.el.Attr(toAttr)
	from, hasFrom := s.el.Attr(fromAttr)
	if !s.carried && (to == "" || from == "") || hasTo && to == "" || hasFrom && from == "" {
		return s.malformed(StreamImproperAddressing, NoCondition, "to or from missing or empty")
	}
	t, f, toErr, fromErr := known.parse(to, from)
	if toErr == nil {
		s.to = t
	}
	if fromErr == nil {
		s.from = f
	}
	if fromErr != nil {
		if !hasDomain(from) {
			return s.malformed(StreamImproperAddressing, NoCondition, "from: "+fromErr.Error())
		}
		return s.malformed(NoStreamCondition, JIDMalformed, "from: "+fromErr.Error())
	}
	if toErr != nil {
		return s.malformed(NoStreamCondition, JIDMalformed, "to: "+toErr.Error())
	}
	s.canonical(fromAttr, from, s.from)
	s.canonical(toAttr, to, s.to)
	return nil
}

// hasDomain reports whether the domainpart of a malformed address is sound.
func hasDomain(addr string) bool {
	_, err := jid.ParseDomain(jid.RawDomain(addr))
	return err == nil
}

// canonical makes the element say what the field says: from here on nobody sees the form that came in.
func (s *Stanza) canonical(attr, raw string, j jid.JID) {
	if raw != j.String() {
		s.el = s.el.WithAttr(xmlstream.Name{Local: attr}, j.String())
	}
}

// checkShape counts children (RFC 6120 §8.2.3, §8.3.1).
func (s *Stanza) checkShape() *Malformed {
	if s.kind == IQ && s.id == "" {
		return s.malformed(NoStreamCondition, BadRequest, "iq without id")
	}
	children, errs := 0, 0
	for c := range s.el.Children() {
		children++
		switch c.Space() {
		case s.el.Space():
			if c.Local() == errorName {
				errs++
			}
		case xmlstream.NSStream: // bad-inputs C14
			return s.malformed(NoStreamCondition, BadRequest, "stream-level element inside a stanza")
		}
	}
	switch {
	case s.IsRequest() && children != 1:
		return s.malformed(NoStreamCondition, BadRequest, "iq request without exactly one payload")
	case s.typ == IQResult && children > 1:
		return s.malformed(NoStreamCondition, BadRequest, "iq result with more than one payload")
	case s.typ == IQError && children > 2, s.IsError() && errs != 1:
		return s.malformed(NoStreamCondition, BadRequest, "error without exactly one error element")
	}
	return nil
}

func (s *Stanza) malformed(stream StreamCondition, c Condition, detail string) *Malformed {
	return &Malformed{Stream: stream, Stanza: c, Kind: s.kind, Type: s.typ, ID: s.id, To: s.to, From: s.from, Detail: detail, Element: s.el}
}
