package hybrid_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/server/hybrid"
)

// TestAfter: whatever the clock does, each id is later than the one before, by number and by text.
func TestAfter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var made []string
		var prev hybrid.ID
		for _, ms := range rapid.SliceOfN(rapid.Int64Range(-5, 1<<45), 1, 50).Draw(t, "clock") {
			node := rapid.SampledFrom([]string{"a", "b-2", "Z.z"}).Draw(t, "node")
			id, err := hybrid.After(prev, time.UnixMilli(ms), node)
			if err != nil || id.Compare(prev) <= 0 || id.Node() != node || id.Time().UnixMilli() < ms {
				t.Fatalf("after %s at %d came %s, %v", prev, ms, id, err)
			}
			if again, err := hybrid.Parse(id.String()); err != nil || again != id {
				t.Fatalf("%s read again is %s, %v", id, again, err)
			}
			if id.Time().UnixMilli() == ms && id.String() < hybrid.First(time.UnixMilli(ms)) {
				t.Fatalf("%s is before the first of its moment", id)
			}
			made, prev = append(made, id.String()), id
		}
		if !slices.IsSorted(made) {
			t.Fatalf("not in order: %v", made)
		}
	})
}

func TestAfterRefuses(t *testing.T) {
	t.Parallel()
	last, err := hybrid.Parse("ffffffffffffffff-a")
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no node":       second(hybrid.After(hybrid.ID{}, time.Unix(1, 0), "")),
		"a space":       second(hybrid.After(hybrid.ID{}, time.Unix(1, 0), "a b")),
		"a long name":   second(hybrid.After(hybrid.ID{}, time.Unix(1, 0), strings.Repeat("a", 65))),
		"after the end": second(hybrid.After(last, time.Unix(1, 0), "a")),
	} {
		if !errors.Is(err, hybrid.ErrID) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ hybrid.ID, err error) error { return err }

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "0000000000010000-a", "0000000000010000-", "00000000000A0000-a", "1-a", "+000000000010000-a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := hybrid.Parse(s)
		if err == nil && id.String() != s {
			t.Fatalf("%q was read as %q", s, id)
		}
	})
}
