package labels

import (
	"encoding/binary"
	"fmt"
)

// MaxTable bounds the pairs of one translation table.
const MaxTable = 4096

// key is what a label means without its privacy mark, for look-ups.
func (l *Label) key() string {
	b := binary.AppendUvarint(nil, uint64(l.lacv))
	for _, v := range l.values {
		b = append(binary.AppendUvarint(b, uint64(len(v.TagSet))), v.TagSet...)
		b = binary.AppendUvarint(append(b, byte(v.Kind)), uint64(v.LACV))
	}
	return string(b)
}

// table checks the pairs of a table. A label that stands there twice must become the same.
func (b *planner) table(ms []Mapping) map[string]*Label {
	if n := len(ms); n == 0 || n > MaxTable {
		b.problem(0, "table", "a table has 1 to %d pairs, not %d", MaxTable, n)
		return nil
	}
	out := make(map[string]*Label, len(ms))
	for i, m := range ms {
		from, err := under(b.from, m.From)
		if err != nil {
			b.problem(0, "table", "pair %d: the label to translate: %v", i+1, err)
			continue
		}
		to, err := under(b.to, m.To)
		if err != nil {
			b.problem(0, "table", "pair %d: the translated label: %v", i+1, err)
			continue
		}
		if words := to.obsolete(); words != "" {
			b.problem(0, "table", "pair %d: %s is obsolete in %s", i+1, words, b.to.name)
			continue
		}
		if to.privacy != "" {
			to, err = b.to.labelOf(to.class, to.bits, "")
			if err != nil {
				b.problem(0, "table", "pair %d: %v", i+1, err)
				continue
			}
		}
		if o := out[from.key()]; o != nil && !o.Equal(to) {
			b.problem(0, "table", "pair %d: %s becomes %s and %s", i+1, from, o, to)
			continue
		}
		out[from.key()] = to
	}
	return out
}

// under returns the label resolved by p; nil is an error.
func under(p *Policy, l *Label) (*Label, error) {
	if l.Policy() == nil {
		return nil, fmt.Errorf("there is none")
	}
	if l.policy == p {
		return l, nil
	}
	return p.Label(l.Form())
}

// obsolete names the first obsolete thing in the label, "" when there is none.
func (l *Label) obsolete() string {
	if c := &l.policy.classes[l.class]; c.Obsolete {
		return c.Name
	}
	for b := l.bits.next(0); b >= 0; b = l.bits.next(b + 1) {
		if l.policy.cats[b].Obsolete {
			return l.policy.catWords(b)
		}
	}
	return ""
}

// lookUp finds the label in the table, privacy mark or not.
func (w *translating) lookUp() *Label {
	to := w.t.table[w.l.key()]
	if to == nil {
		w.miss("%s is not in the table of labels for %s", w.l, w.t.to.name)
		return nil
	}
	w.step("%s becomes %s, as the table says", w.l, to)
	return to
}
