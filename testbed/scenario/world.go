package scenario

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/testbed/client"
	"sallyport/testbed/peers"
)

// Patience is how long anything that should happen may take on a busy machine. It matters only where something fails.
const Patience = 90 * time.Second

// Quiet is how long a scenario listens for what must not arrive, after something that came later has arrived.
const Quiet = 500 * time.Millisecond

// World is what a scenario plays in. Inside is Prosody's domain, outside ejabberd's.
type World struct {
	Bed    *peers.Bed
	Middle Middle
	driver *client.Driver
	setup  Setup
	users  atomic.Int64
}

// Setup says how a world departs from the usual.
type Setup struct {
	Peers  peers.Options
	Middle Middle // nil: nothing between
	// AnyCertificate lets the clients of both servers log in although the certificates are the point of the scenario.
	AnyCertificate bool
}

// Open makes a world and runs it; it ends with the test.
func Open(t *testing.T, s Setup) *World {
	t.Helper()
	dir, err := os.MkdirTemp("", "scenario")
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Middle: s.Middle, setup: s}
	if w.Middle == nil {
		w.Middle = &Direct{}
	}
	t.Cleanup(func() { w.end(t, dir) })
	if w.Bed, err = peers.OpenBed(dir, s.Peers); err != nil {
		t.Fatal(err)
	}
	if err := w.Middle.Start(w.Bed); err != nil {
		t.Fatalf("what stands between: %v", err)
	}
	started := make(chan error, 1)
	go func() { started <- w.Bed.Start() }()
	w.driver, err = client.StartDriver()
	if err := errors.Join(err, <-started); err != nil {
		t.Fatal(err)
	}
	return w
}

// end stops everything and keeps the files of a failed test, saying where they are.
func (w *World) end(t *testing.T, dir string) {
	var all []error
	if w.driver != nil {
		all = append(all, w.driver.Close())
	}
	all = append(all, w.Middle.Close())
	if w.Bed != nil {
		all = append(all, w.Bed.Close())
	}
	if err := errors.Join(all...); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		w.keep(t, dir)
		return
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}

func (w *World) keep(t *testing.T, dir string) {
	t.Logf("configurations and logs are kept in %s", dir)
	if w.Bed == nil {
		return
	}
	for _, s := range []*peers.Server{w.Bed.Prosody, w.Bed.Ejabberd} {
		if s != nil {
			t.Logf("--- %s says at the end\n%s", s.Name, s.LogTail(3000))
		}
	}
}

// gateway is the one that stands between, the inner one of two.
func (w *World) gateway(t testing.TB) *Gateway {
	t.Helper()
	g, ok := w.Middle.(interface{ inner() *Gateway })
	if !ok {
		t.Fatal("there is no gateway")
	}
	return g.inner()
}

// User is a logged-in client that fails its test instead of returning errors.
type User struct {
	*client.Client
	t testing.TB

	patience time.Duration // zero is Patience
}

// Inside logs a new user of Prosody in; name is made unique.
func (w *World) Inside(t testing.TB, name string, interests ...string) *User {
	t.Helper()
	return w.user(t, w.Bed.Prosody, name, interests)
}

// Outside logs a new user of ejabberd in.
func (w *World) Outside(t testing.TB, name string, interests ...string) *User {
	t.Helper()
	return w.user(t, w.Bed.Ejabberd, name, interests)
}

func (w *World) user(t testing.TB, s *peers.Server, name string, interests []string) *User {
	t.Helper()
	return w.login(t, client.Account{
		User: fmt.Sprintf("%s-%d", name, w.users.Add(1)), Domain: s.Domain, Resource: "test", Server: s.Clients(), Interests: interests,
	})
}

// login makes the account if it is not there and logs in.
func (w *World) login(t testing.TB, a client.Account) *User {
	t.Helper()
	a.Password, a.Register = "pw", true
	if !w.setup.AnyCertificate {
		a.CA = w.Bed.CA.File
	}
	c, err := w.driver.Login(a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // a server that was stopped has closed it already
	return &User{Client: c, t: t}
}

// Room is the address of a new room on a server.
func (w *World) Room(s *peers.Server) string {
	return fmt.Sprintf("room-%d@%s", w.users.Add(1), s.Rooms())
}
