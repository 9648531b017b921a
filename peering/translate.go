package peering

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"sallyport/labels"
)

// translator translates into the policy of one peer or side and remembers what it did. It is safe for any number of
// goroutines: looking takes no lock, remembering replaces one slot. What it remembers depends on the label alone, and
// whether the result is valid is asked again each time, so it never changes an answer.
type translator struct {
	to   *labels.Policy
	from map[string]*labels.Translator // by OID
	done *translations
}

// slots bounds what is remembered.
const slots = 1024

type translations struct {
	seed  maphash.Seed
	slots [slots]atomic.Pointer[translated]
}

func newTranslations() *translations { return &translations{seed: maphash.MakeSeed()} }

// translated is a translation that succeeded.
type translated struct {
	label *labels.Label
	labels.Translation
}

// newTranslator prepares translations into a policy out of every other one. What cannot be prepared is reported, unless
// there is no equivalence at all between the two, as between most.
func newTranslator(reg *labels.Registry, to *labels.Policy, peer *Peer, r labels.Reading, problem func(string, labels.Problem)) *translator {
	if to == nil || r == labels.NoReading {
		return nil
	}
	t := &translator{to: to, from: map[string]*labels.Translator{}, done: newTranslations()}
	for _, from := range reg.Policies() {
		if from == to {
			continue
		}
		o := labels.TranslatorOptions{Discard: valuesOf(from, peer.Discard)}
		for _, m := range peer.Table {
			if r == labels.Table && m.From.Policy() == from && m.To.Policy() == to {
				o.Table = append(o.Table, m)
			}
		}
		one, problems := labels.NewTranslator(from, to, r, o)
		for _, p := range problems {
			problem(from.Name(), p)
		}
		if one != nil {
			t.from[from.ID()] = one
		}
	}
	return t
}

// unmarked returns a label without its privacy mark, and remembers it: a label is told from others by its address.
func (p *Policy) unmarked(l *labels.Label) *labels.Label {
	if l == nil {
		return nil
	}
	slot := &p.bare.slots[maphash.Comparable(p.bare.seed, l)%slots]
	if e := slot.Load(); e != nil && e.label == l {
		return e.Result
	}
	bare := l.WithoutPrivacyMark()
	if bare != l {
		slot.Store(&translated{l, labels.Translation{Status: labels.Translated, Result: bare}})
	}
	return bare
}

// valuesOf keeps the values that a policy has.
func valuesOf(p *labels.Policy, all []labels.Value) []labels.Value {
	var out []labels.Value
	for _, v := range all {
		if _, ok := p.Category(v); ok {
			out = append(out, v)
		}
	}
	return out
}

// wants reports whether a label is under a policy that t translates.
func (t *translator) wants(l *labels.Label) bool {
	return t != nil && l.Policy() != nil && l.Policy() != t.to && t.from[l.PolicyID()] != nil
}

// translate answers with a translation that the caller must not change.
func (t *translator) translate(l *labels.Label, at time.Time) *labels.Translation {
	slot := &t.done.slots[maphash.Comparable(t.done.seed, l)%slots]
	if e := slot.Load(); e != nil && e.label == l && t.to.Validate(e.Result, at).Granted {
		return &e.Translation
	}
	e := &translated{l, t.from[l.PolicyID()].Translate(l, at)}
	if e.Status == labels.Translated {
		slot.Store(e)
	}
	return &e.Translation
}
