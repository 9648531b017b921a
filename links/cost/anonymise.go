package cost

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Anonymiser replaces what was said and by whom. Each word becomes another one of the same length in bytes, the same word the same
// wherever it stands, so that what repeats goes on repeating. Names of elements and attributes, namespaces, and values that are words of
// a protocol stay. Owned by one goroutine.
//
// What comes out is no secret kept for ever: lengths, times and who writes how often remain, and common words can be guessed from how
// often they stand. Treat it as traffic data.
type Anonymiser struct {
	key   []byte
	words map[string]string
	taken map[string]bool
}

// maxWords bounds the table; words beyond it are still replaced, but two may become one.
const maxWords = 1 << 20

// tries is how often another replacement is looked for before two words may become one.
const tries = 64

// NewAnonymiser takes a random key, which nobody should keep: with it, guesses can be tried.
func NewAnonymiser(key []byte) *Anonymiser {
	return &Anonymiser{key: slices.Clone(key), words: map[string]string{}, taken: map[string]bool{}}
}

// kept are attributes whose values are words of a protocol wherever they stand.
var kept = []string{"type", "hash", "affiliation", "role", "code", "category", "var", "algo", "action", "subscription", "lang"}

// keptText are elements whose text is one, in the stanza's own namespace.
var keptText = []string{"show", "priority"}

// Entry returns e with everything replaced.
func (a *Anonymiser) Entry(e Entry) (Entry, error) {
	s, err := stanza.From(a.element(e.Stanza.Element(), e.Stanza.ContentNS()))
	if err != nil {
		return Entry{}, fmt.Errorf("%w: an address cannot be replaced: %w", ErrRecording, err)
	}
	e.Stanza = s
	return e, nil
}

func (a *Anonymiser) element(e *xmlstream.Element, content string) *xmlstream.Element {
	attrs := make([]xmlstream.Attr, e.NumAttrs())
	for i := range attrs {
		attrs[i] = e.AttrAt(i)
		if !slices.Contains(kept, attrs[i].Name.Local) {
			attrs[i].Value = a.Text(attrs[i].Value)
		}
	}
	nodes := make([]xmlstream.Node, e.NumNodes())
	for i := range nodes {
		n := e.NodeAt(i)
		switch {
		case n.Element != nil:
			n.Element = a.element(n.Element, content)
		case e.Space() != content || !slices.Contains(keptText, e.Local()):
			n.Text = a.Text(n.Text)
		}
		nodes[i] = n
	}
	return xmlstream.NewElement(e.Name(), attrs, nodes...)
}

// Text replaces the words of a text: runs of letters, and runs of digits. What stands between them stays, pictures excepted.
func (a *Anonymiser) Text(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		class := classOf(r)
		if class == between {
			out = append(out, s[i:i+n]...)
			i += n
			continue
		}
		end := i + n
		for end < len(s) {
			r, n := utf8.DecodeRuneInString(s[end:])
			if classOf(r) != class {
				break
			}
			end += n
		}
		out = append(out, a.word(s[i:end])...)
		i = end
	}
	return string(out)
}

type runeClass uint8

const (
	between runeClass = iota
	letter
	digit
	picture
)

func classOf(r rune) runeClass {
	switch {
	case r >= '0' && r <= '9':
		return digit
	case unicode.In(r, unicode.L, unicode.M, unicode.N):
		return letter
	case r >= 0x1F000 && r <= 0x1FFFF:
		return picture
	}
	return between
}

func (a *Anonymiser) word(w string) string {
	if out, ok := a.words[w]; ok {
		return out
	}
	var out string
	for try := range uint32(tries) {
		if out = a.candidate(w, try); !a.taken[out] {
			break
		}
	}
	if len(a.words) < maxWords {
		a.words[w], a.taken[out] = out, true
	}
	return out
}

// common has the letters about as often as texts in European languages have them, so that what is entropy stays about so.
const common = "eeeeeeeeeeeetttttttttaaaaaaaaoooooooiiiiiiinnnnnnnssssssrrrrrrhhhhhhddddllllcccuuummmwwffggyyppbbvkjxqz"

// candidate makes a replacement, rune by rune: as long in bytes, letters of the same case.
func (a *Anonymiser) candidate(w string, try uint32) string {
	stream := newStream(a.key, w, try)
	out := make([]byte, 0, len(w))
	for _, r := range w {
		n := stream.next()
		switch size := utf8.RuneLen(r); {
		case r >= '0' && r <= '9':
			out = append(out, '0'+byte(n%10))
		case size == 1:
			c := common[n%uint32(len(common))]
			if unicode.IsUpper(r) {
				c -= 'a' - 'A'
			}
			out = append(out, c)
		case size == 2 && unicode.IsUpper(r):
			out = utf8.AppendRune(out, 'А'+rune(n%32)) //nolint:gosec // below 32
		case size == 2:
			out = utf8.AppendRune(out, 'а'+rune(n%32)) //nolint:gosec // below 32
		case size == 3:
			out = utf8.AppendRune(out, 0x4E00+rune(n%4096)) //nolint:gosec // below 4096
		case classOf(r) == picture:
			out = utf8.AppendRune(out, 0x1F600+rune(n%64)) //nolint:gosec // below 64
		default:
			out = utf8.AppendRune(out, 0x20000+rune(n%4096)) //nolint:gosec // below 4096
		}
	}
	return string(out)
}

// stream is a row of numbers that depends on key, word and try alone.
type stream struct {
	seed  [sha256.Size]byte
	block [sha256.Size]byte
	used  int
	count uint32
}

func newStream(key []byte, w string, try uint32) *stream {
	h := hmac.New(sha256.New, key)
	h.Write(binary.BigEndian.AppendUint32(nil, try))
	h.Write([]byte(w))
	s := &stream{used: sha256.Size}
	h.Sum(s.seed[:0])
	return s
}

func (s *stream) next() uint32 {
	if s.used+4 > len(s.block) {
		s.block = sha256.Sum256(binary.BigEndian.AppendUint32(s.seed[:len(s.seed):len(s.seed)], s.count))
		s.count++
		s.used = 0
	}
	n := binary.BigEndian.Uint32(s.block[s.used:])
	s.used += 4
	return n
}
