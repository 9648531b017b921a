package peering

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/xep0258"
	"sallyport/labels/xep0314"
	"sallyport/rules"
)

// itemLabels are the labels of the items in a stanza. The zero value is a stanza without.
type itemLabels struct {
	labels []itemLabel
	of     []int // of each item, in order; a request to publish without items has a label all the same
}

// itemLabel is one label on its way, for all the items that have it.
type itemLabel struct {
	passage
	came      *xmlstream.Element // nil: no label
	defaulted bool
	first     int // item that has it, from 1
}

// holdsItems reports a stanza in which items may have labels: requests and answers of pubsub, and lists of disco#items.
func holdsItems(s stanza.Stanza) bool {
	if s.Kind() != stanza.IQ || s.IsError() {
		return false
	}
	e := s.Element()
	return e.Child(nsPubSub, "pubsub") != nil || e.Child(nsDiscoItems, "query") != nil
}

// labelsOfItems is stage 2 for items (XEP-0314): what is published, and what was asked for, is judged like messages that
// have these labels. Names in a list of disco#items are judged where the list has labels; one without any is like every
// other answer. Whatever else a request or an answer holds carries no label.
func (j *judgement) labelsOfItems(s stanza.Stanza) bool {
	c, err := xep0314.Read(s.Element())
	if err != nil {
		return j.badItems(s, err)
	}
	labelled := c.Label != nil || slices.ContainsFunc(c.Items, func(it xep0314.ItemLabel) bool { return it.Label != nil })
	content := false
	switch c.Place {
	case xep0314.Publish:
		content = s.Type() == stanza.IQSet
	case xep0314.Retrieval:
		content = s.Type() == stanza.IQResult && len(c.Items) > 0
	case xep0314.Discovery:
		content = s.Type() == stanza.IQResult && labelled
	case xep0314.Nowhere, xep0314.Notification:
	}
	switch {
	case content:
		return j.enterItems(&c)
	case labelled:
		return j.misplaced(s)
	}
	j.step(Step{Stage: LabelIn, Note: "this kind of stanza carries no label", Subject: s.Kind().String()})
	return true
}

func (j *judgement) badItems(s stanza.Stanza, err error) bool {
	var e *labels.Error
	switch {
	case !errors.As(err, &e):
		return j.badLabel("label-syntax", err.Error())
	case e.Code == labels.CodeMisplaced:
		return j.misplaced(s)
	}
	return j.badLabel(Reason(e.Code.String()), e.Detail)
}

// enterItems takes every label of the items in, each once.
func (j *judgement) enterItems(c *xep0314.Container) bool {
	if len(c.Items) == 0 {
		return j.enterItem(c.Label, 0, c)
	}
	for n, it := range c.Items {
		at := slices.IndexFunc(j.items.labels, func(l itemLabel) bool { return l.came == it.Label })
		if at < 0 {
			at = len(j.items.labels)
			if !j.enterItem(it.Label, n+1, c) {
				return false
			}
		}
		j.items.of = append(j.items.of, at)
	}
	f := &j.v.Facts
	f.ItemsIn, f.MarkingIn = markings(j.items.labels, func(l *itemLabel) *labels.Label { return l.received })
	f.ItemsOut, f.MarkingOut = markings(j.items.labels, func(l *itemLabel) *labels.Label { return l.inside })
	return true
}

// enterItem finds one label of items and checks the incoming side; n is the first item that has it. What the verdict
// says of the label is what the first one was, or the one that was refused.
func (j *judgement) enterItem(sl *xmlstream.Element, n int, c *xep0314.Container) bool {
	read := xep0258.Found{State: xep0258.Unlabelled, Refusal: labels.CodeNoLabel}
	if sl != nil {
		read = j.from.reader.ReadLabel(sl)
	}
	f, ok := j.settle(nil, read)
	var ps passage
	if ok {
		ps, ok = j.enter(f.Label)
	}
	if !ok || len(j.items.labels) == 0 {
		j.note(&f)
	}
	if !ok {
		return j.ofItem(n, len(c.Items))
	}
	if len(j.items.labels) == 0 {
		j.pass = ps
		j.v.LabelOut, j.v.Facts.PolicyOut, j.v.Facts.MarkingOut = ps.inside, ps.inside.Policy(), ps.inside.String()
	}
	j.items.labels = append(j.items.labels, itemLabel{passage: ps, came: sl, defaulted: f.by.IsDefault(), first: n})
	return true
}

// ofItem says in the refusal which item it is about. It returns false, like refuse.
func (j *judgement) ofItem(n, of int) bool {
	if of > 1 {
		j.v.Refusal.Detail = fmt.Sprintf("item %d of %d: ", n, of) + j.v.Refusal.Detail
	}
	return false
}

// applyToItems asks the rules about the other labels of the items, too: out is what they say of the first one, and of
// what a rule refuses or holds. A rule acts on a whole stanza, so one that wants some items only refuses it.
func (j *judgement) applyToItems(in *rules.Input, out *rules.Outcome) bool {
	if out.Action != rules.Allow {
		return true
	}
	for i := range j.items.labels[1:] {
		in.Label = j.items.labels[i+1].inside
		in.Marking = j.p.unmarked(in.Label).String()
		next := j.rules.Apply(in)
		if next.Action != rules.Allow {
			*out = next
			return true
		}
		if next.Fired != out.Fired || next.NFired != out.NFired || !next.Stanza.Element().Equal(out.Stanza.Element()) {
			j.refuse(Refusal{
				Stage: Rules, Reason: RuleRefused, Rule: next.Rule, Detail: "a rule wants something for some of the items and not for others",
				Allowing: "items of one label in each stanza", Condition: stanza.PolicyViolation,
			})
			return j.ofItem(j.items.labels[i+1].first, len(j.items.of))
		}
	}
	return true
}

// labelItemsOut is stage 6 for items: every label as the other side gets it, and each item with its own.
func (j *judgement) labelItemsOut() bool {
	all := j.items.labels
	for i := range all {
		it := &all[i]
		if !j.leave(&it.passage) {
			return j.ofItem(it.first, len(j.items.of))
		}
		if _, ok := j.securitylabel(&it.passage, it.came, it.defaulted); !ok {
			return j.ofItem(it.first, len(j.items.of))
		}
	}
	if !j.stillDominated() {
		return false
	}
	j.pass = all[0].passage
	j.v.LabelOut, j.v.Facts.PolicyOut = j.pass.sent, j.pass.sent.Policy()
	j.v.Facts.ItemsOut, j.v.Facts.MarkingOut = markings(all, func(l *itemLabel) *labels.Label { return l.sent })
	fresh, ok := j.items.written(j.s.Element())
	switch {
	case !ok:
		return j.refuse(Refusal{
			Stage: LabelOut, Reason: BadStanza, Detail: "items were removed on the way, so that it cannot be told any more which label is whose",
			Allowing: "a profile that lists every item, its attributes and its label", Condition: stanza.PolicyViolation,
		})
	case fresh.Equal(j.s.Element()):
		j.step(Step{Stage: LabelOut, Note: "labels of items pass as they are"})
		return true
	}
	return j.replace(LabelOut, fresh, "labels of items written anew from their policies, or removed")
}

// written returns a stanza with these labels on its items; false where it has other items than it came with.
func (l *itemLabels) written(e *xmlstream.Element) (*xmlstream.Element, bool) {
	c, err := xep0314.Read(e)
	if err != nil || len(c.Items) != len(l.of) {
		return nil, false
	}
	n := 0
	fresh, err := xep0314.WithLabels(e, func(item *xmlstream.Element) *xmlstream.Element {
		if item == nil {
			return l.labels[0].passage.written
		}
		n++
		return l.labels[l.of[n-1]].passage.written
	})
	return fresh, err == nil
}

// intact reports whether the items of a stanza have exactly the labels that were written.
func (l *itemLabels) intact(e *xmlstream.Element) bool {
	c, err := xep0314.Read(e)
	if err != nil || len(c.Items) != len(l.of) {
		return false
	}
	if len(c.Items) == 0 {
		return sameLabel(c.Label, l.labels[0].passage.written)
	}
	for n := range c.Items {
		if !sameLabel(c.Items[n].Label, l.labels[l.of[n]].passage.written) {
			return false
		}
	}
	return true
}

func sameLabel(a, b *xmlstream.Element) bool { return a == b || a != nil && b != nil && a.Equal(b) }

// maxMarkings bounds the markings of items that a verdict names.
const maxMarkings = 8

// markings lists the labels of items, each once and no more than a few, and names them.
func markings(all []itemLabel, which func(*itemLabel) *labels.Label) ([]*labels.Label, string) {
	var some []*labels.Label
	var words []string
	for i := range all {
		l := which(&all[i])
		if m := l.String(); !slices.Contains(words, m) {
			some, words = append(some, l), append(words, m)
		}
	}
	if more := len(words) - maxMarkings; more > 0 {
		some, words = some[:maxMarkings], append(words[:maxMarkings], fmt.Sprintf("and %d more", more))
	}
	return some, strings.Join(words, "; ")
}

// writtenLabels are the securitylabels of a stanza: of the message, or of its items.
func writtenLabels(e *xmlstream.Element) []*xmlstream.Element {
	if sl := e.Child(nsLabel, "securitylabel"); sl != nil {
		return []*xmlstream.Element{sl}
	}
	c, err := xep0314.Read(e)
	if err != nil {
		return nil
	}
	var out []*xmlstream.Element
	if c.Label != nil {
		out = append(out, c.Label)
	}
	for _, it := range c.Items {
		if it.Label != nil && !slices.ContainsFunc(out, it.Label.Equal) {
			out = append(out, it.Label)
		}
	}
	return out
}
