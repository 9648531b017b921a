package labels

import (
	"fmt"
	"strings"
)

// maxSteps bounds the words of one translation; a label has up to MaxValues values.
const maxSteps = 256

// translating is one translation under way.
type translating struct {
	t       *Translator
	l       *Label
	bits    bitset // of the target
	demands []*demand
	steps   []string
	missing []string
}

func (w *translating) step(format string, args ...any) {
	switch n := len(w.steps); {
	case n < maxSteps:
		w.steps = append(w.steps, fmt.Sprintf(format, args...))
	case n == maxSteps:
		w.steps = append(w.steps, "… and more")
	}
}

func (w *translating) miss(format string, args ...any) {
	if len(w.missing) < maxSteps {
		w.missing = append(w.missing, fmt.Sprintf(format, args...))
	}
}

// result returns the label that comes out, nil when something is missing.
func (w *translating) result() *Label {
	if w.t.reading == Table {
		return w.lookUp()
	}
	class := w.class()
	w.values()
	if len(w.missing) == 0 {
		w.require()
	}
	if len(w.missing) > 0 {
		return nil
	}
	l, err := w.t.to.labelOf(class, w.bits, "")
	if err != nil {
		w.miss("%v", err)
		return nil
	}
	return l
}

func (w *translating) class() int {
	from, to := w.t.from, w.t.to
	c := &w.t.plan.classes[w.l.class]
	if c.to < 0 {
		w.miss("%s", c.why)
		return c.to
	}
	w.step("classification %s becomes %s", from.classes[w.l.class].Name, to.classes[c.to].Name)
	w.demands = append(w.demands, c.demands...)
	return c.to
}

func (w *translating) values() {
	from, to := w.t.from, w.t.to
	last := -1
	for b := w.l.bits.next(0); b >= 0; b = w.l.bits.next(b + 1) {
		if set := from.tags[from.cats[b].tag].set; set != last {
			last = set
			w.demands = append(w.demands, w.t.plan.sets[set]...)
		}
		c := &w.t.plan.cats[b]
		switch {
		case len(c.add) > 0:
			words := make([]string, len(c.add))
			for i, n := range c.add {
				w.bits.set(n)
				words[i] = to.catWords(n)
			}
			w.step("%s becomes %s", from.catWords(b), strings.Join(words, " and "))
		case c.drop != "":
			w.step("%s is dropped: %s", from.catWords(b), c.drop)
			if t := from.cats[b].value.Kind.Type(); t != TypeInformative {
				w.step("that removes a restriction (%s)", t)
			}
		default:
			w.miss("%s", c.why)
		}
	}
	w.demands = append(w.demands, w.t.plan.always...)
}
