package compact

// Rates of learning: while a predictor is made, and in a stanza.
const (
	primeRate = 2
	ownRate   = 2
)

// primer builds a predictor by going through texts as if they were to be coded.
type primer struct {
	s speller
	p *predictor
}

// newPrimer makes room for about so many bytes of text.
func newPrimer(l *logistic, bytes int) *primer {
	size := 1 << 16
	for size < 16*bytes && size < 1<<21 {
		size <<= 1
	}
	p := &predictor{logistic: l, slots: make([]uint32, size)}
	for c := range p.trust {
		for i := range p.trust[c] {
			for n := range p.trust[c][i] {
				for level := range p.trust[c][i][n] {
					x := (2*level + 1 - trustLevels) * stretchMost / trustLevels
					p.trust[c][i][n][level] = uint16(p.squash(x / 2)) //nolint:gosec // a chance
				}
			}
		}
	}
	for set := range p.weights {
		for i := range contexts {
			p.weights[set][2*i] = 1 << 13
		}
	}
	m := &primer{p: p}
	m.s.begin(p)
	return m
}

// add takes in one text.
func (m *primer) add(c class, text string) {
	clear(m.s.own)
	m.s.text(c)
	for i := range len(text) {
		m.s.partial = endNode
		m.bit(0)
		m.s.partial = 1
		for bit := 7; bit >= 0; bit-- {
			m.bit(uint32(text[i] >> bit & 1))
		}
		m.s.byteDone(text[i])
	}
	m.s.partial = endNode
	m.bit(1)
}

func (m *primer) bit(bit uint32) {
	s, p := &m.s, m.p
	s.predict()
	partial := s.partial
	s.learn(bit, primeRate)
	for i := range contexts {
		if s.seen[i] > 0 {
			t := &p.trust[s.class][i][s.seen[i]][s.lvl[i]]
			*t = uint16(int(*t) + (int(bit*(chanceOne-1))-int(*t))/64) //nolint:gosec // a chance
		}
		count(p.slots, s.at[i], nodeHash(s.hash[i], partial), bit, mostSeen)
	}
}

// identifiers shows what identifiers look like that nobody can foresee, so that their alphabets and lengths are known.
func (m *primer) identifiers() {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
	state := uint32(1)
	drawn := func(alphabet string, n int) string {
		out := make([]byte, n)
		for i := range out {
			state = state*1664525 + 1013904223
			out[i] = alphabet[(state>>16)%uint32(len(alphabet))] //nolint:gosec // a short text
		}
		return string(out)
	}
	for i := range 24 {
		m.add(classID, drawn(lowerHex, 8+4*(i%3)))
		m.add(classID, drawn(lowerHex, 8)+"-"+drawn(letters[1:10], 1+i%3))
		m.add(classID, drawn(letters, 8+i%5))
		m.add(classID, drawn(letters[:36], 5+i%4))
	}
}

// done returns what was learnt.
func (m *primer) done() *predictor {
	m.p.weights = m.s.w
	return m.p
}
