package stream

import (
	"slices"
	"strings"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// authenticate is one request of XEP-0388 with what is asked for together with
// it: resumption, a resource (XEP-0386), a token (XEP-0484).
type authenticate struct {
	agent  string
	bind   *xmlstream.Element
	resume *xmlstream.Element
	token  string // mechanism that a token is wanted for
	void   bool   // the token in use is to become void
	rotate bool   // a token was used: the edge may hand out its successor

	data    []byte               // of the mechanism, for the client
	failed  *xmlstream.Element   // the resumption that did not succeed
	results []*xmlstream.Element // of what else was asked for
	answers []*xmlstream.Element // for <bound/>
	asked   bool                 // for a token
}

// sasl2Element is the profile of XEP-0388.
func (m *Client) sasl2Element(e *xmlstream.Element) {
	switch {
	case m.auth.done || !m.policy.SASL2 || m.auth.server != nil && m.auth.two == nil:
		m.streamError(stanza.StreamNotAuthorized, "SASL2 where it is not on offer", nil)
		return
	case m.auth.server != nil && e.Local() == "authenticate": // XEP-0388 §2.4, unlike RFC 6120
		m.streamError(stanza.StreamNotAuthorized, "a second request in the middle of authentication", nil)
		return
	}
	switch e.Local() {
	case "authenticate":
		m.authenticate(e)
	case "response":
		if m.auth.two == nil {
			m.auth.two = &authenticate{} // the failure is to be one of this profile
		}
		data, _, err := sasl.DecodeText(e.Text())
		if err != nil {
			m.saslFailed(err)
			return
		}
		m.nextData(data, true)
	case "abort":
		m.auth.two = &authenticate{}
		m.saslFailure(&sasl.Failure{Condition: sasl.Aborted})
	default:
		m.unsupported(e)
	}
}

func (m *Client) authenticate(e *xmlstream.Element) {
	name, _ := e.Attr("mechanism")
	two := &authenticate{bind: e.Child(nsBind2, "bind")}
	if m.policy.Manage {
		two.resume = e.Child(nsManage, "resume")
	}
	m.auth.two = two
	if agent := e.Child(nsSASL2, "user-agent"); agent != nil {
		two.agent, _ = agent.Attr("id")
		two.agent = strings.Clone(two.agent)
	}
	if len(two.agent) > MaxAgentBytes {
		m.saslFailure(&sasl.Failure{Condition: sasl.MalformedRequest})
		return
	}
	offered := m.mechanisms()
	tokens := m.tokenMechanisms()
	if want := e.Child(nsTokens, "request-token"); want != nil && two.agent != "" {
		if name, _ := want.Attr("mechanism"); slices.Contains(tokens, name) {
			two.token = strings.Clone(name)
		}
	}
	if fast := e.Child(nsTokens, "fast"); fast != nil && two.agent != "" {
		void, _ := fast.Attr("invalidate")
		two.void = isTrue(void)
		offered = append(offered, tokens...)
	}
	if !m.begin(name, offered) {
		return
	}
	first := e.Child(nsSASL2, "initial-response")
	if first == nil {
		m.nextData(nil, false)
		return
	}
	data, _, err := sasl.DecodeText(first.Text())
	if err != nil {
		m.saslFailed(err)
		return
	}
	m.nextData(data, true)
}

// advance does what was asked for together with authentication, one thing after
// the other, and then says success. Resumption comes first: with it nothing is bound (XEP-0386 §3.2).
func (m *Client) advance() {
	two := m.auth.two
	switch {
	case two.resume != nil:
		e := two.resume
		two.resume = nil
		m.resumeRequest(e)
	case two.bind != nil && m.address.IsZero() && m.old == nil:
		m.bindWanted(two)
	case (two.token != "" || two.rotate) && !two.asked:
		two.asked, m.waiting = true, forToken
		o := TokenWanted{Account: m.account, Agent: two.agent, Mechanism: two.token, Rotate: two.token == ""}
		if o.Rotate {
			o.Mechanism = m.auth.mechanism
		}
		m.emit(o)
	default:
		m.success()
	}
}

func (m *Client) bindWanted(two *authenticate) {
	tag := ""
	if t := two.bind.Child(nsBind2, "tag"); t != nil {
		tag = t.Text()
	}
	resource := m.drawResource(tag)
	if resource == "" {
		return
	}
	o := BindWanted{Account: m.account, Resource: resource, Drawn: true, Inline: true, Agent: two.agent}
	for c := range two.bind.Children() {
		if slices.Contains(m.cfg.Inline, c.Space()) && len(o.Wishes) < MaxWishes {
			o.Wishes = append(o.Wishes, c.Clone())
		}
	}
	m.waiting = forBind
	m.emit(o)
}

func (m *Client) tokenGranted(in TokenGranted) {
	if in.Token != "" {
		m.auth.two.results = append(m.auth.two.results, el(nsTokens, "token", "token", in.Token, "expiry", in.Expiry))
	}
	m.advance()
}

// success says what came of it all, then the features: there is no restart (XEP-0388 §2.6.1). A session that was resumed goes on as it was,
// without features (XEP-0198 §9.2).
func (m *Client) success() {
	two := m.auth.two
	m.auth.two = nil
	resumed := m.old != nil
	var list []*xmlstream.Element
	if two.data != nil {
		list = append(list, withText(el(nsSASL2, "additional-data"), strings.TrimPrefix(sasl.EncodeText(two.data), "=")))
	}
	if resumed {
		m.address = m.old.owner.Remote
	}
	who := m.address
	if who.IsZero() {
		who = m.account
	}
	list = append(list, withText(el(nsSASL2, "authorization-identifier"), who.String()))
	if two.failed != nil { // before what is enabled anew, for clients that read in order: COMPAT(xmpp.js, 0.14)
		list = append(list, two.failed)
	}
	managed := false
	switch {
	case resumed:
		list = append(list, m.resumedReply())
	case two.bind != nil && !m.address.IsZero():
		bound := two.answers
		if want := two.bind.Child(nsManage, "enable"); want != nil && m.policy.Manage {
			reply := m.grantManage(m.cfg.Rand, want, m.owner(), false)
			if reply == nil {
				return
			}
			bound, managed = append(slices.Clone(bound), reply), true
		}
		list = append(list, with(el(nsBind2, "bound"), bound...))
	}
	m.write(with(el(nsSASL2, "success"), append(list, two.results...)...))
	if managed {
		m.session.StartOutbound()
		m.managed = true
	}
	if resumed {
		m.resumeHere()
		return
	}
	m.write(with(el(xmlstream.NSStream, "features"), m.sessionFeatures()...))
	if !m.address.IsZero() {
		m.open()
		m.startState(two)
	}
}

// startState begins in the client state that was asked for (XEP-0386 §3.2).
func (m *Client) startState(two *authenticate) {
	if !m.policy.ClientState {
		return
	}
	if two.bind.Child(nsClientState, "inactive") != nil {
		m.emit(ClientState{Active: false})
	}
}
