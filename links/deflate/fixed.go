package deflate

import "math/bits"

// The encoder of short texts. A block with the code that RFC 1951 fixes (§3.2.6) needs no table of its own, and costs of everything in it
// are known before it is written; so the cheapest way through a text can be found exactly, not by taking the longest match. It is one last
// block, and nothing behind it.
const (
	minMatch  = 3
	maxMatch  = 258
	hashBits  = 15
	mostChain = 512     // earlier places that are looked at for one
	onlyFixed = 1 << 10 // bytes of a text for which nothing else is tried, where there is a dictionary
	mostFixed = 4 << 10 // bytes of a text; longer ones have use for a code of their own
)

// fixed holds the places in a dictionary where three bytes stand. It is never written after newFixed.
type fixed struct {
	dictionary []byte
	head       []int32 // the last place with that hash, plus one
	chain      []int32 // the place before, plus one
}

func newFixed(dictionary []byte) *fixed {
	f := &fixed{dictionary: dictionary, head: make([]int32, 1<<hashBits), chain: make([]int32, len(dictionary))}
	for i := range len(dictionary) - minMatch + 1 {
		f.index(f.head, f.chain, dictionary, i)
	}
	return f
}

func hash3(b []byte) uint32 {
	return (uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])) * 0x9E3779B1 >> (32 - hashBits)
}

func (f *fixed) index(head, chain []int32, text []byte, i int) {
	h := hash3(text[i:])
	chain[i], head[h] = head[h], int32(i+1) //nolint:gosec // below 64 Ki
}

// step is the cheapest way on from a place.
type step struct {
	bits   int // from here to the end
	length int // of the match, or 1 for a byte
	far    int
}

// append appends src as one block. Text over mostFixed is not for it.
func (f *fixed) append(dst, src []byte) []byte {
	text := append(append(make([]byte, 0, len(f.dictionary)+len(src)), f.dictionary...), src...)
	begin := len(f.dictionary)
	head := append([]int32(nil), f.head...)
	chain := append(append(make([]int32, 0, len(text)), f.chain...), make([]int32, len(src))...)
	for i := max(begin-minMatch+1, 0); i+minMatch <= len(text); i++ {
		f.index(head, chain, text, i)
	}
	way := make([]step, len(src)+1)
	var nearest [maxMatch + 1]int
	for i := len(src) - 1; i >= 0; i-- {
		at := begin + i
		way[i] = step{bits: way[i+1].bits + literalBits(text[at]), length: 1}
		longest := matches(text, chain, at, &nearest)
		for l := minMatch; l <= longest; l++ {
			d := nearest[l]
			if n := way[i+l].bits + lengthBits(l) + distanceBits(d); n < way[i].bits {
				way[i] = step{bits: n, length: l, far: d}
			}
		}
	}
	w := bitWriter{out: dst}
	w.put(1|1<<1, 3) // the last block, of the fixed code
	for i := 0; i < len(src); i += way[i].length {
		if s := way[i]; s.length == 1 {
			w.literal(src[i])
		} else {
			w.match(s.length, s.far)
		}
	}
	w.symbol(256)
	return w.finish()
}

// matches finds, for each length that a match at a place can have, how far back the nearest one is; it returns the longest.
func matches(text []byte, chain []int32, at int, nearest *[maxMatch + 1]int) (longest int) {
	most := min(maxMatch, len(text)-at)
	if most < minMatch {
		return 0
	}
	longest = minMatch - 1
	for p, tries := int(chain[at])-1, 0; p >= 0 && at-p <= windowBytes && tries < mostChain && longest < most; p, tries = int(chain[p])-1, tries+1 {
		if text[p+longest] != text[at+longest] { // it is no longer than what there is
			continue
		}
		n := 0
		for n < most && text[p+n] == text[at+n] {
			n++
		}
		for longest < n {
			longest++
			nearest[longest] = at - p
		}
	}
	return longest
}

func literalBits(b byte) int {
	if b < 144 {
		return 8
	}
	return 9
}

// lengthCode is the symbol of a length, and what follows it (§3.2.5).
func lengthCode(n int) (symbol, extra, width int) {
	if n == maxMatch {
		return 285, 0, 0
	}
	n -= minMatch
	if n < 8 {
		return 257 + n, 0, 0
	}
	width = bits.Len(uint(n)) - 3 //nolint:gosec // positive
	return 257 + 4*width + n>>width, n & (1<<width - 1), width
}

func lengthBits(n int) int {
	symbol, _, width := lengthCode(n)
	if symbol < 280 {
		return 7 + width
	}
	return 8 + width
}

func distanceCode(d int) (symbol, extra, width int) {
	d--
	if d < 4 {
		return d, 0, 0
	}
	width = bits.Len(uint(d)) - 2 //nolint:gosec // positive
	return 2*width + d>>width, d & (1<<width - 1), width
}

func distanceBits(d int) int {
	_, _, width := distanceCode(d)
	return 5 + width
}

// bitWriter packs bits, the lowest first.
type bitWriter struct {
	out  []byte
	acc  uint64
	held int
}

func (w *bitWriter) put(v, width int) {
	w.acc |= uint64(v) << w.held //nolint:gosec // not negative
	for w.held += width; w.held >= 8; w.held -= 8 {
		w.out = append(w.out, byte(w.acc))
		w.acc >>= 8
	}
}

// code puts a Huffman code, whose highest bit goes first.
func (w *bitWriter) code(v, width int) {
	w.put(int(bits.Reverse16(uint16(v))>>(16-width)), width) //nolint:gosec // at most nine bits
}

// symbol puts one of the fixed code of literals and lengths.
func (w *bitWriter) symbol(s int) {
	switch {
	case s < 144:
		w.code(0x30+s, 8)
	case s < 256:
		w.code(0x190+s-144, 9)
	case s < 280:
		w.code(s-256, 7)
	default:
		w.code(0xC0+s-280, 8)
	}
}

func (w *bitWriter) literal(b byte) { w.symbol(int(b)) }

func (w *bitWriter) match(length, far int) {
	symbol, extra, width := lengthCode(length)
	w.symbol(symbol)
	w.put(extra, width)
	symbol, extra, width = distanceCode(far)
	w.code(symbol, 5)
	w.put(extra, width)
}

func (w *bitWriter) finish() []byte {
	if w.held > 0 {
		w.out = append(w.out, byte(w.acc))
	}
	return w.out
}
