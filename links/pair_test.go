package links_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/links"
	"sallyport/peering"
	"sallyport/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine lets a.example send presence to b.example over the link "pair".
func engine(t *testing.T) *peering.Engine {
	t.Helper()
	profile, problems := rules.CompileProfile(rules.DefaultProfile("federation"))
	set, more := rules.CompileRules(nil)
	registry, err := labels.NewRegistry()
	if len(problems)+len(more) > 0 || err != nil {
		t.Fatal(problems, more, err)
	}
	floor := peering.Floor{Methods: []peering.Method{peering.External}}
	p, bad := peering.Compile(peering.Definition{
		Profile: profile, Rules: set, Labels: registry,
		Peers: []peering.Peer{
			{Name: "a", Side: "in", Domains: []peering.Pattern{"a.example"}, Floor: floor, Kinds: peering.Kinds{Presence: true}, Links: []string{"pair"}},
			{Name: "b", Side: "out", Domains: []peering.Pattern{"b.example"}, Floor: floor, Kinds: peering.Kinds{Presence: true}, Links: []string{"pair"}},
		},
		Pairs: []peering.Pair{{From: "a", To: "b"}},
	})
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	return peering.NewEngine(p)
}

func released(t *testing.T, e *peering.Engine, n int) peering.Released {
	t.Helper()
	text := fmt.Sprintf("<presence from='u@a.example/r' to='v@b.example'><status>n%d</status></presence>", n)
	el, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stanza.From(el)
	if err != nil {
		t.Fatal(err)
	}
	v := e.Judge(&peering.Arrival{
		Stanza: s, Link: "pair", Peer: "a", Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: time.Now(), Node: "test",
		Serial: 1, Proof: peering.Proof{Method: peering.External}, Bytes: len(text),
	})
	r, ok := v.Released()
	if !ok {
		t.Fatalf("%+v", v.Refusal)
	}
	return r
}

type seen struct {
	mu    sync.Mutex
	texts []string
	at    []time.Time
	got   map[links.Disposition]int
}

func (s *seen) Accept(_ context.Context, in links.Inbound) {
	s.mu.Lock()
	s.texts = append(s.texts, in.Stanza.Element().Child(xmlstream.NSServer, "status").Text())
	s.at = append(s.at, time.Now())
	s.mu.Unlock()
	in.Settle()
}

func (s *seen) Report(_ uint64, d links.Disposition, _ error) {
	s.mu.Lock()
	s.got[d]++
	s.mu.Unlock()
}

// TestPair: order, delay, rate and loss, with every delivery reported once.
func TestPair(t *testing.T) {
	const n = 100
	rows := []struct {
		name     string
		net      links.Lossy
		min, max time.Duration // of the last arrival
		drops    bool
	}{
		{"perfect", links.Lossy{}, 0, 0, false},
		{"delay", links.Lossy{Delay: time.Second}, time.Second, time.Second, false},
		{"rate", links.Lossy{Rate: 1000}, 7 * time.Second, 12 * time.Second, false},
		{"loss", links.Lossy{Drop: 0.3, Seed: 1}, 0, 0, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := engine(t)
			synctest.Test(t, func(t *testing.T) {
				s := &seen{got: map[links.Disposition]int{}}
				a, b := links.Pair(row.net)
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				wg.Go(func() { b.Run(ctx, s) })
				start := time.Now()
				for i := range n {
					r := released(t, e, i)
					if err := a.Reserve(ctx, r.Local(), r.Remote(), 100); err != nil {
						t.Fatal(err)
					}
					a.Deliver(links.Consignment{Released: r, Reporter: s})
				}
				time.Sleep(time.Minute)
				cancel()
				wg.Wait()
				last := -1
				for _, text := range s.texts {
					var i int
					if _, err := fmt.Sscanf(text, "n%d", &i); err != nil || i <= last {
						t.Fatalf("order: %v", s.texts)
					}
					last = i
				}
				if took := s.at[len(s.at)-1].Sub(start); took < row.min || took > row.max {
					t.Errorf("took %v, want %v to %v", took, row.min, row.max)
				}
				if s.got[links.Delivered]+s.got[links.InDoubt] != n || (s.got[links.InDoubt] > 0) != row.drops || s.got[links.Delivered] != len(s.texts) {
					t.Errorf("%d arrived, reports %v", len(s.texts), s.got)
				}
			})
		})
	}
}

// TestPairGate: the zero value and what is meant for another link do not pass, and a full queue makes the feeder wait.
func TestPairGate(t *testing.T) {
	s := &seen{got: map[links.Disposition]int{}}
	a, _ := links.Pair(links.Lossy{})
	a.Deliver(links.Consignment{Reporter: s})
	a.Link = "other"
	a.Deliver(links.Consignment{Released: released(t, engine(t), 1), Reporter: s})
	if s.got[links.Failed] != 2 {
		t.Errorf("reports %v", s.got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for range 5 {
		if err := a.Reserve(ctx, jid.JID{}, jid.JID{}, 1<<20); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			return
		}
	}
	t.Error("five MiB of room")
}

func TestDispositionWords(t *testing.T) {
	for d := links.Unknown; d <= links.Returned; d++ {
		if again, err := links.ParseDisposition(d.String()); err != nil || again != d {
			t.Errorf("%v read again: %v, %v", d, again, err)
		}
	}
	if _, err := links.ParseDisposition("fine"); err == nil {
		t.Error("a word of nobody was read")
	}
}
