package s2s_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/s2s"
)

// sink keeps what came in.
type sink struct {
	mu    sync.Mutex
	in    []links.Inbound
	come  chan struct{}
	hold  atomic.Bool // keep receipts
	drop  atomic.Bool // keep nothing
	held  []links.Inbound
	block atomic.Pointer[chan struct{}] // when set, Accept waits for it
	// pong answers a ping, as the server behind a gateway would; nil leaves it unanswered.
	pong func(links.Inbound)
	dump func() // what to log when nothing comes
}

func newSink() *sink { return &sink{come: make(chan struct{}, 1)} }

func (s *sink) Accept(ctx context.Context, in links.Inbound) {
	if b := s.block.Load(); b != nil {
		select {
		case <-*b:
		case <-ctx.Done():
		}
	}
	if in.Malformed == nil && in.Stanza.IsRequest() && in.Stanza.Payload().Is("urn:xmpp:ping", "ping") {
		in.Settle()
		if s.pong != nil {
			s.pong(in)
		}
		return
	}
	if s.drop.Load() {
		in.Settle()
		return
	}
	s.mu.Lock()
	s.in = append(s.in, in)
	if s.hold.Load() {
		s.held = append(s.held, in)
	} else {
		in.Settle()
	}
	s.mu.Unlock()
	select {
	case s.come <- struct{}{}:
	default:
	}
}

func (s *sink) settleHeld() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.held {
		s.held[i].Settle()
	}
	s.held = nil
}

// wait returns the first n arrivals.
func (s *sink) wait(t testing.TB, n int) []links.Inbound {
	t.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		got := slices.Clone(s.in)
		s.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-s.come:
		case <-deadline:
			if s.dump != nil {
				s.dump()
			}
			t.Fatalf("%d arrivals, want %d", len(got), n)
		}
	}
}

func status(in links.Inbound) string {
	if in.Malformed != nil {
		return "malformed " + in.Malformed.Stanza.String()
	}
	if c := in.Stanza.Element().Child(xmlstream.NSServer, "status"); c != nil {
		return c.Text()
	}
	return in.Stanza.Kind().String()
}

// reporter keeps what became of deliveries.
type reporter struct {
	mu    sync.Mutex
	got   map[uint64]links.Disposition
	cause map[uint64]error
	twice []uint64
	come  chan struct{}
}

func newReporter() *reporter {
	return &reporter{got: map[uint64]links.Disposition{}, cause: map[uint64]error{}, come: make(chan struct{}, 1)}
}

func (r *reporter) Report(token uint64, d links.Disposition, cause error) {
	r.mu.Lock()
	if _, again := r.got[token]; again {
		r.twice = append(r.twice, token)
	}
	r.got[token], r.cause[token] = d, cause
	r.mu.Unlock()
	select {
	case r.come <- struct{}{}:
	default:
	}
}

func (r *reporter) count(d links.Disposition) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.got {
		if x == d {
			n++
		}
	}
	return n
}

func (r *reporter) wait(t testing.TB, d links.Disposition, n int) {
	t.Helper()
	deadline := time.After(patience)
	for r.count(d) < n {
		select {
		case <-r.come:
		case <-deadline:
			r.mu.Lock()
			t.Fatalf("%d reports %v, want %d; all: %v %v", n-(n-len(r.got)), d, n, r.got, r.cause)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.twice) > 0 {
		t.Fatalf("reported twice: %v", r.twice)
	}
}

// waitFor waits for that many reports of any kind.
func (r *reporter) waitFor(t testing.TB, n int) {
	t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		got := len(r.got)
		r.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-r.come:
		case <-deadline:
			t.Fatalf("%d reports, want %d", got, n)
		}
	}
}

// events keeps what the observer heard.
type events struct {
	mu  sync.Mutex
	all []s2s.Event
}

func (e *events) Observe(ev s2s.Event) {
	e.mu.Lock()
	e.all = append(e.all, ev)
	e.mu.Unlock()
}

func (e *events) find(kind, reason string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.all, func(x s2s.Event) bool { return x.Kind == kind && (reason == "" || x.Reason == reason) })
}

// soon waits for an event, which need not be there when the other side has seen what became of it. Not for a bubble.
func (e *events) soon(kind, reason string) bool {
	for deadline := time.Now().Add(patience); !e.find(kind, reason); runtime.Gosched() {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// network counts and cuts connections.
type network struct {
	mu    sync.Mutex
	conns []net.Conn
	down  atomic.Bool
}

func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	if n.down.Load() {
		return nil, errors.New("network is down")
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, kind, address)
	if err == nil {
		n.mu.Lock()
		n.conns = append(n.conns, c)
		n.mu.Unlock()
	}
	return c, err
}

// cut resets every connection dialled so far.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	n.conns = nil
}

func (n *network) dialled() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns)
}
