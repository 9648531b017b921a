package catalogue

import (
	"slices"
	"time"

	"sallyport/labels"
)

// Standing says what part somebody takes in a filter. There is no standing that grants by default.
type Standing uint8

const (
	// Judged is the zero value: the clearances decide, and without one nothing is granted.
	Judged Standing = iota
	// Unknown is somebody whose clearance nobody here can know, such as the reader behind a peer.
	Unknown
	// NotConcerned takes no part in the way of the message, such as the peer and the link of a local one.
	NotConcerned
)

func (s Standing) String() string {
	switch s {
	case Judged:
		return "judged"
	case Unknown:
		return "unknown"
	case NotConcerned:
		return "not concerned"
	}
	return "no standing"
}

// Subject is somebody concerned. The zero value is judged and cleared for nothing.
type Subject struct {
	Standing   Standing
	Clearances labels.ClearanceSet // of a Judged one
}

// Filter is all that decides what a catalogue may offer for messages from one sender to one destination. The zero
// value offers nothing.
type Filter struct {
	At time.Time

	// This side: judged by the label as the user chooses it.
	Sender, Service Subject
	// The other side: judged by the label as it leaves, which is the translated one where Translate is set. Link and
	// recipient may instead hold a clearance under the policy of the label as chosen.
	Peer, Link, Recipient Subject

	// Translate turns labels into those of the policy under which the peer reads; nil where the peer reads ours.
	Translate *labels.Translator

	// Unlabelled is the default label that stands in for a message without one. Without it an item that offers to send
	// without label is left out, because such a message would be refused.
	Unlabelled *labels.Label
}

// For returns the catalogue with those items that the filter lets through, in their order. The labels stay as they
// are: a translation is for the gateway to make when the message leaves.
func (c *Catalogue) For(f Filter) *Catalogue {
	if c == nil {
		return &Catalogue{Restrict: true}
	}
	out := &Catalogue{Name: c.Name, Desc: c.Desc, Restrict: c.Restrict, Left: c.Left}
	for _, i := range c.Items {
		if f.offers(i, &out.Left) {
			out.Items = append(out.Items, i)
		}
	}
	out.ID = out.Digest()
	return out
}

// Offers says whether the filter lets one item through.
func (f Filter) Offers(i Item) bool { return f.offers(i, &Left{}) }

// offers counts the reason when it says no.
func (f Filter) offers(i Item, left *Left) bool {
	label := i.Label
	if label == nil {
		label = f.Unlabelled
	}
	switch {
	case label == nil:
		left.Unlabelled++
		return false
	case !f.current(label, left) || !f.currentAll(i.Equivalents, left):
		return false
	}
	leaving, ok := f.leaving(label)
	switch {
	case !ok:
		left.NotTranslated++
		return false
	case !f.cleared(label, leaving, i.Equivalents):
		left.NotCleared++
		return false
	}
	return true
}

// current says whether the label is one to use now. A filter without time finds none.
func (f Filter) current(l *labels.Label, left *Left) bool {
	switch {
	case f.At.IsZero() || !l.Policy().Validate(l, f.At).Granted:
		left.Invalid++
		return false
	case len(l.Obsolete()) > 0:
		left.Obsolete++
		return false
	}
	return true
}

func (f Filter) currentAll(ls []*labels.Label, left *Left) bool {
	for _, l := range ls {
		if !f.current(l, left) {
			return false
		}
	}
	return true
}

// leaving returns the label that the peer will see. One that is under the peer's policy already stays as it is.
func (f Filter) leaving(l *labels.Label) (*labels.Label, bool) {
	if f.Translate == nil {
		return l, true
	}
	switch to := f.Translate.To(); {
	case to == nil:
		return nil, false
	case to.ID() == l.PolicyID():
		return l, true
	}
	out := f.Translate.Translate(l, f.At).Label() // valid and without obsolete parts, or nil
	return out, out != nil
}

// cleared says whether everybody judged is cleared, and at least one is judged. A clearance under the policy of any of
// the labels that somebody is judged by must cover that label: one that does not is not outweighed by another policy.
func (f Filter) cleared(label, leaving *labels.Label, equivalents []*labels.Label) bool {
	judged := false
	for _, s := range [...]struct {
		Subject
		must   []*labels.Label // one of them must be covered
		labels [2]*labels.Label
	}{
		{f.Sender, []*labels.Label{label}, [...]*labels.Label{label, label}},
		{f.Service, []*labels.Label{label}, [...]*labels.Label{label, label}},
		{f.Peer, []*labels.Label{leaving}, [...]*labels.Label{leaving, label}},
		{f.Link, []*labels.Label{leaving, label}, [...]*labels.Label{leaving, label}},
		{f.Recipient, []*labels.Label{leaving, label}, [...]*labels.Label{leaving, label}},
	} {
		switch s.Standing {
		case Unknown, NotConcerned:
			continue
		case Judged:
			judged = true
		}
		if s.Standing != Judged || !slices.ContainsFunc(s.must, s.covers) || slices.ContainsFunc(s.labels[:], s.denies) ||
			slices.ContainsFunc(equivalents, s.denies) {
			return false
		}
	}
	return judged
}

// covers says whether the subject has a clearance under the label's policy that covers it.
func (s Subject) covers(l *labels.Label) bool {
	return l.Policy().Decide(l, s.Clearances.For(l.PolicyID())).Granted
}

// denies says whether it has one that does not.
func (s Subject) denies(l *labels.Label) bool {
	return s.Clearances.For(l.PolicyID()) != nil && !s.covers(l)
}
