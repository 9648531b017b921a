package churn_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
	"sallyport/testbed/scenario"
)

// What is set from outside for longer runs: the first seed, and how many rounds there are of each kind.
const (
	seedVariable   = "CHURN_SEED"
	roundsVariable = "CHURN_ROUNDS"
)

const (
	lasts  = 3 * time.Second // a round at first, while people come and go
	window = 2 * time.Second // in which a session can be resumed
)

const settings = `
[server.login]
mechanisms = ["SCRAM-SHA-256", "PLAIN"]
channel-binding = "never"

[limits]
resume-window = "%s"
close-timeout = "2s"
unacked-stanzas = 300

[server.web]
listen = ["%s"]
url = "https://%s:5443"
bosh = true

[server.components]
listen = ["%s"]

[server.component.echo]
domain = %q
secret = "echo.secret"
`

var users = []string{"a0", "a1", "b0", "b1", "b2", "b3"}

// archived are those whose archive keeps everything. That of the others keeps nothing, so that it does not hide what is lost.
var archived = map[string]bool{"a0": true, "a1": true}

// trouble is what happens to the server in a round.
type trouble string

const (
	reloads trouble = "it reloads"
	stops   trouble = "it is stopped"
	dies    trouble = "it is killed"
)

// world is a server with people.
type world struct {
	t      *testing.T
	home   *imserver.Home
	tls    *tls.Config
	webAt  netip.AddrPort
	hallAt netip.AddrPort

	book    *book
	serial  atomic.Int64
	readers sync.WaitGroup

	mu  sync.Mutex
	rng *rand.Rand
	all []*session
}

func (w *world) intn(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

// begin opens a book for a round.
func (w *world) begin(seed uint64, what trouble) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rng, w.book = rand.New(rand.NewPCG(seed, 1)), newBook(seed) //nolint:gosec // it is to be the same again
	w.book.killed = what == dies
}

func number(variable string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return otherwise
}

// nap is how long somebody does nothing. Nothing is taken to have happened meanwhile.
func nap(d time.Duration) { <-time.After(d) }

// eventually looks until something is so.
func eventually(is func() bool) bool {
	for end := time.Now().Add(scenario.Patience); !is(); nap(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// TestChurn: what the server has acknowledged is with a client of whom it was for, or waits for him, or came back.
func TestChurn(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.prefer()
	seed := uint64(number(seedVariable, 1)) //nolint:gosec // any will do
	for range number(roundsVariable, 1) {
		for _, what := range []trouble{reloads, stops, dies} {
			for span := lasts; !w.churns(seed, what, span); span *= 2 { // on a slow machine nothing may be acknowledged at first
				if span > scenario.Patience {
					t.Fatalf("nothing is acknowledged in %s", span)
				}
				seed++
			}
			seed++
		}
	}
}

// churns is a round that lasts for a time, and what came of it; false: nothing was acknowledged.
func (w *world) churns(seed uint64, what trouble, span time.Duration) bool {
	w.t.Helper()
	w.begin(seed, what)
	w.round(what, span)
	faults, taken := w.book.check()
	w.t.Logf("seed %d, %s: %d messages, %d acknowledged, %d sessions", seed, what, len(w.book.said), taken, w.book.sessions)
	slices.Sort(faults)
	for _, f := range faults[:min(len(faults), 20)] {
		w.t.Error(f)
	}
	if len(faults) > 0 {
		w.t.Fatalf("%d faults with %s=%d", len(faults), seedVariable, seed)
	}
	return taken > 0
}

func open(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "churn")
	if err != nil {
		t.Fatal(err)
	}
	block, err := peers.ClaimBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = block.Close() })
	w := &world{t: t, webAt: netip.AddrPortFrom(block.Addr(1), 5443), hallAt: netip.AddrPortFrom(block.Addr(1), 5347)}
	w.begin(0, reloads)
	w.home, err = imserver.New(imserver.Wishes{
		Dir: dir, Addr: block.Addr(1), Users: users, More: fmt.Sprintf(settings, window, w.webAt, imserver.Domain, w.hallAt, hallDomain),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "echo.secret"), []byte(hallSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(w.home.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	w.tls = &tls.Config{RootCAs: roots, ServerName: imserver.Domain, MinVersion: tls.VersionTLS12}
	w.runs()
	t.Cleanup(func() {
		if err := w.home.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the configuration and the log are kept in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) runs() {
	w.t.Helper()
	if err := w.home.Run(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) stops() {
	w.t.Helper()
	if err := w.home.Stop(); err != nil {
		w.t.Fatal(err)
	}
}

// prefer has archives keep nothing.
func (w *world) prefer() {
	for _, u := range users {
		if archived[u] {
			continue
		}
		s := w.enter(u, "prefs")
		w.await(s, "set", "", "<prefs xmlns='urn:xmpp:mam:2' default='never'/>")
		_ = s.conn().leave() // or it is gone
	}
}

// enter logs in over TCP, with stream management, and must.
func (w *world) enter(user, resource string) *session {
	w.t.Helper()
	var s *session
	var err error
	if !eventually(func() bool {
		var c wire
		if c, err = dialTCP(w.home.Direct.String(), w.tls); err != nil {
			return false
		}
		if s, err = w.come(user, resource, true, c); err != nil {
			c.cut()
		}
		return err == nil
	}) {
		w.t.Fatalf("%s cannot log in: %v", user, err)
	}
	return s
}

// round has people come and go for a while, and then looks what is where.
func (w *world) round(what trouble, span time.Duration) {
	w.t.Helper()
	end := time.Now().Add(span)
	var actors sync.WaitGroup
	live := func(once func()) {
		actors.Go(func() {
			for time.Now().Before(end) {
				once()
			}
		})
	}
	live(func() { w.hall(end) })
	for _, u := range users {
		for n := range 3 {
			live(func() { w.live(u, n, end) })
		}
	}
	switch nap(span/4 + time.Duration(w.intn(int(span/4)))); what {
	case reloads:
		for ; time.Now().Before(end); nap(span / 8) {
			if err := syscall.Kill(w.home.PID(), syscall.SIGHUP); err != nil {
				w.t.Fatal(err)
			}
		}
	case stops:
		w.stops()
		w.runs()
	case dies:
		w.home.Kill()
		w.runs()
	}
	actors.Wait()
	w.settle()
	for _, u := range users {
		w.collect(u)
	}
}

// settle has those who are there hear what they have been promised, and ends all.
func (w *world) settle() {
	w.t.Helper()
	all := w.all
	w.all = nil
	for _, s := range all {
		if s.alive() {
			w.finish(s)
		}
	}
	for _, s := range all {
		if !eventually(func() bool { return s.unanswered() == "" }) {
			w.book.fault("UNANSWERED by %s: %s", s, s.unanswered())
		}
	}
	eventually(func() bool { return w.book.unresolved() == 0 }) // what is refused has come back; check has more patience with the rest
	w.book.stayed()
	for _, s := range all {
		if s.alive() && s.tracked() && w.intn(2) == 0 {
			s.conn().cut()
		} else if s.alive() {
			_ = s.conn().leave() // or it is gone
		}
	}
	if w.intn(2) == 0 { // sessions that nobody comes back for end by themselves, and else with the server
		nap(window + window/4)
	}
	w.stops()
	w.runs()
	for _, s := range all {
		s.conn().cut()
	}
	w.readers.Wait()
}

// collect takes what waits for somebody, twice: the second time there is nothing.
func (w *world) collect(user string) {
	w.t.Helper()
	for turn := range 2 {
		s := w.enter(user, "collector")
		w.book.collects(s)
		w.await(s, "set", "", "<unblock xmlns='urn:xmpp:blocking'/>")
		w.say(s, "<presence/>")
		w.marker(s)
		s.mu.Lock()
		h, n := s.h, len(s.got)
		s.mu.Unlock()
		if turn == 1 && n > 1 {
			w.book.fault("AGAIN %s has %d messages", s, n-1)
		}
		s.ack(h)
		w.await(s, "get", imserver.Domain, ping)
		if turn == 1 && archived[user] {
			w.readArchive(s)
		}
		_ = s.conn().leave() // or it is gone
		if !eventually(func() bool { return !s.alive() }) {
			w.book.fault("%s does not end", s)
		}
	}
}

// await asks, and waits for the answer.
func (w *world) await(s *session, typ, to, payload string) {
	w.t.Helper()
	answered := make(chan struct{})
	w.ask(s, typ, to, payload, func(bool) { close(answered) })
	select {
	case <-answered:
	case <-time.After(scenario.Patience):
		w.t.Fatalf("%s has no answer to %s", s, payload)
	}
}

// marker comes behind everything that waited.
func (w *world) marker(s *session) {
	w.t.Helper()
	mark := fmt.Sprintf("marker %d", w.serial.Add(1))
	w.say(s, fmt.Sprintf("<message type='chat' to='%s@%s' id='x'><body>%s</body></message>", s.account, imserver.Domain, mark))
	if !eventually(func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Contains(s.got, mark)
	}) {
		w.t.Fatalf("%s does not get what it has said to itself", s)
	}
}
