package sis_test

import (
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// bench is a server with clients that are bytes in the hands of a test.
type bench struct {
	t   testing.TB
	now time.Time
	s   *sis.Server
}

func newBench(t testing.TB, change func(*sis.ServerConfig)) *bench {
	t.Helper()
	cfg := sis.DefaultServerConfig()
	if change != nil {
		change(&cfg)
	}
	s, err := sis.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, start, s}
}

func (b *bench) attach() sis.ClientID {
	b.t.Helper()
	id, err := b.s.Attach(b.now)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// bind attaches a client and binds it; what that says is dropped.
func (b *bench) bind(sap s5066.SAP, rank s5066.Rank, service s5066.ServiceType) sis.ClientID {
	b.t.Helper()
	id := b.attach()
	b.send(id, sis.BindRequest{SAP: sap, Rank: rank, Service: service})
	b.hears(id, "S_BIND_ACCEPTED")
	b.events("Bound")
	return id
}

func (b *bench) send(id sis.ClientID, list ...sis.Primitive) {
	b.t.Helper()
	b.s.Bytes(b.now, id, encode(b.t, list...))
}

// wait lets time pass, and stops at each deadline on the way.
func (b *bench) wait(d time.Duration) {
	b.t.Helper()
	end := b.now.Add(d)
	for range 1000 {
		at, ok := b.s.Deadline()
		if !ok || at.After(end) {
			b.now = end
			return
		}
		b.now = at
		b.s.Tick(b.now)
	}
	b.t.Fatal("a deadline does not go away by Tick")
}

// output takes what the server has for a client and decodes it.
func (b *bench) output(id sis.ClientID) (list []sis.Primitive, closing bool) {
	b.t.Helper()
	var d sis.Decoder
	for {
		out, end := b.s.Output(id)
		closing = end
		if len(out) == 0 {
			break
		}
		d.Push(out)
	}
	for {
		p, err := d.Next()
		if err == sis.ErrShort {
			break
		}
		if err != nil {
			b.t.Fatalf("the server wrote something unusable: %v", err)
		}
		list = append(list, p)
	}
	if d.Partial() {
		b.t.Fatal("the server wrote half a primitive")
	}
	return list, closing
}

// hears checks what a client is told, in words: the type, and the reason where there is one;
// "closed" at the end of the connection.
func (b *bench) hears(id sis.ClientID, want ...string) []sis.Primitive {
	b.t.Helper()
	list, closing := b.output(id)
	got := []string{}
	for _, p := range list {
		got = append(got, words(p))
	}
	if closing {
		got = append(got, "closed")
	}
	compare(b.t, fmt.Sprintf("client %d hears", id), got, want)
	return list
}

// events checks what the node is told, by the names of the events.
func (b *bench) events(want ...string) []sis.ServerEvent {
	b.t.Helper()
	list := b.s.Events()
	got := []string{}
	for _, e := range list {
		got = append(got, fmt.Sprintf("%T", e)[len("sis."):])
	}
	compare(b.t, "node is told", got, want)
	return list
}

func words(p sis.Primitive) string {
	switch p := p.(type) {
	case sis.BindRejected:
		return fmt.Sprintf("%s(%d)", p.Type(), p.Reason)
	case sis.UnbindIndication:
		return fmt.Sprintf("%s(%d)", p.Type(), p.Reason)
	case sis.UnidataRejected:
		return fmt.Sprintf("%s(%d)", p.Type(), p.Reason)
	case sis.HardLinkRejected:
		return fmt.Sprintf("%s(%d)", p.Type(), p.Reason)
	}
	return p.Type().String()
}

func compare(t testing.TB, what string, got, want []string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) && len(got)+len(want) > 0 {
		t.Errorf("%s\n\t%v, want\n\t%v", what, got, want)
	}
}
