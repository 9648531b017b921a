package stream

import (
	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// features is what the peer offers.
type features struct {
	startTLS, external, dialback, errors, bidi, manage bool
	maxBytes, idle                                     int // XEP-0478; 0: not said
}

// offerFeatures sends what a responder has to offer at this point
// (RFC 6120 §4.3.2; the order is that of the negotiation).
func (m *Machine) offerFeatures() {
	var list []*xmlstream.Element
	plain := m.tls == nil
	if plain && m.cfg.OfferTLS {
		start := el(xmlstream.NSTLS, "starttls")
		if m.policy.TLS == RequireTLS {
			start = with(start, el(xmlstream.NSTLS, "required"))
		}
		list = append(list, start)
	} else if plain && m.policy.TLS == RequireTLS {
		m.peerFact(FactPolicy, "TLS required, none to offer")
		m.streamError(stanza.StreamPolicyViolation, "TLS required", nil)
		return
	}
	if !plain || m.policy.TLS == AllowPlain {
		list = m.offerMethods(list)
	}
	m.write(with(el(xmlstream.NSStream, "features"), list...))
	if m.auth.done {
		m.authorise(Inbound, Pair{m.local, m.remote}, ByExternal)
	}
}

func (m *Machine) offerMethods(list []*xmlstream.Element) []*xmlstream.Element {
	if !m.auth.done && m.tls != nil && m.policy.Auth.Has(AllowExternal) && m.proves(m.remote) {
		list = append(list, with(el(xmlstream.NSSASL, "mechanisms"),
			withText(el(xmlstream.NSSASL, "mechanism"), sasl.External)))
	}
	if m.policy.Auth&anyDialback != 0 {
		list = append(list, with(el(nsDialbackFeature, "dialback"), el(nsDialbackFeature, "errors")))
	}
	if !m.auth.done && m.policy.Bidi {
		list = append(list, el(nsBidiFeature, "bidi"))
	}
	if m.policy.Manage { // early, too: no features follow dialback
		list = append(list, el(nsManage, "sm"))
	}
	return append(list, m.ourLimits())
}

func (m *Machine) ourLimits() *xmlstream.Element {
	return limitsElement(m.cfg.elements().ElementBytes, int(m.cfg.Timing.Idle.Seconds()))
}

// proves reports whether the peer's certificate is acceptable for the domain at this moment.
func (m *Machine) proves(d jid.JID) bool {
	return m.tls != nil && m.tls.Peer != nil && !d.IsZero() && m.tls.Peer.Proves(d)
}

// features takes the responder's offer and goes on with the negotiation.
func (m *Machine) features(e *xmlstream.Element, bytes int) {
	switch {
	case m.role == Responder:
		m.streamError(stanza.StreamUnsupportedStanzaType, "features from the initiator", nil)
		return
	case m.phase != phaseFeatures: // some servers repeat them; nothing is left to choose
		m.peerFact(FactUnexpected, "features")
		return
	case m.alienFrom:
		m.peerFact(FactInvalidFrom, "response header from another domain")
		m.streamError(stanza.StreamInvalidFrom, "response header from another domain", nil)
		return
	}
	f, ok := readFeatures(e)
	if !ok || bytes > MaxFeaturesBytes { // D12
		m.peerFact(FactOverflow, "features")
		m.streamError(stanza.StreamPolicyViolation, "too many features", nil)
		return
	}
	early := m.peer
	m.peer = f
	m.peer.errors = f.errors || early.errors // not repeated after SASL by all
	m.peer.dialback = f.dialback || early.dialback
	m.negotiate()
}

// readFeatures reads what we understand. False: more mechanisms than MaxMechanisms.
func readFeatures(e *xmlstream.Element) (features, bool) {
	var f features
	for c := range e.Children() {
		switch c.Space() + " " + c.Local() {
		case xmlstream.NSTLS + " starttls":
			f.startTLS = true
		case xmlstream.NSSASL + " mechanisms":
			n := 0
			for mech := range c.Children() {
				n++
				f.external = f.external || mech.Is(xmlstream.NSSASL, "mechanism") && mech.Text() == sasl.External
			}
			if n > MaxMechanisms {
				return features{}, false
			}
		case nsDialbackFeature + " dialback":
			f.dialback = true
			f.errors = c.Child(nsDialbackFeature, "errors") != nil
		case nsBidiFeature + " bidi", nsBidi + " bidi": // COMPAT(ejabberd, 24.10-26.04): namespaces swapped
			f.bidi = true
		case nsManage + " sm":
			f.manage = true
		case nsLimits + " limits":
			f.readLimits(c)
		}
	}
	return f, true
}

// readLimits reads XEP-0478; what is not a number was not said.
func (f *features) readLimits(e *xmlstream.Element) {
	if c := e.Child(nsLimits, "max-bytes"); c != nil {
		f.maxBytes, _ = number(c.Text())
	}
	if c := e.Child(nsLimits, "idle-seconds"); c != nil {
		f.idle, _ = number(c.Text())
	}
}
