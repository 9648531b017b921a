package xep0258

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/icism"
)

// Writer writes security labels and remembers what it wrote, so that the label of a long conversation is encoded once.
// It is safe for any number of goroutines; a label that is remembered costs no lock and no allocation. The zero value
// is ready.
//
// A STANAG 4774 label is dated by the day: the time of a single message would be a channel, and a label that differs
// each second cannot be remembered.
type Writer struct {
	written atomic.Pointer[table[writing]]
}

type writeKey struct {
	label       *labels.Label
	policy      *labels.Policy
	syntax      Syntax
	lang        string
	keep        bool
	icism       *icism.Mapping
	equivalents [maxEquivalents]*labels.Label
	day         int64
}

type writing struct {
	key     writeKey
	element *xmlstream.Element
}

// Element is like the function Element.
func (w *Writer) Element(l *labels.Label, p *labels.Policy, s Syntax, at time.Time) (*xmlstream.Element, error) {
	return w.ElementWith(l, p, WriteOptions{Syntax: s, At: at})
}

// ElementWith is like the function ElementWith. Labels, policies and mappings are told apart by their addresses.
func (w *Writer) ElementWith(l *labels.Label, p *labels.Policy, o WriteOptions) (*xmlstream.Element, error) {
	written := w.written.Load()
	if written == nil {
		w.written.CompareAndSwap(nil, newTable[writing]())
		written = w.written.Load()
	}
	o.At = o.At.UTC().Truncate(24 * time.Hour)
	key := writeKey{label: l, policy: p, syntax: o.Syntax, lang: o.Lang, keep: o.KeepPrivacyMark, icism: o.ICISM}
	if copy(key.equivalents[:], o.Equivalents) < len(o.Equivalents) || slices.Contains(o.Equivalents, nil) {
		return ElementWith(l, p, o) // it refuses
	}
	if o.Syntax == STANAG4774 || o.Syntax == STANAG4778 {
		key.day = o.At.Unix()
	}
	sum := maphash.Comparable(written.seed, key)
	for _, slot := range written.slotsOf(sum) {
		if e := slot.Load(); e != nil && e.key == key {
			return e.element, nil
		}
	}
	e, err := ElementWith(l, p, o)
	if err != nil {
		return nil, err
	}
	key.lang = strings.Clone(key.lang) // it may be a piece of a large stanza
	written.put(sum, &writing{key: key, element: e})
	return e, nil
}

// SyntaxOf returns the syntax in which a securitylabel carries its label, NoSyntax when it has none that is known
// without a mapping: Found.Syntax knows better.
func SyntaxOf(sl *xmlstream.Element) Syntax {
	if sl == nil {
		return NoSyntax
	}
	label := sl.Child(NS, "label")
	if label == nil {
		return NoSyntax
	}
	for i := range label.NumNodes() {
		if e := label.NodeAt(i).Element; e != nil {
			return payloadSyntax(e)
		}
	}
	return NoSyntax
}
