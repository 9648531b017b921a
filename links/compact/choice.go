package compact

import "slices"

// dist says how often what followed in a context; escape stands for everything else.
type dist struct {
	syms   []uint32
	freq   []uint32
	total  uint32 // of freq
	escape uint32
}

// mostTotal bounds what a dist counts; escape comes on top.
const mostTotal = 1 << 14

// none is the symbol of what has none.
const none = ^uint32(0)

func (d *dist) add(sym, n uint32) {
	i := slices.Index(d.syms, sym)
	if i < 0 {
		if len(d.syms) >= mostSymbols {
			return
		}
		i = len(d.syms)
		d.syms, d.freq = append(d.syms, sym), append(d.freq, 0)
	}
	d.freq[i] += n
	if d.total += n; d.total > mostTotal {
		d.halve()
	}
}

func (d *dist) halve() {
	d.total = 0
	for i, f := range d.freq {
		d.freq[i] = (f + 1) / 2
		d.total += d.freq[i]
	}
	d.escape = (d.escape + 1) / 2
}

func (d *dist) clone() *dist {
	return &dist{syms: slices.Clone(d.syms), freq: slices.Clone(d.freq), total: d.total, escape: d.escape}
}

// mode is what a walk through a stanza is for. One walk serves all, so that no two of them can differ.
type mode uint8

const (
	decoding mode = iota
	encoding
	learning
)

// choose codes a symbol in the first of the contexts that knows it, each of the others with an escape. It is not ok when none does; then
// it is to be coded otherwise, and noted.
func (x *walk) choose(sym uint32, keys ...uint64) (uint32, bool) {
	if x.mode == learning {
		for _, k := range keys {
			x.lesson.count(k, sym)
		}
		return sym, sym != none
	}
	for i, k := range keys {
		d := x.dist(k)
		if d == nil {
			continue
		}
		if found := x.among(d, sym); found >= 0 {
			sym = d.syms[found]
			x.note(sym, keys[:i+1]...)
			return sym, true
		}
	}
	return sym, false
}

// among codes where in d the symbol stands, or -1.
func (x *walk) among(d *dist, sym uint32) int {
	total := d.total + d.escape
	if x.mode == encoding {
		below := uint32(0)
		for i, s := range d.syms {
			if s == sym {
				x.enc.put(below, d.freq[i], total)
				return i
			}
			below += d.freq[i]
		}
		x.enc.put(below, d.escape, total)
		return -1
	}
	at, below := x.dec.get(total), uint32(0)
	for i, f := range d.freq {
		if at < below+f {
			x.dec.take(below, f, total)
			return i
		}
		below += f
	}
	x.dec.take(below, d.escape, total)
	return -1
}

// dist is what is known of a context, this stanza included.
func (x *walk) dist(key uint64) *dist {
	if d := x.own[key]; d != nil {
		return d
	}
	return x.m.dists[key]
}

// note takes a symbol into contexts, for the rest of the stanza.
func (x *walk) note(sym uint32, keys ...uint64) {
	if x.mode == learning {
		return
	}
	for _, k := range keys {
		d := x.own[k]
		if d == nil {
			if d = x.m.dists[k]; d != nil {
				d = d.clone()
			} else {
				d = &dist{escape: 1}
			}
			x.own[k] = d
		}
		d.add(sym, 1+d.total/16)
	}
}

// uniform codes one of n that are equally likely; n is at most maxTotal.
func (x *walk) uniform(v, n uint32) uint32 {
	switch x.mode {
	case encoding:
		x.enc.put(v, 1, n)
	case decoding:
		v = x.dec.get(n)
		x.dec.take(v, 1, n)
	case learning:
	}
	return v
}

// pick codes one of n: as it was chosen before in the contexts, or else evenly.
func (x *walk) pick(v, n uint32, keys ...uint64) uint32 {
	sym, ok := x.choose(v, keys...)
	if !ok && x.mode != learning {
		sym = x.uniform(v, n)
		x.note(sym, keys...)
	}
	if sym >= n {
		x.failed = x.failed || x.mode == decoding
		return 0
	}
	return sym
}

// spell codes a text byte by byte; before each byte, whether the text ends here.
func (x *walk) spell(c class, text string) string {
	if x.mode == learning {
		x.lesson.spelt(c, text)
		return text
	}
	s := &x.speller
	s.text(c)
	var out []byte
	for i := 0; ; i++ {
		b, end := byte(0), uint32(1)
		if i < len(text) {
			b, end = text[i], 0
		}
		end = x.bit(s.predictEnd(), end)
		s.learn(end, ownRate)
		if end == 1 {
			break
		}
		s.partial = 1
		for bit := 7; bit >= 0; bit-- {
			s.learn(x.bit(s.predict(), uint32(b>>bit&1)), ownRate)
		}
		b = byte(s.partial) //nolint:gosec // the eight bits
		s.byteDone(b)
		if x.mode == decoding {
			if b == 0 || !x.spend(1) {
				x.failed = true
				return ""
			}
			out = append(out, b)
		}
	}
	if x.mode == encoding {
		return text
	}
	return string(out)
}

// bit codes a bit that is one with this chance.
func (x *walk) bit(chance, b uint32) uint32 {
	if x.mode == decoding {
		b = 0
		if x.dec.get(maxTotal) >= maxTotal-chance {
			b = 1
		}
	}
	below, freq := uint32(0), maxTotal-chance
	if b == 1 {
		below, freq = freq, chance
	}
	if x.mode == encoding {
		x.enc.put(below, freq, maxTotal)
	} else {
		x.dec.take(below, freq, maxTotal)
	}
	return b
}
