package peering

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// Exclusion says by which list of a domain of this node one end of a stanza is kept out (XEP-0133 §4.11, §4.12). The lists are no part of
// the policy and can only take away from it. The numbers stand in records: new ones come last.
type Exclusion uint8

const (
	NotExcluded       Exclusion = iota
	SenderListed                // the black list of the recipient's domain has the sender
	SenderUnlisted              // its white list has others
	RecipientListed             // the black list of the sender's domain has the recipient
	RecipientUnlisted           // its white list has others
	numExclusions
)

// refusal says it as the record does; outsider is who is kept out, and domain whose list it is.
func (x Exclusion) refusal(outsider, domain jid.JID) Refusal {
	r := Refusal{Stage: Admit, Reason: Blacklisted, Rule: domain.Domain(), Condition: stanza.NotAllowed}
	who := outsider.Bare().String()
	if x == SenderListed || x == RecipientListed {
		r.Detail = who + " is on the black list of the domain"
		r.Allowing = "an administrator who takes it off: sallyport domain blacklist " + r.Rule
		return r
	}
	r.Reason, r.Detail = NotWhitelisted, who+" is not on the white list of the domain"
	r.Allowing = "an administrator who puts it there: sallyport domain whitelist " + r.Rule
	return r
}

// admitListed refuses whom a list of a domain of this node keeps out.
func (j *judgement) admitListed() bool {
	switch x := j.a.Facts.Excluded; x {
	case NotExcluded:
		return true
	case SenderListed, SenderUnlisted:
		return j.refuse(x.refusal(j.src, j.dst))
	default:
		return j.refuse(x.refusal(j.a.Stanza.To(), j.src))
	}
}

// Near is the address under which a peer's user is known on this side of its domain-map.
func (p *Policy) Near(peer string, a jid.JID) jid.JID {
	if from := p.peers.byName[peer]; from != nil && len(from.DomainMap) > 0 {
		a, _ = mapDomain(from.DomainMap, a, farToNear)
	}
	return a
}
