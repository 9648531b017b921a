package xmlstream

import "golang.org/x/text/unicode/norm"

// ParseDocument reads exactly one element, with nothing but white space and an XML declaration around it. It is for
// files, tests and guard frames: the rules and limits are those of a stream, and so are the conditions.
//
// With o.CanonicalOnly, b must be what AppendElement(nil, e, o.ContentNS) gives, in Unicode form NFC; for anything else
// that is well-formed the condition is NotCanonical.
func ParseDocument(b []byte, o Options) (*Element, error) {
	d := &Decoder{contentNS: o.ContentNS, document: true, canonical: o.CanonicalOnly}
	d.Restart(o.Limits)
	if o.ContentNS != "" {
		d.presume()
	}
	d.buf, d.have = b, len(b) // read in place; the tree owns its memory
	event, err := d.Next()
	if err == nil {
		_, err = d.Next() // what follows the root
	}
	switch {
	case err != ErrShort:
		return nil, err
	case event.Element == nil:
		return nil, &Error{Condition: NotWellFormed, Offset: int64(len(b)), Detail: "document ends early"}
	case o.CanonicalOnly:
		if err := checkCanonical(b, event.Element, o.ContentNS); err != nil {
			return nil, err
		}
	}
	return event.Element, nil
}

// checkCanonical compares b with the one form that e has.
func checkCanonical(b []byte, e *Element, contentNS string) error {
	want, err := AppendElement(make([]byte, 0, len(b)), e, contentNS)
	if err != nil {
		return &Error{Condition: NotCanonical, Detail: "has no canonical form within the limits"}
	}
	n := min(len(b), len(want))
	for i := range n {
		if b[i] != want[i] {
			return &Error{Condition: NotCanonical, Offset: int64(i), Detail: "not the bytes of the canonical form"}
		}
	}
	if len(b) != len(want) {
		return &Error{Condition: NotCanonical, Offset: int64(n), Detail: "not the length of the canonical form"}
	}
	if !composed(e) {
		return &Error{Condition: NotCanonical, Detail: "text is not in Unicode form NFC"}
	}
	return nil
}

// composed says whether every text and value in e is in form NFC.
func composed(e *Element) bool {
	for i := range e.NumAttrs() {
		if !norm.NFC.IsNormalString(e.AttrAt(i).Value) {
			return false
		}
	}
	for i := range e.NumNodes() {
		if n := e.NodeAt(i); !norm.NFC.IsNormalString(n.Text) || n.Element != nil && !composed(n.Element) {
			return false
		}
	}
	return true
}
