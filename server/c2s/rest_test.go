package c2s_test

import (
	"testing"
	"time"

	"sallyport/server/c2s"
)

// TestRest: a reader that has handed something up goes on on a smaller stack, but not again and again.
func TestRest(t *testing.T) {
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		said []time.Duration // when something was handed up
		want []bool          // whether the reader rests before it waits for more
	}{
		{"once", []time.Duration{0}, []bool{true}},
		{"who logs in", []time.Duration{0, 1, 2, 3, 4, 5, 6, 7, 8}, []bool{true, true, true, true, true, true, true, true, false}},
		{
			"who goes on talking",
			[]time.Duration{0, 1, 2, 3, 4, 5, 6, 7, 8, time.Second, time.Second + 1, 3 * time.Second, 3*time.Second + 1, 3*time.Second + 2},
			[]bool{true, true, true, true, true, true, true, true, false, true, false, true, true, false},
		},
		{"a clock that was set back", []time.Duration{0, -time.Hour, -time.Hour}, []bool{true, true, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r c2s.Rest
			if r.Due(begin) {
				t.Error("rests though nothing was handed up")
			}
			for i, at := range c.said {
				r.HandedUp()
				if got := r.Due(begin.Add(at)); got != c.want[i] {
					t.Errorf("after %v: %v", at, got)
				} else if got && r.Due(begin.Add(at)) {
					t.Errorf("after %v: twice for one", at)
				}
			}
		})
	}
}
