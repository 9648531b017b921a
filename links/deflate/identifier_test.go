package deflate_test

import (
	"bytes"
	"testing"

	"sallyport/links/deflate"
)

// TestIdentifiers: which have a form, and how long it is; what is written is read, and nothing else.
func TestIdentifiers(t *testing.T) {
	for id, size := range map[string]int{
		"eba2de39-c8bc-4015-ae46-8eb0bafe3a7e": 17, "deadbeef": 5, "0123456789abc": 8, "deadbeef-0": 6, "deadbeef-49": 6, "deadbeef-128": 7, "ffffff-4294967295": 9,
		"": 0, "EBA2DE39-C8BC-4015-AE46-8EB0BAFE3A7E": 0, "eba2de39-c8bc-4015-ae46-8eb0bafe3a7": 0, "abcde": 0, "deadbeeg": 0, "deadbeef-": 0, "deadbeef-01": 0,
		"deadbeef-4294967296": 0, "deadbeef-+1": 0, "deadbeef-1-2": 0, "purple-3": 0,
	} {
		b, ok := deflate.AppendIdentifier([]byte("x"), id)
		if ok != (size > 0) || len(b) != size+1 {
			t.Errorf("%q: %v, % x", id, ok, b)
		}
		if !ok {
			continue
		}
		again, rest, ok := deflate.Identifier(append(b[1:], "rest"...))
		if !ok || again != id || string(rest) != "rest" {
			t.Errorf("%q is read as %q, with %q behind it, %v", id, again, rest, ok)
		}
		if got, _, ok := deflate.Identifier(b[1 : len(b)-1]); ok {
			t.Errorf("%q without its last byte is %q", id, got)
		}
	}
	for _, b := range []string{"", "\x05aaaaaa", "\x40aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\x07aaa\x01", "\x86aaa\x80\x00", "\x86aaa\x80\x80\x80\x80\x10"} {
		if id, _, ok := deflate.Identifier([]byte(b)); ok {
			t.Errorf("%q is %q", b, id)
		}
	}
}

// FuzzIdentifier: what is read is written as it was.
func FuzzIdentifier(f *testing.F) {
	f.Add([]byte("\x00aaaaaaaaaaaaaaaa"))
	f.Add([]byte("\x88aaaa\x80\x01"))
	f.Add([]byte("\x07aaa\x10"))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, rest, ok := deflate.Identifier(b)
		if !ok {
			return
		}
		if again, ok := deflate.AppendIdentifier(nil, id); !ok || !bytes.Equal(append(again, rest...), b) {
			t.Fatalf("% x is %q, which is written as % x", b, id, again)
		}
	})
}
