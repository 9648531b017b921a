package deflate

import (
	"bytes"
	"container/heap"
	"slices"
	"strings"

	"sallyport/links/prose"
)

// Bounds of training.
const (
	gram        = 8 // shortest repeated text that is looked for
	maxPiece    = 384
	maxSamples  = 64 << 20 // bytes of samples that are looked at
	minSeen     = 2        // samples that must share a piece
	sampleParts = 4        // one part of so many is for pieces of samples, the others for prose
)

// Train makes a dictionary of at most size bytes from sample stanzas: the pieces that many of them share, the most valuable last, where
// it costs fewest bits to refer to them; before them English of our own (links/prose). What stands in a single sample never gets in. The
// same samples give the same dictionary.
//
// A dictionary is known to everybody who holds a copy: samples should be of a kind that may be known, or have had their texts removed.
func Train(samples [][]byte, size int) Dictionary {
	size = min(size, MaxDictionary)
	seen := count(samples)
	q := candidates(samples, seen)
	heap.Init(&q)
	var chosen []string
	room := size / sampleParts
	for len(q) > 0 {
		p := heap.Pop(&q).(*piece)                //nolint:forcetypeassert // there is nothing else
		if now := p.worth(seen); now != p.value { // others have come before it that hold some of it
			if p.value = now; now > 0 {
				heap.Push(&q, p)
			}
			continue
		}
		if len(p.text) > room {
			continue
		}
		for i := 0; i+gram <= len(p.text); i++ {
			seen[p.text[i:i+gram]] = 0
		}
		chosen = append(chosen, p.text)
		room -= len(p.text)
	}
	slices.Reverse(chosen)
	text := strings.Join(chosen, "")
	return Dictionary{append(ground(size-len(text)), text...)}
}

// ground is the end of the prose, in so many bytes at most.
func ground(size int) []byte {
	text := []byte(prose.Text())
	return bytes.ReplaceAll(bytes.Clone(text[max(len(text)-size, 0):]), []byte("\n"), []byte(" "))
}

// piece is text that samples share; its value is how often its grams are seen that no piece before it holds, for each of its bytes.
type piece struct {
	text  string
	value int
}

const valueUnit = 1024

func (p *piece) worth(seen map[string]int) (n int) {
	for i := 0; i+gram <= len(p.text); i++ {
		n += seen[p.text[i:i+gram]]
	}
	return n * valueUnit / len(p.text)
}

// pieces is a heap, the most valuable first.
type pieces []*piece

// Len implements heap.Interface, as the others do.
func (q pieces) Len() int { return len(q) }

// Less says whether i goes first.
func (q pieces) Less(i, j int) bool {
	return q[i].value > q[j].value || q[i].value == q[j].value && q[i].text < q[j].text
}

// Swap exchanges two.
func (q pieces) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push appends one.
func (q *pieces) Push(x any) { *q = append(*q, x.(*piece)) } //nolint:forcetypeassert // there is nothing else

// Pop takes the last away.
func (q *pieces) Pop() any {
	p := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return p
}

// count says in how many samples each gram stands.
func count(samples [][]byte) map[string]int {
	seen := make(map[string]int)
	total := 0
	for _, s := range samples {
		if total += len(s); total > maxSamples {
			break
		}
		own := make(map[string]struct{})
		for i := 0; i+gram <= len(s); i++ {
			own[string(s[i:i+gram])] = struct{}{}
		}
		for g := range own {
			seen[g]++
		}
	}
	for g, n := range seen {
		if n < minSeen {
			delete(seen, g)
		}
	}
	return seen
}

// candidates are the longest runs of grams that samples share.
func candidates(samples [][]byte, seen map[string]int) (out pieces) {
	have := make(map[string]bool)
	for _, s := range samples {
		for i := 0; i+gram <= len(s); {
			if seen[string(s[i:i+gram])] == 0 {
				i++
				continue
			}
			end := i + gram
			for end < len(s) && end-i < maxPiece && seen[string(s[end+1-gram:end+1])] > 0 {
				end++
			}
			if text := string(s[i:end]); !have[text] {
				have[text] = true
				p := &piece{text: text}
				p.value = p.worth(seen)
				out = append(out, p)
			}
			i = end
		}
	}
	return out
}
