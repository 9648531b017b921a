package stanza

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
)

// Malformed says why an element is no stanza. Exactly one of Stream and Stanza is set: either the stream must end with
// that error, or only this element is refused. The other fields are what could be read; zero where it could not.
// None of it holds text of the element but ID, the addresses, and Element.
type Malformed struct {
	Stream   StreamCondition
	Stanza   Condition
	Kind     Kind
	Type     Type
	ID       string
	To, From jid.JID
	TooBig   bool   // it was larger than the limit; its content was discarded
	Detail   string // for log and audit, never for the peer

	Element *xmlstream.Element // what came, for the digest in the record and nothing else; nil where it is not known
}

// Error gives condition and detail.
func (m *Malformed) Error() string {
	if m.Stream != NoStreamCondition {
		return "stream error " + m.Stream.String() + ": " + m.Detail
	}
	return "stanza error " + m.Stanza.String() + ": " + m.Detail
}

// Reply builds the answer for the sender. ok is false where the stream ends instead, where nobody can be answered, and
// where RFC 6120 §8.3.1 forbids an answer; the element is then only recorded. self, the domain of ours that the stream was
// proven for, stands in for an address that could not be read or is in a domain we do not speak for.
func (m *Malformed) Reply(self jid.JID, opts ErrorOptions) (s Stanza, ok bool) {
	if m.Stream != NoStreamCondition || m.Kind == NoKind {
		return Stanza{}, false
	}
	if m.To.IsZero() || !self.IsZero() && m.To.DomainJID() != self {
		opts.From = self
	}
	return reply(origin{kind: m.Kind, typ: m.Type, id: m.ID, to: m.To, from: m.From}, m.Stanza, opts)
}
