package labels

import "math/bits"

// bitset is a set of small numbers. All sets of one policy have the same length.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitset) has(i int) bool { return i >= 0 && i>>6 < len(b) && b[i>>6]&(1<<(i&63)) != 0 }

// next returns the first member at or after i, or -1.
func (b bitset) next(i int) int {
	for w := i >> 6; w < len(b); w++ {
		word := b[w]
		if w == i>>6 {
			word &= ^uint64(0) << (i & 63)
		}
		if word != 0 {
			return w<<6 + bits.TrailingZeros64(word)
		}
	}
	return -1
}

// span is the run of bits of one tag: the words from first on, masked.
type span struct {
	first int
	mask  []uint64
}

func newSpan(lo, hi int) span {
	if hi <= lo {
		return span{}
	}
	s := span{first: lo >> 6, mask: make([]uint64, (hi-1)>>6-lo>>6+1)}
	for i := lo; i < hi; i++ {
		s.mask[i>>6-s.first] |= 1 << (i & 63)
	}
	return s
}

// count returns how many members of b lie in the span.
func (s span) count(b bitset) int {
	n := 0
	for i, m := range s.mask {
		n += bits.OnesCount64(b[s.first+i] & m)
	}
	return n
}

// met says whether b is empty in the span or has a member there in common with held.
func (s span) met(b, held bitset) bool {
	var any, common uint64
	for i, m := range s.mask {
		w := b[s.first+i] & m
		any |= w
		common |= w & held[s.first+i]
	}
	return any == 0 || common != 0
}
