package resolve

import (
	"math/rand/v2"
	"testing"
)

// TestOrder: RFC 2782 draws in proportion to the weights, and priorities stay in order.
func TestOrder(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	first := map[string]int{}
	for range 10_000 {
		got := order([]record{
			{20, 0, Target{Host: "last"}}, {10, 75, Target{Host: "heavy"}}, {10, 25, Target{Host: "light"}}, {10, 0, Target{Host: "never"}},
		}, dice.IntN)
		if len(got) != 4 || got[3].Host != "last" {
			t.Fatalf("order %v", got)
		}
		first[got[0].Host]++
	}
	if h := first["heavy"]; h < 7_000 || h > 7_900 {
		t.Errorf("weight 75 of 100 came first %d times of 10,000", h)
	}
	if n := first["never"]; n < 10 || n > 300 {
		t.Errorf("weight 0 came first %d times of 10,000: a small chance, not none", n)
	}
}
