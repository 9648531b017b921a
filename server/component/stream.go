package component

import (
	"crypto/sha1" //nolint:gosec // XEP-0114 has no other
	"crypto/subtle"
	"encoding/hex"
	"errors"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

// Space is the content namespace of components' streams.
const Space = "jabber:component:accept"

// stream is the server's side of one. It is a plain machine: events come in, bytes and stanzas come out. One goroutine owns it.
type stream struct {
	secret func(domain jid.JID) (string, bool)
	id     string // of the stream, unpredictable
	domain jid.JID
	state  streamState
}

type streamState uint8

const (
	awaitsHeader streamState = iota
	awaitsHandshake
	open
	over
)

// output is what an event leads to.
type output struct {
	write   []byte
	domain  jid.JID       // proven just now, zero otherwise
	stanza  stanza.Stanza // of the component, zero for none
	refused *stanza.Malformed
	end     bool // after write
}

// event takes what the decoder read.
func (s *stream) event(ev xmlstream.Event) output {
	switch {
	case s.state == over:
		return output{end: true}
	case ev.Kind == xmlstream.EndEvent:
		return s.close(nil)
	case ev.Kind == xmlstream.HeaderEvent && s.state == awaitsHeader:
		return s.header(ev.Header)
	case ev.Kind == xmlstream.ElementEvent && s.state == awaitsHandshake:
		return s.handshake(ev.Element)
	case ev.Kind == xmlstream.ElementEvent && s.state == open:
		return s.element(ev.Element)
	case ev.Kind == xmlstream.OversizeEvent:
		return s.fail(stanza.StreamPolicyViolation)
	}
	return s.fail(stanza.StreamNotAuthorized)
}

// header answers the component's header (XEP-0114 §3).
func (s *stream) header(h xmlstream.Header) output {
	domain, err := jid.ParseDomain(h.To)
	known := false
	if err == nil {
		_, known = s.secret(domain)
	}
	from := h.To
	if err != nil {
		from = ""
	}
	out := output{write: xmlstream.AppendHeader(nil, xmlstream.Header{ContentNS: Space, From: from, ID: s.id})}
	s.state = awaitsHandshake
	if !known {
		failed := s.fail(stanza.StreamHostUnknown)
		failed.write = append(out.write, failed.write...)
		return failed
	}
	s.domain = domain.Clone()
	return out
}

// Handshake is what a component proves its secret with on a stream.
func Handshake(id, secret string) string {
	sum := sha1.Sum([]byte(id + secret)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

func (s *stream) handshake(e *xmlstream.Element) output {
	secret, ok := s.secret(s.domain)
	if !e.Is(Space, "handshake") || !ok || subtle.ConstantTimeCompare([]byte(e.Text()), []byte(Handshake(s.id, secret))) != 1 {
		return s.fail(stanza.StreamNotAuthorized)
	}
	s.state = open
	return output{write: s.written(tree.New(Space, "handshake")), domain: s.domain}
}

// element takes a stanza: in the namespace of servers from here on.
func (s *stream) element(e *xmlstream.Element) output {
	if e.Space() != Space {
		return s.fail(stanza.StreamUnsupportedStanzaType)
	}
	m, err := stanza.From(tree.Renamed(e, Space, xmlstream.NSServer))
	var bad *stanza.Malformed
	switch {
	case errors.As(err, &bad) && bad.Stream != stanza.NoStreamCondition:
		return s.fail(bad.Stream)
	case errors.As(err, &bad):
		if bad.From.DomainJID() != s.domain {
			return s.fail(stanza.StreamInvalidFrom)
		}
		return output{refused: bad, write: s.refusal(bad)}
	case err != nil:
		return s.fail(stanza.StreamInternalServerError)
	case m.From().DomainJID() != s.domain:
		return s.fail(stanza.StreamInvalidFrom)
	case m.IsError():
		return output{stanza: retold(m)}
	}
	return output{stanza: m}
}

// retold is an error with nothing but its condition: errors are not judged by a label (XEP-0258 §5), so nothing of what one answers, or of
// what a component writes into it, may be in it. To the gate an address without resource is the server's own, whose errors are whole. One
// that has a label stays as it is, so that the gate drops it.
func retold(m stanza.Stanza) stanza.Stanza {
	if m.Element().Child("urn:xmpp:sec-label:0", "securitylabel") != nil {
		return m
	}
	cond, typ := m.Error()
	return stanza.Retold(m, cond, typ)
}

// refusal tells the component that one stanza of its is none.
func (s *stream) refusal(bad *stanza.Malformed) []byte {
	answer, ok := bad.Reply(s.domain, stanza.ErrorOptions{})
	if !ok {
		return nil
	}
	return s.append(answer)
}

// append writes a stanza as the component is to see it; nil for what it cannot be sent.
func (s *stream) append(m stanza.Stanza) []byte {
	return s.written(tree.Renamed(m.Element(), xmlstream.NSServer, Space))
}

func (s *stream) written(e *xmlstream.Element) []byte {
	b, err := xmlstream.AppendElement(nil, e, Space)
	if err != nil {
		return nil
	}
	return b
}

// fail ends the stream with an error; before the header of the component, ours goes first (RFC 6120 §4.7.1).
func (s *stream) fail(c stanza.StreamCondition) output {
	return s.close(stanza.StreamError(c, "", nil))
}

// ending is what ends a stream that is open for a reason of ours. It changes nothing, so that whoever may write can ask for it.
func (s *stream) ending(c stanza.StreamCondition) []byte {
	return xmlstream.AppendEnd(s.written(stanza.StreamError(c, "", nil)))
}

// broken ends the stream because of what the decoder could not read.
func (s *stream) broken(err error) output {
	c := stanza.StreamNotWellFormed
	var e *xmlstream.Error
	if errors.As(err, &e) {
		if known, ok := stanza.ParseStreamCondition(e.Condition); ok {
			c = known
		}
	}
	return s.fail(c)
}

func (s *stream) close(e *xmlstream.Element) output {
	var out output
	if s.state == awaitsHeader {
		out.write = xmlstream.AppendHeader(nil, xmlstream.Header{ContentNS: Space, ID: s.id})
	}
	if e != nil {
		out.write = append(out.write, s.written(e)...)
	}
	out.write, out.end, s.state = xmlstream.AppendEnd(out.write), true, over
	return out
}
