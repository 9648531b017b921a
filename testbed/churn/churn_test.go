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
	"sallyport/testbed/postgres"
	"sallyport/testbed/scenario"
)

// What is set from outside for longer runs: the first seed, and how many rounds there are of each kind.
const (
	seedVariable   = "CHURN_SEED"
	roundsVariable = "CHURN_ROUNDS"
)

const (
	lasts  = 3 * time.Second // a round, while people come and go
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

	crashes trouble = "its database crashes, and comes back"
	cut     trouble = "its database drops its connections, now and then"
	both    trouble = "its database crashes, and it is killed"
)

// world is a server with people.
type world struct {
	t      *testing.T
	home   *imserver.Home
	store  *postgres.Cluster // nil: SQLite
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
	w.book.killed = what == dies || what == both
	w.book.outage = what == crashes || what == cut || what == both
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
	w := open(t, window, nil)
	w.prefer()
	w.rounds(reloads, stops, dies)
}

// rounds has a round with each trouble, again and again, from one seed to the next.
func (w *world) rounds(troubles ...trouble) {
	w.t.Helper()
	seed := uint64(number(seedVariable, 1)) //nolint:gosec // any will do
	sum := 0
	for range number(roundsVariable, 1) {
		for _, what := range troubles {
			w.begin(seed, what)
			w.round(what)
			faults, taken := w.book.check()
			w.t.Logf("seed %d, %s: %d messages, %d acknowledged, %d sessions", seed, what, len(w.book.said), taken, w.book.sessions)
			slices.Sort(faults)
			for _, f := range faults[:min(len(faults), 20)] {
				w.t.Error(f)
			}
			if len(faults) > 0 {
				w.t.Fatalf("%d faults with %s=%d", len(faults), seedVariable, seed)
			}
			sum += taken
			seed++
		}
	}
	if sum == 0 {
		w.t.Error("nothing was acknowledged in any round")
	}
}

// open runs a server whose sessions can be resumed for so long. It keeps what it keeps on PostgreSQL where there is one.
func open(t *testing.T, resumable time.Duration, database *postgres.Cluster) *world {
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
		Dir: dir, Addr: block.Addr(1), Users: users, More: fmt.Sprintf(settings, resumable, w.webAt, imserver.Domain, w.hallAt, hallDomain),
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
	if w.store = database; database != nil {
		w.moves(database)
	}
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
func (w *world) round(what trouble) {
	w.t.Helper()
	end := time.Now().Add(lasts)
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
	nap(lasts/4 + time.Duration(w.intn(int(lasts/4))))
	w.troubled(what, end)
	actors.Wait()
	w.settle()
	for _, u := range users {
		w.collect(u)
	}
}

// troubled does something to the server.
func (w *world) troubled(what trouble, end time.Time) {
	w.t.Helper()
	var err error
	switch what {
	case reloads:
		for ; time.Now().Before(end) && err == nil; nap(lasts / 8) {
			err = syscall.Kill(w.home.PID(), syscall.SIGHUP)
		}
	case stops:
		w.stops()
		w.runs()
	case dies:
		w.home.Kill()
		w.runs()
	case crashes:
		err = w.store.Crash(func() error {
			nap(time.Duration(w.intn(int(lasts / 4))))
			return nil
		})
	case both:
		err = w.store.Crash(func() error {
			nap(time.Duration(w.intn(int(lasts / 8))))
			w.home.Kill()
			return nil
		})
		w.runs()
	case cut:
		for ; time.Now().Before(end) && err == nil; nap(time.Duration(w.intn(int(lasts / 8)))) {
			err = w.cutsDatabase()
		}
	}
	if err != nil {
		w.t.Fatal(err)
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
	eventually(func() bool { return w.book.unresolved(w.waiting()) == 0 }) // what is refused has come back; check has more patience with the rest
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
