package stream

import (
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// negotiate is the initiator's next move after each features element: TLS,
// then the floor of the policy, then one way to prove ourselves.
func (m *Machine) negotiate() {
	switch {
	case m.tls == nil && m.peer.startTLS:
		m.phase = phaseProceed
		m.write(el(xmlstream.NSTLS, "starttls"))
	case m.tls == nil && m.policy.TLS == RequireTLS: // E03
		m.downgrade("starttls not offered")
	case m.cfg.Purpose == ForVerify:
		m.open()
	case !m.meetsFloor(Pair{m.local, m.remote}):
		m.authFailed("certificate does not name the remote domain", stanza.StreamNotAuthorized)
	case m.auth.done:
		m.authorise(Outbound, Pair{m.local, m.remote}, ByExternal)
		m.proven()
	default:
		m.requestBidi()
		m.authenticate()
	}
}

// meetsFloor: who answers must be named by a certificate unless the policy trusts DNS, as dialback does.
func (m *Machine) meetsFloor(p Pair) bool {
	policy := m.cfg.policy(p.Local, p.Remote)
	if m.tls == nil && policy.TLS == RequireTLS {
		return false
	}
	return policy.Auth.Has(AllowDialback) || policy.Auth != 0 && m.proves(p.Remote)
}

// authenticate tries EXTERNAL, then dialback.
func (m *Machine) authenticate() {
	pair := Pair{m.local, m.remote}
	switch {
	case m.peer.external && m.tls != nil && m.policy.Auth.Has(AllowExternal) && m.auth.attempts < MaxAttempts:
		m.sendAuth()
	case m.mayDialBack(m.policy):
		m.phase = phaseProving
		m.ask(pair)
	default:
		m.authFailed("no common way to authenticate", stanza.NoStreamCondition)
	}
}

// mayDialBack reports whether the peer speaks dialback and the policy allows
// it; the namespace on the header alone is classic support (XEP-0220 §2.2).
func (m *Machine) mayDialBack(p Policy) bool {
	return p.Auth&anyDialback != 0 && (m.peer.dialback || m.peerDialback) && !m.cfg.Secret.IsZero() &&
		(m.tls != nil || p.TLS == AllowPlain)
}

// proven goes on after the first pair of an initiator: resume, enable, or open.
func (m *Machine) proven() {
	switch {
	case m.old != nil && m.offersManage():
		m.prepareResume()
	case m.offersManage() && m.policy.Manage:
		m.dropOld()
		m.sendEnable()
	default:
		m.dropOld()
		m.open()
	}
}

func (m *Machine) offersManage() bool { return m.peer.manage || m.policy.ManageUnasked }

// open declares the stream usable and names every pair proven so far.
func (m *Machine) open() {
	if m.ready {
		return
	}
	m.phase, m.ready = phaseOpen, true
	m.timers.negotiate = zeroTime
	m.timers.lastStanza = m.now
	if m.cfg.Purpose == ForStanzas && !m.auth.done { // after SASL the restart brought the limits
		m.emit(SetLimits{Limits: m.cfg.elements()})
	}
	m.emit(Ready{
		ID: m.id, TLS: m.tls, Bidi: m.bidi, Managed: m.managed, Resumed: m.resume.done,
		MaxBytes: m.peer.maxBytes, Idle: m.peer.idle,
	})
	for i := range m.in.list {
		m.announce(Inbound, &m.in.list[i])
	}
	for i := range m.out.list {
		m.announce(Outbound, &m.out.list[i])
	}
}

// announce emits Authorised for a proven pair once the stream is open.
func (m *Machine) announce(d Direction, p *proof) {
	if m.ready && p.valid {
		m.emit(Authorised{Pair: p.Pair, Direction: d, Method: p.method, RemoteProven: p.remoteProven})
	}
}
