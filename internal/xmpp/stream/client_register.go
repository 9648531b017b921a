package stream

import (
	"strings"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

const (
	nsRegister        = "jabber:iq:register"
	nsRegisterFeature = "http://jabber.org/features/iq-register"
	nsPreauth         = "urn:xmpp:pars:0"
	nsRegisterToken   = "urn:xmpp:ibr-token:0"
	nsInvite          = "urn:xmpp:invite"
)

// MaxRegisters is how many requests of registration a stream may bring before anybody has logged in.
const MaxRegisters = 10

// Registration is what clients may do that have no account yet. The zero value lets them do nothing.
type Registration uint8

const (
	NoRegistration Registration = iota
	ByInvitation                // XEP-0445: with the token of an invitation
	OpenRegistration
)

// registerState is registration on one stream (XEP-0077 §3.1, XEP-0445).
type registerState struct {
	id      string // of the iq that waits for its answer
	token   string // of an invitation, good when it was shown
	shown   time.Time
	showing string // waits to be found good
	came    time.Time
	asked   int
}

// RegisterWanted: a client that has not logged in asks how an account is made (a query of type get), makes one (type set), or shows an
// invitation (Query is nil). Answer with Registered.
type RegisterWanted struct {
	Domain jid.JID
	Set    bool
	Query  *xmlstream.Element
	Token  string // of an invitation
	// Shown is when the token was found good: it counts from then on, however long the client takes (XEP-0445 §4). Zero: it was not yet.
	Shown time.Time
}

// Registered answers RegisterWanted: with a payload or none, or a condition.
type Registered struct {
	Payload   *xmlstream.Element
	Condition stanza.Condition // NoCondition: it is granted
	Text      string
}

func (RegisterWanted) output() {}
func (Registered) input()      {}

// mayRegister: never in clear, whatever the policy says of logins.
func (m *Client) mayRegister() bool {
	return m.policy.Register != NoRegistration && m.tls != nil && !m.auth.done
}

// registerFeature offers it where it may be asked for.
func (m *Client) registerFeature(list []*xmlstream.Element) []*xmlstream.Element {
	if !m.mayRegister() {
		return list
	}
	// COMPAT(Prosody, 0.12): before XEP-0445 had a namespace of its own, that of the commands announced it.
	return append(list, el(nsRegisterFeature, "register"), el(nsRegisterToken, "register"), el(nsInvite, "register"))
}

// isRegister reports whether an element is such a request, by whatever iq.
func isRegister(e *xmlstream.Element) bool {
	return e.Is(xmlstream.NSClient, "iq") && (e.Child(nsRegister, "query") != nil || e.Child(nsPreauth, "preauth") != nil)
}

// registerRequest is the only stanza that a client may send before it has logged in.
func (m *Client) registerRequest(e *xmlstream.Element) {
	id, _ := e.Attr("id")
	typ, _ := e.Attr("type")
	to, directed := e.Attr("to")
	if m.register.asked++; m.register.asked > MaxRegisters {
		m.streamError(stanza.StreamPolicyViolation, "too many requests of registration", nil)
		return
	}
	if id == "" || len(id) > stanza.MaxID {
		m.streamError(stanza.StreamPolicyViolation, "registration without an id", nil)
		return
	}
	m.register.id = strings.Clone(id)
	where, err := jid.Parse(to)
	want := RegisterWanted{Domain: m.domain, Set: typ == "set", Query: e.Child(nsRegister, "query"), Token: m.register.token, Shown: m.register.shown}
	if want.Query == nil {
		token, _ := e.Child(nsPreauth, "preauth").Attr("token")
		want.Token, want.Shown = strings.Clone(token), time.Time{}
	}
	if typ != "get" && typ != "set" || directed && (err != nil || where != m.domain) || want.Query == nil && (!want.Set || want.Token == "") {
		m.registerError(stanza.BadRequest, "")
		return
	}
	m.register.showing = ""
	if want.Query == nil {
		m.register.showing, m.register.came = want.Token, m.now
	}
	m.waiting = forRegister
	m.emit(want)
}

// registered passes the edge's answer on. An account that was made still has to be logged in to.
func (m *Client) registered(in Registered) {
	if in.Condition != stanza.NoCondition {
		m.registerError(in.Condition, in.Text)
		return
	}
	if m.register.showing != "" {
		m.register.token, m.register.shown = m.register.showing, m.register.came
	}
	answer := el(xmlstream.NSClient, "iq", "type", "result", "id", m.register.id, "from", m.domain.String())
	if in.Payload != nil {
		answer = with(answer, in.Payload)
	}
	m.write(answer)
}

func (m *Client) registerError(c stanza.Condition, text string) {
	failure := []*xmlstream.Element{el(xmlstream.NSStanzas, c.String())}
	if text != "" {
		failure = append(failure, withText(el(xmlstream.NSStanzas, "text"), text))
	}
	m.write(with(el(xmlstream.NSClient, "iq", "type", "error", "id", m.register.id, "from", m.domain.String()),
		with(el(xmlstream.NSClient, "error", "type", c.DefaultType().String()), failure...)))
}
