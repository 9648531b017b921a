package nato4774

import (
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// Successor is a label that takes the place of the one before it at a time (ADatP-4774 SuccessionHandling).
type Successor struct {
	At   time.Time
	Form labels.LabelForm
}

// succession reads the chain of successors and decides which label counts. The two NATO documents disagree about the
// date: ADatP-4774.1 §4.3 would take ReviewDateTime before SuccessionDateTime. Here a review is for people, and a
// successor counts from its own date on.
func (r reader) succession(out *Reading, e *xmlstream.Element) error {
	come := true
	for depth := 0; e != nil; depth++ {
		if depth > maxNesting {
			return bad("more than %d successors", maxNesting)
		}
		at, label, err := r.handling(e)
		if err != nil {
			return err
		}
		s, next, err := r.label(label)
		if err != nil {
			return err
		}
		out.Successors = append(out.Successors, Successor{at, s.Form})
		come = come && !r.o.At.IsZero() && !r.o.At.Before(at)
		if come && (r.o.Succession || r.stricter(s.Form, out.Form)) {
			out.Form, out.Succeeded = s.Form, true
		}
		e = next
	}
	return nil
}

// handling reads SuccessionHandling: the time, and the element of the successor.
func (r reader) handling(e *xmlstream.Element) (time.Time, *xmlstream.Element, error) {
	if err := r.attributes(e); err != nil {
		return time.Time{}, nil, err
	}
	cs, err := children(e)
	if err != nil {
		return time.Time{}, nil, err
	}
	if len(cs) != 2 || !cs[0].Is(NS, "SuccessionDateTime") || !cs[1].Is(NS, "SuccessorConfidentialityLabel") {
		return time.Time{}, nil, bad("broken SuccessionHandling")
	}
	at, err := r.time(cs[0])
	if err != nil {
		return time.Time{}, nil, err
	}
	return at, cs[1], r.attributes(cs[1])
}

// stricter says whether whoever may read next may read now. Labels under different policies cannot be compared.
func (r reader) stricter(next, now labels.LabelForm) bool {
	a, err := r.reg.Label(next)
	if err != nil {
		return false
	}
	b, err := r.reg.Label(now)
	return err == nil && a.Dominates(b)
}
