package peering

import (
	"slices"

	"sallyport/internal/xmpp/stanza"
	"sallyport/labels/catalogue"
	"sallyport/labels/xep0258"
)

// mayOpen says why a pair cannot be open, nothing if it can. Where a neighbour could be either end, or take the name of one, the
// profile is what keeps him to what the boundary understands.
func (p *Policy) mayOpen(from, to *Peer) string {
	switch {
	case from != to:
		return "it joins two peers"
	case !slices.Equal(from.Floor.Methods, []Method{Local}):
		return "somebody else than this node can prove to be peer " + from.Name
	case from.Default || len(from.SpeaksFor) > 0 || len(from.DomainMap) > 0:
		return "peer " + from.Name + " has other domains than its own"
	}
	for _, d := range from.Domains {
		if _, wide := d.below(); wide {
			return "peer " + from.Name + " has domains that are not named"
		}
	}
	for _, link := range from.Links {
		if p.def.LinkFloor[link] != nil {
			return "link " + link + " takes another proof than that of the peer"
		}
	}
	return ""
}

// MayRead judges whether what was kept may be shown to somebody here today: by its label, or the default for one, and by the clearances
// of the server and of the reader. Arrival.Peer is the server, the stanza is what was kept with its reader in to; Facts.Recipient
// is what the reader is cleared for. Anything but a message that is no error has no label. Verdict.Outcome is Release, or says why not;
// nothing is released by it.
func (p *Policy) MayRead(a *Arrival) (v Verdict) {
	p.MayReadInto(a, &v)
	return v
}

// MayReadInto is MayRead into memory of the caller; what was in v is gone.
func (p *Policy) MayReadInto(a *Arrival, v *Verdict) {
	v.Clear()
	v.Version, v.FromPeer, v.ToPeer = p.version, a.Peer, a.Peer
	v.source.of(a)
	j := judgement{p: p, a: a, v: v, s: a.Stanza, rules: p.rules}
	j.to = p.peers.byName[a.Peer]
	if a.Stanza.IsZero() || j.to == nil || !slices.Equal(j.to.Floor.Methods, []Method{Local}) || !j.admitLink() {
		j.refuse(Refusal{
			Stage: Admit, Reason: UnknownPeer, Rule: a.Peer, Detail: "nothing is kept for that peer", Allowing: "the server of this node",
			Condition: stanza.NotAllowed,
		})
		return
	}
	// Which carriers may cross was asked when it came, and among users of the server it never is.
	if pair, ok := p.pairs[[2]string{j.to.Name, j.to.Name}]; ok {
		j.open = pair.open
	}
	j.src, j.dst = a.Stanza.From(), a.Stanza.To()
	j.from = p.labeller(a.Stanza, j.to)
	stripped := j.to.SendLabels == SendNever || j.to.Clients.NoLabels && j.src.Bare() != j.dst.Bare() // and kept so, once
	if stripped && a.Facts.Recipient.known() && a.Stanza.Kind() == stanza.Message && !a.Stanza.IsError() &&
		j.to.reader.Read(a.Stanza.Element()).State == xep0258.Unlabelled {
		j.refuse(Refusal{
			Stage: LabelIn, Reason: NoLabel, Rule: a.Peer, Detail: "labels are taken off what users are sent, so that nothing says what this one was",
			Allowing: "send-labels = \"as-received\" for the server, or a reader without a clearance of his own", Condition: stanza.PolicyViolation,
		})
		return
	}
	if j.labelIn() && j.labelOut() {
		v.Outcome = Release
	}
}

// labeller is who answers for the label of something that was kept: it was written for the server, but where there is none, the default
// is that of who sent it.
func (p *Policy) labeller(s stanza.Stanza, here *Peer) *Peer {
	sender := p.peers.holding(s.From().Domain())
	if sender == nil || s.Kind() != stanza.Message || here.reader.Read(s.Element()).State != xep0258.Unlabelled {
		return here
	}
	return sender
}

// isCatalogue reports the answer of the server to a user who asked which labels he may choose (XEP-0258 §4). Who asks without an address
// asks his own account, for which the server answers.
func isCatalogue(s stanza.Stanza) bool {
	payload := s.Payload()
	return s.Type() == stanza.IQResult && (s.From().Local() == "" || s.From() == s.To().Bare()) && payload != nil && payload.Is(catalogue.NS, "catalog")
}
