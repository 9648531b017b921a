package server_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/account/accounttest"
	"sallyport/server/roster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bed is a server with accounts whose clients have no sockets.
type bed struct {
	t      *testing.T
	server *server.Server
	gate   *gate
	store  *memory

	directory *account.Directory
	book      *roster.Book
}

// newBed makes a server of im.example with accounts. It runs in a bubble, so that everything that goes on can be waited for.
func newBed(t *testing.T, change func(*server.Config), accounts ...string) *bed {
	t.Helper()
	b := &bed{t: t, gate: &gate{t: t, engine: newEngine(t)}, store: &memory{}}
	directory := &account.Directory{Store: &accounttest.Memory{}, Random: rand.Reader, Now: time.Now}
	b.directory = directory
	ctx := context.Background()
	if _, err := directory.Store.EnsureDomain(ctx, account.Domain{Name: "im.example", Decoy: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		if err := directory.Store.CreateAccount(ctx, account.Account{JID: jid.MustParse(a + "@im.example"), State: account.Enabled}); err != nil {
			t.Fatal(err)
		}
	}
	b.book = &roster.Book{Store: b.store, Node: "n", Now: time.Now}
	cfg := server.Config{
		Gate: b.gate, Directory: directory, Book: b.book, Offline: b.store,
		Domains: []jid.JID{jid.MustParse("im.example")},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if b.server, err = server.New(cfg); err != nil {
		t.Fatal(err)
	}
	b.gate.server = b.server
	t.Cleanup(b.server.Close)
	return b
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, do func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, do)
}

// client is a session without a stream.
type client struct {
	bed     *bed
	address jid.JID
	managed bool
	enables bool // stream management begins with the next message that it is sent

	mu       sync.Mutex
	got      []stanza.Stanza
	unacked  []stream.Item
	settled  int
	sent     int
	over     bool
	closed   stanza.StreamCondition
	ledger   *stream.Session
	overflow bool
	most     int  // stanzas that may wait for its acknowledgement, of those that can wait to be sent; 0: any
	parked   bool // it has no connection, and may come back
}

// login binds a resource.
func (b *bed) login(full string) *client { return b.connect(full, false) }

// managed is login with stream management.
func (b *bed) managed(full string) *client { return b.connect(full, true) }

func (b *bed) connect(full string, managed bool) *client {
	b.t.Helper()
	j := jid.MustParse(full)
	c := &client{bed: b, address: j, managed: managed, ledger: stream.NewSession(stream.ManageConfig{})}
	in := b.server.BindTo(c, stream.BindWanted{Account: j.Bare(), Resource: j.Resource()})
	if _, ok := in.(stream.Bound); !ok {
		b.t.Fatalf("bind %s: %#v", full, in)
	}
	b.server.EventOf(c, stream.ClientReady{Address: j, Managed: managed})
	return c
}

// online is login and presence.
func (b *bed) online(full string) *client {
	b.t.Helper()
	c := b.login(full)
	c.say("<presence/>")
	c.drain()
	return c
}

// Address is server.Session.
func (c *client) Address() jid.JID { return c.address }

// Managed is server.Session.
func (c *client) Managed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.managed
}

// Standing is server.Session.
func (c *client) Standing() (managed, away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.managed, c.parked
}

// Send is server.Session.
func (c *client) Send(e *xmlstream.Element, token uint64) stream.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.over:
		return stream.SendClosed
	case c.overflow:
		return stream.SendFull
	}
	s, err := stanza.From(e)
	if err != nil {
		c.bed.t.Errorf("the server sent %v", err)
	}
	c.got = append(c.got, s)
	if c.enables && s.Kind() == stanza.Message {
		c.managed = true
	}
	if c.managed {
		c.unacked = append(c.unacked, stream.Item{Element: e, Token: token})
	}
	if c.parked {
		return stream.SendKept
	}
	return stream.SendNow
}

// Settled is server.Session.
func (c *client) Settled(*stream.Arrival) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled++
}

// Close is server.Session.
func (c *client) Close(in stream.Close) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = in.Condition
	if !c.over {
		go c.lose()
	}
}

// lose ends the session with what the client has not acknowledged.
func (c *client) lose() {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	c.over = true
	end := stream.Closed{Cause: stream.ConnLost, Unconfirmed: c.unacked}
	c.unacked = nil
	c.mu.Unlock()
	c.bed.server.ClosedBy(c, end)
}

// ack acknowledges everything.
func (c *client) ack() {
	c.mu.Lock()
	items := c.unacked
	c.unacked = nil
	c.mu.Unlock()
	c.bed.server.EventOf(c, stream.Acked{Items: items})
}

// say sends raw XML, and waits until nothing goes on.
func (c *client) say(raw string) {
	c.bed.t.Helper()
	c.put(raw)
	synctest.Wait()
}

func (c *client) put(raw string) {
	c.bed.t.Helper()
	e, err := xmlstream.ParseDocument([]byte(raw), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		c.bed.t.Fatalf("%s: %v", raw, err)
	}
	a := stream.Arrival{Pair: stream.Pair{Local: c.address.DomainJID(), Remote: c.address}}
	e = e.WithAttr(xmlstream.Name{Local: "from"}, c.address.String())
	if _, ok := e.Attr("to"); !ok {
		a.Undirected = true
		e = e.WithAttr(xmlstream.Name{Local: "to"}, c.address.Bare().String())
	}
	if a.Stanza, err = stanza.From(e); err != nil {
		c.bed.t.Fatalf("%s: %v", raw, err)
	}
	c.sent++
	c.bed.server.ArrivedFrom(c, a)
}

// settles waits until nothing goes on.
func (b *bed) settles() { synctest.Wait() }

// drain forgets what has come.
func (c *client) drain() []string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, s := range c.got {
		list = append(list, written(c.bed.t, s))
	}
	c.got = nil
	return list
}

func written(t *testing.T, s stanza.Stanza) string {
	t.Helper()
	b, err := xmlstream.AppendElement(nil, s.Element(), xmlstream.NSServer)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// gets checks what has come since the last look: each in order, by parts of it divided by "…".
func (c *client) gets(want ...string) {
	c.bed.t.Helper()
	check(c.bed.t, c.address.String(), c.drain(), want)
}

// far is what the neighbour got since the last look.
func (b *bed) farGets(want ...string) {
	b.t.Helper()
	synctest.Wait()
	b.gate.mu.Lock()
	var got []string
	for _, s := range b.gate.far {
		got = append(got, written(b.t, s))
	}
	b.gate.far = nil
	b.gate.mu.Unlock()
	check(b.t, "the neighbour", got, want)
}

// fromFar is what the neighbour sends.
func (b *bed) fromFar(raw string) {
	b.t.Helper()
	e, err := xmlstream.ParseDocument([]byte(raw), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := stanza.From(e)
	if err != nil {
		b.t.Fatal(err)
	}
	b.gate.Submit(b.t.Context(), s, 0, func() {})
	synctest.Wait()
}

func check(t *testing.T, who string, got, want []string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		rest := got[i]
		for part := range strings.SplitSeq(want[i], "…") {
			at := strings.Index(rest, part)
			if at < 0 {
				ok = false
				break
			}
			rest = rest[at+len(part):]
		}
	}
	if !ok {
		t.Errorf("%s got\n\t%s\nwant\n\t%s", who, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func message(to, kind, id, body string) string {
	return fmt.Sprintf("<message to='%s' type='%s' id='%s'><body>%s</body></message>", to, kind, id, body)
}

func unconfirmedItems(items []stream.Item) stream.Unconfirmed {
	return stream.Unconfirmed{Items: items}
}

func ackedItems(items []stream.Item) stream.Acked { return stream.Acked{Items: items} }
