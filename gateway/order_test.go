package gateway_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/links"
)

// TestOrderOfPairs: what one stream brings for one pair leaves in its order, whatever else goes on and however slow the disk is.
func TestOrderOfPairs(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		const each = 200
		var wg sync.WaitGroup
		for _, way := range [][2]string{{"a.example", "b.example"}, {"c.example", "b.example"}, {"b.example", "a.example"}, {"b.example", "c.example"}} {
			wg.Go(func() {
				dice := rand.New(rand.NewPCG(1, uint64(way[0][0])))
				for i := range each {
					n.arrive(message(fmt.Sprintf("%s%d", way[0], i), way[0], way[1]))
					if dice.IntN(10) == 0 {
						time.Sleep(time.Millisecond)
					}
				}
			})
		}
		wg.Go(func() {
			for range 50 {
				n.disk.shut()
				time.Sleep(2 * time.Millisecond)
				n.disk.open()
				time.Sleep(time.Millisecond)
			}
		})
		wg.Wait()
		n.rest()
		next := map[string]int{}
		for _, d := range n.link.deliveries() {
			from, to := d.Released.From().Domain(), d.Released.Remote().Domain()
			if want := fmt.Sprintf("%s%d", from, next[from+to]); d.id != want {
				t.Fatalf("%s to %s: %s, want %s", from, to, d.id, want)
			}
			next[from+to]++
		}
		if len(next) != 4 || next["a.exampleb.example"] != each {
			t.Errorf("%v", next)
		}
	})
}

// TestOrderOfReplies: errors to one domain leave in the order of what they are about.
func TestOrderOfReplies(t *testing.T) {
	bubble(t, nil, func(_ *testing.T, n *node) {
		var want []string
		for range 50 {
			want = append(want, freshID())
			n.arrive(message(want[len(want)-1], "a.example", "nowhere.example"))
		}
		n.rest()
		n.wantIDs("a.example", want...)
	})
}

// TestSlowReader: a sender who does not read his errors, and a destination that takes nothing, hold up nobody else: neither the errors
// of others nor any delivery.
func TestSlowReader(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		n.link.setFull("a.example", true)
		for range 100 {
			n.arrive(message(freshID(), "a.example", "nowhere.example"))
		}
		n.rest()
		n.arrive(message("refused", "c.example", "nowhere.example"), message("released", "c.example", "b.example"))
		n.link.setFate(func(d *delivery) fate {
			if d.id == "failed" && d.typ != "error" {
				return fate{d: links.Failed, cause: links.ErrUnreachable}
			}
			return fate{d: links.Delivered}
		})
		n.arrive(message("failed", "c.example", "b.example"), message("own", "a.example", "b.example"))
		n.rest()
		n.wantIDs("c.example", "refused", "failed")
		n.wantIDs("b.example", "released", "failed", "own")
		n.wantIDs("a.example")
		if c := n.balanced(); c.Refused != 101 {
			t.Errorf("%+v", c)
		}
		if got := n.receipts.settled(); got != 4 {
			t.Errorf("%d settled: what a sender has not been told is not acknowledged", got)
		}
		n.link.setFull("a.example", false)
		n.rest()
		if got := len(n.link.to("a.example")); got != 100 {
			t.Errorf("%d errors in the end", got)
		}
	})
}

// TestFullDestination: the queue of one destination holds up who sends there, and nobody else.
func TestFullDestination(t *testing.T) {
	bubble(t, nil, func(_ *testing.T, n *node) {
		n.link.setFull("b.example", true)
		first := n.inbound(message("1", "a.example", "b.example"))
		var wg sync.WaitGroup
		wg.Go(func() { n.link.arrive(first) })
		n.rest()
		n.say(message("2", "b.example", "a.example"), message("3", "b.example", "c.example"), message("4", "c.example", "nowhere.example"))
		n.wantIDs("a.example", "2")
		n.wantIDs("c.example", "3", "4")
		n.link.setFull("b.example", false)
		wg.Wait()
		n.rest()
		n.wantIDs("b.example", "1")
	})
}

const rateRule = `
[[rule]]
id = "r"
when = { kinds = ["message"] }
action = "rate"
condition = "resource-constraint"
rate = { per-minute = 60, burst = 10%s }
`

// TestRates: however many stanzas come at once, no more cross than the bucket holds; it fills as time goes by, and no further.
func TestRates(t *testing.T) {
	rows := []struct {
		name    string
		more    string
		senders int
		first   int // of 100 at once
	}{
		{"one bucket for a pair", "", 1, 10},
		{"one bucket for many senders of a domain", "", 5, 10},
		{"a bucket for each sender", `, per = "sender"`, 5, 50},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(s *site) { s.rules = fmt.Sprintf(rateRule, row.more) }, func(t *testing.T, n *node) {
				burst := func() int {
					before := len(n.link.to("b.example"))
					var wg sync.WaitGroup
					for i := range 100 {
						in := n.inbound(strings.Replace(message(freshID(), "a.example", "b.example"), "'u@", fmt.Sprintf("'u%d@", i%row.senders), 1))
						wg.Go(func() { n.link.arrive(in) })
					}
					wg.Wait()
					n.rest()
					return len(n.link.to("b.example")) - before
				}
				if got := burst(); got != row.first {
					t.Errorf("%d crossed, want %d", got, row.first)
				}
				if got := burst(); got != 0 {
					t.Errorf("%d crossed from an empty bucket", got)
				}
				time.Sleep(3 * time.Second)
				if got, want := burst(), 3*row.first/10; got != want {
					t.Errorf("%d crossed after three seconds, want %d", got, want)
				}
				time.Sleep(time.Hour)
				if got := burst(); got != row.first {
					t.Errorf("%d crossed after an hour, want %d", got, row.first)
				}
			})
		})
	}
}

// TestRateLowered: a reload that lowers the burst holds for buckets that are full already.
func TestRateLowered(t *testing.T) {
	bubble(t, func(s *site) { s.rules = fmt.Sprintf(rateRule, "") }, func(t *testing.T, n *node) {
		n.say(message("1", "a.example", "b.example"))
		n.site.rewrite(t, func(s *site) { s.rules = strings.Replace(fmt.Sprintf(rateRule, ""), "burst = 10", "burst = 2", 1) })
		n.reload()
		for range 10 {
			n.say(message(freshID(), "a.example", "b.example"))
		}
		if got := len(n.link.to("b.example")); got != 3 {
			t.Errorf("%d crossed, want the one before and two", got)
		}
	})
}
