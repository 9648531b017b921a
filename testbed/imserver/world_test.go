package imserver_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
	"sallyport/testbed/scenario"
)

// oldClients lets clients in that fail where a login could be bound to TLS 1.3: COMPAT(slixmpp, 1.8).
const oldClients = "\n[server.login]\nmechanisms = [\"SCRAM-SHA-256\", \"PLAIN\"]\nchannel-binding = \"never\"\n"

// world is a home with people, and perhaps a Prosody on the other side of its boundary.
type world struct {
	t      *testing.T
	home   *imserver.Home
	driver *client.Driver
	bed    *peers.Bed      // nil: there is nobody else
	beyond *peers.Server   // the one of it that runs
	acked  map[string]bool // what juliet has said that the server has acknowledged
}

func alone(t *testing.T, users ...string) *world {
	t.Helper()
	return aloneAs(t, imserver.Wishes{Users: users})
}

// aloneAs is alone with more wishes.
func aloneAs(t *testing.T, wishes imserver.Wishes) *world {
	t.Helper()
	block, err := peers.ClaimBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = block.Close() })
	w := &world{t: t, acked: map[string]bool{}}
	wishes.Dir, wishes.Addr, wishes.More = w.dir(), block.Addr(1), oldClients
	w.open(wishes)
	return w
}

// beside is alone with a Prosody beyond.
func beside(t *testing.T, users ...string) *world {
	t.Helper()
	return besideOne(t, prosody, users...)
}

func prosody(b *peers.Bed) (*peers.Server, *peers.Names) { return b.Prosody, b.Inner }

// besideOne is alone with one of the servers of a bed beyond, and the name server that it asks.
func besideOne(t *testing.T, choose func(*peers.Bed) (*peers.Server, *peers.Names), users ...string) *world {
	t.Helper()
	return besideAs(t, peers.Options{}, choose, users...)
}

// besideAs is besideOne in a bed that is as one wants it.
func besideAs(t *testing.T, o peers.Options, choose func(*peers.Bed) (*peers.Server, *peers.Names), users ...string) *world {
	t.Helper()
	w := &world{t: t}
	dir := w.dir()
	var err error
	if w.bed, err = peers.OpenBed(dir, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.bed.Close(); err != nil {
			t.Error(err)
		}
	})
	home := filepath.Join(dir, "home")
	pair, err := w.bed.CA.Issue("home", imserver.Domain)
	if err := errors.Join(err, copyFile(pair.Cert, filepath.Join(home, "certs/server.pem"), 0o644), copyFile(pair.Key, filepath.Join(home, "certs/server.key"), 0o600)); err != nil {
		t.Fatal(err)
	}
	beyond, names := choose(w.bed)
	w.beyond = beyond
	servers := netip.AddrPortFrom(w.bed.Inside(), 5269)
	w.open(imserver.Wishes{
		Dir: home, Addr: w.bed.Inside(), Users: users, More: oldClients, Flags: []string{
			"--outside", beyond.Domain, "--outside", beyond.Rooms(), "--route", beyond.Servers().String(),
			"--listen-servers", servers.String(), "--trust", w.bed.CA.File,
		},
	})
	w.home.CA = w.bed.CA.File
	names.Publish(imserver.Domain, servers)
	for _, own := range []string{beyond.Domain, beyond.Rooms()} {
		names.Publish(own, beyond.Servers())
	}
	if err := beyond.Start(); err != nil {
		t.Fatal(err)
	}
	return w
}

// dir is one for the whole world, which is kept where a test fails.
func (w *world) dir() string {
	w.t.Helper()
	dir, err := os.MkdirTemp("", "imserver")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("configurations and logs are kept in %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			w.t.Error(err)
		}
	})
	return dir
}

func (w *world) open(wishes imserver.Wishes) {
	w.t.Helper()
	var err error
	if w.home, err = imserver.New(wishes); err != nil {
		w.t.Fatal(err)
	}
	if err := w.home.Run(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := w.home.Close(); err != nil {
			w.t.Error(err)
		}
	})
	if w.driver, err = client.StartDriver(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := w.driver.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

func copyFile(from, to string, mode os.FileMode) error {
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, mode)
}

// person is a client that fails its test instead of returning errors.
type person struct {
	*client.Client
	t *testing.T
}

// login lets one of the home's people in.
func (w *world) login(name, resource string) *person {
	w.t.Helper()
	return w.enter(client.Account{
		User: name, Domain: imserver.Domain, Resource: resource, Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA,
	})
}

// stranger lets somebody of the server beyond in.
func (w *world) stranger(name string) *person {
	w.t.Helper()
	p := w.beyond
	return w.enter(client.Account{User: name, Domain: p.Domain, Resource: "test", Password: "pw", Server: p.Clients(), CA: w.bed.CA.File, Register: true})
}

func (w *world) enter(a client.Account) *person {
	w.t.Helper()
	c, err := w.driver.Login(a)
	if err != nil {
		w.t.Fatalf("login of %s: %v\n%s", a.User, err, w.logTail())
	}
	w.t.Cleanup(func() { _ = c.Close() }) // a server that was stopped has closed it already
	return &person{c, w.t}
}

func (w *world) logTail() string {
	b, err := os.ReadFile(w.home.Log())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-3000):])
}

func (p *person) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) says(to, body string, extra ...string) {
	p.t.Helper()
	p.must(p.Send(client.Message{To: to, Body: body, Extra: extra}))
}

func (p *person) sees(match func(client.Event) bool) client.Event {
	p.t.Helper()
	e, err := p.Expect(scenario.Patience, match)
	p.must(err)
	return e
}

func (p *person) hears(body string) client.Event {
	p.t.Helper()
	return p.sees(func(e client.Event) bool { return e.Kind == "message" && e.Type != "error" && e.Body == body })
}

// seesPresence waits for presence of a type ("" is available) from a full or bare address.
func (p *person) seesPresence(kind, from string) client.Event {
	p.t.Helper()
	return p.sees(func(e client.Event) bool {
		bare, _, _ := strings.Cut(e.From, "/")
		return e.Kind == "presence" && e.Type == kind && (e.From == from || bare == from)
	})
}

// quiet is how long it is listened for what must not arrive, after something that came later has arrived.
const quiet = 500 * time.Millisecond

// befriends makes two people see each other's presence, each asked and approved (RFC 6121 §3).
func (p *person) befriends(other *person) {
	p.t.Helper()
	p.must(p.Presence(other.Bare(), "subscribe", ""))
	other.seesPresence("subscribe", p.Bare())
	p.must(other.Presence(p.Bare(), "subscribed", ""))
	p.seesPresence("", other.Bare())
	p.must(other.Presence(p.Bare(), "subscribe", ""))
	p.seesPresence("subscribe", other.Bare())
	p.must(p.Presence(other.Bare(), "subscribed", ""))
	other.seesPresence("", p.Bare())
}
