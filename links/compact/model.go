package compact

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/prose"
)

// Fingerprint names a model together with the addresses of a link.
type Fingerprint [8]byte

// String returns it in hexadecimal.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// Bounds of a model.
const (
	MaxModel    = 4 << 20 // bytes of its file
	mostNames   = 4096
	mostValues  = 1 << 15
	mostValue   = 4096 // bytes of one
	mostDists   = 1 << 16
	mostEntries = 1 << 18 // of all dists together
	mostSymbols = 4096    // of one dist
	mostTexts   = 128 << 10
)

// Model is what both ends know of stanzas before the first: names, values and addresses, what follows what, and how texts are spelt. It
// never changes, so any number of codecs may share it.
type Model struct {
	lessons
	nameIDs   map[xmlstream.Name]uint32
	valueIDs  map[string]uint32
	predictor *predictor // see primed
	once      sync.Once
	file      []byte
	scratch   sync.Pool // of *walk
}

// lessons are what stands in the file of a model.
type lessons struct {
	names  []xmlstream.Name
	values []knownValue
	dists  map[uint64]*dist
	texts  []string // that people wrote, where that was allowed
}

// knownValue is a value, and for what it was seen: a bit for each class.
type knownValue struct {
	text    string
	classes uint8
}

// withNumbers is a model that has the numbers of names and values, and cannot predict yet.
func withNumbers(l lessons) *Model {
	m := &Model{lessons: l, nameIDs: make(map[xmlstream.Name]uint32, len(l.names)), valueIDs: make(map[string]uint32, len(l.values))}
	for i, n := range l.names {
		m.nameIDs[n] = uint32(i) //nolint:gosec // bounded
	}
	for i, v := range l.values {
		m.valueIDs[v.text] = uint32(i) //nolint:gosec // bounded
	}
	return m
}

// ready completes a model whose lessons do not change any more.
func (m *Model) ready() *Model {
	m.file = appendModel(nil, &m.lessons)
	m.scratch.New = func() any { return &walk{m: m} }
	return m
}

// primed makes the predictor, once: it takes a good part of a second, and who only keeps models in files needs none.
func (m *Model) primed() {
	m.once.Do(func() {
		bytes := len(prose.Text())
		for _, v := range m.values {
			bytes += len(v.text)
		}
		for _, t := range m.texts {
			bytes += len(t)
		}
		m.predictor = m.prime(bytes)
	})
}

// prime makes the predictor. Our own sentences stand last: from them it learns how far to trust what.
func (m *Model) prime(bytes int) *predictor {
	p := newPrimer(newLogistic(), bytes)
	p.identifiers()
	for _, n := range m.names {
		p.add(className, n.Local)
	}
	for _, v := range m.values {
		for c := classSpoken; c <= className; c++ {
			if v.classes&(1<<c) != 0 {
				p.add(c, v.text)
			}
		}
	}
	for _, t := range m.texts {
		p.add(classSpoken, t)
	}
	for line := range strings.Lines(prose.Text()) {
		p.add(classSpoken, strings.TrimSuffix(line, "\n"))
	}
	return p.done()
}

// Bytes returns the model as it is kept in a file.
func (m *Model) Bytes() []byte { return append([]byte(nil), m.file...) }

// Fingerprint names the model, and the texts of this version that it stands on: both ends must show the same.
func (m *Model) Fingerprint() Fingerprint { return m.with(nil) }

func (m *Model) with(addresses []string) (f Fingerprint) {
	h := sha256.New()
	h.Write([]byte(prose.Text())) // not in the file, and it decides as much
	h.Write(m.file)
	for _, a := range addresses {
		h.Write([]byte(a))
		h.Write([]byte{0})
	}
	copy(f[:], h.Sum(nil))
	return f
}

func (m *Model) valueSymbol(s string) uint32 {
	if id, ok := m.valueIDs[s]; ok {
		return id
	}
	return none
}

// value is the text of a symbol, "" when there is no such.
func (m *Model) value(sym uint32) string {
	if int(sym) >= len(m.values) {
		return ""
	}
	return m.values[sym].text
}
