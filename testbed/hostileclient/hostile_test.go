package hostileclient_test

import (
	"flag"
	"os"
	"slices"
	"sync"
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

// play plays every row while two who do nothing wrong talk, and wait for each answer.
func play(t *testing.T, b *bed) {
	t.Helper()
	b.calm.yardstick.measure(t)
	tcp, web := b.login(t), b.dialWebFor(t, time.Hour)
	web.login(b.id("desk"))
	over := make(chan struct{})
	var all, attacks sync.WaitGroup
	run := func(name string, aside bool) {
		t.Run(name, func(t *testing.T) {
			for _, r := range allRows() {
				if r.program && b.home == nil || r.aside != aside {
					continue
				}
				if !aside {
					b.calm.row.Store(r.name)
				}
				t.Run(r.name, func(t *testing.T) { r.run(t, b) })
			}
		})
	}
	attacks.Go(func() { run("rows", false) })
	attacks.Go(func() { run("aside", true) })
	all.Go(func() {
		attacks.Wait()
		close(over)
	})
	all.Go(func() {
		if n := b.bystander(t, "a WebSocket", func(id string) string {
			web.say(alone(good(id)))
			said, _ := web.until("</message>")
			return said
		}, over); n == 0 {
			t.Error("the bystander in a WebSocket never came to a word")
		}
	})
	defer all.Wait() // whatever becomes of the other
	if n := b.bystander(t, "TCP", func(id string) string {
		tcp.say(good(id))
		return tcp.until("</message>")
	}, over); n == 0 {
		t.Error("the bystander on TCP never came to a word")
	}
	all.Wait()
	b.calm.judge(t)
	b.house.refusedAll(t)
	if b.home != nil {
		b.kept(t)
	}
}
