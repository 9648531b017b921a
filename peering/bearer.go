package peering

import (
	"errors"
	"fmt"
	"math/bits"

	"sallyport/internal/xmpp/jid"

	"sallyport/internal/xmpp/stanza"
)

// MaxLinks is how many links may reach one peer.
const MaxLinks = 16

// LinkSet is a set of links of one peer, by their place in Peer.Links. The zero value is none.
type LinkSet uint16

// Has reports whether link number i is in the set.
func (s LinkSet) Has(i int) bool { return i >= 0 && i < MaxLinks && s&(1<<i) != 0 }

// floor is what a stream must have proved: that of the link it is on, or else that of the peer.
func (p *Policy) floor(peer *Peer, link string) *Floor {
	if f := p.def.LinkFloor[link]; f != nil {
		return f
	}
	return &peer.Floor
}

// FloorAt is what a stream must have proved to be a peer over a link. It is not changed.
func (p *Policy) FloorAt(peer *Peer, link string) *Floor { return p.floor(peer, link) }

// admitLink takes all links of the destination, or the one that is asked for.
func (j *judgement) admitLink() bool {
	for i, name := range j.to.Links {
		if j.only == "" || j.only == name {
			j.links |= 1 << i
		}
	}
	if j.links == 0 {
		return j.refuse(Refusal{
			Stage: Admit, Reason: NoRoute, Rule: j.only, Detail: "the link does not reach the peer that holds the domain of to",
			Allowing: "that link among the links of peer " + j.to.Name, Condition: stanza.RemoteServerNotFound,
		})
	}
	return true
}

// bearer is the best link that is left.
func (j *judgement) bearer() string { return j.to.Links[bits.TrailingZeros16(uint16(j.links))] }

// clearedBearers leaves the links that are cleared for a label. What is releasable to a peer may still not travel over every
// link to it; without one that is cleared it is refused.
func (j *judgement) clearedBearers(ps *passage) bool {
	best := j.bearer()
	for i, name := range j.to.Links {
		set, limited := j.p.def.LinkClear[name]
		if !limited || !j.links.Has(i) {
			continue
		}
		if d, _, _ := grants(&set, ps.sent, ps.inside); !d.Granted {
			j.links &^= 1 << i
		}
	}
	if j.links == 0 {
		return j.clearedLink(LabelOut, best, ps.sent, ps.inside) // says why not
	}
	if now := j.bearer(); now != best {
		set := j.p.def.LinkClear[best]
		_, l, c := grants(&set, ps.sent, ps.inside)
		j.check(Check{LabelOut, AsLink, best, l, c, false})
		j.step(Step{Stage: LabelOut, Note: "label is above the clearance of a better link", Subject: best})
		best = now
	}
	return j.clearedLink(LabelOut, best, ps.sent, ps.inside)
}

// RejudgeFor judges what was stored again, from the bytes up, under today's policy, for the link that is now chosen; today's
// facts count if given. Verdict.Links says over which others it may go only when link is empty.
func (e *Engine) RejudgeFor(s Stored, today *Facts, link string) (v Verdict, err error) {
	p := e.policy.Load()
	if p == nil {
		return Verdict{}, errors.New("no policy is active")
	}
	a, rest, err := ParseArrival(s, p.def.Labels)
	if err != nil {
		return Verdict{}, err
	}
	if len(rest) != 0 {
		return Verdict{}, fmt.Errorf("%w: bytes after the arrival", ErrEncoding)
	}
	if today != nil {
		a.Facts = *today
	}
	p.renewClearances(&a)
	p.judgeFor(&a, link, &v)
	return v, nil
}

// Readdressed is what was stored, for another recipient: of a message of a room that was kept once for several. It is judged as an
// arrival of its own.
func (e *Engine) Readdressed(s Stored, to jid.JID) (Stored, error) {
	p := e.policy.Load()
	if p == nil {
		return nil, errors.New("no policy is active")
	}
	if s.IsReply() {
		return nil, fmt.Errorf("%w: an error has one recipient", ErrEncoding)
	}
	a, rest, err := ParseArrival(s, p.def.Labels)
	if err != nil || len(rest) != 0 {
		return nil, errors.Join(ErrEncoding, err)
	}
	a.Stanza = a.Stanza.WithAddresses(jid.JID{}, to)
	return AppendArrival(nil, &a)
}
