package server_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/archive"
	"sallyport/server/hybrid"
	"sallyport/server/mam"
)

// shelf is an archive that takes its time, and fails as it is told.
type shelf struct {
	archive.Store
	takes time.Duration

	mu      sync.Mutex
	kept    map[string]map[string]int // by owner and id of the message: how often
	appends int
	broken  bool
}

var errShelf = errors.New("the disk is gone")

// AppendArchive is archive.Store.
func (s *shelf) AppendArchive(_ context.Context, now time.Time, node string, entries []archive.Entry) ([]hybrid.ID, error) {
	time.Sleep(s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.appends++
	if s.broken {
		return nil, errShelf
	}
	for _, e := range entries {
		if strings.HasPrefix(e.MessageID, "bad") {
			return nil, fmt.Errorf("%w: test", archive.ErrEntry)
		}
	}
	ids := make([]hybrid.ID, len(entries))
	for i, e := range entries {
		owner := e.Owner.Local()
		if s.kept == nil {
			s.kept = make(map[string]map[string]int)
		}
		if s.kept[owner] == nil {
			s.kept[owner] = make(map[string]int)
		}
		s.kept[owner][e.MessageID]++
		ids[i], _ = hybrid.After(hybrid.ID{}, now, node)
	}
	return ids, nil
}

// ArchivePrefs and PutArchivePrefs are mam.Store.
func (*shelf) ArchivePrefs(context.Context, jid.JID) ([]byte, error) { return nil, nil }

func (*shelf) PutArchivePrefs(context.Context, jid.JID, []byte) error { return nil }

func (s *shelf) has(owner, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[owner][id] > 0
}

// shelved is a bed with an archive.
func shelved(t *testing.T, takes time.Duration, accounts ...string) (*bed, *shelf) {
	t.Helper()
	s := &shelf{takes: takes}
	b := newBed(t, func(c *server.Config) {
		c.Features = append(c.Features, mam.New(mam.Config{Archive: s, Prefs: s, Gate: c.Gate, Node: "n", Now: time.Now}))
	}, accounts...)
	return b, s
}

// A client need not wait until its first message is kept to send the next, and what it sends meanwhile is kept together.
func TestMessagesAreKeptTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, s := shelved(t, time.Second, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		began := time.Now()
		want := make([]string, 40)
		for i := range want {
			id := fmt.Sprintf("m%02d.", i)
			want[i] = "<body>" + id
			juliet.put(message("romeo@im.example", "chat", id, id))
		}
		juliet.put("<presence to='romeo@im.example/garden'/>") // overtakes nothing
		time.Sleep(10 * time.Second)
		synctest.Wait()
		romeo.gets(append(want, "<presence")...)
		if s.appends > 6 || time.Since(began) > 10*time.Second {
			t.Errorf("%d changes for %d messages", s.appends, len(want))
		}
		if juliet.settled != juliet.sent {
			t.Errorf("%d of %d settled", juliet.settled, juliet.sent)
		}
	})
}

// More than a window is not taken: the client's reader waits.
func TestWindow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, _ := shelved(t, time.Hour, "juliet", "romeo")
		juliet := b.online("juliet@im.example/balcony")
		var taken atomic.Int32
		go func() {
			for i := range 1000 {
				juliet.put(message("romeo@far.example", "chat", fmt.Sprint(i), "x"))
				taken.Add(1)
			}
		}()
		synctest.Wait()
		if n := taken.Load(); n < 64 || n > 128 || juliet.open() != int(n)+1 { // and the one that waits for room
			t.Errorf("%d are taken, %d are open", n, juliet.open())
		}
		time.Sleep(1000 * time.Hour)
		synctest.Wait()
		if taken.Load() != 1000 || juliet.open() != 0 {
			t.Errorf("%d are taken, %d are open", taken.Load(), juliet.open())
		}
	})
}

// open is how much of what it has sent nobody has answered for.
func (c *client) open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent - c.settled
}

// What cannot be kept is refused alone; who ends the session has sent what came before.
func TestOneCannotBeKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, s := shelved(t, time.Second, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		for _, id := range []string{"1.", "2.", "bad.", "3."} {
			juliet.put(message("romeo@im.example", "chat", id, id))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		romeo.gets("<body>1.", "<body>2.", "<body>3.")
		juliet.gets("id='bad.'…internal-server-error")

		s.mu.Lock()
		s.broken = true
		s.mu.Unlock()
		for _, id := range []string{"4.", "5."} {
			juliet.put(message("romeo@im.example", "chat", id, id))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		romeo.gets()
		juliet.gets("id='4.'…internal-server-error", "id='5.'…internal-server-error")

		s.mu.Lock()
		s.broken = false
		s.mu.Unlock()
		juliet.put(message("romeo@im.example", "chat", "6.", "6."))
		juliet.put("<presence to='romeo@im.example/garden'/>")
		juliet.lose()
		time.Sleep(time.Minute)
		synctest.Wait()
		romeo.gets("<body>6.", "<presence", "<presence…unavailable")
		if juliet.settled != juliet.sent {
			t.Errorf("%d of %d settled", juliet.settled, juliet.sent)
		}
	})
}

// stormy is what happens at random: messages in bursts, an archive that fails now and then, clients that vanish in the middle.
type stormy struct {
	*bed
	shelf *shelf
	rng   *rand.Rand
	here  map[string]*client
	all   []*client
	sent  map[string][]string // by sender and recipient: ids in order
	by    map[string]*client  // who sent a message
}

func (w *stormy) step(n int) {
	who := people[w.rng.IntN(len(people))]
	c := w.here[who]
	switch p := w.rng.IntN(20); {
	case c == nil:
		c = w.connect(who+"@im.example/"+fmt.Sprint(n), false)
		w.here[who], w.all = c, append(w.all, c)
		c.put("<presence/>")
	case p < 14:
		w.burst(c, who, n)
	case p < 16:
		w.shelf.mu.Lock()
		w.shelf.broken = !w.shelf.broken
		w.shelf.mu.Unlock()
	case p < 18:
		delete(w.here, who)
		go c.lose()
	default:
		time.Sleep(time.Duration(w.rng.IntN(5000)) * time.Microsecond)
	}
}

func (w *stormy) burst(c *client, who string, n int) {
	to := people[w.rng.IntN(len(people))]
	for i := range 1 + w.rng.IntN(30) {
		id := fmt.Sprintf("%s-%d-%d.", []string{"m", "m", "m", "bad"}[w.rng.IntN(4)], n, i)
		w.sent[who+" "+to], w.by[id] = append(w.sent[who+" "+to], id), c
		c.put(message(to+"@im.example", "chat", id, id))
	}
}

// TestKeptBeforeItIsGiven: every message is with a client or in the offline store, and in both archives before; or its sender was told
// that it is not. Between two people nothing comes out of order.
func TestKeptBeforeItIsGiven(t *testing.T) {
	t.Parallel()
	seeds := 30
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) { storm(t, uint64(seed)) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func storm(t *testing.T, seed uint64) {
	b, s := shelved(t, 2*time.Millisecond, people...)
	w := &stormy{bed: b, shelf: s, rng: rand.New(rand.NewPCG(seed, 2)), here: map[string]*client{}, sent: map[string][]string{}, by: map[string]*client{}}
	for n := range 200 {
		w.step(n)
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	stayed := slices.Collect(maps.Values(w.here))
	for _, c := range stayed {
		c.lose()
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	came, told := map[string]bool{}, map[string]bool{}
	maps.Copy(told, w.gate.bounced)
	for _, c := range w.all {
		if c.settled != c.sent {
			t.Errorf("%s: %d of %d settled", c.address, c.settled, c.sent)
		}
		w.arrived(t, c.got, came)
		for _, m := range c.got {
			if m.IsError() {
				told[m.ID()] = true
			}
		}
	}
	for _, p := range people {
		var waiting []stanza.Stanza
		for _, e := range w.store.waiting[jid.MustParse(p+"@im.example")] {
			waiting = append(waiting, read(t, e.Stanza))
		}
		w.arrived(t, waiting, came)
	}
	for pair, ids := range w.sent {
		for _, id := range ids {
			nobody := !slices.Contains(stayed, w.by[id]) && !s.has(w.by[id].address.Local(), id) // could be told, and it was never taken
			if !came[id] && !told[id] && !nobody {
				t.Errorf("%s of %s is nowhere", id, pair)
			}
		}
	}
}

// arrived are stanzas that somebody was given, or that wait, in their order.
func (w *stormy) arrived(t *testing.T, list []stanza.Stanza, came map[string]bool) {
	last := map[*client]int{} // what two clients of one account say has no order
	for _, m := range list {
		if m.Kind() != stanza.Message || m.IsError() {
			continue
		}
		from, to := m.From().Local(), m.To().Local()
		if !w.shelf.has(from, m.ID()) || !w.shelf.has(to, m.ID()) {
			t.Errorf("%s of %s for %s is not in both archives", m.ID(), from, to)
		}
		at := slices.Index(w.sent[from+" "+to], m.ID())
		if before, ok := last[w.by[m.ID()]]; ok && at <= before {
			t.Errorf("%s of %s for %s is behind the %d. message", m.ID(), from, to, before)
		}
		came[m.ID()], last[w.by[m.ID()]] = true, at
	}
}

func read(t *testing.T, text []byte) stanza.Stanza {
	t.Helper()
	e, err := xmlstream.ParseDocument(text, xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	m, err := stanza.From(e)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
