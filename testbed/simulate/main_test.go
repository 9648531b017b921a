package main

import (
	"bytes"
	"strings"
	"testing"

	"sallyport/gateway/spool/simulation"
)

// TestMany: sound worlds hold, worlds with a fault do not, and what is printed and returned says so, with any number of workers.
func TestMany(t *testing.T) {
	for name, row := range map[string]struct {
		workers int
		fault   simulation.Fault
		code    int
		words   []string
	}{
		"sound":        {1, simulation.None, 0, []string{"20 worlds with fault none", ": 0 violations\n", "messages: ", "faults: "}},
		"sound, eight": {8, simulation.None, 0, []string{"20 worlds with fault none", ": 0 violations\n"}},
		"no workers":   {0, simulation.None, 0, []string{": 0 violations\n"}},
		"a fault":      {2, simulation.Faults()[1], 1, []string{"20 worlds with fault " + simulation.Faults()[1].String(), ": VIOLATION: "}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if code := many(&out, seeds{1, 20}, row.workers, row.fault); code != row.code {
				t.Errorf("ends with %d, want %d\n%s", code, row.code, &out)
			}
			for _, w := range row.words {
				if !strings.Contains(out.String(), w) {
					t.Errorf("%q is not in\n%s", w, &out)
				}
			}
		})
	}
}

// TestSumDoesNotDependOnWorkers: the same seeds make the same sum.
func TestSumDoesNotDependOnWorkers(t *testing.T) {
	sum := func(workers int) string {
		var out bytes.Buffer
		many(&out, seeds{100, 10}, workers, simulation.None)
		_, after, _ := strings.Cut(out.String(), "messages: ")
		return after
	}
	if one, four := sum(1), sum(4); one != four || one == "" {
		t.Errorf("%q and %q", one, four)
	}
}

func TestVerdict(t *testing.T) {
	var out bytes.Buffer
	if verdict(&out, &simulation.Result{Seed: 7}) != 0 || verdict(&out, &simulation.Result{Seed: 8, Violation: "one lost"}) != 1 {
		t.Error("codes")
	}
	if got := out.String(); got != "seed 7: holds\nseed 8: VIOLATION: one lost\n" {
		t.Errorf("%q", got)
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for _, word := range strings.Split(faults(), ", ") {
		if f, err := simulation.ParseFault(word); err != nil || f.String() != word {
			t.Errorf("%q: %v %v", word, f, err)
		}
	}
}
