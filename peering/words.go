package peering

import "encoding/binary"

// maxWords is how many words of one record can be said again by their number.
const maxWords = 16

// words is how a record says what it says more than once, the names of policies above all: in full the first time, and by a number then. A
// word in full is twice its length and its bytes; one of those before is twice its number, from 0, and 1.
type words struct {
	known [maxWords]string
	n     int
}

func (w *words) append(dst []byte, s string) []byte {
	if len(s) > maxEncodedString {
		s = s[:maxEncodedString]
	}
	for i, known := range w.known[:w.n] {
		if known == s {
			return binary.AppendUvarint(dst, uint64(i)<<1|1)
		}
	}
	if s != "" && w.n < maxWords {
		w.known[w.n] = s
		w.n++
	}
	return append(binary.AppendUvarint(dst, uint64(len(s))<<1), s...)
}

// word reads one.
func (r *reader) word() string {
	n := r.uvarint(maxEncodedString << 1)
	if n&1 == 1 {
		if i := int(n >> 1); i < len(r.words) { //nolint:gosec // bounded
			return r.words[i]
		}
		r.fail("a word that was not said")
		return ""
	}
	s := string(r.bytes(int(n>>1), maxEncodedString)) //nolint:gosec // bounded
	if s != "" && len(r.words) < maxWords {
		r.words = append(r.words, s)
	}
	return s
}
