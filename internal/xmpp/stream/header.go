package stream

import (
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

const version = "1.0"

// writeHeader sends our stream header. A responder draws a fresh id for each
// one: dialback keys depend on it (RFC 6120 §4.7.3).
func (m *Machine) writeHeader() {
	h := xmlstream.Header{
		From: m.local.String(), To: m.remote.String(), Version: version, Lang: "en",
		ContentNS: xmlstream.NSServer, Dialback: true,
	}
	if m.role == Responder {
		id, err := newID(m.cfg.Rand)
		if err != nil {
			m.finish(Closed{Cause: OurError, Condition: stanza.StreamInternalServerError, Detail: "no randomness"})
			return
		}
		m.id, h.ID = id, id
	}
	m.headerSent = true
	m.writeBytes(xmlstream.AppendHeader(nil, h))
}

// header takes the peer's stream header.
func (m *Machine) header(h xmlstream.Header) {
	if m.phase != phaseHeader {
		m.streamError(stanza.StreamBadFormat, "stream header where no restart is due", nil)
		return
	}
	m.peerDialback = h.Dialback
	if m.role == Initiator {
		m.responseHeader(h)
		return
	}
	m.initialHeader(h)
}

// responseHeader is the answer to ours. A wrong 'from' is judged at the
// features: before that the peer may still say host-unknown.
func (m *Machine) responseHeader(h xmlstream.Header) {
	if !goodVersion(h.Version) {
		m.streamError(stanza.StreamUnsupportedVersion, "response header without version 1", nil)
		return
	}
	if h.ID == "" || len(h.ID) > MaxIDBytes {
		m.streamError(stanza.StreamBadFormat, "response header without a usable id", nil)
		return
	}
	m.id = strings.Clone(h.ID)
	if h.From != "" {
		from, err := jid.ParseDomain(h.From)
		m.alienFrom = err != nil || from != m.remote
	}
	m.phase = phaseFeatures
}

// initialHeader opens or restarts an inbound stream. Our header is written in
// every case, before any stream error (RFC 6120 §4.9.1.2).
func (m *Machine) initialHeader(h xmlstream.Header) {
	local, remote, cond := m.headerAddresses(h)
	if cond == 0 && m.auth.done {
		cond = m.sameAddresses(local, remote)
		remote = m.remote
	}
	if cond == 0 {
		m.local, m.remote = local.Clone(), remote.Clone()
		m.policy = m.cfg.policy(m.local, m.remote)
	} else if !m.auth.done {
		m.remote = remote.Clone()
	}
	m.writeHeader()
	if m.phase == phaseClosed {
		return
	}
	if cond == 0 && !goodVersion(h.Version) {
		cond = stanza.StreamUnsupportedVersion // D03; no features before 1.0, so only dialback could follow
	}
	if cond != 0 {
		if cond == stanza.StreamHostUnknown {
			m.peerFact(FactUnknownHost, Clean(h.To))
		}
		m.streamError(cond, "stream header", nil)
		return
	}
	m.phase = phaseOpen
	m.offerFeatures()
}

// headerAddresses applies the address rules to an initial header (D04).
func (m *Machine) headerAddresses(h xmlstream.Header) (local, remote jid.JID, cond stanza.StreamCondition) {
	if h.From != "" { // some peers name themselves only in the first db:result
		from, err := jid.ParseDomain(h.From)
		if err != nil || !from.IsDomain() {
			return local, remote, stanza.StreamImproperAddressing
		}
		remote = from
	}
	if h.To == "" {
		if hasAttr(h, "to") {
			return local, remote, stanza.StreamImproperAddressing
		}
		return local, remote, stanza.StreamHostUnknown
	}
	to, err := jid.Parse(h.To)
	if err != nil || !to.IsDomain() {
		return local, remote, stanza.StreamImproperAddressing
	}
	if !m.cfg.hosted(to) {
		return local, remote, stanza.StreamHostUnknown
	}
	return to, remote, 0
}

// sameAddresses: after SASL the pair is fixed (D07, D08); 'from' may be left out.
func (m *Machine) sameAddresses(local, remote jid.JID) stanza.StreamCondition {
	switch {
	case local != m.local:
		return stanza.StreamNotAuthorized
	case !remote.IsZero() && remote != m.remote:
		return stanza.StreamInvalidFrom
	}
	return 0
}

func hasAttr(h xmlstream.Header, local string) bool {
	for _, a := range h.Attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return true
		}
	}
	return false
}

// goodVersion accepts major version 1 with any minor; leading zeros do not
// count (RFC 6120 §4.7.5).
func goodVersion(v string) bool {
	major, minor, ok := strings.Cut(v, ".")
	if !ok || !digits(major) || !digits(minor) || len(v) > 16 {
		return false
	}
	return strings.TrimLeft(major, "0") == "1"
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
