package compact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"sallyport/internal/xmpp/xmlstream"
)

// modelHead begins a file; its last byte is the version.
const modelHead = "SPCM\x02"

// ErrModel is wrapped by every error about a model.
var ErrModel = errors.New("compact: not a model")

// The file: names, values, dists ordered by key, texts; each a count and so many of them. Numbers are varints, texts have their length
// before them.
func appendModel(b []byte, l *lessons) []byte {
	number := func(n int) { b = binary.AppendUvarint(b, uint64(n)) } //nolint:gosec // counts and lengths
	text := func(s string) {
		number(len(s))
		b = append(b, s...)
	}
	b = append(b, modelHead...)
	number(len(l.names))
	for _, n := range l.names {
		text(n.Space)
		text(n.Local)
	}
	number(len(l.values))
	for _, v := range l.values {
		b = append(b, v.classes)
		text(v.text)
	}
	number(len(l.dists))
	for _, k := range slices.Sorted(maps.Keys(l.dists)) {
		d := l.dists[k]
		b = binary.BigEndian.AppendUint64(b, k)
		number(int(d.escape))
		number(len(d.syms))
		for i, s := range d.syms {
			number(int(s))
			number(int(d.freq[i]))
		}
	}
	number(len(l.texts))
	for _, t := range l.texts {
		text(t)
	}
	return b
}

// Load reads a model from the bytes of its file. What Train has not written is refused.
func Load(b []byte) (*Model, error) {
	if len(b) > MaxModel {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrModel, len(b), MaxModel)
	}
	if len(b) < len(modelHead) || string(b[:len(modelHead)-1]) != modelHead[:len(modelHead)-1] {
		return nil, fmt.Errorf("%w: it does not begin like one", ErrModel)
	}
	if b[len(modelHead)-1] != modelHead[len(modelHead)-1] {
		return nil, fmt.Errorf("%w: version %d, not %d", ErrModel, b[len(modelHead)-1], modelHead[len(modelHead)-1])
	}
	f := modelReader{reader{b: b[len(modelHead):]}}
	l := lessons{dists: make(map[uint64]*dist)}
	for range f.count(mostNames) {
		l.names = append(l.names, xmlstream.Name{Space: f.text(), Local: f.text()})
	}
	for range f.count(mostValues) {
		l.values = append(l.values, knownValue{classes: byte(f.bigEndian(1)), text: f.text()}) //nolint:gosec // one byte
	}
	f.dists(&l)
	for range f.count(mostTexts) {
		l.texts = append(l.texts, f.text())
	}
	if f.bad || len(f.b) > 0 || !unique(l.names) || !uniqueValues(l.values) {
		return nil, fmt.Errorf("%w: damaged", ErrModel)
	}
	return withNumbers(l).ready(), nil
}

// modelReader reads fields; a bad one makes all further ones empty.
type modelReader struct{ reader }

func (f *modelReader) count(most int) int {
	n := f.uvarint()
	if f.bad || n > uint64(most) || n > uint64(len(f.b)) { // nothing is shorter than a byte
		f.bad = true
		return 0
	}
	return int(n) //nolint:gosec // bounded
}

func (f *modelReader) text() string {
	s := string(f.take(f.count(mostTexts)))
	f.bad = f.bad || !utf8.ValidString(s)
	return s
}

func (f *modelReader) dists(l *lessons) {
	entries, last := 0, uint64(0)
	for i := range f.count(mostDists) {
		k := f.bigEndian(8)
		d := &dist{escape: uint32(f.count(maxTotal))} //nolint:gosec // bounded
		n := f.count(mostSymbols)
		entries += n
		for range n {
			sym, freq := f.uvarint(), f.uvarint()
			if f.bad || freq == 0 || freq > mostTotal || sym > mostSymbols+mostValues || slices.Contains(d.syms, uint32(sym)) { //nolint:gosec // compared after its bound
				f.bad = true
				return
			}
			d.syms, d.freq = append(d.syms, uint32(sym)), append(d.freq, uint32(freq)) //nolint:gosec // bounded
			d.total += uint32(freq)                                                    //nolint:gosec // bounded
		}
		if f.bad || n == 0 || d.escape == 0 || d.total > mostTotal || d.total+d.escape > maxTotal || entries > mostEntries || i > 0 && k <= last {
			f.bad = true
			return
		}
		l.dists[k], last = d, k
	}
}

func unique(names []xmlstream.Name) bool {
	seen := make(map[xmlstream.Name]bool, len(names))
	for _, n := range names {
		if seen[n] || n.Local == "" {
			return false
		}
		seen[n] = true
	}
	return true
}

func uniqueValues(values []knownValue) bool {
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		if seen[v.text] || len(v.text) > mostValue {
			return false
		}
		seen[v.text] = true
	}
	return true
}
