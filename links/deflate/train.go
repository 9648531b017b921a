package deflate

import (
	"cmp"
	"slices"
	"strings"
)

// Bounds of training.
const (
	gram       = 8 // shortest repeated text that is looked for
	maxPiece   = 256
	maxSamples = 64 << 20 // bytes of samples that are looked at
	minSeen    = 2        // samples that must share a piece
)

// Train makes a dictionary of at most size bytes from sample stanzas: the pieces that many of them share, the most valuable last, where
// it costs fewest bits to refer to them. What stands in a single sample never gets in, nor do texts that only one conversation repeats.
// The same samples give the same dictionary.
//
// A dictionary is known to everybody who holds a copy: samples should be of a kind that may be known, or have had their texts removed.
func Train(samples [][]byte, size int) Dictionary {
	size = min(size, MaxDictionary)
	seen := count(samples)
	pieces := candidates(samples, seen)
	slices.SortFunc(pieces, func(a, b piece) int {
		return cmp.Or(cmp.Compare(b.value, a.value), strings.Compare(a.text, b.text))
	})
	var chosen []string
	room := size
	var have strings.Builder
	for _, p := range pieces {
		if len(p.text) > room || strings.Contains(have.String(), p.text) {
			continue
		}
		have.WriteString(p.text)
		have.WriteByte(0)
		chosen = append(chosen, p.text)
		room -= len(p.text)
	}
	slices.Reverse(chosen)
	return Dictionary{[]byte(strings.Join(chosen, ""))}
}

type piece struct {
	text  string
	value int // samples that hold it, times its bytes
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
	return seen
}

// candidates cuts the samples into runs of grams that are seen about equally often.
func candidates(samples [][]byte, seen map[string]int) []piece {
	best := make(map[string]int)
	for _, s := range samples {
		for i := 0; i+gram <= len(s); {
			n := seen[string(s[i:i+gram])]
			if n < minSeen {
				i++
				continue
			}
			end := i + gram
			for end < len(s) && end-i < maxPiece {
				next := seen[string(s[end+1-gram:end+1])]
				if next < minSeen || 2*next < n {
					break
				}
				n = min(n, next)
				end++
			}
			best[string(s[i:end])] = n
			i = end
		}
	}
	out := make([]piece, 0, len(best))
	for text, n := range best {
		out = append(out, piece{text, n * len(text)})
	}
	return out
}
