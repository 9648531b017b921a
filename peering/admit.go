package peering

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// admit is stage 1: who sent it, may he, where does it go, does a list of the domain keep
// him out, is that pair listed, and is this kind of traffic carried. It resolves the final addresses.
func (j *judgement) admit() bool {
	return j.admitSender() && j.admitDestination() && j.admitListed() && j.admitPair() && j.admitKind() && j.admitAnswer()
}

func (j *judgement) admitSender() bool {
	a := j.a
	j.from = j.p.peers.byName[a.Peer]
	switch {
	case a.Stanza.IsZero():
		return j.refuse(Refusal{Stage: Admit, Reason: BadStanza, Detail: "no stanza", Condition: stanza.NoCondition})
	case j.from == nil:
		return j.refuse(Refusal{
			Stage: Admit, Reason: UnknownPeer, Rule: a.Peer, Detail: "the neighbour is not in the peer table",
			Allowing: "a [peer] that owns its domain", Condition: stanza.NotAllowed,
		})
	case j.from.Refuse:
		return j.refuse(Refusal{
			Stage: Admit, Reason: RefusedPeer, Rule: j.from.Name, Detail: "the peer table says refuse",
			Allowing: "refuse = false for this peer", Condition: stanza.NotAllowed,
		})
	case !j.p.floor(j.from, a.Link).allows(a.Proof):
		return j.refuse(Refusal{
			Stage: Admit, Reason: BelowFloor, Rule: j.from.Name,
			Detail:    "the stream is weaker than the peer's floor: proof " + a.Proof.Method.String(),
			Allowing:  "a stream that meets authenticate, min-tls and pins of the peer",
			Condition: stanza.NotAuthorized,
		})
	case !j.from.mayBe(a.Stanza.From().Domain()):
		return j.refuse(Refusal{
			Stage: Admit, Reason: SpoofedFrom, Rule: j.from.Name,
			Detail: "the peer neither owns nor speaks for the domain of from", Allowing: "that domain in domains or speaks-for of the peer",
			Condition: stanza.NotAllowed,
		})
	}
	j.step(Step{Stage: Admit, Note: "sender is a configured peer", Subject: j.from.Name})
	return true
}

func (j *judgement) admitDestination() bool {
	s := j.a.Stanza
	j.src, j.dst = s.From(), s.To()
	if near, ok := mapDomain(j.from.DomainMap, j.src, farToNear); ok {
		j.src = near
	}
	j.to = j.p.peers.holding(j.dst.Domain())
	if j.to == nil {
		return j.refuse(Refusal{
			Stage: Admit, Reason: NoRoute, Detail: "no peer holds the domain of to",
			Allowing: "a [peer] that owns that domain", Condition: stanza.ItemNotFound,
		})
	}
	j.v.ToPeer, j.v.ToSide = j.to.Name, j.to.Side
	if far, ok := mapDomain(j.to.DomainMap, j.dst, nearToFar); ok {
		j.dst = far
	}
	if j.to.Refuse || len(j.to.Links) == 0 {
		return j.refuse(Refusal{
			Stage: Admit, Reason: RefusedPeer, Rule: j.to.Name, Detail: "the peer table refuses the destination",
			Allowing: "refuse = false for that peer", Condition: stanza.NotAllowed,
		})
	}
	j.step(Step{Stage: Admit, Note: "destination is held by peer", Subject: j.to.Name})
	return j.admitLink()
}

func (j *judgement) admitPair() bool {
	pair, ok := j.p.pairs[[2]string{j.from.Name, j.to.Name}]
	j.rules = j.p.rules
	switch {
	case ok:
		j.rules = pair.rules
	case j.isAnswer(): // what was asked for may come back over a one-way pair, under all the rules
		pair, ok = j.p.pairs[[2]string{j.to.Name, j.from.Name}]
	}
	switch {
	case !ok:
		return j.refuse(Refusal{
			Stage: Admit, Reason: UnlistedPair, Rule: j.from.Name, Detail: "no [[pair]] lets these two peers talk",
			Allowing: "a [[pair]] between " + j.from.Name + " and " + j.to.Name, Condition: stanza.NotAllowed,
		})
	case j.from.Side == j.to.Side && !pair.sameSide:
		return j.refuse(Refusal{
			Stage: Admit, Reason: SameSide, Rule: j.from.Name, Detail: "both peers are on one side",
			Allowing: "same-side = true for the pair", Condition: stanza.NotAllowed,
		})
	}
	j.open = pair.open && j.a.Proof.Method == Local
	return true
}

func (j *judgement) admitKind() bool {
	for _, peer := range [2]*Peer{j.from, j.to} {
		word, ok := peer.Kinds.allows(j.s)
		if ok {
			continue
		}
		reason, cond, allowing := KindNotAllowed, stanza.NotAllowed, word
		if word == "iq" {
			reason, cond = IQKind, stanza.ServiceUnavailable
			if payload := j.s.Payload(); payload != nil {
				word, allowing = "iq with "+payload.Space(), payload.Space()+" in iq"
			}
		}
		return j.refuse(Refusal{
			Stage: Admit, Reason: reason, Rule: peer.Name, Detail: "peer takes no part in this kind of traffic: " + word,
			Allowing: allowing + " in kinds of peer " + peer.Name, Condition: cond,
		})
	}
	j.step(Step{Stage: Admit, Note: "both peers take part in this kind of traffic", Subject: j.s.Kind().String()})
	return true
}

// isAnswer reports an answer to something that crossed the other way, or an error about it.
func (j *judgement) isAnswer() bool {
	f := &j.a.Facts
	switch j.s.Type() {
	case stanza.IQResult, stanza.IQError:
		return f.Awaited.Found
	case stanza.PresenceSubscribed, stanza.PresenceUnsubscribed:
		return f.Asked
	case stanza.MessageError, stanza.PresenceError:
		return true
	default:
		return false
	}
}

// admitAnswer lets answers through only where somebody asked: xmpp-core says so for iq,
// a guard for subscriptions too (an answer that nobody asked for is a free channel).
func (j *judgement) admitAnswer() bool {
	switch {
	case j.s.IsResponse() && !j.a.Facts.Awaited.Found:
		return j.refuse(Refusal{
			Stage: Admit, Reason: Unsolicited, Detail: "an answer to no request that crossed the other way",
			Allowing: "the request it answers", Condition: stanza.NoCondition,
		})
	case j.s.Type() == stanza.PresenceSubscribed && !j.a.Facts.Asked && !j.open: // rosters know who has asked
		return j.refuse(Refusal{
			Stage: Admit, Reason: Unsolicited, Detail: "approval of a subscription that nobody asked for",
			Allowing: "a subscribe that crossed the other way", Condition: stanza.NoCondition,
		})
	}
	return true
}

type mapDirection uint8

const (
	farToNear mapDirection = iota
	nearToFar
)

func mapDomain(table []DomainMapping, addr jid.JID, dir mapDirection) (jid.JID, bool) {
	for _, m := range table {
		have, want := m.Far, m.Near
		if dir == nearToFar {
			have, want = want, have
		}
		if have.Domain() != addr.Domain() {
			continue
		}
		if mapped, err := addr.WithDomain(want.Domain()); err == nil {
			return mapped, true
		}
	}
	return addr, false
}
