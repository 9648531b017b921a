package xmlstream

import "crypto/sha256"

// writtenBytes is the largest canonical form that a Written holds.
const writtenBytes = 4 << 10

// Written is the canonical form of one element, kept for those who need it a second time: a stanza is digested before it
// leaves, and leaves in the same form. Nobody can change the bytes, and they stand for the element that they were made of
// and for no other. The zero value holds nothing. Its user sees to it that nobody reads while Digest or Forget runs.
type Written struct {
	element   *Element
	defaultNS string
	form      []byte // its memory is used again
}

// Digest writes e as AppendElement does, returns the SHA-256 of that, and holds it in place of what was held before. What
// is long, or cannot be written, is not held.
func (w *Written) Digest(e *Element, defaultNS string) (sum [sha256.Size]byte, err error) {
	w.Forget()
	form, err := AppendElement(w.form, e, defaultNS)
	if err != nil {
		return sum, err
	}
	if len(form) <= writtenBytes {
		w.element, w.defaultNS, w.form = e, defaultNS, form
	}
	return sha256.Sum256(form), nil
}

// Forget empties w and keeps a little memory.
func (w *Written) Forget() {
	*w = Written{form: w.form[:0]}
}

// AppendElement is the function of that name. It copies where w, which may be nil, holds the form of this very element
// for this namespace.
func (w *Written) AppendElement(dst []byte, e *Element, defaultNS string) ([]byte, error) {
	if w != nil && w.element != nil && w.element == e && w.defaultNS == defaultNS {
		return append(dst, w.form...), nil
	}
	return AppendElement(dst, e, defaultNS)
}
