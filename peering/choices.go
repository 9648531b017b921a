package peering

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/xep0258"
)

// ChoiceQuestion asks which labels somebody may choose for messages from one peer to another.
type ChoiceQuestion struct {
	From, To          string  // peers
	Sender, Recipient jid.JID // zero: whoever it is
	// What a directory says that they are cleared for; the zero value asks the policy.
	SenderFact, RecipientFact ClearanceFact
	At                        time.Time
}

// Choices are the labels of a catalogue that may be chosen.
type Choices struct {
	*catalogue.Catalogue // with counts of what was left out
	Denied               []Denial
}

// Denial says whose clearance left out how many of Left.NotCleared. One that several would have left out counts for the
// first of them on the way.
type Denial struct {
	Who string // "peer out", "link s2s", "sender user juliet@in.example"
	N   int
}

// Choices filters a catalogue by the clearances of all concerned, and by the translations on the way (XEP-0258 §4): what
// it leaves is what the two label stages would let through.
func (p *Policy) Choices(c *catalogue.Catalogue, q ChoiceQuestion) (Choices, error) {
	w := choosing{p: p, q: q, from: p.peers.byName[q.From], to: p.peers.byName[q.To], out: &catalogue.Catalogue{Restrict: true}}
	for _, peer := range []struct {
		name string
		is   *Peer
	}{{q.From, w.from}, {q.To, w.to}} {
		if peer.is == nil || peer.is.Refuse {
			return Choices{}, fmt.Errorf("there is no peer %q that anything is exchanged with", peer.name)
		}
	}
	if !p.MayTalk(q.From, q.To) {
		return Choices{}, fmt.Errorf("no pair lets peer %s send to peer %s", q.From, q.To)
	}
	if c == nil {
		return Choices{Catalogue: w.out}, nil
	}
	if w.sender, w.recipient = q.SenderFact, q.RecipientFact; !w.sender.known() {
		w.sender = p.ClearanceOf(q.Sender)
	}
	if !w.recipient.known() {
		w.recipient = p.ClearanceOf(q.Recipient)
	}
	*w.out = catalogue.Catalogue{Name: c.Name, Desc: c.Desc, Restrict: c.Restrict, Left: c.Left}
	for _, item := range c.Items {
		if w.offers(item) {
			w.out.Items = append(w.out.Items, item)
		}
	}
	w.out.ID = w.out.Digest()
	return Choices{w.out, w.denied}, nil
}

// Writing says how the users of a peer are written a catalogue: as the labels that they are sent. An unknown peer gives the zero value.
func (p *Policy) Writing(peer string) catalogue.Writing {
	to := p.peers.byName[peer]
	if to == nil {
		return catalogue.Writing{}
	}
	w := catalogue.Writing{Syntax: xep0258.ESS, ICISM: p.def.ICISM, Lang: to.Language}
	if len(to.LabelSyntaxes) > 0 {
		w.Syntax = to.LabelSyntaxes[0]
	}
	return w
}

// choosing is one question on its way through a catalogue.
type choosing struct {
	p                 *Policy
	q                 ChoiceQuestion
	from, to          *Peer
	sender, recipient ClearanceFact
	out               *catalogue.Catalogue
	denied            []Denial
}

// offers takes an item over both stages: the side it comes from, then the side it goes to.
func (w *choosing) offers(item catalogue.Item) bool {
	l := item.Label
	in := catalogue.Filter{At: w.q.At}
	if l == nil && w.from.Unlabelled == UnlabelledDefault {
		l, _, _ = w.p.defaultFor(w.from, w.q.Sender, w.q.Recipient)
		in.Unlabelled = l
	}
	inside := l
	if t := w.from.in[w.to.Side]; l != nil && t.wants(l) {
		in.Translate = t.from[l.PolicyID()]
		inside = in.Translate.Translate(l, w.q.At).Label()
	}
	concerned := []concern{
		{"peer " + w.from.Name, []catalogue.Subject{judgedBy(w.from.Clearances)}, func(f *catalogue.Filter, s catalogue.Subject) { f.Service = s }},
		{"link " + strings.Join(w.from.Links, " or "), w.links(w.from), func(f *catalogue.Filter, s catalogue.Subject) { f.Link = s }},
		{"sender " + w.sender.Source, known(&w.sender), func(f *catalogue.Filter, s catalogue.Subject) { f.Sender = s }},
	}
	if !w.passes(item, in, concerned) {
		return false
	}
	out := catalogue.Filter{At: w.q.At}
	if w.to.Clearances.For(inside.PolicyID()) == nil && w.to.out.wants(inside) {
		out.Translate = w.to.out.from[inside.PolicyID()]
	}
	return w.passes(catalogue.Item{Label: inside}, out, []concern{
		{"peer " + w.to.Name, []catalogue.Subject{judgedBy(w.to.Clearances)}, func(f *catalogue.Filter, s catalogue.Subject) { f.Peer = s }},
		{"link " + strings.Join(w.to.Links, " or "), w.links(w.to), func(f *catalogue.Filter, s catalogue.Subject) { f.Link = s }},
		{"recipient " + w.recipient.Source, known(&w.recipient), func(f *catalogue.Filter, s catalogue.Subject) { f.Recipient = s }},
	})
}

// concern is somebody whose clearance is asked for. Of several subjects, links that can carry it, one is enough; without
// any he is not concerned.
type concern struct {
	who      string
	subjects []catalogue.Subject
	put      func(*catalogue.Filter, catalogue.Subject)
}

// passes asks about one after the other, so that it is known who said no.
func (w *choosing) passes(item catalogue.Item, f catalogue.Filter, all []concern) bool {
	nobody := catalogue.Subject{Standing: catalogue.NotConcerned}
	f.Sender, f.Service, f.Peer, f.Link, f.Recipient = nobody, nobody, nobody, nobody, nobody
	one := &catalogue.Catalogue{Items: []catalogue.Item{item}}
	for _, c := range all {
		var left catalogue.Left
		ok := len(c.subjects) == 0
		for _, s := range c.subjects {
			asked := f
			c.put(&asked, s)
			got := one.For(asked)
			left, ok = got.Left, len(got.Items) == 1
			if ok {
				break
			}
		}
		if !ok {
			w.leave(left, c.who)
			return false
		}
	}
	return true
}

func (w *choosing) leave(l catalogue.Left, who string) {
	sum := &w.out.Left
	sum.Obsolete += l.Obsolete
	sum.Invalid += l.Invalid
	sum.NotCleared += l.NotCleared
	sum.NotTranslated += l.NotTranslated
	sum.Unlabelled += l.Unlabelled
	if l.NotCleared == 0 {
		return
	}
	i := slices.IndexFunc(w.denied, func(d Denial) bool { return d.Who == who })
	if i < 0 {
		i, w.denied = len(w.denied), append(w.denied, Denial{Who: who})
	}
	w.denied[i].N += l.NotCleared
}

func judgedBy(set labels.ClearanceSet) catalogue.Subject { return catalogue.Subject{Clearances: set} }

// known is somebody of whom it is known what he is cleared for.
func known(f *ClearanceFact) []catalogue.Subject {
	if !f.known() {
		return nil
	}
	return []catalogue.Subject{judgedBy(f.Clearances)}
}

// links are those of a peer, none if one of them bounds nothing.
func (w *choosing) links(p *Peer) []catalogue.Subject {
	var out []catalogue.Subject
	for _, name := range p.Links {
		set, limited := w.p.def.LinkClear[name]
		if !limited {
			return nil
		}
		out = append(out, judgedBy(set))
	}
	return out
}
