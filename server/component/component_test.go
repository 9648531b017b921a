package component_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server/component"
	"sallyport/server/servertest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const (
	plays  = "plays.shakespeare.lit"
	secret = "a secret of 32 bytes or even more"
)

// gate remembers what was submitted.
type gate struct {
	servertest.Gate
	mu   sync.Mutex
	said []string
	t    *testing.T
}

func (g *gate) Submit(_ context.Context, s stanza.Stanza, _ int, done func()) {
	g.mu.Lock()
	g.said = append(g.said, servertest.Text(g.t, s.Element()))
	g.mu.Unlock()
	done()
}

func (g *gate) submitted() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := g.said
	g.said = nil
	return list
}

// world is components in a bubble.
type world struct {
	*testing.T
	all  *component.Components
	gate *gate
}

func bubble(t *testing.T, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, gate: &gate{t: t}}
		var err error
		w.all, err = component.New(component.Config{Gate: w.gate, Secrets: map[jid.JID]string{jid.MustParse(plays): secret}, Link: "local"})
		if err != nil {
			t.Fatal(err)
		}
		test(w)
		w.all.Close()
	})
}

// client is a component under test's other end.
type client struct {
	*world
	net.Conn
	mu   sync.Mutex
	text strings.Builder
	done chan struct{}
}

// connect connects one that reads everything.
func (w *world) connect() *client {
	w.Helper()
	ours, theirs := net.Pipe()
	c := &client{world: w, Conn: ours, done: make(chan struct{})}
	if !w.all.Start(theirs) {
		w.Fatal("the connection is not taken")
	}
	go func() {
		defer close(c.done)
		b := make([]byte, 4096)
		for {
			n, err := ours.Read(b)
			c.mu.Lock()
			c.text.Write(b[:n])
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	w.Cleanup(func() { _ = ours.Close(); <-c.done })
	return c
}

// says writes, and gives what came since.
func (c *client) says(text string) string {
	c.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		c.Error(err)
	}
	return c.got()
}

func (c *client) got() string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.text.String()
	c.text.Reset()
	return text
}

func header(to string) string {
	return "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='" + to + "'>"
}

// login does the handshake.
func (w *world) login() *client {
	w.Helper()
	c := w.connect()
	_, after, _ := strings.Cut(c.says(header(plays)), " id='")
	id, _, _ := strings.Cut(after, "'")
	if got := c.says("<handshake>" + component.Handshake(id, secret) + "</handshake>"); got != "<handshake/>" {
		w.Fatalf("the handshake is answered with %s", got)
	}
	return c
}

// TestHandshake has the value that XEP-0114 leads to for its own stream id.
func TestHandshake(t *testing.T) {
	t.Parallel()
	if got := component.Handshake("3BF96D32", "s3cr3t"); got != "ba33290100f616a33656a931798d6c9011cfa840" {
		t.Errorf("got %s", got)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	bubble(t, func(w *world) {
		d := jid.MustParse(plays)
		c := w.login()
		if !w.all.Connected(d) {
			w.Error("it is not connected")
		}
		second := w.connect()
		_, after, _ := strings.Cut(second.says(header(plays)), " id='")
		id, _, _ := strings.Cut(after, "'")
		if got := second.says("<handshake>" + component.Handshake(id, secret) + "</handshake>"); !strings.Contains(got, "<conflict ") {
			w.Errorf("a second one: %s", got)
		}
		if !w.all.Connected(d) {
			w.Error("the second one took the first one's place away")
		}
		if got := c.says("</stream:stream>"); got != "</stream:stream>" {
			w.Errorf("the end: %s", got)
		}
		synctest.Wait()
		if w.all.Connected(d) {
			w.Error("it is still connected")
		}
		w.login()
	})
}

func TestRefusedStreams(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		says []string
		want string
	}{
		{"another name", []string{header("other.shakespeare.lit")}, "<host-unknown "},
		{"no name", []string{header("")}, "<host-unknown "},
		{"another namespace", []string{"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='" + plays + "'>"}, "<invalid-namespace "},
		{"a wrong secret", []string{header(plays), "<handshake>aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e</handshake>"}, "<not-authorized "},
		{"an empty handshake", []string{header(plays), "<handshake/>"}, "<not-authorized "},
		{"a stanza first", []string{header(plays), "<message from='" + plays + "' to='a@b.example'/>"}, "<not-authorized "},
		{"no XML", []string{"GET / HTTP/1.1\r\n\r\n"}, "<not-well-formed "},
		{"a comment", []string{header(plays), "<!-- -->"}, "<restricted-xml "},
		{"too much before the handshake", []string{header(plays), "<handshake>" + strings.Repeat("a", 20_000)}, "<policy-violation "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(w *world) {
				c := w.connect()
				got := ""
				for _, text := range tc.says {
					got += c.says(text)
				}
				if !strings.Contains(got, tc.want) || !strings.HasSuffix(got, "</stream:stream>") || strings.Count(got, "<stream:stream") != 1 {
					w.Errorf("got %s", got)
				}
			})
		})
	}
}

func TestASilentConnectionEnds(t *testing.T) {
	t.Parallel()
	bubble(t, func(w *world) {
		c := w.connect()
		time.Sleep(time.Minute)
		if _, err := c.Write([]byte("x")); err == nil {
			w.Error("it may be silent for a minute")
		}
	})
}

func TestWhatComponentsSay(t *testing.T) {
	t.Parallel()
	bubble(t, func(w *world) {
		c := w.login()
		said := "<message from='hamlet@plays.shakespeare.lit/x' to='bard@shakespeare.lit'><body>b</body><x xmlns='urn:x'><y/></x></message>"
		if got := c.says(said); got != "" {
			w.Errorf("answered %s", got)
		}
		if got := w.gate.submitted(); len(got) != 1 || got[0] != said {
			w.Errorf("submitted %s", got)
		}
		if got := c.says("<iq type='get' from='" + plays + "' to='bard@shakespeare.lit' id='1'/>"); !strings.Contains(got, "<bad-request ") || !strings.HasPrefix(got, "<iq from='plays.shakespeare.lit' id='1'") {
			w.Errorf("a bad stanza is answered with %s", got)
		}
		if got := c.says(said); got != "" {
			w.Errorf("after a bad stanza: %s", got)
		}
	})
	for name, tc := range map[string][2]string{
		"of another domain":          {"<message from='king@denmark.lit' to='bard@shakespeare.lit'/>", "<invalid-from "},
		"bad, and of another domain": {"<iq type='get' from='king@denmark.lit' to='bard@shakespeare.lit' id='1'/>", "<invalid-from "},
		"of nobody":                  {"<message to='bard@shakespeare.lit'/>", "<improper-addressing "},
		"for nobody":                 {"<message from='" + plays + "'/>", "<improper-addressing "},
		"no stanza":                  {"<x/>", "<unsupported-stanza-type "},
		"of a server":                {"<message xmlns='jabber:server' from='" + plays + "' to='bard@shakespeare.lit'/>", "<invalid-namespace "},
	} {
		bubble(t, func(w *world) {
			c := w.login()
			if got := c.says(tc[0]); !strings.Contains(got, tc[1]) || !strings.HasSuffix(got, "</stream:stream>") {
				w.Errorf("%s: %s", name, got)
			}
			if got := w.gate.submitted(); got != nil {
				w.Errorf("%s: submitted %s", name, got)
			}
		})
	}
}

// delivers gives what became of a message for a component.
func (w *world) delivers(to, body string) (said func() string) {
	w.Helper()
	result := "waits"
	var mu sync.Mutex
	w.all.DeliverStanza(servertest.Stanza(w.T, "<message from='bard@shakespeare.lit/x' to='"+to+"'><body>"+body+"</body></message>"), func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if result = servertest.Condition(err); err == nil {
			result = "delivered"
		}
	})
	return func() string {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return result
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	bubble(t, func(w *world) {
		if got := w.delivers(plays, "b")(); got != "service-unavailable" {
			w.Errorf("to nobody: %s", got)
		}
		c := w.login()
		if got := w.delivers("hamlet@"+plays, "b")(); got != "delivered" {
			w.Errorf("it is %s", got)
		}
		if got := c.got(); got != "<message from='bard@shakespeare.lit/x' to='hamlet@plays.shakespeare.lit'><body>b</body></message>" {
			w.Errorf("it got %s", got)
		}
		// What is in the namespace of components already was another element to whoever judged it.
		if got := w.delivers(plays, "b</body><body xmlns='jabber:component:accept'>hidden</body><body>c")(); got != "delivered" {
			w.Errorf("it is %s", got)
		}
		if got := c.got(); got != "<message from='bard@shakespeare.lit/x' to='plays.shakespeare.lit'><body>b</body><body>c</body></message>" {
			w.Errorf("it got %s", got)
		}
		_ = c.Close()
		synctest.Wait()
		if got := w.delivers(plays, "b")(); got != "service-unavailable" {
			w.Errorf("to one that is gone: %s", got)
		}
	})
}

// loginByHand does the handshake on a connection that nobody reads from then on.
func (w *world) loginByHand() net.Conn {
	w.Helper()
	ours, theirs := net.Pipe()
	if !w.all.Start(theirs) {
		w.Fatal("the connection is not taken")
	}
	b := make([]byte, 4096)
	says := func(text string) string {
		if _, err := io.WriteString(ours, text); err != nil {
			w.Fatal(err)
		}
		n, err := ours.Read(b)
		if err != nil {
			w.Fatal(err)
		}
		return string(b[:n])
	}
	_, after, _ := strings.Cut(says(header(plays)), " id='")
	id, _, _ := strings.Cut(after, "'")
	says("<handshake>" + component.Handshake(id, secret) + "</handshake>")
	synctest.Wait()
	return ours
}

// A component that does not read loses its connection, and nothing of what waited is said to be delivered.
func TestAComponentThatDoesNotRead(t *testing.T) {
	t.Parallel()
	bubble(t, func(w *world) {
		defer w.loginByHand().Close()
		var said []func() string
		for range component.MaxQueue + 2 {
			said = append(said, w.delivers(plays, "b"))
			synctest.Wait()
		}
		if got := said[len(said)-1](); got != "resource-constraint" {
			w.Errorf("one too many: %s", got)
		}
		time.Sleep(time.Minute)
		for i, s := range said[:len(said)-1] {
			if got := s(); got != "remote-server-timeout" {
				w.Fatalf("message %d: %s", i, got)
			}
		}
	})
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]component.Config{
		"no gate":        {},
		"a short secret": {Gate: &servertest.Gate{}, Secrets: map[jid.JID]string{jid.MustParse(plays): "short"}},
		"no domain":      {Gate: &servertest.Gate{}, Secrets: map[jid.JID]string{jid.MustParse("a@" + plays): secret}},
	} {
		if _, err := component.New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
