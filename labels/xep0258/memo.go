package xep0258

import (
	"hash/maphash"
	"sync/atomic"

	"sallyport/internal/xmpp/xmlstream"
)

// Limits of what is remembered: tableSlots entries, labels of memoBytes at most.
const (
	tableSlots = 1024
	memoBytes  = 4096
)

// table remembers a bounded number of entries. Each slot is an atomic pointer: looking takes no lock, remembering
// replaces one slot, so that a sender who never repeats a label costs a constant and evicts at most one entry a time.
// The hash has a random seed; an entry found is always verified by its user.
type table[E any] struct {
	seed  maphash.Seed
	last  atomic.Pointer[E] // found last: most messages carry the label of the one before, which is seen without a hash
	slots [tableSlots]atomic.Pointer[E]
}

func newTable[E any]() *table[E] { return &table[E]{seed: maphash.MakeSeed()} }

// slotsOf returns the two slots where an entry of that sum may be.
func (t *table[E]) slotsOf(sum uint64) [2]*atomic.Pointer[E] {
	return [2]*atomic.Pointer[E]{&t.slots[sum%tableSlots], &t.slots[sum>>32%tableSlots]}
}

func (t *table[E]) put(sum uint64, e *E) {
	slots := t.slotsOf(sum)
	if !slots[0].CompareAndSwap(nil, e) {
		slots[1].Store(e)
	}
}

// reading is a readable label and what it was read as.
type reading struct {
	label *xmlstream.Element
	found Found
}

// again returns what the label was read as that was looked for last, if this one is equal.
func again(t *table[reading], sl *xmlstream.Element) (Found, bool) {
	if e := t.last.Load(); e != nil && e.label.Equal(sl) {
		return e.found, true
	}
	return Found{}, false
}

// recall returns what an equal label was read as before.
func recall(t *table[reading], sum uint64, sl *xmlstream.Element) (Found, bool) {
	for _, slot := range t.slotsOf(sum) {
		if e := slot.Load(); e != nil && e.label.Equal(sl) {
			t.last.Store(e)
			return e.found, true
		}
	}
	return Found{}, false
}

// sumOf hashes a subtree; false when it is too large to be remembered.
func sumOf(seed maphash.Seed, e *xmlstream.Element) (uint64, bool) {
	h := hasher{seed: seed, sum: 1, left: memoBytes}
	h.element(e)
	return h.sum, h.left >= 0
}

type hasher struct {
	seed maphash.Seed
	sum  uint64
	left int
}

func (h *hasher) element(e *xmlstream.Element) {
	h.text(e.Space())
	h.text(e.Local())
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		h.text(a.Name.Space)
		h.text(a.Name.Local)
		h.text(a.Value)
	}
	for i := range e.NumNodes() {
		if h.left < 0 {
			return
		}
		if n := e.NodeAt(i); n.Element != nil {
			h.element(n.Element)
		} else {
			h.text(n.Text)
		}
	}
	h.sum = h.sum*31 + 7 // where an element ends counts too
}

func (h *hasher) text(s string) {
	h.left -= len(s) + 1
	h.sum = (h.sum ^ maphash.String(h.seed, s)) * 0x9E3779B97F4A7C15
}
