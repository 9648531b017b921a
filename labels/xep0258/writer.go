package xep0258

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
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
	label  *labels.Label
	policy *labels.Policy
	syntax Syntax
	day    int64
}

type writing struct {
	key     writeKey
	element *xmlstream.Element
}

// Element is like the function Element.
func (w *Writer) Element(l *labels.Label, p *labels.Policy, s Syntax, at time.Time) (*xmlstream.Element, error) {
	written := w.written.Load()
	if written == nil {
		w.written.CompareAndSwap(nil, newTable[writing]())
		written = w.written.Load()
	}
	at = at.UTC().Truncate(24 * time.Hour)
	key := writeKey{label: l, policy: p, syntax: s}
	if s == STANAG4774 {
		key.day = at.Unix()
	}
	sum := maphash.Comparable(written.seed, key)
	for _, slot := range written.slotsOf(sum) {
		if e := slot.Load(); e != nil && e.key == key {
			return e.element, nil
		}
	}
	e, err := Element(l, p, s, at)
	if err != nil {
		return nil, err
	}
	written.put(sum, &writing{key: key, element: e})
	return e, nil
}

// SyntaxOf returns the syntax in which a securitylabel carries its label, NoSyntax when it has none that is known.
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
