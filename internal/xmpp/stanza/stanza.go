// Package stanza holds the three XMPP stanzas as values that have been checked for shape.
//
// A Stanza comes into being only through From and FromCarried, so whoever holds one knows: kind and type are valid, the
// addresses are prepared, an IQ has an id and the number of children its type allows (RFC 6120 §8). The element inside
// says the same as the fields: its to and from are the prepared form. Stanzas and their elements never change; the
// With methods return others.
//
// Errors are made here from fixed templates (reply.go): no part of a refused stanza but its addresses, kind and id
// ever goes into an answer.
//
// What a payload means is no matter of this package; package rules decides what may be inside.
package stanza

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
)

// Stanza is one message, presence or IQ. The zero value is none. It is small: pass it by value.
type Stanza struct {
	el       *xmlstream.Element
	id       string
	to, from jid.JID
	kind     Kind
	typ      Type
	carried  bool // came out of another stanza, see FromCarried
}

// Element returns the whole stanza.
func (s Stanza) Element() *xmlstream.Element { return s.el }

// Kind returns the kind.
func (s Stanza) Kind() Kind { return s.kind }

// Type returns the type. A message with a type nobody knows is MessageNormal (RFC 6121 §5.2.2), while its element
// still has the attribute as it came.
func (s Stanza) Type() Type { return s.typ }

// ID returns the id attribute; it is empty only where RFC 6120 §8.1.3 allows that: not in an IQ.
func (s Stanza) ID() string { return s.id }

// To returns the prepared address of the recipient. It is zero only in a carried stanza that named none.
func (s Stanza) To() jid.JID { return s.to }

// From returns the prepared address of the sender. It is zero only in a carried stanza that named none.
func (s Stanza) From() jid.JID { return s.from }

// IsZero reports whether s is no stanza at all.
func (s Stanza) IsZero() bool { return s.el == nil }

// IsError reports whether s has the type error, whatever its kind.
func (s Stanza) IsError() bool {
	return s.typ == MessageError || s.typ == PresenceError || s.typ == IQError
}

// IsRequest reports whether s is an IQ that must be answered.
func (s Stanza) IsRequest() bool { return s.typ == IQGet || s.typ == IQSet }

// IsResponse reports whether s is an IQ that answers another.
func (s Stanza) IsResponse() bool { return s.typ == IQResult || s.typ == IQError }

// ContentNS returns the namespace of the stanza, which is also that of body, subject, show and the like inside it.
func (s Stanza) ContentNS() string {
	if s.el == nil {
		return ""
	}
	return s.el.Space()
}

// Payload returns the child of an IQ get, set or result; it is nil for an empty result and for everything else. What
// an IQ error repeats of the request is no payload: nobody here should look at it.
func (s Stanza) Payload() *xmlstream.Element {
	if !s.IsRequest() && s.typ != IQResult {
		return nil
	}
	for c := range s.el.Children() {
		return c
	}
	return nil
}

// Error returns condition and type of an error stanza: undefined-condition where the peer named none that we know,
// the usual type where it gave none. Both are zero for any other stanza.
func (s Stanza) Error() (Condition, ErrorType) {
	if !s.IsError() {
		return NoCondition, NoErrorType
	}
	e := s.el.Child(s.el.Space(), errorName)
	c := UndefinedCondition
	for child := range e.Children() {
		if child.Space() != xmlstream.NSStanzas {
			continue
		}
		if known, ok := ParseCondition(child.Local()); ok {
			c = known
			break
		}
	}
	attr, _ := e.Attr(typeAttr)
	if t, ok := ParseErrorType(attr); ok {
		return c, t
	}
	return c, c.DefaultType()
}

// WithElement returns the stanza that e is, with the checks that s passed. It must be of the same kind.
func (s Stanza) WithElement(e *xmlstream.Element) (Stanza, error) {
	n, err := read(e, s.carried, nil)
	if err != nil {
		return Stanza{}, err
	}
	if n.kind != s.kind {
		return Stanza{}, &Malformed{
			Stanza: BadRequest, Kind: n.kind, Type: n.typ, ID: n.id, To: n.to, From: n.from,
			Detail: "a change made another kind of stanza",
		}
	}
	return n, nil
}

// WithAddresses returns s with other addresses. A zero JID leaves that address as it is.
func (s Stanza) WithAddresses(from, to jid.JID) Stanza {
	if s.el == nil {
		return s
	}
	if !from.IsZero() && from != s.from {
		s.el = s.el.WithAttr(xmlstream.Name{Local: fromAttr}, from.String())
		s.from = from
	}
	if !to.IsZero() && to != s.to {
		s.el = s.el.WithAttr(xmlstream.Name{Local: toAttr}, to.String())
		s.to = to
	}
	return s
}

// WithID returns s with another id. An empty id removes it, but an IQ keeps the one it has.
func (s Stanza) WithID(id string) Stanza {
	if s.el == nil || id == s.id || id == "" && s.kind == IQ {
		return s
	}
	if id == "" {
		s.el = s.el.WithoutAttr(xmlstream.Name{Local: idAttr})
	} else {
		s.el = s.el.WithAttr(xmlstream.Name{Local: idAttr}, id)
	}
	s.id = id
	return s
}
