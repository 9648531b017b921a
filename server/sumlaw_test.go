package server_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// world is a few accounts whose clients come, chat, acknowledge, fall silent and vanish, out of a seed.
type world struct {
	*bed
	rng  *rand.Rand
	here []*client
	gone []*client
	sent map[string]string // by body: the account that said it
	has  map[string]bool   // somebody has it for good: acknowledged, or written where nobody acknowledges

	fills bool // the store is full now and then
}

var people = []string{"a", "b", "c"}

func (w *world) step(n int) {
	switch p := w.rng.IntN(20); {
	case p < 4 || len(w.here) == 0:
		w.come()
	case p < 12:
		w.chat(n)
	case p < 14:
		w.one().put(fmt.Sprintf("<presence><priority>%d</priority></presence>", w.rng.IntN(4)-1))
	case p < 15:
		w.one().put("<presence type='unavailable'/>")
	case p < 16:
		if c := w.one(); c.managed {
			c.goes(!c.parked)
		}
	case p < 17:
		w.acknowledge(w.one())
	case p < 18:
		w.store.mu.Lock()
		w.store.full = w.fills && !w.store.full
		w.store.mu.Unlock()
	default:
		w.leave()
	}
	if w.rng.IntN(3) == 0 { // else the next step comes in the middle of it
		synctest.Wait()
		time.Sleep(time.Second)
	}
}

func (w *world) one() *client { return w.here[w.rng.IntN(len(w.here))] }

func (w *world) come() {
	full := fmt.Sprintf("%s@im.example/%d", people[w.rng.IntN(len(people))], w.rng.IntN(3))
	for i, c := range w.here { // it is replaced, and nobody acknowledges for it any more
		if c.address.String() == full {
			w.here = append(w.here[:i:i], w.here[i+1:]...)
			w.gone = append(w.gone, c)
			break
		}
	}
	c := w.connect(full, w.rng.IntN(3) > 0)
	w.here = append(w.here, c)
	if w.rng.IntN(4) > 0 {
		c.put("<presence/>")
	}
}

func (w *world) chat(n int) {
	c := w.one()
	to := people[w.rng.IntN(len(people))] + "@im.example"
	if w.rng.IntN(2) == 0 {
		to += fmt.Sprintf("/%d", w.rng.IntN(3))
	}
	if w.rng.IntN(10) == 0 {
		to = "nobody@im.example"
	}
	body := fmt.Sprintf("m%d.", n)
	w.sent[body] = c.address.String()
	c.put(message(to, []string{"chat", "normal"}[w.rng.IntN(2)], body, body))
}

// acknowledge is what a client says it has.
func (w *world) acknowledge(c *client) {
	if !c.managed {
		return
	}
	if c.parked {
		c.goes(false)
	}
	c.mu.Lock()
	items := c.unacked
	c.mu.Unlock()
	for _, it := range items {
		if s, err := stanza.From(it.Element); err == nil {
			w.note(s)
		}
	}
	c.mu.Lock()
	c.unacked = c.unacked[len(items):]
	c.mu.Unlock()
	c.bed.server.EventOf(c, ackedItems(items))
}

func (w *world) leave() {
	i := w.rng.IntN(len(w.here))
	c := w.here[i]
	w.here = append(w.here[:i:i], w.here[i+1:]...)
	w.gone = append(w.gone, c)
	go c.lose()
}

// note is a message that a client has for good.
func (w *world) note(s stanza.Stanza) {
	if s.Kind() == stanza.Message && !s.IsError() {
		w.has[s.ID()] = true
	}
}

// TestNothingIsLost: every message is with a client that acknowledged it (or never does), or waits in the store, or came back.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	seeds := 40
	if testing.Short() {
		seeds = 8
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) { sumLaw(t, uint64(seed)) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func sumLaw(t *testing.T, seed uint64) {
	w := &world{
		bed: newBed(t, nil, people...), rng: rand.New(rand.NewPCG(seed, 1)),
		sent: map[string]string{}, has: map[string]bool{}, fills: seed%2 == 0,
	}
	for n := range 300 {
		w.step(n)
	}
	synctest.Wait()
	if !w.fills {
		w.crash(t)
	}
	w.store.mu.Lock()
	w.store.full = false
	w.store.mu.Unlock()
	for _, c := range w.here { // what is on the way to nobody comes back or is kept
		go c.lose()
	}
	synctest.Wait()
	for _, c := range append(w.here, w.gone...) {
		if c.settled != c.sent && c.closed != stanza.StreamConflict { // of who was replaced the rest is not taken
			t.Errorf("%s: %d of %d settled", c.address, c.settled, c.sent)
		}
		for _, s := range c.got {
			if !c.managed {
				w.note(s)
			}
		}
	}
	waits := w.waits()
	for body, by := range w.sent {
		if !w.has[body] && !w.gate.bounced[body] && !strings.Contains(waits, ">"+body+"<") {
			t.Errorf("%s of %s is nowhere", body, by)
		}
	}
	if n := w.server.Users(); n != 0 {
		t.Errorf("%d accounts take memory although nobody is there", n)
	}
}

func (w *world) waits() (all string) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	for _, p := range people {
		for _, e := range w.store.waiting[jid.MustParse(p+"@im.example")] {
			all += string(e.Stanza)
		}
	}
	return all
}

// crash looks what would be left if the server died now, when everything is settled: all but what was written to a client that is there.
func (w *world) crash(t *testing.T) {
	there := w.waits()
	for _, c := range append(w.here, w.gone...) {
		for _, s := range c.got {
			if s.Kind() == stanza.Message && (!c.managed || !c.parked && !c.over) {
				there += ">" + s.ID() + "<"
			}
		}
	}
	for body, by := range w.sent {
		if !w.has[body] && !w.gate.bounced[body] && !strings.Contains(there, ">"+body+"<") {
			t.Errorf("%s of %s would be lost", body, by)
		}
	}
}
