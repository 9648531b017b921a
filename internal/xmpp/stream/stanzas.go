package stream

import (
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// ---- inbound

// reading reports whether stanzas of proven pairs are still taken: also after
// our own orderly close tag, until the peer's (RFC 6120 §4.4).
func (m *Machine) reading() bool {
	switch m.phase {
	case phaseOpen, phaseProving, phaseManaging:
		return true
	case phaseClosing:
		return m.end.Cause == Finished
	}
	return false
}

// Receive takes one first-level element on the steady path. True: it is a
// stanza of a proven pair, counted, to be handed up. False: nothing happened,
// give the event to Step. It allocates nothing.
func (m *Machine) Receive(now time.Time, e *xmlstream.Element, bytes int) (Arrival, bool) {
	if e.Space() != xmlstream.NSServer || !m.reading() {
		return Arrival{}, false
	}
	s, err := stanza.From(e)
	if err != nil {
		return Arrival{}, false
	}
	q := m.in.find(s.To().Domain(), s.From().Domain())
	if q == nil || !q.valid || m.overrun() {
		return Arrival{}, false
	}
	m.timers.lastIn, m.timers.lastStanza = now, now
	return m.arrive(Arrival{Stanza: s, Pair: q.Pair, Method: q.method, Bytes: bytes}), true
}

func (m *Machine) deliver(a Arrival) {
	if m.overrun() {
		m.peerFact(FactOverflow, "unsettled stanzas")
		m.streamError(stanza.StreamResourceConstraint, "too many unsettled stanzas", nil)
		return
	}
	m.timers.lastStanza = m.now
	m.emit(Deliver{Arrival: m.arrive(a)})
}

// content takes an element in the content namespace (RFC 6120 §8.1).
func (m *Machine) content(e *xmlstream.Element, bytes int) {
	if !m.mayTalk() {
		return
	}
	s, err := stanza.From(e)
	if err != nil {
		m.badStanza(e, err, bytes)
		return
	}
	a := Arrival{Stanza: s, Bytes: bytes}
	if m.place(&a, s.From(), s.To()) {
		m.deliver(a)
	}
}

// mayTalk ends the stream of a peer that sends a stanza with nothing proven (D05, G06).
func (m *Machine) mayTalk() bool {
	switch {
	case m.in.proven() > 0 && m.reading():
		return true
	case m.refused:
		m.streamError(stanza.StreamInvalidFrom, "stanza of a refused pair", nil)
	default:
		m.streamError(stanza.StreamNotAuthorized, "stanza before authentication", nil)
	}
	return false
}

// place finds the proven pair of an arrival. False: the stream ended.
func (m *Machine) place(a *Arrival, from, to jid.JID) bool {
	if q := m.in.find(to.Domain(), from.Domain()); q != nil && q.valid {
		a.Pair, a.Method = q.Pair, q.method
		return true
	}
	q := m.in.fromRemote(from.Domain())
	if q == nil {
		q = m.relay(from.DomainJID())
	}
	if q == nil {
		m.fact(FactInvalidFrom, Pair{Local: to.DomainJID(), Remote: from.DomainJID()}, "from is not proven on this stream")
		m.streamError(stanza.StreamInvalidFrom, "from is not proven on this stream", nil)
		return false
	}
	a.Pair, a.Method = q.Pair, q.method
	switch {
	case q.Local == to.DomainJID():
	case to.IsZero(): // could not be read: H03
	case !m.cfg.hosted(to.DomainJID()): // H01
		if a.Problem == NoProblem {
			a.Problem = NotHosted
		}
	case !m.widen(q, to.DomainJID()):
		m.fact(FactInvalidFrom, Pair{Local: to.DomainJID(), Remote: q.Remote}, "pair is not proven on this stream")
		m.streamError(stanza.StreamInvalidFrom, "pair is not proven on this stream", nil)
		return false
	default:
		a.Pair.Local = to.DomainJID()
	}
	return true
}

// relay finds the proof of a peer that may speak for a domain it has not proven: only
// where the configuration says so, and only by a peer that has proven itself.
func (m *Machine) relay(from jid.JID) *proof {
	if m.cfg.Relays == nil || from.IsZero() {
		return nil
	}
	for i := range m.in.list {
		if q := &m.in.list[i]; q.valid && m.cfg.Relays(q.Remote, from) {
			return q
		}
	}
	return nil
}

// widen takes a domain that a certificate proved for another domain of ours,
// too: such a proof does not depend on whom it is shown to. What dialback proved
// is the pair alone (XEP-0220 §2.1).
func (m *Machine) widen(q *proof, local jid.JID) bool {
	p := Pair{Local: local.Clone(), Remote: q.Remote}
	policy := m.cfg.policy(p.Local, p.Remote)
	if m.role != Responder || !q.method.ByCertificate() || policy.Auth&(AllowExternal|AllowCertificateDialback) == 0 ||
		len(m.in.list) >= MaxPairs || !m.proves(p.Remote) {
		return false
	}
	m.grant(Inbound, p, q.method, true)
	return true
}

// badStanza ends the stream where RFC 6120 asks for it; else the stanza goes up with its problem (H03, H08).
func (m *Machine) badStanza(e *xmlstream.Element, err error, bytes int) {
	var bad *stanza.Malformed
	if !errors.As(err, &bad) {
		m.streamError(stanza.StreamBadFormat, "unreadable stanza", nil)
		return
	}
	if bad.Stream != stanza.NoStreamCondition {
		m.peerFact(FactMalformed, Clean(bad.Detail))
		m.streamError(bad.Stream, "malformed stanza", nil)
		return
	}
	from := bad.From
	if from.IsZero() { // local part or resource unusable; the domain still tells whose it is
		raw, _ := e.Attr("from")
		from, _ = jid.ParseDomain(jid.RawDomain(raw))
	}
	a := Arrival{Malformed: bad, Problem: BadStanza, Bytes: bytes}
	if m.place(&a, from, bad.To) {
		m.deliver(a)
	}
}

// oversize takes the start tag of an element that was too large. A stanza that
// can be answered goes up; it must not cost two organisations their link.
func (m *Machine) oversize(e *xmlstream.Element, bytes int) {
	if e.Is(xmlstream.NSStream, "error") {
		m.peerError(e)
		return
	}
	bad, ok := oversized(e)
	if !ok || m.in.proven() == 0 || !m.reading() {
		m.peerFact(FactOverflow, "element")
		m.streamError(stanza.StreamPolicyViolation, "element too large", el(nsErrors, "stanza-too-big"))
		return
	}
	a := Arrival{Malformed: bad, Problem: Oversize, Bytes: bytes}
	if m.place(&a, bad.From, bad.To) {
		m.deliver(a)
	}
}

// oversized reads addresses and id from a start tag. False: nobody could be answered.
func oversized(e *xmlstream.Element) (*stanza.Malformed, bool) {
	kind, ok := stanza.ParseKind(e.Local())
	if !ok || e.Space() != xmlstream.NSServer {
		return nil, false
	}
	rawFrom, _ := e.Attr("from")
	rawTo, _ := e.Attr("to")
	from, errFrom := jid.Parse(rawFrom)
	to, errTo := jid.Parse(rawTo)
	if errFrom != nil || errTo != nil {
		return nil, false
	}
	id, _ := e.Attr("id")
	if len(id) > stanza.MaxID { // answered without it
		id = ""
	}
	return &stanza.Malformed{
		Stanza: stanza.PolicyViolation, TooBig: true, Kind: kind, Type: typeOf(kind, e), ID: id, From: from, To: to,
		Detail: "element too large", Element: e,
	}, true
}

// typeOf reads the type of a start tag; the absent type has a meaning except on iq.
func typeOf(kind stanza.Kind, e *xmlstream.Element) stanza.Type {
	name, typed := e.Attr("type")
	switch {
	case !typed && kind == stanza.Message:
		return stanza.MessageNormal
	case !typed && kind == stanza.Presence:
		return stanza.PresenceAvailable
	}
	t, _ := stanza.ParseType(kind, name)
	return t
}

// ---- outbound

// Send asks whether an item may be written now and tracks it. Item.Element
// may be nil unless stream management is on. It allocates nothing once the
// window has its size.
func (m *Machine) Send(now time.Time, it Item) SendResult {
	switch {
	case m.phase == phaseClosing || m.phase == phaseClosed:
		return SendResult{Verdict: SendClosed}
	case !m.ready:
		return SendResult{}
	}
	q := m.out.get(it.Pair)
	if q == nil || !q.valid {
		return SendResult{}
	}
	if m.peer.maxBytes > 0 && it.Bytes > m.peer.maxBytes {
		return SendResult{Verdict: SendTooBig}
	}
	it.Pair = q.Pair
	return m.track(now, it)
}

// track counts an item that may be written, where there is room for it.
func (m *core) track(now time.Time, it Item) SendResult {
	it.at = now.UnixMilli()
	if !m.session.Sent(it) {
		return SendResult{Verdict: SendFull, AskAck: m.shouldAsk(now, true)}
	}
	t := &m.timers
	t.lastOut, t.lastStanza = now, now
	if !m.managed {
		return SendResult{Verdict: SendNow}
	}
	if t.sinceAsk++; t.sinceAsk == 1 {
		t.unasked = now
	}
	return SendResult{Verdict: SendNow, Tracked: true, AskAck: m.shouldAsk(now, t.sinceAsk >= m.manage.AskEvery)}
}
