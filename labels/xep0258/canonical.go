package xep0258

import (
	"maps"
	"sync/atomic"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// Writer writes security labels and remembers what it wrote, so that the label of a long
// conversation is encoded once. Safe for any number of goroutines; reading takes no lock.
// The zero value is ready.
//
// A STANAG 4774 label is dated by the day of at: the time of a single message would be a
// channel, and a label that differs each second cannot be remembered.
type Writer struct {
	written atomic.Pointer[map[writeKey]*xmlstream.Element]
}

// maxWritten bounds what a Writer remembers; beyond it, it begins anew.
const maxWritten = 1024

type writeKey struct {
	label  *labels.Label
	policy *labels.Policy
	syntax Syntax
	day    int64
}

// Element is like the function Element.
func (w *Writer) Element(l *labels.Label, p *labels.Policy, s Syntax, at time.Time) (*xmlstream.Element, error) {
	at = at.UTC().Truncate(24 * time.Hour)
	key := writeKey{label: l, policy: p, syntax: s}
	if s == STANAG4774 {
		key.day = at.Unix()
	}
	known := w.written.Load()
	if known != nil {
		if e := (*known)[key]; e != nil {
			return e, nil
		}
	}
	e, err := Element(l, p, s, at)
	if err != nil {
		return nil, err
	}
	next := make(map[writeKey]*xmlstream.Element)
	if known != nil && len(*known) < maxWritten {
		maps.Copy(next, *known)
	}
	next[key] = e
	w.written.CompareAndSwap(known, &next) // lost to another writer: encoded once more next time
	return e, nil
}

// SyntaxOf tells in which syntax a securitylabel element carries its label; NoSyntax if
// it carries none that we know.
func SyntaxOf(sl *xmlstream.Element) Syntax {
	if sl == nil {
		return NoSyntax
	}
	label := sl.Child(NS, "label")
	if label == nil {
		return NoSyntax
	}
	for c := range label.Children() {
		switch {
		case c.Space() == NSESS:
			return ESS
		case c.Local() == "originatorConfidentialityLabel":
			return STANAG4774
		}
	}
	return NoSyntax
}
