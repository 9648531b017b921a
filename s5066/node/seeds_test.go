package node_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/channel"
)

// seeds is how many worlds a test tries.
func seeds(short, long int) int {
	if testing.Short() {
		return short
	}
	return long
}

var waves = []string{"110a-75-short", "110a-300-short", "110a-1200-short", "110a-2400-short", "4539-9600-veryshort", "110a-300-long", "110a-2400-long"}

// say is a U_PDU of any size that tells who sent it and which one it is.
func say(from, to, n, size int) string {
	s := fmt.Sprintf("%d>%d#%05d ", from, to, n)
	return s + strings.Repeat("-", max(0, size-len(s)))
}

// Clients of two or three nodes speak with each other over channels that lose frames: what is not rejected arrives once and in order, and hardly
// anything is rejected (a link that ends while the last acknowledgement is lost leaves a doubt, and the node says so).
func TestEverythingOnceInOrder(t *testing.T) {
	t.Parallel()
	for part := range 4 {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			all, rejected := 0, 0
			for seed := part; seed < seeds(60, 1000); seed += 4 {
				a, r := once(t, uint64(seed))
				all, rejected = all+a, rejected+r
			}
			t.Logf("%d of %d rejected", rejected, all)
			if rejected > 1+all/200 {
				t.Errorf("%d of %d U_PDUs were rejected", rejected, all)
			}
		})
	}
}

func once(t *testing.T, seed uint64) (all, rejected int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	c := worldConfig{stations: 2 + r.IntN(2), wave: waves[r.IntN(len(waves))], seed: seed, loss: 0.3 * r.Float64()}
	w := newWorld(t, c)
	clients, sent, want := make([]*client, c.stations), make([][]string, c.stations), make([][]string, c.stations*c.stations)
	for i, s := range w.nodes {
		clients[i] = s.bind(6, arq)
	}
	for n := range 4 + r.IntN(8) {
		from := r.IntN(c.stations)
		to := (from + 1 + r.IntN(c.stations-1)) % c.stations
		text := say(from, to, n, 20+r.IntN(300))
		sent[from] = append(sent[from], text)
		want[from*c.stations+to] = append(want[from*c.stations+to], text)
		clients[from].unidata(to, s5066.Confirmation(1+r.IntN(2)), []byte(text))
		all++
		if r.IntN(2) == 0 {
			w.run(time.Duration(r.IntN(60_000))*time.Millisecond, nil)
		}
	}
	w.run(12*time.Hour, nil)
	for i, to := range clients {
		for from := range c.stations {
			got := slices.DeleteFunc(to.heard(), func(s string) bool { return !strings.HasPrefix(s, fmt.Sprintf("%d>", from)) })
			refused := clients[from].rejected()
			wanted := slices.DeleteFunc(want[from*c.stations+i], func(s string) bool {
				return !slices.Contains(got, s) && slices.ContainsFunc(refused, func(r string) bool { return r[:10] == s[:10] })
			})
			if !slices.Equal(got, wanted) {
				t.Fatalf("seed %d %s loss %.2f: %d heard of %d\n\t%.20q, want\n\t%.20q\nrejected %.40q", seed, c.wave, c.loss, i, from, got, wanted, refused)
			}
		}
		rejected += len(to.rejected())
		if len(to.rejected())+len(to.confirmed()) != len(sent[i]) {
			t.Fatalf("seed %d: node %d: %d confirmed, %.40q rejected, of %d", seed, i, len(to.confirmed()), to.rejected(), len(sent[i]))
		}
		if n := w.status(i); n.Under != 0 || n.Waiting != [17]int{} || len(n.Links) != 0 {
			t.Fatalf("seed %d: node %d has not come to rest: %+v", seed, i, n)
		}
	}
	return all, rejected
}

// Nodes are killed and started again in any state. Every request is confirmed, rejected, or was the victim of its own node's end; nothing is
// heard twice within one life of both nodes; in the end the nodes speak with each other again.
func TestKilledInAnyState(t *testing.T) {
	t.Parallel()
	for part := range 4 {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for seed := part; seed < seeds(40, 700); seed += 4 {
				killed(t, uint64(seed))
			}
		})
	}
}

// life is one client between its node's start and end.
type life struct {
	c     *client
	node  int
	sent  []string
	ended bool
}

func killed(t *testing.T, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	p := channel.Presets()[r.IntN(5)]
	if r.IntN(3) == 0 {
		p = channel.Bursts(0.3, time.Duration(1+r.IntN(60))*time.Second)
	}
	w := newWorld(t, worldConfig{stations: 2, wave: waves[1+r.IntN(len(waves)-1)], seed: seed, profile: &p})
	var lives []*life
	begin := func(i int) *life {
		l := &life{c: w.nodes[i].bind(6, arq), node: i}
		lives = append(lives, l)
		return l
	}
	now := []*life{begin(0), begin(1)}
	for n := range 6 + r.IntN(10) {
		i := r.IntN(2)
		if r.IntN(5) == 0 {
			now[i].ended = true
			w.nodes[i].kill()
			w.run(time.Duration(r.IntN(90_000))*time.Millisecond, nil)
			w.nodes[i].start(seed)
			now[i] = begin(i)
		} else {
			text := say(i, 1-i, n, 20+r.IntN(300))
			now[i].sent = append(now[i].sent, text)
			now[i].c.unidata(1-i, s5066.Confirmation(1+r.IntN(2)), []byte(text))
		}
		w.run(time.Duration(r.IntN(40_000))*time.Millisecond, nil)
	}
	w.run(26*time.Hour, nil)
	for _, l := range lives {
		l.sums(t, seed, lives)
	}
}

// sums checks what became of what a client sent.
func (l *life) sums(t *testing.T, seed uint64, lives []*life) {
	t.Helper()
	confirmed, rejected := l.c.confirmed(), l.c.rejected()
	for _, text := range l.sent {
		ends := 0
		for _, s := range confirmed {
			if s[:10] == text[:10] {
				ends++
			}
		}
		yes := ends
		for _, s := range rejected {
			if s[:10] == text[:10] {
				ends++
			}
		}
		if ends > 1 || ends == 0 && !l.ended {
			t.Fatalf("seed %d: %.10q has %d ends, its node ended: %t", seed, text, ends, l.ended)
		}
		heard := 0
		for _, other := range lives {
			n := 0
			for _, s := range other.c.heard() {
				if s == text {
					n++
				}
			}
			if n > 1 {
				t.Fatalf("seed %d: %.10q was heard %d times in one life", seed, text, n)
			}
			heard += n
		}
		if yes > 0 && heard == 0 {
			t.Fatalf("seed %d: %.10q was confirmed and never heard", seed, text)
		}
	}
}
