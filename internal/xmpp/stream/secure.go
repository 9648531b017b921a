package stream

import (
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// tlsElement handles STARTTLS on both sides (RFC 6120 §5.4).
func (m *Machine) tlsElement(e *xmlstream.Element, buffered int) {
	switch {
	case m.role == Responder && e.Local() == "starttls" && m.phase == phaseOpen:
		m.startTLSRequest(buffered, m.cfg.OfferTLS, StartTLS{Server: true, Local: m.local, Remote: m.remote})
	case m.role == Initiator && e.Local() == "proceed" && m.phase == phaseProceed:
		if buffered > 0 { // E02: these bytes would be read as if TLS protected them
			m.injection("clear bytes behind proceed")
			return
		}
		m.handshake(StartTLS{Local: m.local, Remote: m.remote})
	case m.role == Initiator && e.Local() == "failure" && m.phase == phaseProceed: // E03
		m.downgrade("starttls failed")
	default:
		m.unsupported(e)
	}
}

// startTLSRequest is the receiving side of <starttls/>.
func (m *core) startTLSRequest(buffered int, offered bool, o StartTLS) {
	switch {
	case buffered > 0: // E01: closed without <proceed/>; what follows is never parsed
		m.injection("clear bytes behind starttls")
	case m.tls != nil || !offered || m.ready:
		m.write(el(xmlstream.NSTLS, "failure")) // RFC 6120 §5.4.2.2: failure, then close
		m.closeStream(Closed{Cause: TLSFailed, Detail: "starttls not on offer"})
	default:
		m.write(el(xmlstream.NSTLS, "proceed"))
		m.handshake(o)
	}
}

// secured restarts the stream inside TLS: nothing said in clear counts any more (RFC 6120 §5.4.3.3).
func (m *Machine) secured(in Secured) {
	if m.phase != phaseTLS {
		return
	}
	m.tls = &in.TLS
	m.timers.handshake = zeroTime
	m.timers.lastIn = m.now
	m.in, m.out, m.verifies, m.bidi, m.refused = pairs{}, pairs{}, nil, false, false
	m.peer, m.auth = features{}, authState{}
	m.restart(m.cfg.FirstLimits())
}

// restart expects a new header on both sides; the initiator's comes first.
func (m *Machine) restart(limits xmlstream.Limits) {
	m.phase = phaseHeader
	m.headerSent = false
	m.emit(RestartDecoder{Limits: limits})
	if m.role == Initiator {
		m.writeHeader()
	}
}

func (m *Machine) downgrade(why string) {
	m.peerFact(FactDowngrade, why)
	m.streamError(stanza.StreamPolicyViolation, why, nil)
}
