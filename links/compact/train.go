package compact

import (
	"cmp"
	_ "embed" // stanzas
	"fmt"
	"maps"
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// Bounds of training: in how many samples something must stand to be remembered.
const (
	seenName  = 2
	seenValue = 4
)

// TrainOptions say how to train.
type TrainOptions struct {
	Texts bool // what people write may get into the model
}

// lesson is what a walk in learning finds out.
type lesson struct {
	counts map[uint64]map[uint32]uint32
}

func (l *lesson) count(k uint64, sym uint32) {
	c := l.counts[k]
	if c == nil {
		c = make(map[uint32]uint32)
		l.counts[k] = c
	}
	c[sym]++
}

// spelt does nothing: what may be known of spelling is known from names, values and texts.
func (l *lesson) spelt(class, string) {}

// Train makes a model of sample stanzas. What stands in one sample alone never gets in: names stand in at least two, values and
// addresses in at least four. Stanzas of the usual kinds are known to every model. What people write is left out unless it is allowed. The same samples give the same model.
//
// A model is known to whoever holds a copy.
func Train(samples []*xmlstream.Element, o TrainOptions) (*Model, error) {
	ground, err := usual()
	if err != nil {
		return nil, err
	}
	c := newCensus(o)
	for _, e := range ground {
		c.ground(e)
	}
	for _, e := range samples {
		c.sample(e)
	}
	m := withNumbers(lessons{names: c.chosenNames(), values: c.chosenValues(), texts: c.texts})
	l := &lesson{counts: make(map[uint64]map[uint32]uint32)}
	for _, e := range slices.Concat(ground, samples) {
		x := walk{mode: learning, m: m, link: &addresses{}, lesson: l}
		x.stanza(e)
		x.also(nil)
	}
	m.dists = l.dists()
	return m.ready(), nil
}

// stanzas of the usual kinds, one a line. They are part of the format, as prior is.
//
//go:embed prior.xml
var stanzas string

// usual are these stanzas.
func usual() (out []*xmlstream.Element, err error) {
	for line := range strings.Lines(stanzas) {
		e, err := xmlstream.ParseDocument([]byte(line), xmlstream.Options{ContentNS: xmlstream.NSServer})
		if err != nil {
			return nil, fmt.Errorf("compact: the stanzas of every model: %w", err)
		}
		out = append(out, e)
	}
	return out, nil
}

// dists makes frequencies of counts. What had no symbol, and how many different ones there were, says how likely the next is to be new.
func (l *lesson) dists() map[uint64]*dist {
	out := make(map[uint64]*dist)
	entries := 0
	for _, k := range slices.Sorted(maps.Keys(l.counts)) {
		counts := l.counts[k]
		d := &dist{escape: 1}
		for _, sym := range ordered(counts) {
			if len(d.syms) < mostSymbols {
				d.syms, d.freq = append(d.syms, sym), append(d.freq, counts[sym])
				d.total += counts[sym]
			}
		}
		d.escape = counts[none] + uint32(len(d.syms)) //nolint:gosec // few
		for d.total > mostTotal || d.escape > mostTotal {
			d.halve()
		}
		if entries += len(d.syms); len(d.syms) > 0 && len(out) < mostDists && entries <= mostEntries {
			out[k] = d
		}
	}
	return out
}

// ordered are the symbols, the most frequent first.
func ordered(counts map[uint32]uint32) []uint32 {
	syms := slices.DeleteFunc(slices.Collect(maps.Keys(counts)), func(s uint32) bool { return s == none })
	slices.SortFunc(syms, func(a, b uint32) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return syms
}
