package deflate_test

import (
	"bytes"
	"strings"
	"testing"

	"sallyport/links/deflate"
)

// TestShortTexts: what the encoder of short texts writes is read, at every length at which it does something else, with bytes of both code
// lengths, matches of every length and distances up to the window.
func TestShortTexts(t *testing.T) {
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	noise := make([]byte, deflate.MaxDictionary)
	state := uint32(1)
	for i := range noise {
		state = state*1664525 + 1013904223
		noise[i] = byte(state >> 24)
	}
	texts := map[string][]byte{
		"all bytes twice": bytes.Repeat(all, 2), "one byte": bytes.Repeat([]byte("a"), 700), "just below": bytes.Repeat([]byte("abcdefg "), 1<<10/8),
		"just above": bytes.Repeat([]byte("abcdefg "), 1<<10/8+1), "longest": bytes.Repeat([]byte("0123456789abcdef"), 4<<10/16), "beyond": bytes.Repeat([]byte("0123456789abcdef"), 4<<10/16+1),
		"the window's beginning": noise[:300], "the window's end": noise[len(noise)-300:],
	}
	for n := 3; n < 270; n++ {
		texts["match of "+strings.Repeat("i", n)] = append(append(bytes.Clone(noise[7*n:8*n]), "<>&"...), noise[7*n:8*n]...)
	}
	for name, dict := range map[string][]byte{"no dictionary": nil, "noise": noise, "two bytes": []byte("ab")} {
		d, err := deflate.NewDictionary(dict)
		if err != nil {
			t.Fatal(err)
		}
		cfg := deflate.Config{Dictionary: d}
		w, r := deflate.NewWriter(cfg), deflate.NewReader(cfg)
		for what, text := range texts {
			frame, err := w.Append(nil, text)
			if err != nil {
				continue // no gain
			}
			if got, err := r.Open(frame); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s, %.30s: %v", name, what, err)
			}
		}
	}
}
