package hostile_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// mark is in every input that is to be refused, and in nothing that may cross.
const mark = "zqcanaryqz"

// tap keeps what was said to somebody.
type tap struct {
	name string
	mu   sync.Mutex
	base int64 // what was forgotten
	buf  []byte
}

func (p *tap) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.buf = append(p.buf, b...)
	return len(b), nil
}

// Sync makes a tap a log sink.
func (p *tap) Sync() error { return nil }

// now is a place to which since may go back.
func (p *tap) now() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.base + int64(len(p.buf))
}

func (p *tap) since(at int64) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.buf[max(at-p.base, 0):])
}

// forget gives the memory back.
func (p *tap) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.base += int64(len(p.buf))
	p.buf = nil
}

// taps are all there are in one world.
type taps struct {
	mu  sync.Mutex
	all []*tap
}

func (s *taps) add(name string) *tap {
	p := &tap{name: name}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, p)
	return p
}

func (s *taps) drop(p *tap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.all {
		if s.all[i] == p {
			s.all = append(s.all[:i], s.all[i+1:]...)
			return
		}
	}
}

func (s *taps) each(f func(*tap)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.all {
		f(p)
	}
}

// disguises are the forms in which a word can hide (rule 4).
func disguises(word string) map[string][]byte {
	out := map[string][]byte{
		"raw":   []byte(word),
		"hex":   []byte(hex.EncodeToString([]byte(word))),
		"HEX":   []byte(strings.ToUpper(hex.EncodeToString([]byte(word)))),
		"16 LE": utf16(word, true),
		"16 BE": utf16(word, false),
	}
	for shift := range 3 { // the letters in the middle are the same whatever stands around the word
		code := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + word))
		out[fmt.Sprintf("base64+%d", shift)] = []byte(code[(shift*8+5)/6 : (shift+len(word))*8/6])
	}
	for name, form := range map[string]string{"decimal": "&#%d;", "hexadecimal": "&#x%X;", "percent": "%%%02X", "json": `\u%04x`, "octets": `\x%02x`} {
		var b strings.Builder
		for _, c := range []byte(word) {
			fmt.Fprintf(&b, form, c)
		}
		out[name] = []byte(b.String())
	}
	return out
}

func utf16(s string, little bool) []byte {
	out := make([]byte, 0, 2*len(s))
	for _, c := range []byte(s) {
		if little {
			out = append(out, c, 0)
		} else {
			out = append(out, 0, c)
		}
	}
	return out
}

var markForms = disguises(mark)

// findMark says in which disguise the mark is in b, or nothing.
func findMark(b []byte) string {
	for name, form := range markForms {
		if i := bytes.Index(b, form); i >= 0 {
			return fmt.Sprintf("%s, in %q", name, b[max(i-80, 0):min(i+80, len(b))])
		}
	}
	return ""
}

func TestFindMark(t *testing.T) {
	for name, form := range markForms {
		for _, around := range []string{"", "a", "ab"} {
			if name == "raw" && findMark([]byte(base64.StdEncoding.EncodeToString([]byte(around+mark+around)))) == "" {
				t.Errorf("not found in base64 behind %d bytes", len(around))
			}
			if findMark([]byte(around+string(form)+around)) == "" {
				t.Errorf("not found as %s", name)
			}
		}
	}
	if said := findMark([]byte("nothing of the sort")); said != "" {
		t.Errorf("found: %s", said)
	}
}
