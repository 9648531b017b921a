package server_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/account/accounttest"
	"sallyport/server/roster"
)

// sink is a session that counts.
type sink struct {
	address jid.JID
	got     chan struct{}
}

func (x *sink) Address() jid.JID { return x.address }

func (x *sink) Send(*xmlstream.Element, uint64) stream.Verdict {
	if x.got != nil {
		x.got <- struct{}{}
	}
	return stream.SendNow
}

func (*sink) Settled(*stream.Arrival) {}

func (*sink) Close(stream.Close) {}

func (*sink) Managed() bool { return false }

func (*sink) Standing() (managed, away bool) { return false, false }

// crowd is n accounts, each with one client that is available.
func crowd(b *testing.B, n int) (*server.Server, []*sink) {
	b.Helper()
	ctx := context.Background()
	g := &gate{engine: newEngine(b)}
	directory := &account.Directory{Store: &accounttest.Memory{}, Random: rand.Reader, Now: time.Now}
	if _, err := directory.Store.EnsureDomain(ctx, account.Domain{Name: "im.example", Decoy: make([]byte, 32)}); err != nil {
		b.Fatal(err)
	}
	s, err := server.New(server.Config{
		Gate: g, Directory: directory, Book: &roster.Book{Store: &memory{}, Node: "n", Now: time.Now}, Domains: []jid.JID{jid.MustParse("im.example")},
		Limits: server.Limits{Presences: 1 << 30},
	})
	if err != nil {
		b.Fatal(err)
	}
	g.server = s
	b.Cleanup(s.Close)
	sinks := make([]*sink, n)
	for i := range sinks {
		j := jid.MustParse(fmt.Sprintf("u%d@im.example/r", i))
		if err := directory.Store.CreateAccount(ctx, account.Account{JID: j.Bare(), State: account.Enabled}); err != nil {
			b.Fatal(err)
		}
		sinks[i] = &sink{address: j}
		s.BindTo(sinks[i], stream.BindWanted{Account: j.Bare(), Resource: "r"})
		s.EventOf(sinks[i], stream.ClientReady{Address: j})
		said(b, s, sinks[i], "<presence to='"+j.Bare().String()+"' from='"+j.String()+"'/>", true)
	}
	return s, sinks
}

func said(b *testing.B, s *server.Server, x *sink, raw string, undirected bool) {
	b.Helper()
	e, err := xmlstream.ParseDocument([]byte(raw), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		b.Fatal(err)
	}
	m, err := stanza.From(e)
	if err != nil {
		b.Fatal(err)
	}
	s.ArrivedFrom(x, stream.Arrival{Stanza: m, Undirected: undirected, Pair: stream.Pair{Remote: x.address}})
}

// BenchmarkChat is one message from client to client, judged once.
func BenchmarkChat(b *testing.B) {
	s, sinks := crowd(b, 2)
	to := sinks[1]
	to.got = make(chan struct{}, 64)
	raw := "<message from='u0@im.example/r' id='1' to='u1@im.example/r' type='chat'><body>hello</body></message>"
	b.ReportAllocs()
	for b.Loop() {
		said(b, s, sinks[0], raw, false)
		<-to.got
	}
}

// BenchmarkBroadcast is one change of presence that a thousand contacts see, each with one client.
func BenchmarkBroadcast(b *testing.B) {
	s, sinks := crowd(b, 1001)
	for _, c := range sinks[1:] {
		if _, err := s.ChangeContact(b.Context(), sinks[0].address, c.address, func(i *roster.Item) error {
			i.Subscription = roster.From
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		said(b, s, sinks[0], "<presence from='u0@im.example/r' to='u0@im.example'><show>away</show><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/></presence>", true)
	}
}

// BenchmarkIdle is what one available client takes beside its stream.
func BenchmarkIdle(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		s, sinks := crowd(b, 5000)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(sinks)), "B/client")
		runtime.KeepAlive(s)
	}
}
