package compact

// A predictor says how likely the next bit of a text is, from the texts that its model was made of. It is a mix of contexts: the last
// one to five bytes, the word so far, the word before, each with a table of chances. It is built by primer and never changes after.
type predictor struct {
	*logistic
	slots   []uint32 // chance in 16 bits, times seen in 6, check in 10
	trust   [classes][contexts][trustSeen][trustLevels]uint16
	weights [weightSets]weights
}

// The contexts; those with fewer than all bytes begin with the class of the text.
const (
	contexts    = 8 // no byte, the last 1 to 5, the word, the word and the one before
	ownContexts = 4 // the same from this stanza alone: the last 1, 2 and 4 bytes, and the word
	inputs      = 2*contexts + ownContexts + 1
	depthSets   = 2 * 6                   // how many bytes are known as a context, and whether the word is
	weightSets  = classes*depthSets + 256 // for each class, and how far the byte is
	trustSeen   = 8
	trustLevels = 32

	seenBits   = 6
	checkBits  = 10
	mostSeen   = 60
	ownSlots   = 1 << 15
	ownRecent  = 24 // how soon a stanza's own statistics forget
	wordLetter = 0x20

	endNode  = 0               // stands for partial where it is asked whether the text ends: bits of a byte begin with a one
	leastEnd = chanceOne / 128 // chance of an end, of what people write
)

type weights [inputs]int32

// class is what a text is for. It stands where a text begins, as if it were its first byte.
type class uint8

const (
	classSpoken  class = 1 + iota // what people write
	classAddress                  // parts of addresses
	classValue                    // other values and texts
	classID
	className // of elements and attributes, and namespaces
	classes   = iota + 1
)

// speller goes through texts with a predictor. The zero value is not ready: see begin.
type speller struct {
	p   *predictor
	own []uint32 // slots of this stanza
	w   [weightSets]weights

	last    [8]byte // the last bytes, the newest first
	class   class
	word    uint32
	before  uint32 // the word before
	partial uint32 // bits of this byte, after a one
	hash    [contexts]uint32
	ownHash [ownContexts]uint32

	in     [inputs]int32
	at     [contexts]int // slot of each context, or -1
	lvl    [contexts]uint8
	seen   [contexts]uint8
	ownAt  [ownContexts]int
	depth  int
	chance uint32
}

// begin makes it ready for a stanza.
func (s *speller) begin(p *predictor) {
	s.p = p
	if s.own == nil {
		s.own = make([]uint32, ownSlots)
	} else {
		clear(s.own)
	}
	s.w = p.weights
}

// text begins a text.
func (s *speller) text(c class) {
	s.class = c
	for i := range s.last {
		s.last[i] = byte(c)
	}
	s.word, s.before = uint32(c), uint32(c)
	s.nextByte()
}

func mix32(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x7FEB352D
	h ^= h >> 15
	h *= 0x846CA68B
	return h ^ h>>16
}

func (s *speller) nextByte() {
	s.partial = 1
	h := uint32(0)
	s.hash[0] = mix32(uint32(s.class))
	for i := range 5 {
		h = (h + uint32(s.last[i]) + 1) * 0x2F0B4C47
		c := uint32(0)
		if i < 2 {
			c = uint32(s.class)
		}
		s.hash[1+i] = mix32(h + uint32(i)<<24 + c)
	}
	s.hash[6] = mix32(s.word*3 + 0x5555)
	s.hash[7] = mix32(s.word*5 + s.before*0x01000193)
	s.ownHash = [ownContexts]uint32{s.hash[1], s.hash[2], s.hash[4], s.hash[6]}
}

// byteDone takes a whole byte into the contexts.
func (s *speller) byteDone(c byte) {
	copy(s.last[1:], s.last[:7])
	s.last[0] = c
	switch {
	case c|wordLetter >= 'a' && c|wordLetter <= 'z', c >= 0x80:
		s.word = (s.word + uint32(c|wordLetter)) * 0x2C1B3C6D
	case s.word != uint32(s.class):
		s.before, s.word = s.word, uint32(s.class)
	}
	s.nextByte()
}

// place finds the slot of a hash; new says where there is none: the place to put it.
func place(slots []uint32, h uint32) (at int, found bool) {
	check := h >> (32 - checkBits)
	if check == 0 {
		check = 1
	}
	mask := uint32(len(slots) - 1)
	a := h & mask
	b := a ^ 1
	switch check {
	case slots[a] & (1<<checkBits - 1):
		return int(a), true
	case slots[b] & (1<<checkBits - 1):
		return int(b), true
	}
	if slots[b]>>checkBits&(1<<seenBits-1) < slots[a]>>checkBits&(1<<seenBits-1) {
		a = b
	}
	return int(a), false
}

func nodeHash(h, partial uint32) uint32 { return mix32(h + partial*0x9E3779B1) }

func seenLevel(n uint32) uint8 {
	switch {
	case n <= 3:
		return uint8(n) //nolint:gosec // at most 3
	case n <= 6:
		return 4
	case n <= 12:
		return 5
	case n <= 30:
		return 6
	}
	return 7
}

// predictEnd returns the chance that a text ends before the next byte. What people write may end anywhere, not only where sentences of the
// training did.
func (s *speller) predictEnd() uint32 {
	s.partial = endNode
	chance := s.predict()
	if s.class == classSpoken {
		chance = max(chance, leastEnd)
	}
	return chance
}

// predict returns the chance of a one.
func (s *speller) predict() uint32 {
	p := s.p
	s.depth = 0
	for i := range contexts {
		at, found := place(p.slots, nodeHash(s.hash[i], s.partial))
		s.at[i] = at
		s.in[2*i], s.in[2*i+1] = 0, 0
		s.seen[i] = 0
		if !found {
			continue
		}
		v := p.slots[at]
		x := p.stretch(v >> 16)
		n := seenLevel(v >> checkBits & (1<<seenBits - 1))
		s.seen[i], s.lvl[i] = n, uint8((x+stretchMost)*trustLevels/(2*stretchMost+1)) //nolint:gosec // below trustLevels
		s.in[2*i] = int32(p.stretch(uint32(p.trust[s.class][i][n][s.lvl[i]])))        //nolint:gosec // small
		s.in[2*i+1] = (int32(v>>16) - chanceOne/2) >> 6                               //nolint:gosec // small
		if i > 0 && i < 6 && s.depth == i-1 {
			s.depth = i
		}
	}
	for i := range ownContexts {
		at, found := place(s.own, nodeHash(s.ownHash[i], s.partial))
		s.ownAt[i] = at
		s.in[2*contexts+i] = 0
		if found {
			v := s.own[at]
			x := p.stretch(v>>16) * int(min(v>>checkBits&(1<<seenBits-1), 4)) / 4
			s.in[2*contexts+i] = int32(x) //nolint:gosec // small
		}
	}
	s.in[inputs-1] = 256
	if s.seen[6] > 0 {
		s.depth += depthSets / 2
	}
	s.depth += int(s.class) * depthSets
	a, b := &s.w[s.depth], &s.w[classes*depthSets+int(s.partial)]
	sum := int64(0)
	for i, x := range s.in {
		sum += int64(x) * int64(a[i]+b[i])
	}
	s.chance = min(max(p.squash(int(sum>>16)), 16), chanceOne-16)
	return s.chance
}

// learn takes the bit that came: weights and the stanza's own slots follow it.
func (s *speller) learn(bit uint32, rate int64) {
	fault := int64(bit<<chanceBits) - int64(s.chance)
	a, b := &s.w[s.depth], &s.w[classes*depthSets+int(s.partial)]
	for i, x := range s.in {
		d := int32((int64(x)*fault*rate + 1<<19) >> 20) //nolint:gosec // small
		a[i] += d
		b[i] += d
	}
	for i := range ownContexts {
		count(s.own, s.ownAt[i], nodeHash(s.ownHash[i], s.partial), bit, ownRecent)
	}
	s.partial = s.partial<<1 | bit
}

// count takes a bit into a slot, which is taken from another hash where it has to be.
func count(slots []uint32, at int, h, bit, most uint32) {
	check := h >> (32 - checkBits)
	if check == 0 {
		check = 1
	}
	v := slots[at]
	chance, n := v>>16, v>>checkBits&(1<<seenBits-1)
	if v&(1<<checkBits-1) != check {
		chance, n = chanceOne/2, 0
	}
	// the first bit moves it by two thirds of the way, the next by two fifths, and so on
	d := (int64(bit*(chanceOne-1)) - int64(chance)) * 2 / int64(2*n+3)
	chance = uint32(int64(chance) + d) //nolint:gosec // between the two
	slots[at] = chance<<16 | min(n+1, most)<<checkBits | check
}
