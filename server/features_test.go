package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
)

const nsTest = "urn:test"

// echo answers with who asked what where.
func echo(at ...server.Target) server.Feature {
	return server.Feature{Name: "echo", IQ: []server.IQRoute{{Space: nsTest, At: at, Handle: func(_ context.Context, q *server.Request) server.Answer {
		if q.Payload.Local() == "fail" {
			return server.Answer{Condition: stanza.NotAcceptable, Text: "no", App: tree.New(nsTest, "why")}
		}
		where := [...]string{server.AtAccount: "account", server.AtOthers: "others", server.AtServer: "server"}[q.At]
		return server.Answer{Payload: tree.New(nsTest, where, tree.Attr("account", q.Account.String()), tree.Attr("domain", q.Domain.String()), tree.Attr("from", q.From.String()))}
	}}}}
}

func with(features ...server.Feature) func(*server.Config) {
	return func(c *server.Config) { c.Features = features }
}

func TestRequestsFindTheirFeature(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, with(echo(server.AtAccount, server.AtOthers, server.AtServer)), "juliet", "romeo")
		juliet := b.login("juliet@im.example/balcony")
		for _, tt := range []struct{ to, payload, want string }{
			{"", "get", "<iq from='juliet@im.example' id='q' to='juliet@im.example/balcony' type='result'><account xmlns='urn:test' account='juliet@im.example' domain='im.example' from='juliet@im.example/balcony'/></iq>"},
			{"to='juliet@im.example'", "get", "<account "},
			{"to='im.example'", "get", "<iq from='im.example' id='q' to='juliet@im.example/balcony' type='result'><server xmlns='urn:test' domain='im.example'"},
			{"to='romeo@im.example'", "get", "<iq from='romeo@im.example' id='q'…<others xmlns='urn:test' account='romeo@im.example'"},
			{"to='nobody@im.example'", "get", "type='error'…service-unavailable"},
			{"to='im.example'", "fail", "type='error'><error type='modify'><not-acceptable…<text…>no</text><why xmlns='urn:test'/>"},
			{"to='im.example/x'", "get", "type='error'…service-unavailable"},
		} {
			juliet.say("<iq " + tt.to + " type='get' id='q'><" + tt.payload + " xmlns='urn:test'/></iq>")
			juliet.gets(tt.want)
		}
		juliet.say("<iq type='get' id='q'><x xmlns='urn:nobody'/></iq>")
		juliet.gets("type='error'…service-unavailable")
		juliet.say("<iq type='result' id='nobody asked'/>")
		juliet.gets()
		b.fromFar("<iq from='nurse@far.example/x' to='juliet@im.example' type='get' id='far'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
		b.farGets("<iq from='juliet@im.example' id='far' to='nurse@far.example/x' type='error'…service-unavailable")
		if juliet.settled != juliet.sent {
			t.Errorf("%d of %d settled", juliet.settled, juliet.sent)
		}
	})
}

func TestTwoFeaturesWantOneRequest(t *testing.T) {
	t.Parallel()
	cfg := server.Config{Gate: &gate{}, Domains: []jid.JID{jid.MustParse("im.example")}}
	if _, err := server.New(cfg); err == nil {
		t.Error("a server without accounts")
	}
	bubbleless := func(features ...server.Feature) error {
		b := newBed(t, nil)
		cfg := server.Config{Gate: b.gate, Directory: b.directory, Book: b.book, Domains: cfg.Domains, Features: features}
		s, err := server.New(cfg)
		if err == nil {
			s.Close()
		}
		return err
	}
	if bubbleless(echo(server.AtServer), echo(server.AtServer)) == nil {
		t.Error("two for one request")
	}
	if err := bubbleless(echo(server.AtServer), echo(server.AtAccount)); err != nil {
		t.Error(err)
	}
}

// What features make of what goes out and what comes in.
func TestFeaturesSeeWhatPasses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		mark := func(p *server.Passing, how string) {
			e := p.Stanza.Element()
			nodes := []xmlstream.Node{xmlstream.ElementNode(tree.New(nsTest, how, tree.Attr("self", map[bool]string{true: "yes"}[p.Self])))}
			for i := range e.NumNodes() {
				nodes = append(nodes, e.NodeAt(i))
			}
			p.Stanza, _ = p.Stanza.WithElement(e.WithNodes(nodes...))
		}
		has := func(p *server.Passing, word string) bool { return strings.Contains(written(t, p.Stanza), word) }
		f := server.Feature{
			Name: "marks",
			Sends: func(_ context.Context, p *server.Passing) error {
				if has(p, "not out") {
					return &server.Bounce{Condition: stanza.NotAcceptable, App: tree.New(nsTest, "why"), Cause: errors.New("test")}
				}
				mark(p, "out")
				return nil
			},
			Comes: func(_ context.Context, p *server.Passing) error {
				switch {
				case has(p, "not in"):
					return &server.Bounce{Condition: stanza.Gone}
				case has(p, "taken"):
					return server.ErrTaken
				case has(p, "broken"):
					return errors.New("disk full")
				}
				mark(p, "in")
				return nil
			},
		}
		b := newBed(t, with(f), "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		for _, tt := range []struct{ body, juliet, romeo string }{
			{"hello", "", "<in xmlns='urn:test'/><out xmlns='urn:test'/><body>hello"},
			{"not out", "type='error'…<not-acceptable…<why xmlns='urn:test'/>", ""},
			{"not in", "type='error'…<gone", ""},
			{"taken", "", ""},
			{"broken", "type='error'…<internal-server-error", ""},
		} {
			juliet.say(message("romeo@im.example", "chat", "1", tt.body))
			for c, want := range map[*client]string{juliet: tt.juliet, romeo: tt.romeo} {
				if want == "" {
					c.gets()
				} else {
					c.gets(want)
				}
			}
		}
		juliet.say(message("juliet@im.example", "chat", "1", "note"))
		juliet.gets("<in xmlns='urn:test' self='yes'/><out xmlns='urn:test' self='yes'/><body>note")
	})
}

// Whom an account blocks sees nothing of it.
func TestBlocked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var b *bed
		romeoBlocked := false
		f := echo(server.AtOthers)
		f.Blocks = func(_ context.Context, account, other jid.JID) bool {
			return romeoBlocked && account.Local() == "juliet" && other.Local() == "romeo"
		}
		b = newBed(t, with(f), "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		friends(juliet, romeo)
		romeoBlocked = true
		b.server.Show(t.Context(), juliet.address.Bare(), romeo.address.Bare(), false)
		romeo.gets("type='unavailable'") // the last that he is told
		juliet.say("<presence><show>dnd</show></presence>")
		juliet.drain()
		romeo.say("<iq to='juliet@im.example' type='get' id='1'><get xmlns='urn:test'/></iq>")
		romeo.say("<iq to='juliet@im.example/balcony' type='get' id='2'><get xmlns='urn:test'/></iq>")
		romeo.gets("id='1'…service-unavailable", "id='2'…service-unavailable")
		juliet.gets()
		romeoBlocked = false
		b.server.Show(t.Context(), juliet.address.Bare(), romeo.address.Bare(), true)
		romeo.gets("<show>dnd")
	})
}

// An answer counts only from whom was asked (bad-inputs H07).
func TestAsking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		request, err := tree.IQ(stanza.IQGet, jid.MustParse("im.example"), juliet.address, "", tree.New("urn:xmpp:ping", "ping"))
		if err == nil {
			t.Fatal("an iq without id")
		}
		if request, err = tree.IQ(stanza.IQGet, jid.MustParse("im.example"), juliet.address, "x", tree.New("urn:xmpp:ping", "ping")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		type result struct {
			s   stanza.Stanza
			err error
		}
		done := make(chan result, 1)
		go func() {
			s, err := b.server.Ask(ctx, request)
			done <- result{s, err}
		}()
		synctest.Wait()
		juliet.mu.Lock()
		id := juliet.got[0].ID()
		juliet.mu.Unlock()
		romeo.say("<iq to='im.example' type='result' id='" + id + "'/>")
		select {
		case <-done:
			t.Fatal("somebody else answered")
		default:
		}
		juliet.say("<iq to='im.example' type='result' id='" + id + "'/>")
		if r := <-done; r.err != nil || r.s.Type() != stanza.IQResult {
			t.Errorf("%v, %v", r.s.Type(), r.err)
		}
		go func() {
			s, err := b.server.Ask(ctx, request)
			done <- result{s, err}
		}()
		if r := <-done; !errors.Is(r.err, context.DeadlineExceeded) {
			t.Errorf("nobody answered: %v", r.err)
		}
	})
}

// What is told goes to clients that are connected, and is judged.
func TestTelling(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.login("juliet@im.example/balcony")
		to := func(from, to string) stanza.Stanza {
			m, err := tree.Message(stanza.MessageHeadline, jid.MustParse(from), jid.MustParse(to), "")
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		if err := b.server.Tell(t.Context(), to("im.example", "juliet@im.example/balcony")); err != nil {
			t.Error(err)
		}
		juliet.gets("headline")
		for _, who := range []string{"juliet@im.example/gone", "nobody@im.example/x", "juliet@far.example/balcony"} {
			if b.server.Tell(t.Context(), to("im.example", who)) == nil {
				t.Errorf("%s was told", who)
			}
		}
		if c, a := b.server.Connected(juliet.address), b.server.Resources(juliet.address); len(c) != 1 || len(a) != 0 {
			t.Errorf("connected %v, available %v", c, a)
		}
		juliet.say("<presence><priority>5</priority></presence>")
		if a := b.server.Resources(juliet.address); len(a) != 1 || a[0].Priority != 5 || !a[0].Active || a[0].JID != juliet.address {
			t.Errorf("available %v", a)
		}
	})
}

// Close keeps what clients had not acknowledged.
func TestClosing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo, juliet := b.online("romeo@im.example/garden"), b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		romeo.say(message("juliet@im.example", "chat", "1", "hello"))
		juliet.lose()
		b.server.Close()
		if n := b.waiting("juliet@im.example"); n != 1 {
			t.Errorf("%d wait", n)
		}
		var got error
		r, err := b.gate.Release(to(t, "romeo@im.example/garden", "juliet@im.example"))
		if err != nil {
			t.Fatal(err)
		}
		b.server.Deliver(r, func(err error) { got = err })
		if !errors.Is(got, server.ErrClosed) {
			t.Errorf("got %v", got)
		}
	})
}

func to(t *testing.T, from, to string) stanza.Stanza {
	t.Helper()
	m, err := tree.Message(stanza.MessageChat, jid.MustParse(from), jid.MustParse(to), "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Who was disabled or removed, by whatever process, does not stay for long.
func TestAccountsThatAreClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo", "nurse")
		juliet, romeo, nurse := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden"), b.online("nurse@im.example/x")
		if err := b.directory.SetState(t.Context(), juliet.address.Bare(), account.Disabled); err != nil {
			t.Fatal(err)
		}
		if err := b.directory.Remove(t.Context(), nurse.address.Bare()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute) // virtual
		romeo.drain()
		if juliet.closed != stanza.StreamNotAuthorized || nurse.closed != stanza.StreamNotAuthorized || romeo.over {
			t.Errorf("closed with %v, %v, %v", juliet.closed, nurse.closed, romeo.closed)
		}
		romeo.say(message("juliet@im.example", "chat", "1", "x"))
		romeo.gets("type='error'…service-unavailable")
	})
}
