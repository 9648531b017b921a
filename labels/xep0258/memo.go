package xep0258

import (
	"hash/maphash"
	"sync/atomic"

	"sallyport/internal/xmpp/xmlstream"
)

// Limits of what is remembered: memoSlots labels of memoBytes at most.
const (
	memoSlots = 1024
	memoBytes = 4096
)

// memo remembers readable labels. It is a table of atomic pointers: a reader never waits, a writer replaces one slot,
// so that a sender who never repeats a label costs each message its reading and nobody else anything. The hash has a
// random seed, and a hit is verified by comparing the trees.
type memo struct {
	seed  maphash.Seed
	slots *[memoSlots]atomic.Pointer[entry]
}

type entry struct {
	sum   uint64
	label *xmlstream.Element
	found Found
}

func newMemo() memo {
	return memo{seed: maphash.MakeSeed(), slots: new([memoSlots]atomic.Pointer[entry])}
}

// places returns the two slots where a sum may be.
func places(sum uint64) (int, int) { return int(sum % memoSlots), int(sum >> 32 % memoSlots) }

func (m *memo) get(sum uint64, sl *xmlstream.Element) (Found, bool) {
	first, second := places(sum)
	for _, i := range [2]int{first, second} {
		if e := m.slots[i].Load(); e != nil && e.sum == sum && e.label.Equal(sl) {
			return e.found, true
		}
	}
	return Found{}, false
}

func (m *memo) put(sum uint64, sl *xmlstream.Element, f Found) {
	e := &entry{sum: sum, label: sl.Clone(), found: f}
	first, second := places(sum)
	if m.slots[first].CompareAndSwap(nil, e) {
		return
	}
	m.slots[second].Store(e)
}

// sum hashes a subtree; false when it is too large to be remembered.
func (m *memo) sum(e *xmlstream.Element) (uint64, bool) {
	left := memoBytes
	s := m.element(1, e, &left)
	return s, left >= 0
}

func (m *memo) element(s uint64, e *xmlstream.Element, left *int) uint64 {
	s = m.text(m.text(s, e.Space(), left), e.Local(), left)
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		s = m.text(m.text(m.text(s, a.Name.Space, left), a.Name.Local, left), a.Value, left)
	}
	for i := range e.NumNodes() {
		if *left < 0 {
			return s
		}
		if n := e.NodeAt(i); n.Element != nil {
			s = m.element(s, n.Element, left)
		} else {
			s = m.text(s, n.Text, left)
		}
	}
	return s*31 + 7 // leaving the element counts too
}

func (m *memo) text(s uint64, t string, left *int) uint64 {
	*left -= len(t) + 1
	return (s ^ maphash.String(m.seed, t)) * 0x9E3779B97F4A7C15
}
