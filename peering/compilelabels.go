package peering

import (
	"fmt"
	"maps"
	"slices"

	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// compileLabels proves what peers and sides say of labels, and makes the readers and translators.
func (p *Policy) compileLabels(bad complain) {
	readers := map[string]*xep0258.Reader{}
	for i := range p.def.Peers {
		peer := &p.def.Peers[i]
		subject := "peer " + peer.Name
		if peer.Unlabelled == UnlabelledDefault && !p.hasDefault(peer) {
			bad(subject, "judges unlabelled messages under a default label but has none")
		}
		if peer.LabelPolicy == nil {
			peer.LabelPolicy = p.def.Sides[peer.Side].LabelPolicy
		}
		if peer.SendLabels > SendNever || peer.Equivalents >= numEquivalents {
			bad(subject, "has a way to send labels that does not exist")
		}
		peer.reader = p.readerFor(peer, readers)
		p.compileTranslation(peer, bad)
	}
	for i := range p.def.DefaultLabels {
		if d := &p.def.DefaultLabels[i]; d.Label == nil || d.scopes() != 1 {
			bad("default label "+d.ID, "needs a label, and one of: from and to, rooms, users, domains")
		}
	}
	if m := p.def.ICISM; m != nil {
		for _, text := range m.Check(p.def.Labels) {
			bad("ic-ism", "%s", text)
		}
	}
}

func (d *DefaultLabel) scopes() int {
	n := 0
	for _, given := range [...]bool{len(d.From)+len(d.To) > 0, len(d.Rooms) > 0, len(d.Users) > 0, len(d.Domains) > 0} {
		if given {
			n++
		}
	}
	return n
}

// readerFor shares readers, and what they remember, among peers that are read alike.
func (p *Policy) readerFor(peer *Peer, readers map[string]*xep0258.Reader) *xep0258.Reader {
	o := xep0258.Options{DEROnly: peer.DEROnly, Lenient: peer.Lenient, TrustEquivalents: peer.TrustEquivalents, ICISM: p.def.ICISM}
	key := fmt.Sprint(o.DEROnly, o.Lenient, o.TrustEquivalents)
	if readers[key] == nil {
		readers[key] = xep0258.NewReaderWith(p.def.Labels, o)
	}
	return readers[key]
}

// compileTranslation makes the translators of a peer. A translation that could never succeed is a mistake; one that
// lacks an equivalence here and there refuses the labels that need it.
func (p *Policy) compileTranslation(peer *Peer, bad complain) {
	var reasons []string
	build := func(to *labels.Policy, r labels.Reading) (*translator, bool) {
		t := newTranslator(p.def.Labels, to, peer, r, func(from string, problem labels.Problem) {
			if !problem.Warning {
				reasons = append(reasons, from+" to "+to.Name()+": "+problem.Text)
			}
		})
		return t, t != nil && len(t.from) > 0
	}
	if r := peer.TranslateOut; r != labels.NoReading {
		out, ok := build(peer.LabelPolicy, r)
		if peer.out = out; !ok {
			bad("peer "+peer.Name, "translate-out = %s: no policy can be translated to what it reads labels under %v", r, reasons)
		}
	}
	r, any := peer.TranslateIn, false
	if r == labels.NoReading {
		return
	}
	peer.in, reasons = map[string]*translator{}, nil
	for _, side := range slices.Sorted(maps.Keys(p.def.Sides)) {
		if to := p.def.Sides[side].LabelPolicy; to != nil && side != peer.Side {
			in, ok := build(to, r)
			peer.in[side], any = in, any || ok
		}
	}
	if !any {
		bad("peer "+peer.Name, "translate-in = %s: no policy can be translated to the label policy of another side %v", r, reasons)
	}
}

// LabelDigest is the SHA-256 of the canonical form of the securitylabel as received; false when there was none.
func (v *Verdict) LabelDigest() ([32]byte, bool) {
	if d, ok := v.Facts.Received.Digest(); ok {
		return d, true
	}
	return [32]byte{}, false
}
