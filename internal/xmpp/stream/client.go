package stream

import (
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Namespaces of a client's negotiation.
const (
	nsBind        = "urn:ietf:params:xml:ns:xmpp-bind"
	nsBind2       = "urn:xmpp:bind:0"
	nsSASL2       = "urn:xmpp:sasl:2"
	nsBindings    = "urn:xmpp:sasl-cb:0"
	nsTokens      = "urn:xmpp:fast:0"
	nsClientState = "urn:xmpp:csi:0"
)

// waiting is what a client's stream has asked the edge.
type waiting uint8

const (
	forNothing waiting = iota
	forAccount
	forBind
	forToken
	forSession
	forRegister
)

// Client is the server's side of one client's stream. Owned by one goroutine or one mutex.
type Client struct {
	core
	cfg    ClientConfig
	policy ClientPolicy

	domain   jid.JID // of the headers
	claimed  jid.JID // bare 'from' of the client's header; zero: it did not say
	account  jid.JID // authenticated, bare
	address  jid.JID // bound, full
	reader   jid.JID // the same, from before anything can be sent: it is read without the lock of whoever owns this
	auth     clientAuth
	bind     bindState
	register registerState
	waiting  waiting
	stamp    *xmlstream.Stamp // of what it sends, once it has an address
	known    stanza.Known     // addresses in what it sent last

	compressed    bool
	askedCompress int // in vain
}

var _ self = (*Client)(nil)

// NewClient returns the machine of an inbound stream from a client.
func NewClient(cfg ClientConfig) *Client {
	cfg.Timing = cfg.Timing.withDefaults()
	cfg.Manage = cfg.Manage.withDefaults()
	m := &Client{cfg: cfg, domain: cfg.Local.DomainJID()}
	m.core = core{
		self: m, timing: cfg.Timing, manage: cfg.Manage, contentNS: xmlstream.NSClient, framing: cfg.Framing,
		session: NewSession(cfg.Manage),
	}
	if cfg.Shown != nil {
		m.shown = func(e *xmlstream.Element) *xmlstream.Element { return cfg.Shown(m.reader, e) }
	}
	return m
}

// Step takes one input and returns the orders that follow from it.
func (m *Client) Step(now time.Time, in Input) []Output {
	m.now, m.outs, m.bytes = now, nil, 0
	if m.phase == phaseClosed || m.phase == phaseClosing {
		m.stepClosing(in)
		return m.takeOutputs()
	}
	switch in := in.(type) {
	case Start:
		m.start(in)
	case Secured:
		m.secured(in)
	case SecureFailed:
		m.lost(TLSFailed, in.Cause)
	case Received:
		m.received(in)
	case Malformed:
		m.malformed(in.Err)
	case Lost:
		m.lost(ConnLost, in.Cause)
	case Tick:
		m.tick()
	case Close:
		m.close(in)
	case ShutDown:
		m.shutDown()
	case AckDue:
		m.ackDue()
	case SessionFound:
		if m.waiting == forSession {
			m.waiting = forNothing
		}
		if m.MayResume(in.Session) { // what comes for it is measured from now on, though it may have to wait for its receipts
			m.reader = in.Session.owner.Remote
		}
		m.sessionFound(in)
	case Found, LookUpFailed, Bound, BindRefused, TokenGranted, Registered:
		m.answered(in)
	case Prove, Verify, Verified: // of servers
	}
	return m.takeOutputs()
}

// answered goes on where the edge was asked; what nobody asked for is no answer.
func (m *Client) answered(in Input) {
	was := m.waiting
	m.waiting = forNothing
	switch in := in.(type) {
	case Found:
		if was == forAccount {
			m.found(in)
			return
		}
	case LookUpFailed:
		if was == forAccount {
			m.lookUpFailed()
			return
		}
	case Bound:
		if was == forBind {
			m.bound(in)
			return
		}
	case BindRefused:
		if was == forBind {
			m.bindRefused(in)
			return
		}
	case Registered:
		if was == forRegister {
			m.registered(in)
			return
		}
	case TokenGranted:
		if was == forToken {
			m.tokenGranted(in)
			return
		}
	}
	m.waiting = was
}

// ReadPaused: do not give another event now: an answer of the edge is due, or too much is unsettled.
func (m *Client) ReadPaused() bool {
	return m.phase != phaseClosing && (m.waiting != forNothing || m.old != nil || m.isEnding()) || m.core.ReadPaused()
}

// Address is the full address that is bound, zero before.
func (m *Client) Address() jid.JID { return m.address }

func (m *Client) peerFact(kind FactKind, detail string) {
	who := m.address
	if who.IsZero() {
		who = m.account
	}
	if who.IsZero() {
		who = m.claimed
	}
	m.emit(Fact{Kind: kind, Pair: Pair{Local: m.domain, Remote: who}, Detail: detail})
}

func (m *Client) start(in Start) {
	if m.phase != phaseNew {
		return
	}
	m.tls = in.TLS
	m.timers.start(m.now, m.cfg.Timing)
	m.phase = phaseHeader
}

// secured restarts the stream inside TLS: nothing said in clear counts any more (RFC 6120 §5.4.3.3).
func (m *Client) secured(in Secured) {
	if m.phase != phaseTLS {
		return
	}
	m.tls = &in.TLS
	m.timers.handshake = zeroTime
	m.timers.lastIn = m.now
	m.claimed = jid.JID{}
	m.auth = clientAuth{attempts: m.auth.attempts}
	m.restart(m.cfg.FirstLimits())
}

func (m *Client) restart(limits xmlstream.Limits) {
	m.phase, m.headerSent = phaseHeader, false
	m.emit(RestartDecoder{Limits: limits})
}

// received sorts one decoder event.
func (m *Client) received(in Received) {
	m.timers.lastIn, m.bytes = m.now, in.Event.Bytes
	if m.waiting != forNothing || m.old != nil {
		switch in.Event.Kind {
		case xmlstream.EndEvent:
			m.peerClosed()
		case xmlstream.NoEvent:
		case xmlstream.HeaderEvent, xmlstream.ElementEvent, xmlstream.OversizeEvent: // the edge does not heed ReadPaused
			m.streamError(stanza.StreamPolicyViolation, "input while an answer was due", nil)
		}
		return
	}
	switch in.Event.Kind {
	case xmlstream.HeaderEvent:
		m.header(in.Event.Header)
	case xmlstream.ElementEvent:
		m.element(in.Event.Element, in.Buffered)
	case xmlstream.OversizeEvent:
		m.peerFact(FactOverflow, "element")
		m.streamError(stanza.StreamPolicyViolation, "element too large", el(nsErrors, "stanza-too-big"))
	case xmlstream.EndEvent:
		m.peerClosed()
	case xmlstream.NoEvent:
	}
}

// element dispatches one first-level element by its expanded name.
func (m *Client) element(e *xmlstream.Element, buffered int) {
	if m.phase != phaseOpen {
		m.streamError(stanza.StreamBadFormat, "element before the stream header", nil)
		return
	}
	if m.auth.server != nil && e.Space() != xmlstream.NSSASL && e.Space() != nsSASL2 { // XEP-0388 §2.4, RFC 6120 §6.3.5
		m.streamError(stanza.StreamNotAuthorized, "something else in the middle of authentication", nil)
		return
	}
	switch e.Space() {
	case xmlstream.NSClient:
		m.content(e)
	case xmlstream.NSServer: // C07, the other way round
		m.streamError(stanza.StreamInvalidNamespace, "server stanza on a client's stream", nil)
	case xmlstream.NSStream:
		m.streamElement(e)
	case xmlstream.NSTLS:
		if e.Local() != "starttls" {
			m.unsupported(e)
			return
		}
		m.startTLSRequest(buffered, m.cfg.OfferTLS && !m.auth.done, StartTLS{Server: true, Local: m.domain})
	case xmlstream.NSSASL:
		m.saslElement(e)
	case nsSASL2:
		m.sasl2Element(e)
	case nsManage:
		m.manageElement(e)
	case nsClientState:
		m.stateElement(e)
	case nsCompress:
		m.compressElement(e, buffered)
	default:
		m.unsupported(e)
	}
}

func (m *Client) unsupported(e *xmlstream.Element) {
	m.peerFact(FactUnexpected, Clean(e.Local()))
	if !m.ready && !m.auth.done { // before a peer is known it learns nothing of what we speak
		m.streamError(stanza.StreamNotAuthorized, "unknown element before authentication", nil)
		return
	}
	m.streamError(stanza.StreamUnsupportedStanzaType, "unsupported first-level element", nil)
}

func (m *Client) streamElement(e *xmlstream.Element) {
	switch e.Local() {
	case "error":
		m.peerError(e)
	case "features":
		m.streamError(stanza.StreamUnsupportedStanzaType, "features from the client", nil)
	default: // D06
		m.streamError(stanza.StreamBadFormat, "nested stream", nil)
	}
}

// stateElement is client state indication (XEP-0352).
func (m *Client) stateElement(e *xmlstream.Element) {
	if !m.ready || !m.policy.ClientState || e.Local() != "active" && e.Local() != "inactive" {
		m.unsupported(e)
		return
	}
	m.emit(ClientState{Active: e.Local() == "active"})
}

// finish says Closed, once.
func (m *Client) finish(end Closed) {
	if m.phase == phaseClosed {
		return
	}
	m.phase, m.waiting = phaseClosed, forNothing
	m.leave(end)
}

// stepClosing is Step after our close tag, or after the end (D09).
func (m *Client) stepClosing(in Input) {
	switch in := in.(type) {
	case Received:
		m.receivedClosing(in.Event)
	case Malformed, Lost:
		m.finish(m.end)
	case Tick:
		if m.phase == phaseClosing && !m.now.Before(m.timers.closing) {
			if m.end.Cause == Finished {
				m.end.Cause = CloseTimedOut
			}
			m.finish(m.end)
		}
	case SessionFound:
		if in.Session != nil {
			m.emit(SessionReturned{Session: in.Session})
		}
	default:
	}
}

func (m *Client) receivedClosing(ev xmlstream.Event) {
	if m.phase != phaseClosing {
		return
	}
	m.bytes = ev.Bytes
	switch {
	case ev.Kind == xmlstream.EndEvent:
		m.end.Clean = m.end.Cause == Finished
		m.finish(m.end)
	case m.end.Cause != Finished || ev.Kind != xmlstream.ElementEvent || !m.ready:
	case ev.Element.Is(nsManage, "a"):
		m.acked(ev.Element)
	case ev.Element.Space() == xmlstream.NSClient && !isBind(ev.Element): // nothing can be answered here any more
		m.content(ev.Element)
	}
}
