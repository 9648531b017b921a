package hostileclient_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write covered.md")

func allRows() []row {
	return slices.Concat(groupA(), groupB(), groupC(), groupD(), groupE(), groupF(), groupH(), groupWeb(), groupTLS(), groupProgram())
}

// TestEveryEntryIsSomewhere wants each number either as a row or elsewhere, not both, and the list of them up to date.
func TestEveryEntryIsSomewhere(t *testing.T) {
	text, problems := covered(allRows())
	for _, p := range append(problems, missing()...) {
		t.Error(p)
	}
	if *update {
		if err := os.WriteFile("covered.md", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile("covered.md"); err != nil || string(kept) != text {
		t.Errorf("covered.md is not what is covered (%v); -update writes it", err)
	}
}

// TestHostile plays every row against the edge.
func TestHostile(t *testing.T) { play(t, newBed(t, nil)) }

// play plays every row while a bystander talks to itself.
func play(t *testing.T, b *bed) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		defer close(over)
		t.Run("rows", func(t *testing.T) {
			for _, r := range allRows() {
				if r.program && b.home == nil {
					continue
				}
				t.Run(r.name, func(t *testing.T) { r.run(t, b) })
			}
		})
	}()
	if n := bystander(t, b, over); n == 0 {
		t.Error("the bystander never came to a word")
	}
}

// bystander sends itself one message after the other; each comes back once, before the next is sent.
func bystander(t *testing.T, b *bed, over <-chan struct{}) (n int) {
	defer func() { <-over }() // whatever becomes of it
	c := b.login(t)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ; ; n++ {
		select {
		case <-over:
			return n
		case <-tick.C:
		}
		id := b.id("bystander")
		c.say(good(id))
		if said := c.until("</message>"); strings.Count(said, "<message") != 1 || !strings.Contains(said, "id='"+id+"'") {
			t.Errorf("the bystander sent %s and got %s", id, said)
		}
	}
}
