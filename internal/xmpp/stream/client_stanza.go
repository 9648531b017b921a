package stream

import (
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// content takes an element in the content namespace (RFC 6120 §8.1).
func (m *Client) content(e *xmlstream.Element) {
	switch {
	case m.mayRegister() && m.phase == phaseOpen && isRegister(e):
		m.registerRequest(e)
	case m.mayLegacy() && m.phase == phaseOpen && isLegacy(e):
		m.legacyRequest(e)
	case !m.auth.done: // D05
		m.streamError(stanza.StreamNotAuthorized, "stanza before authentication", nil)
	case !m.ready && isBind(e) && m.phase == phaseOpen:
		m.bindRequest(e)
	case !m.ready: // RFC 6120 §7.1
		m.streamError(stanza.StreamNotAuthorized, "stanza before a resource is bound", nil)
	case !m.fromSelf(e):
		m.peerFact(FactInvalidFrom, "from of somebody else")
		m.streamError(stanza.StreamInvalidFrom, "from of somebody else", nil)
	default:
		m.arrived(e)
	}
}

// fromSelf: a 'from' is the client's own address, with its own resource or none (RFC 6120 §8.1.2.1, H02).
func (m *Client) fromSelf(e *xmlstream.Element) bool {
	raw, ok := e.Attr("from")
	if !ok {
		return true
	}
	if raw == m.address.String() {
		return true
	}
	from, err := jid.Parse(raw)
	return err == nil && (from == m.address || from == m.account)
}

// Receive takes one first-level element on the steady path. True: it is a stanza, counted, to be handed up, and e must not be used any more.
// False: nothing happened, give the event to Step.
func (m *Client) Receive(now time.Time, e *xmlstream.Element, bytes int) (a Arrival, ok bool) {
	if e.Space() != xmlstream.NSClient || !m.ready || m.phase != phaseOpen || m.waiting != forNothing || m.old != nil ||
		m.auth.server != nil || !m.fromSelf(e) || m.unlikely(e) {
		return a, false
	}
	seq, ok := m.session.in.arrivedUnder(m.manage.MaxUnsettled)
	if !ok {
		return a, false
	}
	m.timers.lastIn, m.timers.lastStanza = now, now
	m.arrival(&a, e, bytes)
	a.Session, a.Seq = m.session, seq
	return a, true
}

// unlikely: what no stanza of a client that has its resource should be.
func (m *Client) unlikely(e *xmlstream.Element) bool {
	kind, ok := stanza.ParseKind(e.Local())
	if !ok || kind == stanza.IQ && isBind(e) {
		return true
	}
	id, _ := e.Attr("id")
	return len(id) > stanza.MaxID
}

// Stamp is what this stream gives to each stanza; nil before the client has an address. Who reads for it tells the decoder.
func (m *Client) Stamp() *xmlstream.Stamp { return m.stamp }

// arrived counts a stanza and hands it up.
func (m *Client) arrived(e *xmlstream.Element) {
	if _, ok := stanza.ParseKind(e.Local()); !ok { // C08
		m.unsupported(e)
		return
	}
	if id, _ := e.Attr("id"); len(id) > stanza.MaxID { // H08
		m.peerFact(FactOverflow, "id")
		m.streamError(stanza.StreamPolicyViolation, "id too long", nil)
		return
	}
	if isBind(e) {
		raw, directed := e.Attr("to")
		if to, err := jid.Parse(raw); !directed || err == nil && m.home(to) { // D08: a second resource
			m.refuseHere(e, stanza.NotAllowed)
			return
		}
	}
	var a Arrival
	m.arrival(&a, e, m.bytes)
	m.deliver(a)
}

// arrival makes a stanza of the client one of a server: with the full address of the sender, and in the content namespace that everything
// behind this edge speaks. It takes e.
func (m *Client) arrival(a *Arrival, e *xmlstream.Element, bytes int) {
	_, directed := e.Attr("to")
	mixed := hasNamespace(e, xmlstream.NSServer)
	stamps := 2
	if directed {
		stamps = 1
	}
	a.Pair, a.Bytes, a.Undirected = Pair{Local: m.domain, Remote: m.address}, bytes, !directed
	s, err := m.known.From(e.Stamped(m.stamp, stamps))
	switch {
	case err == nil && mixed: // it would become part of the stanza without having been
		a.Problem, a.Malformed = BadStanza, &stanza.Malformed{
			Stanza: stanza.BadRequest, Kind: s.Kind(), Type: s.Type(), ID: s.ID(), To: s.To(), From: s.From(),
			Detail: "children of another content namespace", Element: s.Element(),
		}
	case err == nil:
		a.Stanza = s
	default:
		a.Problem, a.Malformed = BadStanza, m.unreadable(err)
	}
}

// unreadable: an empty 'to' is not our peer's network's fault, only its user's.
func (m *Client) unreadable(err error) *stanza.Malformed {
	bad := &stanza.Malformed{Stanza: stanza.BadRequest, From: m.address, Detail: "unreadable stanza"}
	if errors.As(err, &bad) && bad.Stream != stanza.NoStreamCondition {
		bad.Stream, bad.Stanza, bad.From = stanza.NoStreamCondition, stanza.JIDMalformed, m.address
	}
	return bad
}

func (m *Client) deliver(a Arrival) {
	if m.overrun() {
		m.peerFact(FactOverflow, "unsettled stanzas")
		m.streamError(stanza.StreamResourceConstraint, "too many unsettled stanzas", nil)
		return
	}
	m.timers.lastStanza = m.now
	m.emit(Deliver{Arrival: m.arrive(a)})
}

// refuseHere answers a request that is a matter of this stream alone; it counts like any other.
func (m *Client) refuseHere(e *xmlstream.Element, c stanza.Condition) {
	id, _ := e.Attr("id")
	seq := m.session.Arrived()
	if typ, _ := e.Attr("type"); typ == "get" || typ == "set" {
		m.write(with(el(xmlstream.NSClient, "iq", "type", "error", "id", id),
			with(el(xmlstream.NSClient, "error", "type", c.DefaultType().String()), el(xmlstream.NSStanzas, c.String()))))
	}
	if m.session.Settled(seq) {
		m.ackDue()
	}
}

// hasNamespace reports whether a child that would then continue the content has that namespace already.
func hasNamespace(e *xmlstream.Element, space string) bool {
	for c := range e.Children() {
		if c.Space() == space || c.Space() == e.Space() && hasNamespace(c, space) {
			return true
		}
	}
	return false
}

// ---- outbound

// Send asks whether a stanza may be written now and tracks it. Item.Element may be nil unless stream management is on;
// Item.Pair is not looked at. SendFull means that the client does not acknowledge: end the stream with
// resource-constraint, what it holds comes out in Closed (D18).
func (m *Client) Send(now time.Time, it Item) SendResult {
	switch {
	case m.phase == phaseClosing || m.phase == phaseClosed:
		return SendResult{Verdict: SendClosed}
	case !m.ready && m.old != nil: // being resumed: it will be written with all that the client does not have
		return m.old.Keep(now, it)
	case !m.ready:
		return SendResult{}
	}
	it.Pair = m.owner()
	return m.track(now, it)
}

// AppendStanza appends a stanza of the server's content namespace as this client is to see it. With WebSocket the
// result is one whole message.
func (m *Client) AppendStanza(dst []byte, e *xmlstream.Element) ([]byte, error) {
	return m.appendStanza(dst, e, nil)
}

// AppendWritten is AppendStanza where form may hold what has been written of the same element.
func (m *Client) AppendWritten(dst []byte, e *xmlstream.Element, form *xmlstream.Written) ([]byte, error) {
	return m.appendStanza(dst, e, form)
}

// appendStanza writes a stanza in jabber:server for a stream in jabber:client: there elements of the content namespace
// need no declaration, whichever of the two it is. What already is jabber:client inside would look like a part of the
// stanza that nobody judged as such, and is left out.
func (m *core) appendStanza(dst []byte, e *xmlstream.Element, form *xmlstream.Written) ([]byte, error) {
	if m.shown != nil {
		e = m.shown(e)
	}
	mixed := hasNamespace(e, xmlstream.NSClient)
	if mixed {
		e = without(e, xmlstream.NSClient)
	}
	if m.framing == WebSocket {
		return xmlstream.AppendElement(dst, e.Moved(xmlstream.NSClient), "")
	}
	return form.AppendElement(dst, e, xmlstream.NSServer)
}

// without leaves out the children of a namespace where the content goes on.
func without(e *xmlstream.Element, space string) *xmlstream.Element {
	return e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		switch c.Space() {
		case space:
			return nil
		case e.Space():
			return without(c, space)
		}
		return c
	})
}
