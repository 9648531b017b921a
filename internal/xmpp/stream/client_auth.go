package stream

import (
	"errors"
	"slices"
	"strings"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// clientAuth is SASL on one client's stream, by RFC 6120 §6 or XEP-0388.
type clientAuth struct {
	done      bool
	attempts  int // failed ones
	mechanism string
	server    sasl.Server   // of the attempt under way
	two       *authenticate // of XEP-0388; nil: RFC 6120, or XEP-0078
	legacy    *legacyLogin  // of XEP-0078
	asked     int           // how to log in by it
	failed    bool          // by SASL, so that nothing older will do (XEP-0078 §8)
	ancient   bool          // the client knows nothing of SASL
}

// saslElement is the profile of RFC 6120 §6.4.
func (m *Client) saslElement(e *xmlstream.Element) {
	if m.auth.done { // F12
		m.streamError(stanza.StreamNotAuthorized, "SASL after authentication", nil)
		return
	}
	if m.auth.two != nil {
		m.streamError(stanza.StreamNotAuthorized, "two profiles of SASL at once", nil)
		return
	}
	switch e.Local() {
	case "auth": // a second one starts over (F12)
		name, _ := e.Attr("mechanism")
		if m.begin(name, m.mechanisms()) {
			m.next(e.Text())
		}
	case "response":
		m.next(e.Text())
	case "abort":
		m.saslFailure(&sasl.Failure{Condition: sasl.Aborted})
	default:
		m.unsupported(e)
	}
}

// begin starts an attempt by one of the mechanisms on offer. False: it failed.
func (m *Client) begin(name string, offered []string) bool {
	m.auth.server = nil
	if m.tls == nil && m.policy.TLS == RequireTLS { // F02: what else it says is not looked at
		m.saslFailure(&sasl.Failure{Condition: sasl.EncryptionRequired})
		return false
	}
	// EXTERNAL that is only not offered to who has shown no identity is answered by the mechanism (E10).
	if !slices.Contains(offered, name) && (name != sasl.External || !slices.Contains(m.policy.Mechanisms, name)) { // F01
		m.saslFailure(&sasl.Failure{Condition: sasl.InvalidMechanism})
		return false
	}
	nonce, err := newID(m.cfg.Rand)
	if err != nil {
		m.streamError(stanza.StreamInternalServerError, "no randomness", nil)
		return false
	}
	m.auth.mechanism = strings.Clone(name)
	m.auth.server = sasl.NewServer(m.auth.mechanism, sasl.Channel{
		Bindings: m.bindings(), RequireBinding: m.policy.RequireBinding, Offered: m.mechanisms(), Proven: m.meant(),
		Account: m.identity, Same: sameAddress, Nonce: nonce,
	})
	if m.auth.server == nil { // the policy names a mechanism that nobody has
		m.saslFailure(&sasl.Failure{Condition: sasl.InvalidMechanism})
		return false
	}
	return true
}

// identity prepares a user name (RFC 7622, F13). With XEP-0388 it must be the one of the header (§2.1).
func (m *Client) identity(username string) (string, bool) {
	who, err := jid.New(username, m.domain.Domain(), "")
	if err != nil || !who.IsBare() || m.auth.two != nil && !m.claimed.IsZero() && who != m.claimed {
		return "", false
	}
	return who.String(), true
}

// meant are the accounts in the client's certificate; with XEP-0388 only the one of the header, if it names any (§2.3).
func (m *Client) meant() []string {
	list := m.proven()
	if m.auth.two == nil || m.claimed.IsZero() {
		return list
	}
	return slices.DeleteFunc(list, func(a string) bool { return a != m.claimed.String() })
}

func sameAddress(authzid, identity string) bool {
	a, err := jid.Parse(authzid)
	return err == nil && a.String() == identity
}

// next hands a message in base64 to the mechanism.
func (m *Client) next(text string) {
	data, present, err := sasl.DecodeText(text)
	if err != nil {
		m.saslFailed(err)
		return
	}
	m.nextData(data, present)
}

func (m *Client) nextData(data []byte, present bool) {
	if m.auth.server == nil { // F12
		m.saslFailure(&sasl.Failure{Condition: sasl.MalformedRequest})
		return
	}
	m.saslOutcome(m.auth.server.Next(data, present))
}

// saslOutcome goes on as the mechanism says: fail, ask the edge, ask the client, succeed.
func (m *Client) saslOutcome(challenge []byte, done bool, err error) {
	switch {
	case err != nil:
		m.saslFailed(err)
	case done:
		m.authenticated(challenge)
	case challenge != nil:
		m.challenge(challenge)
	default:
		m.lookUp()
	}
}

func (m *Client) challenge(data []byte) {
	space := xmlstream.NSSASL
	if m.auth.two != nil {
		space = nsSASL2
	}
	text := sasl.EncodeText(data)
	if text == "=" { // a challenge is never absent, so an empty one needs no sign for it
		text = ""
	}
	m.write(withText(el(space, "challenge"), text))
}

// lookUp passes the question of a mechanism on.
func (m *Client) lookUp() {
	asking, ok := m.auth.server.(sasl.Inquirer)
	if !ok {
		m.saslFailed(&sasl.Failure{Condition: sasl.TemporaryAuthFailure})
		return
	}
	q, ok := asking.Asks()
	who, err := jid.Parse(q.Identity)
	if !ok || err != nil {
		m.saslFailed(&sasl.Failure{Condition: sasl.TemporaryAuthFailure})
		return
	}
	m.waiting = forAccount
	o := LookUp{Account: who.Clone(), Mechanism: m.auth.mechanism, Want: q.Want, Password: q.Password}
	if m.auth.two != nil {
		o.Agent = m.auth.two.agent
	}
	m.emit(o)
}

func (m *Client) found(in Found) {
	asking, ok := m.auth.server.(sasl.Inquirer)
	if !ok {
		m.saslFailed(&sasl.Failure{Condition: sasl.TemporaryAuthFailure})
		return
	}
	m.saslOutcome(asking.Answer(in.Reply))
}

func (m *Client) lookUpFailed() { m.saslFailed(&sasl.Failure{Condition: sasl.TemporaryAuthFailure}) }

func (m *Client) saslFailed(err error) {
	var failure *sasl.Failure
	if !errors.As(err, &failure) {
		failure = &sasl.Failure{Condition: sasl.NotAuthorized}
	}
	m.saslFailure(failure)
}

// saslFailure ends an attempt; the stream goes on until there were too many (F14).
func (m *Client) saslFailure(f *sasl.Failure) {
	space := xmlstream.NSSASL
	if m.auth.two != nil {
		space = nsSASL2
	}
	legacy := m.auth.legacy
	m.auth.server, m.auth.two, m.auth.legacy = nil, nil, nil
	m.auth.attempts++
	m.auth.failed = m.auth.failed || legacy == nil
	kind := FactAuthFailed
	if f.Why == sasl.Downgraded || f.Why == sasl.WrongBinding { // F08
		kind = FactDowngrade
	}
	m.peerFact(kind, strings.TrimPrefix(f.Error(), "sasl: "))
	if legacy != nil {
		m.legacyFailure(legacy, f)
	} else {
		m.write(with(el(space, "failure"), el(xmlstream.NSSASL, f.Condition.String())))
	}
	if m.auth.attempts >= MaxLogins {
		m.streamError(stanza.StreamPolicyViolation, "too many failed logins", nil)
	}
}

// authenticated takes the identity that the mechanism proved.
func (m *Client) authenticated(data []byte) {
	who, err := jid.Parse(m.auth.server.Identity())
	if err != nil || !who.IsBare() || who.DomainJID() != m.domain {
		m.saslFailed(&sasl.Failure{Condition: sasl.NotAuthorized})
		return
	}
	m.account = who.Clone()
	used, two, legacy := sasl.UsedToken(m.auth.server), m.auth.two, m.auth.legacy
	m.auth = clientAuth{done: true, mechanism: m.auth.mechanism, two: two, legacy: legacy}
	if legacy != nil {
		m.auth.mechanism = Legacy
	}
	o := Authenticated{Account: m.account, Mechanism: m.auth.mechanism, Token: used}
	o.Binding = strings.HasSuffix(o.Mechanism, sasl.PlusSuffix) || sasl.IsToken(o.Mechanism) && o.Mechanism != sasl.TokenNone
	switch {
	case legacy != nil:
		m.emit(o)
		m.emit(SetLimits{Limits: m.cfg.elements()})
		m.waiting = forBind
		m.emit(BindWanted{Account: m.account, Resource: legacy.resource})
		return
	case two == nil:
		m.emit(o)
		m.write(withText(el(xmlstream.NSSASL, "success"), sasl.EncodeText(data)))
		m.restart(m.cfg.elements())
		return
	}
	o.Agent, o.Void = two.agent, two.void && used != ""
	m.emit(o)
	m.emit(SetLimits{Limits: m.cfg.elements()})
	two.data, two.rotate = data, used != "" && !two.void
	m.advance()
}
