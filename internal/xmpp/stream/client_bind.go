package stream

import (
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// bindState is resource binding on one stream (RFC 6120 §7).
type bindState struct {
	id      string // of the iq that waits for its answer
	refused int
}

// isBind reports whether an element asks for a resource, by whatever iq.
func isBind(e *xmlstream.Element) bool {
	return e.Is(xmlstream.NSClient, "iq") && e.Child(nsBind, "bind") != nil
}

// bindRequest is the only stanza that a client may send before a resource is bound.
func (m *Client) bindRequest(e *xmlstream.Element) {
	id, _ := e.Attr("id")
	typ, _ := e.Attr("type")
	var resource string
	n := 0
	for c := range e.Child(nsBind, "bind").Children() {
		if c.Is(nsBind, "resource") {
			resource = c.Text()
			n++
		}
	}
	m.bind.id = ""
	if len(id) <= stanza.MaxID {
		m.bind.id = strings.Clone(id)
	}
	drawn := resource == ""
	if drawn {
		if resource = m.drawResource(""); resource == "" {
			return
		}
	}
	full, err := m.account.WithResource(resource)
	if id == "" || m.bind.id == "" || typ != "set" || n > 1 || err != nil { // D08
		m.bindError(stanza.BadRequest)
		return
	}
	m.waiting = forBind
	m.emit(BindWanted{Account: m.account, Resource: strings.Clone(full.Resource()), Drawn: drawn})
}

// drawResource makes a resource that nobody can guess, behind the client's tag (XEP-0386 §3.2.1). Empty: the stream ended.
func (m *Client) drawResource(tag string) string {
	id, err := newID(m.cfg.Rand)
	if err != nil {
		m.streamError(stanza.StreamInternalServerError, "no randomness", nil)
		return ""
	}
	if tag == "" || len(tag) > MaxTagBytes {
		return id
	}
	full, err := m.account.WithResource(tag + "/" + id)
	if err != nil { // not a resource: ours alone is one
		return id
	}
	return full.Resource()
}

// bound takes the address that the edge gave.
func (m *Client) bound(in Bound) {
	full, err := m.account.WithResource(in.Resource)
	if err != nil || !full.IsFull() {
		m.streamError(stanza.StreamInternalServerError, "bound to no address", nil)
		return
	}
	m.address = full.Clone()
	m.reader = m.address
	switch {
	case m.auth.two != nil:
		m.auth.two.answers = in.Answers
		m.advance()
		return
	case m.auth.legacy != nil:
		m.legacyBound()
		return
	}
	m.write(with(el(xmlstream.NSClient, "iq", "type", "result", "id", m.bind.id),
		with(el(nsBind, "bind"), withText(el(nsBind, "jid"), m.address.String()))))
	m.open()
}

func (m *Client) bindRefused(in BindRefused) {
	if m.auth.two != nil { // the client may bind by an iq
		m.auth.two.bind = nil
		m.advance()
		return
	}
	refuse := m.bindError
	if m.auth.legacy != nil {
		refuse = m.legacyRefused
	}
	switch in.Reason {
	case BindConflict:
		refuse(stanza.Conflict)
	case BindConstraint:
		refuse(stanza.ResourceConstraint)
	case BindNotAllowed:
		refuse(stanza.NotAllowed)
	}
}

// bindError answers a bind request that cannot be met; too many end the stream.
func (m *Client) bindError(c stanza.Condition) {
	m.write(with(el(xmlstream.NSClient, "iq", "type", "error", "id", m.bind.id),
		with(el(xmlstream.NSClient, "error", "type", c.DefaultType().String()), el(xmlstream.NSStanzas, c.String()))))
	if m.bind.refused++; m.bind.refused >= MaxBinds {
		m.streamError(stanza.StreamPolicyViolation, "too many bind requests", nil)
	}
}

// open declares the session usable.
func (m *Client) open() {
	m.ready = true
	m.stamp = xmlstream.NewStamp(xmlstream.NSServer,
		xmlstream.Attr{Name: xmlstream.Name{Local: "from"}, Value: m.address.String()},
		xmlstream.Attr{Name: xmlstream.Name{Local: "to"}, Value: m.account.String()})
	m.timers.negotiate, m.timers.managing = zeroTime, zeroTime
	m.timers.lastStanza = m.now
	m.emit(ClientReady{
		Address: m.address, ID: m.id, TLS: m.tls, Mechanism: m.auth.mechanism, Managed: m.managed, Resumed: m.resume.done,
	})
}

// owner is under whom a session can be resumed.
func (m *Client) owner() Pair { return Pair{Local: m.domain, Remote: m.address} }

// home reports whether an address is the server or the account itself, as the absent one is.
func (m *Client) home(to jid.JID) bool { return to.IsZero() || to == m.domain || to == m.account }
