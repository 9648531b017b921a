// Package rsm reads and writes result sets (XEP-0059): which page is wanted, and which one came.
//
// Inside: [Request], [Parse], [Result], and [Of] for who has the whole. Not inside: what the ids are of.
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

// Unknown is an index or a count that nobody has counted (§2.2, §2.7).
const Unknown = -1

// Page is what came. Index is where its first entry is among all, from zero; Count is how many there are in all. Either may be Unknown.
type Page struct {
	First, Last  string // ids; empty for an empty page
	Index, Count int
}

// Result writes the <set/> of a page.
func Result(p Page) *xmlstream.Element {
	var in []*xmlstream.Element
	if p.First != "" {
		index := tree.Attr("index", "")
		if p.Index >= 0 {
			index = tree.Attr("index", strconv.Itoa(p.Index))
		}
		in = append(in, tree.New(Space, "first", index, tree.Text(p.First)), tree.New(Space, "last", tree.Text(p.Last)))
	}
	if p.Count >= 0 {
		in = append(in, tree.New(Space, "count", tree.Text(strconv.Itoa(p.Count))))
	}
	return tree.New(Space, "set", tree.With(in...))
}

// Of takes the page that is asked for out of a list that is there as a whole, by the id of each; false where an id is not in it.
func Of[T any](r Request, all []T, id func(T) string) ([]T, Page, bool) {
	from, to := 0, len(all)
	for i := range all {
		switch id(all[i]) {
		case r.After:
			from = i + 1
		case r.Before:
			to = i
		}
	}
	if r.After != "" && from == 0 || r.Before != "" && (to == len(all)) {
		return nil, Page{}, false
	}
	if r.Last || r.Before != "" {
		from = max(from, to-r.Max)
	}
	got := all[from:min(to, from+r.Max)]
	p := Page{Index: from, Count: len(all)}
	if len(got) > 0 {
		p.First, p.Last = id(got[0]), id(got[len(got)-1])
	}
	return got, p, true
}
