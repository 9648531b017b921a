package stream

import (
	"strings"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Domain is whom the client means by its header; ours before that.
func (m *Client) Domain() jid.JID { return m.domain }

// writeHeader sends our stream header with a fresh id (RFC 6120 §4.7.3).
func (m *Client) writeHeader() {
	id, err := newID(m.cfg.Rand)
	if err != nil {
		m.finish(Closed{Cause: OurError, Condition: stanza.StreamInternalServerError, Detail: "no randomness"})
		return
	}
	m.id, m.headerSent = id, true
	to := m.claimed
	if m.auth.done {
		to = m.account
	}
	ours := version
	if m.auth.ancient { // never more than the client's (RFC 6120 §4.7.5)
		ours = ""
	}
	m.writeBytes(m.framing.appendHeader(nil, xmlstream.Header{
		From: m.domain.String(), To: to.String(), ID: id, Version: ours, Lang: "en", ContentNS: xmlstream.NSClient,
	}))
}

// header opens or restarts the stream. Ours is written in every case, before any stream error (RFC 6120 §4.9.1.2).
func (m *Client) header(h xmlstream.Header) {
	if m.phase != phaseHeader {
		m.streamError(stanza.StreamBadFormat, "stream header where no restart is due", nil)
		return
	}
	domain, from, cond := m.headerAddresses(h)
	switch {
	case cond != 0:
	case m.auth.done && domain != m.domain: // D07
		cond = stanza.StreamNotAuthorized
	case m.auth.done && !from.IsZero() && from != m.account: // D08
		cond = stanza.StreamInvalidFrom
	default:
		m.domain, m.claimed = domain.Clone(), from.Clone()
		m.policy = m.cfg.policy(m.domain)
	}
	m.auth.ancient = m.ancient(h)
	m.writeHeader()
	if m.phase == phaseClosed {
		return
	}
	if cond == 0 && !goodVersion(h.Version) && !m.auth.ancient { // D03
		cond = stanza.StreamUnsupportedVersion
	}
	if cond != 0 {
		if cond == stanza.StreamHostUnknown {
			m.peerFact(FactUnknownHost, Clean(h.To))
		}
		m.streamError(cond, "stream header", nil)
		return
	}
	if m.phase = phaseOpen; !m.auth.ancient {
		m.offerFeatures()
	}
}

// headerAddresses applies the address rules to a client's header (D04). A 'from' is who the client means to be.
func (m *Client) headerAddresses(h xmlstream.Header) (domain, from jid.JID, cond stanza.StreamCondition) {
	if h.To == "" {
		if hasAttr(h, "to") {
			return domain, from, stanza.StreamImproperAddressing
		}
		return domain, from, stanza.StreamHostUnknown
	}
	domain, err := jid.Parse(h.To)
	if err != nil || !domain.IsDomain() {
		return jid.JID{}, from, stanza.StreamImproperAddressing
	}
	if m.cfg.Hosted == nil || !m.cfg.Hosted(domain) {
		return jid.JID{}, from, stanza.StreamHostUnknown
	}
	if h.From != "" {
		full, err := jid.Parse(h.From)
		switch {
		case err != nil:
			return domain, from, stanza.StreamInvalidFrom
		case full.IsDomain(): // COMPAT(XML::Stream, 1.24): its machine, which RFC 3920 §4.4 told it not to say and us to ignore
		case full.Local() == "" || full.DomainJID() != domain:
			return domain, from, stanza.StreamInvalidFrom
		default:
			from = full.Bare()
		}
	}
	return domain, from, 0
}

// offerFeatures sends what is on offer at this point, in the order of the negotiation (RFC 6120 §4.3.2).
func (m *Client) offerFeatures() {
	if m.auth.done {
		m.write(with(el(xmlstream.NSStream, "features"), m.sessionFeatures()...))
		return
	}
	var list []*xmlstream.Element
	plain := m.tls == nil
	if plain && m.cfg.OfferTLS {
		start := el(xmlstream.NSTLS, "starttls")
		if m.policy.TLS == RequireTLS {
			start = with(start, el(xmlstream.NSTLS, "required"))
		}
		list = append(list, start)
	}
	names := m.mechanisms()
	if len(names) > 0 {
		list = m.offerMechanisms(list, names)
	} else if !plain || !m.cfg.OfferTLS {
		m.peerFact(FactPolicy, "no mechanism to offer")
		m.streamError(stanza.StreamPolicyViolation, "no mechanism to offer", nil)
		return
	}
	if m.mayLegacy() {
		list = append(list, el(nsLegacyFeature, "auth"))
	}
	list = append(m.registerFeature(list), m.ourLimits())
	m.write(with(el(xmlstream.NSStream, "features"), list...))
}

// ourLimits are those that hold now (XEP-0478): who is not known may say little.
func (m *Client) ourLimits() *xmlstream.Element {
	most := m.cfg.FirstLimits().ElementBytes
	if m.auth.done {
		most = m.cfg.elements().ElementBytes
	}
	return with(el(nsLimits, "limits"), withText(el(nsLimits, "max-bytes"), decimal(uint32(most))))
}

// offerMechanisms lists the mechanisms for both profiles, and how the channel can be bound (XEP-0440).
func (m *Client) offerMechanisms(list []*xmlstream.Element, names []string) []*xmlstream.Element {
	list = append(list, with(el(xmlstream.NSSASL, "mechanisms"), texts(xmlstream.NSSASL, "mechanism", names)...))
	if m.policy.SASL2 {
		list = append(list, with(el(nsSASL2, "authentication"), append(texts(nsSASL2, "mechanism", names), m.inline())...))
	}
	if bindings := m.bindings(); len(bindings) > 0 {
		var types []*xmlstream.Element
		for _, b := range bindings {
			types = append(types, el(nsBindings, "channel-binding", "type", b.Type))
		}
		list = append(list, with(el(nsBindings, "sasl-channel-binding"), types...))
	}
	return list
}

// inline lists what can be asked for together with <authenticate/>.
func (m *Client) inline() *xmlstream.Element {
	var vars []*xmlstream.Element
	for _, v := range m.inlineFeatures() {
		vars = append(vars, el(nsBind2, "feature", "var", v))
	}
	list := []*xmlstream.Element{with(el(nsBind2, "bind"), with(el(nsBind2, "inline"), vars...))}
	if m.policy.Manage {
		list = append(list, el(nsManage, "sm"))
	}
	if names := m.tokenMechanisms(); len(names) > 0 {
		list = append(list, with(el(nsTokens, "fast"), texts(nsTokens, "mechanism", names)...))
	}
	return with(el(nsSASL2, "inline"), list...)
}

func (m *Client) inlineFeatures() []string {
	vars := append([]string(nil), m.cfg.Inline...)
	if m.policy.ClientState {
		vars = append(vars, nsClientState)
	}
	if m.policy.Manage {
		vars = append(vars, nsManage)
	}
	return vars
}

// sessionFeatures are those after authentication.
func (m *Client) sessionFeatures() []*xmlstream.Element {
	var list []*xmlstream.Element
	if m.address.IsZero() {
		list = append(list, with(el(nsBind, "bind"), el(nsBind, "required")))
	}
	list = m.compressFeature(list)
	if m.policy.Manage && !m.managed { // what is on is not on offer any more: COMPAT(xmpp.js, 0.14) would ask for it again
		list = append(list, el(nsManage, "sm"))
	}
	if m.policy.ClientState {
		list = append(list, el(nsClientState, "csi"))
	}
	return append(append(list, m.cfg.Features...), m.ourLimits())
}

func texts(space, local string, values []string) []*xmlstream.Element {
	list := make([]*xmlstream.Element, len(values))
	for i, v := range values {
		list[i] = withText(el(space, local), v)
	}
	return list
}

// bindings are those of this channel; none without TLS.
func (m *Client) bindings() []sasl.Binding {
	if m.tls == nil || m.policy.NoBinding {
		return nil
	}
	return m.tls.Bindings
}

// mechanisms are those on offer now, for either profile: none where TLS is still to come.
func (m *Client) mechanisms() []string {
	if m.tls == nil && m.policy.TLS == RequireTLS {
		return nil
	}
	var plus, rest []string
	for _, name := range m.policy.Mechanisms {
		scram := strings.HasPrefix(name, "SCRAM-")
		switch {
		case name == sasl.External && len(m.proven()) == 0:
		case name == sasl.External:
			rest = append(rest, name)
		default:
			if scram && len(m.bindings()) > 0 {
				plus = append(plus, name+sasl.PlusSuffix)
			}
			if !m.policy.RequireBinding {
				rest = append(rest, name)
			}
		}
	}
	return append(plus, rest...)
}

// tokenMechanisms are those of FAST; never in clear.
func (m *Client) tokenMechanisms() []string {
	if !m.policy.Tokens || !m.policy.SASL2 || m.tls == nil {
		return nil
	}
	names := sasl.TokenMechanisms(m.bindings())
	if m.policy.RequireBinding { // the last one binds nothing
		names = names[:len(names)-1]
	}
	return names
}

// proven are the accounts of this domain in the client's certificate.
func (m *Client) proven() []string {
	if m.tls == nil {
		return nil
	}
	var list []string
	for _, a := range m.tls.Accounts {
		if a.IsBare() && a.DomainJID() == m.domain {
			list = append(list, a.String())
		}
	}
	return list
}
