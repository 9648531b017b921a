package stream

import (
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Role is which side of the connection we are.
type Role uint8

const (
	NoRole Role = iota
	Initiator
	Responder
)

func (r Role) String() string { return enumName([]string{"none", "initiator", "responder"}, uint8(r)) }

// phase is where the negotiation stands.
type phase uint8

const (
	phaseNew      phase = iota
	phaseHeader         // the peer's header is due
	phaseFeatures       // initiator: features are due
	phaseProceed        // initiator: <starttls/> sent
	phaseTLS            // the edge shakes hands
	phaseSASL           // initiator: <auth/> sent
	phaseProving        // initiator: first dialback, or more pairs before <resume/>
	phaseManaging       // initiator: <enable/> or <resume/> sent
	phaseOpen           // responder: from our features on; initiator: from Ready on
	phaseClosing        // our close tag is sent
	phaseClosed
)

// Machine is one stream. Owned by one goroutine or one mutex.
type Machine struct {
	core
	role Role
	cfg  Config

	local, remote jid.JID  // the pair of the headers; remote may be zero on a responder
	policy        Policy   // for that pair
	alienFrom     bool     // initiator: the peer's header came from another domain
	peerDialback  bool     // the peer's header declares the dialback namespace
	peer          features // what the peer offers (initiator), and its limits (both)
	auth          authState
	bidi          bool

	in, out  pairs
	refused  bool // a dialback request was refused: stanzas are then invalid-from, not unauthorised (G06)
	verifies []verify
	served   int // verify requests answered before any pair was proven
}

// NewInitiator returns the machine of an outbound stream.
func NewInitiator(cfg Config) *Machine {
	m := newMachine(Initiator, cfg)
	m.local, m.remote = cfg.Local.DomainJID(), cfg.Remote.DomainJID()
	if cfg.Purpose == ForStanzas {
		m.old = cfg.Resume
	}
	return m
}

// NewResponder returns the machine of an inbound stream.
func NewResponder(cfg Config) *Machine {
	m := newMachine(Responder, cfg)
	m.local = cfg.Local.DomainJID()
	return m
}

func newMachine(r Role, cfg Config) *Machine {
	cfg.Timing = cfg.Timing.withDefaults()
	cfg.Manage = cfg.Manage.withDefaults()
	m := &Machine{role: r, cfg: cfg}
	m.core = core{
		self: m, timing: cfg.Timing, manage: cfg.Manage, contentNS: xmlstream.NSServer, session: NewSession(cfg.Manage),
	}
	return m
}

// Step takes one input and returns the orders that follow from it.
func (m *Machine) Step(now time.Time, in Input) []Output {
	if m.phase == phaseClosed || m.phase == phaseClosing {
		return m.stepClosing(now, in)
	}
	m.now, m.outs, m.bytes = now, nil, 0
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
	case Prove:
		m.prove(domainPair(in.Local, in.Remote))
	case Verify:
		m.askVerify(in)
	case Verified:
		m.verified(in)
	case SessionFound:
		m.sessionFound(in)
	case AckDue:
		m.ackDue()
	}
	return m.takeOutputs()
}

func (m *Machine) fact(kind FactKind, p Pair, detail string) {
	m.emit(Fact{Kind: kind, Pair: p, Detail: detail})
}

// peerFact is a fact about the pair of the headers.
func (m *Machine) peerFact(kind FactKind, detail string) {
	m.fact(kind, Pair{m.local, m.remote}, detail)
}

// start begins the conversation.
func (m *Machine) start(in Start) {
	if m.phase != phaseNew {
		return
	}
	m.tls = in.TLS
	m.timers.start(m.now, m.cfg.Timing)
	m.phase = phaseHeader
	if m.role == Initiator {
		m.policy = m.cfg.policy(m.local, m.remote)
		m.checkOld()
		m.writeHeader()
	}
}

// received sorts one decoder event.
func (m *Machine) received(in Received) {
	m.timers.lastIn, m.bytes = m.now, in.Event.Bytes
	switch in.Event.Kind {
	case xmlstream.HeaderEvent:
		m.header(in.Event.Header)
	case xmlstream.ElementEvent:
		m.element(in.Event.Element, in.Event.Bytes, in.Buffered)
	case xmlstream.OversizeEvent:
		m.oversize(in.Event.Element, in.Event.Bytes)
	case xmlstream.EndEvent:
		m.peerClosed()
	case xmlstream.NoEvent:
	}
}

// element dispatches one first-level element by its expanded name.
func (m *Machine) element(e *xmlstream.Element, bytes, buffered int) {
	if m.phase == phaseNew || m.phase == phaseHeader || m.phase == phaseTLS {
		m.streamError(stanza.StreamBadFormat, "element before the stream header", nil)
		return
	}
	switch e.Space() {
	case xmlstream.NSServer:
		m.content(e, bytes)
	case xmlstream.NSClient: // C07
		m.streamError(stanza.StreamInvalidNamespace, "client stanza on a server stream", nil)
	case xmlstream.NSStream:
		m.streamElement(e, bytes)
	case xmlstream.NSTLS:
		m.tlsElement(e, buffered)
	case xmlstream.NSSASL:
		m.saslElement(e)
	case xmlstream.NSDialback:
		m.dialbackElement(e)
	case nsBidi, nsBidiFeature:
		m.bidiElement(e)
	case nsManage:
		m.manageElement(e)
	default:
		m.unsupported(e)
	}
}

func (m *Machine) unsupported(e *xmlstream.Element) {
	m.peerFact(FactUnexpected, Clean(e.Local()))
	m.streamError(stanza.StreamUnsupportedStanzaType, "unsupported first-level element", nil)
}

func (m *Machine) streamElement(e *xmlstream.Element, bytes int) {
	switch e.Local() {
	case "features":
		m.features(e, bytes)
	case "error":
		m.peerError(e)
	default: // <stream:stream/> inside a stream, where no restart is due (D06)
		m.streamError(stanza.StreamBadFormat, "nested stream", nil)
	}
}

// Bidi reports whether XEP-0288 is on.
func (m *Machine) Bidi() bool { return m.bidi }
