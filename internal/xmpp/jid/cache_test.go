package jid_test

import (
	"fmt"
	"testing"

	"sallyport/internal/xmpp/jid"
)

func TestCacheIsParse(t *testing.T) {
	var none jid.Cache
	c := jid.NewCache(2)
	for range 3 {
		for _, in := range []string{"a@b/r", "A@B/r", "bücher.example", "BÜCHER.example", "ü@b", "a@@b", ""} {
			want, wantErr := jid.Parse(in)
			for _, c := range []*jid.Cache{&none, c} {
				if got, err := c.Parse(in); got != want || (err == nil) != (wantErr == nil) {
					t.Errorf("Cache.Parse(%q) = %v, %v, want %v, %v", in, got, err, want, wantErr)
				}
			}
		}
	}
	if none.Len() != 0 {
		t.Errorf("the zero cache holds %d entries", none.Len())
	}
}

func TestCacheIsBounded(t *testing.T) {
	const size = 8
	c := jid.NewCache(size)
	for i := range 1000 {
		if _, err := c.Parse(fmt.Sprintf("ü%d@b.example", i)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Parse(fmt.Sprintf("bad%d@@", i)); err == nil {
			t.Fatal("parsed a bad address")
		}
		if _, err := c.Parse("Often@b.example"); err != nil {
			t.Fatal(err)
		}
		if c.Len() > 2*size {
			t.Fatalf("%d entries, limit %d", c.Len(), 2*size)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = c.Parse("Often@b.example") }); n != 0 {
		t.Errorf("an address asked for all the time is not remembered: %v allocations", n)
	}
}
