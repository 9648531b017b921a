package sis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// party is one client of a world, with the bytes on their way between it and the node.
type party struct {
	sap      s5066.SAP
	c        *sis.Client
	id       sis.ClientID
	up, down []byte
	verdict  map[uint64]string // what the node decided, by request
	told     map[uint64]string // what the client was told
}

// world is a server and clients without sockets: the test decides when which bytes arrive.
type world struct {
	t       *rapid.T
	now     time.Time
	s       *sis.Server
	parties []*party
	open    []sis.Unidata // requests the node has not decided about
	last    uint64
}

func newWorld(t *rapid.T) *world {
	s, err := sis.NewServer(sis.DefaultServerConfig())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: start, s: s}
	for i := range rapid.IntRange(1, 5).Draw(t, "clients") {
		w.parties = append(w.parties, &party{sap: s5066.SAP(i + 1), verdict: map[uint64]string{}, told: map[uint64]string{}})
		w.connect(w.parties[i])
	}
	return w
}

func (w *world) pick() *party { return rapid.SampledFrom(w.parties).Draw(w.t, "client") }

func (w *world) connect(p *party) {
	c, err := sis.NewClient(w.now, sis.BindOptions{SAP: p.sap, Rank: 5, Service: arq})
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := w.s.Attach(w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	p.c, p.id, p.up, p.down = c, id, nil, nil
}

// lose breaks a connection: the bytes under way are gone.
func (w *world) lose(p *party) {
	w.s.Closed(w.now, p.id)
	p.c.Closed(w.now)
	w.note()
	w.connect(p)
}

// move lets some of the bytes on their way arrive.
func (w *world) move(p *party, most int) {
	b, _ := p.c.Output()
	p.up = append(p.up, b...)
	b, _ = w.s.Output(p.id)
	p.down = append(p.down, b...)
	n := min(most, len(p.up))
	w.s.Bytes(w.now, p.id, p.up[:n])
	p.up = p.up[n:]
	n = min(most, len(p.down))
	p.c.Bytes(w.now, p.down[:n])
	p.down = p.down[n:]
	w.note()
}

// note keeps the books: what the node is asked, what the clients are told.
func (w *world) note() {
	for _, e := range w.s.Events() {
		switch e := e.(type) {
		case sis.Unidata:
			w.open = append(w.open, e)
		case sis.Fault:
			w.t.Fatalf("a correct client was faulted: %v", e.Cause)
		}
	}
	for _, p := range w.parties {
		for _, e := range p.c.Events() {
			switch e := e.(type) {
			case sis.Confirmed:
				w.outcome(p, e.ID, "confirmed")
			case sis.Rejected:
				w.outcome(p, e.ID, "rejected")
			case sis.InDoubt:
				w.outcome(p, e.ID, "in doubt")
			case sis.Fault:
				w.t.Fatalf("a correct node was faulted: %v", e.Cause)
			}
		}
	}
}

func (w *world) outcome(p *party, id uint64, told string) {
	if before := p.told[id]; before != "awaited" {
		w.t.Fatalf("request %d was %s and then %s", id, before, told)
	}
	if told != "in doubt" && p.verdict[id] != told {
		w.t.Fatalf("request %d was told %s, the node said %q", id, told, p.verdict[id])
	}
	p.told[id] = told
}

func (w *world) send(p *party) {
	w.last++
	err := p.c.Send(w.now, w.last, sis.UnidataRequest{
		SAP: p.sap, Destination: peer, Data: fmt.Appendf(nil, "%d of %d", w.last, p.sap), TTL: time.Hour,
		Expedited: w.last%7 == 0,
	})
	if err == nil {
		p.told[w.last] = "awaited"
	} else if !errors.Is(err, sis.ErrNotBound) && !errors.Is(err, sis.ErrFlowOff) {
		w.t.Fatal(err)
	}
}

// decide is the node's word on a request, in any order.
func (w *world) decide() {
	if len(w.open) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.open)-1).Draw(w.t, "which")
	u := w.open[i]
	w.open = append(w.open[:i:i], w.open[i+1:]...)
	var id uint64
	var sap s5066.SAP
	if _, err := fmt.Sscanf(string(u.Request.Data), "%d of %d", &id, &sap); err != nil || u.SAP != sap {
		w.t.Fatalf("%q came from SAP %d (%v)", u.Request.Data, u.SAP, err)
	}
	p := w.parties[sap-1]
	if rapid.Bool().Draw(w.t, "well") {
		p.verdict[id] = "confirmed"
		w.s.Confirm(w.now, u.Client, u.Request)
		return
	}
	p.verdict[id] = "rejected"
	w.s.Reject(w.now, u.Client, u.Request, sis.RejectNoAnswer)
}

// TestConversation: whatever is lost, held up or answered in another order, each request has
// one outcome, and it is the one the node decided.
func TestConversation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			switch p := w.pick(); rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1, 2:
				w.send(p)
			case 3, 4, 5:
				w.move(p, rapid.IntRange(1, 100).Draw(t, "bytes"))
			case 6, 7:
				w.decide()
			case 8:
				if p.c.Ready() {
					w.s.FlowOff(w.now, p.id)
				} else {
					w.s.FlowOn(w.now, p.id)
				}
			case 9:
				if rapid.IntRange(0, 4).Draw(t, "lost") == 0 {
					w.lose(p)
				}
				w.now = w.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
			}
		}
		for range 2 {
			for _, p := range w.parties {
				w.move(p, 1<<20)
			}
			for len(w.open) > 0 {
				w.decide()
			}
			for _, p := range w.parties {
				w.move(p, 1<<20)
			}
		}
		for _, p := range w.parties {
			for id, told := range p.told {
				if told == "awaited" {
					t.Fatalf("request %d has no outcome", id)
				}
			}
		}
	})
}

// brokenListener fails to accept.
type brokenListener struct{ pipeListener }

func (brokenListener) Accept() (net.Conn, error) { return nil, errors.New("too many open files") }

func TestServeSurvivesFailuresForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		err := sis.NewListener(nil).Serve(context.Background(), brokenListener{pipeListener{nil, make(chan struct{}), nil}})
		if took := time.Since(begin); err == nil || took != 10*time.Second {
			t.Errorf("gave up after %v: %v", took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		if err := sis.NewListener(nil).Serve(ctx, brokenListener{pipeListener{nil, make(chan struct{}), new(sync.Once)}}); err != nil {
			t.Errorf("stopped while it fails: %v", err)
		}
	})
}
