package server_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
	"sallyport/server/account"
)

// watch is a few people in one group who come and go at the same time.
type watch struct {
	*bed
	rng   *rand.Rand
	here  map[string]*client
	truth map[string]string // by address: what it says of itself; absent: not available
}

// act lets one client do something, at the same time as others.
func (w *watch) act(full string, n int) func() {
	c := w.here[full]
	switch p := w.rng.IntN(10); {
	case c == nil:
		w.here[full] = w.connect(full, false)
		return func() {}
	case p < 6:
		if _, ok := w.truth[full]; !ok { // it was told nothing while it was not there, and has to be told all
			c.drain()
		}
		w.truth[full] = fmt.Sprint(n)
		to := people[w.rng.IntN(len(people))] + "@im.example"
		return func() {
			c.put(message(to, "chat", "m", "before"))
			c.put(fmt.Sprintf("<presence><status>%d</status></presence>", n))
		}
	case p < 8:
		delete(w.truth, full)
		return func() { c.put("<presence type='unavailable'/>") }
	default:
		delete(w.truth, full)
		delete(w.here, full)
		return c.lose
	}
}

// sees is what a client has been told last of every other account's resources.
func sees(c *client) map[string]string {
	last := map[string]string{}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.got {
		from := s.From().String()
		switch s.Type() {
		case stanza.PresenceAvailable:
			last[from] = s.Element().Child(s.ContentNS(), "status").Text()
		case stanza.PresenceUnavailable:
			delete(last, from)
		default:
		}
	}
	return last
}

// TestEverybodySeesTheTruth: when all has been said, who is available has been told last what is so, whoever was faster.
func TestEverybodySeesTheTruth(t *testing.T) {
	t.Parallel()
	seeds := 50
	if testing.Short() {
		seeds = 10
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) { watchers(t, uint64(seed)) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func watchers(t *testing.T, seed uint64) {
	g := account.Group{Domain: "im.example", Name: "watch"}
	for _, p := range people {
		g.Members = append(g.Members, jid.MustParse(p+"@im.example"))
	}
	b := newBed(t, func(c *server.Config) {
		if err := c.Directory.Store.PutGroup(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}, people...)
	w := &watch{bed: b, rng: rand.New(rand.NewPCG(seed, 2)), here: map[string]*client{}, truth: map[string]string{}}
	for n := range 60 {
		for _, i := range w.rng.Perm(2 * len(people))[:4] { // each client once: what one says has an order
			go w.act(fmt.Sprintf("%s@im.example/%d", people[i/2], i%2), n)()
		}
		synctest.Wait()
		for full, c := range w.here {
			if _, ok := w.truth[full]; !ok {
				continue
			}
			got := sees(c)
			for other, says := range w.truth {
				if jid.MustParse(other).Bare() != c.address.Bare() && got[other] != says {
					t.Fatalf("%s sees %q of %s, who says %q", full, got[other], other, says)
				}
			}
			for other := range got {
				if w.truth[other] == "" {
					t.Fatalf("%s sees %s, who is not there", full, other)
				}
			}
		}
	}
}
