package dts

import (
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

// Limits of what is kept of non-ARQ C_PDUs.
const (
	maxPartialBytes = 256 << 10 // of all partial C_PDUs; as much again says what of them has come
	maxRemembered   = 256       // C_PDUs handed up whose repetitions may still come
)

// castKey names a non-ARQ C_PDU: each node counts types 7 and 8 apart.
type castKey struct {
	from, to s5066.Address
	t        dpdu.Type
	id       uint16
}

// partial is a non-ARQ C_PDU of which something has come.
type partial struct {
	key     castKey
	until   time.Time
	ordered bool
	data    []byte
	came    []came
	left    int // bytes that are not good
	done    bool
}

type came uint8

const (
	missing came = iota
	damaged
	good
)

// reassembly holds partial C_PDUs by age, and those that are done as long as copies may come.
type reassembly struct{ all []*partial }

func (a *reassembly) find(k castKey) *partial {
	for _, p := range a.all {
		if p.key == k {
			return p
		}
	}
	return nil
}

// reassemble takes a type 7 or 8. The frame's numbers are another node's word: what does not fit is refused.
func (m *Machine) reassemble(p dpdu.PDU) {
	d := p.NonARQ
	size, from := int(d.Size), int(d.Offset)
	if size == 0 || size > m.cfg.MaxCPDU || len(p.Segment) == 0 || from+len(p.Segment) > size {
		m.ignored++
		return
	}
	k := castKey{p.From, p.To, p.Type, d.ID}
	until := m.now.Add(dpdu.Span(d.Window) + m.timing.Latency + time.Second)
	c := m.parts.find(k)
	switch {
	case c == nil:
		c = &partial{key: k, ordered: d.InOrder, data: make([]byte, size), came: make([]came, size), left: size}
		m.parts.makeRoom(m.cfg.MaxPartial, size)
		m.parts.all = append(m.parts.all, c)
	case c.done:
		return
	case len(c.data) != size:
		m.ignored++
		return
	}
	c.until = until
	c.put(from, p.Segment, p.Damaged)
	if c.left == 0 {
		m.release7(c.key)
	}
}

func (c *partial) put(at int, segment []byte, bad bool) {
	for i, v := range segment {
		switch was := &c.came[at+i]; {
		case *was == good:
		case bad:
			*was, c.data[at+i] = damaged, v
		default:
			*was, c.data[at+i] = good, v
			c.left--
		}
	}
}

// makeRoom drops the oldest partial C_PDUs, and the oldest memories, until another one may come.
func (a *reassembly) makeRoom(most, size int) {
	partials, bytes, done := 0, size, 0
	for _, p := range a.all {
		if p.done {
			done++
			continue
		}
		partials++
		bytes += len(p.data)
	}
	keep := a.all[:0]
	for _, p := range a.all {
		switch {
		case p.done && done > maxRemembered:
			done--
		case !p.done && (partials >= most || bytes > maxPartialBytes):
			partials--
			bytes -= len(p.data)
		default:
			keep = append(keep, p)
		}
	}
	clear(a.all[len(keep):])
	a.all = keep
}

// release7 hands up what is complete of one sender: at once, or behind all earlier ones that are to be in order and may still become complete.
func (m *Machine) release7(of castKey) {
	for again := true; again; {
		again = false
		for _, c := range m.parts.all {
			if c.key.from != of.from || c.key.t != of.t || c.done || c.left > 0 || c.ordered && m.parts.earlier(c) {
				continue
			}
			m.handUp(c)
			again = true
		}
	}
}

// earlier reports whether something unfinished has to go before c.
func (a *reassembly) earlier(c *partial) bool {
	for _, p := range a.all {
		if p != c && !p.done && p.ordered && p.key.from == c.key.from && p.key.t == c.key.t && p.key.to == c.key.to {
			if d := (c.key.id - p.key.id) % castIDs; d > 0 && d < castIDs/2 {
				return true
			}
		}
	}
	return false
}

func (m *Machine) handUp(c *partial) {
	mode := NonARQ
	if c.key.t == dpdu.ExpeditedNonARQ {
		mode = ExpeditedNonARQ
	}
	d := Delivered{From: c.key.from, To: c.key.to, Mode: mode, CPDU: c.data}
	if c.left > 0 {
		d.Damaged, d.Missing = c.blocks(damaged), c.blocks(missing)
	}
	c.done, c.data, c.came = true, nil, nil
	m.tell(d)
}

// blocks lists the runs of bytes in one state.
func (c *partial) blocks(s came) (all []Block) {
	for i := 0; i < len(c.came); i++ {
		if c.came[i] != s {
			continue
		}
		at := i
		for i < len(c.came) && c.came[i] == s {
			i++
		}
		all = append(all, Block{at, i - at})
	}
	return all
}

// expireParts ends reception windows.
func (m *Machine) expireParts() {
	var ended []castKey
	keep := m.parts.all[:0]
	for _, c := range m.parts.all {
		if m.now.Before(c.until) {
			keep = append(keep, c)
			continue
		}
		if !c.done && (c.left == 0 || m.cfg.WithErrors) {
			m.handUp(c)
		}
		ended = append(ended, c.key)
	}
	clear(m.parts.all[len(keep):])
	m.parts.all = keep
	for _, k := range ended {
		m.release7(k)
	}
}

func (a *reassembly) deadline() (first time.Time, ok bool) {
	for _, c := range a.all {
		first, ok = earlier(first, ok, c.until)
	}
	return first, ok
}
