// Package rsm reads and writes result sets (XEP-0059): which page is wanted, and which one came.
//
// Inside: [Request], [Parse] and [Result]. Not inside: what the ids are of.
//
// It must never take a request that asks for two places at once, and never a page without bound.
package rsm

import (
	"errors"
	"fmt"
	"strconv"

	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

// Space is the namespace.
const Space = "http://jabber.org/protocol/rsm"

// What is wrong with a request.
var (
	ErrRequest = errors.New("the request for a page contradicts itself") // bad-request
	ErrIndex   = errors.New("pages cannot be asked for by number")       // feature-not-implemented (XEP-0059 §2.6)
)

// Request is what <set/> asks for. The zero value is the first page of a size that the answerer chooses.
type Request struct {
	Max    int // at most; as given to Parse where nothing was asked
	After  string
	Before string
	// Last asks for the last page: an empty <before/> (§2.5).
	Last bool
}

// Parse reads the <set/> in parent, where there is one. most is what Max is without one, and at most.
func Parse(parent *xmlstream.Element, most int) (Request, error) {
	r := Request{Max: most}
	set := parent.Child(Space, "set")
	if set == nil {
		return r, nil
	}
	for e := range set.Children() {
		if e.Space() != Space {
			continue
		}
		text := e.Text()
		switch e.Local() {
		case "max":
			n, err := strconv.ParseUint(text, 10, 31)
			if err != nil {
				return r, fmt.Errorf("%w: max", ErrRequest)
			}
			r.Max = min(int(n), most)
		case "after":
			r.After = text
		case "before":
			r.Before, r.Last = text, text == ""
		case "index":
			return r, ErrIndex
		}
	}
	if r.After != "" && (r.Before != "" || r.Last) {
		return r, fmt.Errorf("%w: after and before", ErrRequest)
	}
	return r, nil
}

// Result writes the <set/> of a page from its first to its last id; both are empty for an empty page. count is how many there are
// in all, negative where that is not known.
func Result(first, last string, count int) *xmlstream.Element {
	var in []*xmlstream.Element
	if first != "" {
		in = append(in, tree.New(Space, "first", tree.Text(first)), tree.New(Space, "last", tree.Text(last)))
	}
	if count >= 0 {
		in = append(in, tree.New(Space, "count", tree.Text(strconv.Itoa(count))))
	}
	return tree.New(Space, "set", tree.With(in...))
}
