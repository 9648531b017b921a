package xep0258

import (
	"slices"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/icism"
)

// Options of a Reader. The zero value accepts every syntax, BER, and no equivalents.
type Options struct {
	Syntaxes []Syntax // accepted; empty: all
	DEROnly  bool     // ESS labels must be in the distinguished encoding
	Lenient  bool     // see nato4774.Options
	// Succession lets a less strict successor take the place of a STANAG 4774 label, too; see nato4774.Options.
	Succession bool
	// TrustEquivalents lists the policies (OID) of which the sender may assert equivalent labels. An equivalent counts
	// only when the label itself is in a syntax or under a policy that is not known here.
	TrustEquivalents []string
	// ICISM is how elements with IC-ISM attributes are read; nil: they are not known.
	ICISM *icism.Mapping
}

// Reader reads the labels of messages under one set of policies. It is safe for any number of goroutines. What it
// remembers depends on the message, the policies and the options alone, so it never changes an answer; a label with
// successors is read each time.
type Reader struct {
	reg  *labels.Registry
	o    Options
	read *table[reading]
}

// NewReader returns a reader that accepts these syntaxes; none given means all.
func NewReader(reg *labels.Registry, syntaxes ...Syntax) *Reader {
	return NewReaderWith(reg, Options{Syntaxes: syntaxes})
}

// NewReaderWith returns a reader.
func NewReaderWith(reg *labels.Registry, o Options) *Reader {
	o.Syntaxes, o.TrustEquivalents = slices.Clone(o.Syntaxes), slices.Clone(o.TrustEquivalents)
	return &Reader{reg: reg, o: o, read: newTable[reading]()}
}

// Read is ReadAt without a time: no successor takes the place of a label.
func (r *Reader) Read(el *xmlstream.Element) Found { return r.ReadAt(el, time.Time{}) }

// ReadAt returns the label of a message as it is at a time; el is the message as received, or a message found inside a
// forwarded element. Messages inside it are left for calls of their own. A label that was read before costs no
// allocation.
func (r *Reader) ReadAt(el *xmlstream.Element, at time.Time) Found {
	if el == nil {
		return refuse(labels.CodeSyntax, "no message")
	}
	message := isStanza(el, "message")
	var own *xmlstream.Element
	count := 0
	for i := range el.NumNodes() {
		c := el.NodeAt(i).Element
		switch {
		case c == nil:
		case message && c.Is(NS, "securitylabel"):
			own = c
			count++
		case stray(c, message):
			return refuse(labels.CodeMisplaced, "a security label where none belongs")
		}
	}
	switch {
	case el.Space() == NS:
		return refuse(labels.CodeMisplaced, "a security label outside a message")
	case count > 1:
		return refuse(labels.CodeCount, "more than one securitylabel")
	case count == 0:
		return Found{State: Unlabelled, Refusal: labels.CodeNoLabel}
	}
	if t, _ := el.Attr("type"); t == "error" {
		f := refuse(labels.CodeMisplaced, "a labelled error (XEP-0258 section 5)")
		f.received = &receipt{element: own}
		return f
	}
	return r.remembered(own, at)
}

// ReadLabel is ReadLabelAt without a time.
func (r *Reader) ReadLabel(sl *xmlstream.Element) Found { return r.ReadLabelAt(sl, time.Time{}) }

// ReadLabelAt reads a securitylabel that stands where another specification puts one, such as XEP-0314. Whether it may
// stand there is for the caller to know.
func (r *Reader) ReadLabelAt(sl *xmlstream.Element, at time.Time) Found {
	if !sl.Is(NS, "securitylabel") {
		return refuse(labels.CodeSyntax, "no securitylabel")
	}
	return r.remembered(sl, at)
}

func isStanza(el *xmlstream.Element, local string) bool {
	return el.Is(xmlstream.NSServer, local) || el.Is(xmlstream.NSClient, local)
}

// stray looks for anything of the label namespace in the subtree. Messages inside forwarded are judged on their own,
// which only a message may carry.
func stray(e *xmlstream.Element, message bool) bool {
	if e.Space() == NS {
		return true
	}
	forwarded := message && e.Is(nsForward, "forwarded")
	for i := range e.NumNodes() {
		c := e.NodeAt(i).Element
		if c == nil || forwarded && isStanza(c, "message") {
			continue
		}
		if stray(c, message) {
			return true
		}
	}
	return false
}

// remembered reads a securitylabel, or finds that it has read an equal one before.
func (r *Reader) remembered(sl *xmlstream.Element, at time.Time) Found {
	if f, hit := again(r.read, sl); hit {
		return f
	}
	sum, ok := sumOf(r.read.seed, sl)
	if ok {
		if f, hit := recall(r.read, sum, sl); hit {
			return f
		}
	}
	f := r.decode(sl, at)
	if f.State == Labelled && isCanonical(sl, &f) {
		f.Canonical = true
		f.Marking, _, _ = f.Policy.Marking(f.Label, "")
	}
	keep := ok && f.State == Labelled && !f.dated
	if keep {
		sl = sl.Clone()
	}
	f.received = &receipt{element: sl}
	if keep {
		r.read.put(sum, &reading{label: sl, found: f})
	}
	return f
}

// isCanonical reports whether an ESS label came just as Element would write it. A STANAG
// 4774 label never does: it is dated when it is written.
func isCanonical(sl *xmlstream.Element, f *Found) bool {
	if f.Syntax != ESS || f.Source != FromLabel {
		return false
	}
	e, err := Element(f.Label, f.Policy, ESS, time.Time{})
	return err == nil && e.Equal(sl)
}
