package stream

import (
	"errors"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// authState is SASL EXTERNAL on one stream (RFC 6120 §6, XEP-0178 §3).
type authState struct {
	done     bool // succeeded
	attempts int
	derive   bool // initiator: leave the identity to the responder on the next attempt
	client   *sasl.ExternalClient
	server   *sasl.ExternalServer
}

func (m *Machine) saslElement(e *xmlstream.Element) {
	if m.auth.done || m.ready { // F12: nothing to authenticate any more
		m.streamError(stanza.StreamNotAuthorized, "SASL after authentication", nil)
		return
	}
	if m.role == Initiator {
		m.saslAnswer(e)
		return
	}
	switch e.Local() {
	case "auth":
		m.saslAuth(e)
	case "response":
		if m.auth.server == nil {
			m.saslFailure(sasl.MalformedRequest)
			return
		}
		m.saslNext(e.Text())
	case "abort":
		m.saslFailure(sasl.Aborted)
	default:
		m.unsupported(e)
	}
}

// saslAuth begins an attempt on the responder; a second <auth/> starts over (F12).
func (m *Machine) saslAuth(e *xmlstream.Element) {
	mechanism, _ := e.Attr("mechanism")
	switch {
	case m.tls == nil:
		m.saslFailure(sasl.EncryptionRequired)
	case mechanism != sasl.External || !m.policy.Auth.Has(AllowExternal):
		m.saslFailure(sasl.InvalidMechanism)
	default:
		m.auth.server = &sasl.ExternalServer{Same: sameDomain}
		if m.proves(m.remote) { // XEP-0178: exactly the domain of the header, by this certificate, now
			m.auth.server.Identities = []string{m.remote.String()}
		}
		m.saslNext(e.Text())
	}
}

// sameDomain compares an authorisation identity after preparation.
func sameDomain(authzid, proven string) bool {
	d, err := jid.ParseDomain(authzid)
	return err == nil && d.String() == proven
}

func (m *Machine) saslNext(text string) {
	data, present, err := sasl.DecodeText(text)
	var challenge []byte
	var done bool
	if err == nil {
		challenge, done, err = m.auth.server.Next(data, present)
	}
	var failure *sasl.Failure
	switch {
	case errors.As(err, &failure):
		m.saslFailure(failure.Condition)
	case err != nil:
		m.saslFailure(sasl.NotAuthorized)
	case !done:
		m.write(withText(el(xmlstream.NSSASL, "challenge"), sasl.EncodeText(challenge)))
	case m.auth.server.Identity() != m.remote.String():
		m.saslFailure(sasl.NotAuthorized)
	default:
		m.auth = authState{done: true}
		m.write(el(xmlstream.NSSASL, "success"))
		m.restart(m.cfg.elements())
	}
}

func (m *Machine) saslFailure(c sasl.Condition) {
	m.auth.server = nil
	m.auth.attempts++
	m.peerFact(FactAuthFailed, c.String())
	m.write(with(el(xmlstream.NSSASL, "failure"), el(xmlstream.NSSASL, c.String())))
	switch {
	case m.auth.attempts >= MaxAttempts:
		m.streamError(stanza.StreamPolicyViolation, "too many authentication attempts", nil)
	case c == sasl.NotAuthorized && m.tls != nil && !m.policy.Auth.Has(AllowDialback) && !m.proves(m.remote):
		// E08: a certificate does not get better by asking again, and there is no other way.
		m.closeStream(Closed{Cause: AuthFailed, Detail: "certificate proves nothing, and nothing else would do"})
	}
}

// sendAuth begins an attempt of the initiator. Old peers want the domain
// spelled out, some only the empty identity: the second attempt is that.
func (m *Machine) sendAuth() {
	m.phase = phaseSASL
	m.auth.client = &sasl.ExternalClient{}
	if !m.auth.derive {
		m.auth.client.AuthzID = m.local.String()
	}
	first, err := m.auth.client.Next(nil)
	if err != nil {
		m.authFailed("own mechanism failed", stanza.NoStreamCondition)
		return
	}
	m.write(withText(el(xmlstream.NSSASL, "auth", "mechanism", sasl.External), sasl.EncodeText(first)))
}

func (m *Machine) saslAnswer(e *xmlstream.Element) {
	if m.phase != phaseSASL {
		m.unsupported(e)
		return
	}
	switch e.Local() {
	case "success":
		m.auth = authState{done: true}
		m.restart(m.cfg.elements())
	case "failure":
		m.saslRefused(e)
	case "challenge":
		m.saslChallenge(e)
	default:
		m.unsupported(e)
	}
}

// saslChallenge answers the empty challenge of a peer that overlooked the
// initial response, once per attempt.
func (m *Machine) saslChallenge(e *xmlstream.Element) {
	data, _, err := sasl.DecodeText(e.Text())
	if m.auth.client == nil {
		err = &sasl.Failure{Condition: sasl.MalformedRequest}
	}
	var answer []byte
	if err == nil {
		answer, err = m.auth.client.Next(data)
	}
	m.auth.client = nil
	if err != nil {
		m.write(el(xmlstream.NSSASL, "abort")) // the <failure/> that follows counts the attempt
		return
	}
	m.write(withText(el(xmlstream.NSSASL, "response"), sasl.EncodeText(answer)))
}

// saslRefused retries once with the derived identity where that can help, and
// goes on to dialback where it is allowed (XEP-0178 §3 step 11).
func (m *Machine) saslRefused(e *xmlstream.Element) {
	cond := sasl.NotAuthorized
	for c := range e.Children() {
		if known, ok := sasl.ParseCondition(c.Local()); ok && c.Space() == xmlstream.NSSASL {
			cond = known
		}
	}
	m.auth.attempts++
	m.peerFact(FactAuthFailed, cond.String())
	again := cond == sasl.InvalidAuthzid || cond == sasl.IncorrectEncoding || cond == sasl.MalformedRequest
	if again && !m.auth.derive {
		m.auth.derive = true
	} else {
		m.peer.external = false
	}
	m.authenticate()
}

// authFailed ends a stream on which nothing more can be proven.
func (m *Machine) authFailed(why string, cond stanza.StreamCondition) {
	m.peerFact(FactAuthFailed, why)
	if cond != stanza.NoStreamCondition {
		m.writeStreamError(cond, "", nil)
	}
	m.closeStream(Closed{Cause: AuthFailed, Condition: cond, Detail: why})
}
