package peering

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// rewriteAddress is stage 5: final addresses, domain translation in the payloads that
// carry addresses, errors rebuilt from a template, and ids issued anew.
func (j *judgement) rewriteAddress() bool {
	if j.s.IsError() && !j.ownError() && !j.rebuildError() {
		return false
	}
	if j.src != j.s.From() || j.dst != j.s.To() {
		j.s = j.s.WithAddresses(j.src, j.dst)
		j.v.Changed = true
		j.step(Step{Stage: Address, Changed: true, Note: "addresses translated", Subject: j.from.Name})
	}
	if !j.translatePayload() {
		return false
	}
	return j.reissueID()
}

// ownError: the server of this node says it itself, for an account or a domain, to a user of its own. Its words are no user's: those have
// a resource. Features tell by application-specific conditions what is the matter.
func (j *judgement) ownError() bool { return j.open && !j.s.From().IsFull() }

// rebuildError lets an error cross only as one made anew: type and condition, no text and
// nothing of the stanza it answers, which might be the very thing that was refused.
func (j *judgement) rebuildError() bool {
	cond, typ := j.s.Error()
	retold := stanza.Retold(j.s, cond, typ)
	if retold.IsZero() {
		return j.refuse(Refusal{
			Stage: Address, Reason: BadStanza, Detail: "an error without a defined condition",
			Allowing: "a condition of RFC 6120 §8.3.3", Condition: stanza.NoCondition,
		})
	}
	if e := j.s.Element().Child(j.s.ContentNS(), "error"); j.a.Facts.OwnWords && e != nil && e.Child(nsBlocked, "blocked") != nil {
		retold = withBlocked(retold)
	}
	if !retold.Element().Equal(j.s.Element()) {
		j.s, j.v.Changed = retold, true
		j.step(Step{Stage: Address, Changed: true, Note: "error made anew: condition only", Subject: cond.String()})
	}
	return true
}

const nsBlocked = "urn:xmpp:blocking:errors"

// withBlocked adds that the user blocks whom he has written to (XEP-0191 §3.3): his own server tells him so in the other's name.
func withBlocked(s stanza.Stanza) stanza.Stanza {
	blocked := xmlstream.NewElement(xmlstream.Name{Space: nsBlocked, Local: "blocked"}, nil)
	e := s.Element().MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if !c.Is(s.ContentNS(), "error") {
			return c
		}
		nodes := make([]xmlstream.Node, 0, c.NumNodes()+1)
		for i := range c.NumNodes() {
			nodes = append(nodes, c.NodeAt(i))
		}
		return c.WithNodes(append(nodes, xmlstream.ElementNode(blocked))...)
	})
	if with, err := s.WithElement(e); err == nil {
		return with
	}
	return s // an error stanza it remains
}

// reissueID replaces the id of a request by one of ours and restores the requester's on
// the answer, so that ids carry nothing across.
func (j *judgement) reissueID() bool {
	f := &j.a.Facts
	switch {
	case j.s.IsResponse() && f.Awaited.OriginalID != "" && f.Awaited.OriginalID != j.s.ID():
		j.s = j.s.WithID(f.Awaited.OriginalID)
		j.v.Changed = true
		j.step(Step{Stage: Address, Changed: true, Note: "the requester's own id restored"})
	case j.p.def.ReissueIDs && j.s.IsRequest():
		if f.FreshID == "" {
			return j.refuse(Refusal{
				Stage: Address, Reason: AddressRefused, Detail: "the policy issues ids anew and no fresh id was given",
				Allowing: "a fresh id in the facts", Condition: stanza.InternalServerError,
			})
		}
		j.s = j.s.WithID(f.FreshID)
		j.v.Changed = true
		j.step(Step{Stage: Address, Changed: true, Note: "id issued anew"})
	}
	return true
}

// carriers of addresses inside payloads, by element: the attribute that holds a JID.
var addressAttrs = map[xmlstream.Name]string{
	{Space: nsMUCUser, Local: "item"}:                                  "jid",
	{Space: nsMUCUser, Local: "actor"}:                                 "jid",
	{Space: nsMUCUser, Local: "invite"}:                                "to",
	{Space: nsMUCUser, Local: "decline"}:                               "to",
	{Space: "jabber:x:conference", Local: "x"}:                         "jid",
	{Space: "http://jabber.org/protocol/disco#items", Local: "item"}:   "jid",
	{Space: "http://jabber.org/protocol/address", Local: "address"}:    "jid",
	{Space: "urn:xmpp:delay", Local: "delay"}:                          "from",
	{Space: "urn:xmpp:sid:0", Local: "stanza-id"}:                      "by",
	{Space: "http://jabber.org/protocol/muc#admin", Local: "item"}:     "jid",
	{Space: "http://jabber.org/protocol/pubsub", Local: "subscribe"}:   "jid",
	{Space: "http://jabber.org/protocol/pubsub", Local: "unsubscribe"}: "jid",
}

// translatePayload applies the domain maps of both peers to the addresses that known
// payloads carry. Without a map it does not look.
func (j *judgement) translatePayload() bool {
	if len(j.from.DomainMap) == 0 && len(j.to.DomainMap) == 0 {
		return true
	}
	e := j.translateTree(j.s.Element(), 0)
	if e == j.s.Element() {
		return true
	}
	s, err := j.s.WithElement(e)
	if err != nil {
		return j.refuse(Refusal{
			Stage: Address, Reason: AddressRefused, Detail: "a translated address is not an address",
			Allowing: "a domain map whose names are domains", Condition: stanza.InternalServerError,
		})
	}
	j.s, j.v.Changed = s, true
	j.step(Step{Stage: Address, Changed: true, Note: "addresses in payload translated"})
	return true
}

// maxTranslateDepth is above the depth the profile admits; deeper trees never get here.
const maxTranslateDepth = 64

func (j *judgement) translateTree(e *xmlstream.Element, depth int) *xmlstream.Element {
	if depth > maxTranslateDepth {
		return e
	}
	out := e.MapChildren(func(c *xmlstream.Element) *xmlstream.Element { return j.translateTree(c, depth+1) })
	attr, ok := addressAttrs[e.Name()]
	if !ok {
		return out
	}
	value, ok := e.Attr(attr)
	if !ok {
		return out
	}
	addr, err := jid.Parse(value)
	if err != nil {
		return out
	}
	mapped, changed := mapDomain(j.from.DomainMap, addr, farToNear)
	if again, ok := mapDomain(j.to.DomainMap, mapped, nearToFar); ok {
		mapped, changed = again, true
	}
	if !changed {
		return out
	}
	return out.WithAttr(xmlstream.Name{Local: attr}, mapped.String())
}
