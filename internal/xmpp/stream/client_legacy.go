package stream

import (
	"strings"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

const (
	nsLegacy        = "jabber:iq:auth"
	nsLegacyFeature = "http://jabber.org/features/iq-auth"
)

// Legacy is the name in records of a login from before SASL (XEP-0078).
const Legacy = "XEP-0078"

// maxLegacyAsked is how often a stream may ask how to log in.
const maxLegacyAsked = 10

// legacyLogin is a login from before SASL (XEP-0078): the password and the resource in one request. The password is looked at as that of
// PLAIN is. There is no digest, which would want passwords that are kept in clear.
type legacyLogin struct{ id, resource string }

// mayLegacy: never in clear, and not where a login has to be bound to its channel.
func (m *Client) mayLegacy() bool {
	return m.policy.Legacy && m.tls != nil && !m.policy.RequireBinding && !m.auth.done
}

// isLegacy reports whether an element is about such a login, by whatever iq.
func isLegacy(e *xmlstream.Element) bool {
	return e.Is(xmlstream.NSClient, "iq") && e.Child(nsLegacy, "query") != nil
}

// ancient reports a header of who knows nothing of SASL: no version means 0.9 (RFC 6120 §4.7.5). Such a client does not expect features.
func (m *Client) ancient(h xmlstream.Header) bool {
	return h.Version == "" && m.framing == Stream && m.mayLegacy()
}

func (m *Client) legacyRequest(e *xmlstream.Element) {
	id, _ := e.Attr("id")
	typ, _ := e.Attr("type")
	to, directed := e.Attr("to")
	if id == "" || len(id) > stanza.MaxID {
		m.streamError(stanza.StreamPolicyViolation, "login without an id", nil)
		return
	}
	if m.auth.failed {
		m.streamError(stanza.StreamPolicyViolation, "login from before SASL after one by SASL", nil)
		return
	}
	where, err := jid.Parse(to)
	query, login := e.Child(nsLegacy, "query"), legacyLogin{id: strings.Clone(id)}
	switch {
	case directed && (err != nil || where != m.domain):
		m.legacyError(login.id, stanza.BadRequest)
	case typ == "get":
		if m.auth.asked++; m.auth.asked > maxLegacyAsked {
			m.streamError(stanza.StreamPolicyViolation, "too many questions how to log in", nil)
			return
		}
		m.write(with(el(xmlstream.NSClient, "iq", "type", "result", "id", login.id, "from", m.domain.String()),
			with(el(nsLegacy, "query"), el(nsLegacy, "username"), el(nsLegacy, "password"), el(nsLegacy, "resource"))))
	case typ == "set":
		m.legacyLogin(query, login)
	default:
		m.legacyError(login.id, stanza.BadRequest)
	}
}

// legacyLogin begins an attempt. One that lacks something counts as failed, too.
func (m *Client) legacyLogin(query *xmlstream.Element, login legacyLogin) {
	user, ok1 := onlyText(query, "username")
	password, ok2 := onlyText(query, "password")
	resource, ok3 := onlyText(query, "resource")
	at, err := m.domain.WithResource(resource)
	m.auth.legacy = &login
	if !ok1 || !ok2 || !ok3 || err != nil {
		m.saslFailure(&sasl.Failure{Condition: sasl.MalformedRequest})
		return
	}
	login.resource = strings.Clone(at.Resource())
	if m.begin(sasl.Plain, []string{sasl.Plain}) {
		m.nextData([]byte("\x00"+user+"\x00"+password), true)
	}
}

// onlyText is the text of the one child of a name; false where there is none, or more than one, or nothing in it.
func onlyText(query *xmlstream.Element, name string) (text string, ok bool) {
	n := 0
	for c := range query.Children() {
		if c.Is(nsLegacy, name) {
			text = c.Text()
			n++
		}
	}
	return text, n == 1 && text != ""
}

// legacyFailure says why an attempt failed, in the errors of XEP-0078 §5.
func (m *Client) legacyFailure(login *legacyLogin, f *sasl.Failure) {
	switch f.Condition {
	case sasl.MalformedRequest:
		m.legacyError(login.id, stanza.NotAcceptable)
	case sasl.TemporaryAuthFailure:
		m.legacyError(login.id, stanza.ResourceConstraint)
	default:
		m.legacyError(login.id, stanza.NotAuthorized)
	}
}

// legacyCodes are what clients that old read of an error (XEP-0086).
var legacyCodes = map[stanza.Condition]string{
	stanza.BadRequest: "400", stanza.NotAuthorized: "401", stanza.NotAllowed: "405", stanza.NotAcceptable: "406", stanza.Conflict: "409", stanza.ResourceConstraint: "500",
}

func (m *Client) legacyError(id string, c stanza.Condition) {
	m.write(with(el(xmlstream.NSClient, "iq", "type", "error", "id", id, "from", m.domain.String()),
		with(el(xmlstream.NSClient, "error", "type", c.DefaultType().String(), "code", legacyCodes[c]), el(xmlstream.NSStanzas, c.String()))))
}

// legacyBound answers the login: the client has its resource, and goes on without features.
func (m *Client) legacyBound() {
	m.write(el(xmlstream.NSClient, "iq", "type", "result", "id", m.auth.legacy.id, "from", m.domain.String()))
	m.open()
}

// legacyRefused ends the stream: what would be asked next is another resource, and the login is done.
func (m *Client) legacyRefused(c stanza.Condition) {
	m.legacyError(m.auth.legacy.id, c)
	m.streamError(stanza.StreamPolicyViolation, "no resource for a login from before SASL", nil)
}
