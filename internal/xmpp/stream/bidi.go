package stream

import "sallyport/internal/xmpp/xmlstream"

// requestBidi turns on the reverse direction (XEP-0288 §2.2). The floor of the
// policy was checked before, so the responder is as proven as it must be.
func (m *Machine) requestBidi() {
	if m.bidi || !m.policy.Bidi || !m.peer.bidi {
		return
	}
	m.bidi = true
	m.write(with(el(nsBidi, "bidi"), m.ourLimits()))
}

// bidiElement takes the request: after TLS where TLS is required, before
// anything is proven. There is no answer. Swapped namespaces are read,
// COMPAT(ejabberd, 24.10-26.04), never written.
func (m *Machine) bidiElement(e *xmlstream.Element) {
	switch {
	case e.Local() != "bidi" || m.role != Responder || m.phase != phaseOpen:
		m.unsupported(e)
	case !m.policy.Bidi || m.tls == nil && m.policy.TLS == RequireTLS || m.ready || len(m.in.list) > 0:
		m.peerFact(FactUnexpected, "bidi where it cannot be turned on")
	default:
		m.bidi = true
		for c := range e.Children() {
			if c.Is(nsLimits, "limits") {
				m.peer.readLimits(c)
			}
		}
	}
}

// reverse authorises the other direction of a proven pair on a bidi stream:
// the exact inverse, nothing more (XEP-0288 §2.3).
func (m *Machine) reverse(d Direction, p Pair, method Method) {
	if !m.bidi {
		return
	}
	if d == Inbound && m.role == Responder {
		m.grant(Outbound, p, method, method.ByCertificate())
	}
	if d == Outbound && m.role == Initiator && m.meetsFloor(p) {
		if m.proves(p.Remote) {
			m.grant(Inbound, p, ByServerCertificate, true)
		} else {
			m.grant(Inbound, p, ByResolution, false)
		}
	}
}
