package hf_test

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// air joins nodes without radio: what a client submits reaches the other node's client after a while, or does not.
type air struct {
	mu      sync.Mutex
	nodes   map[s5066.Address]*node
	delay   time.Duration
	dice    *rand.Rand
	refuse  float64 // share of U_PDUs that the node rejects
	lose    float64 // share that arrives, and whose confirmation is a rejection
	drop    float64 // share of non-ARQ that is lost
	twice   float64 // share that arrives twice
	sent    []sis.UnidataRequest
	rate    int // bits per second, of all together; 0 is unlimited
	free    time.Time
	latest  time.Time // order holds, unless shuffle
	shuffle bool
}

// node is one of them. It owns a Server under a lock, as a real node does.
type node struct {
	air      *air
	address  s5066.Address
	mu       sync.Mutex
	s        *sis.Server
	listener *sis.Listener
	pipes    chan net.Conn
	cancel   context.CancelFunc
	served   chan error
	up       bool
}

func newAir(seed uint64) *air {
	return &air{nodes: map[s5066.Address]*node{}, delay: time.Second, dice: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // dice of a test
}

func (a *air) node(t *testing.T, address s5066.Address) *node {
	t.Helper()
	n := &node{air: a, address: address, pipes: make(chan net.Conn)}
	a.nodes[address] = n
	n.start(t)
	return n
}

func (n *node) start(t *testing.T) {
	t.Helper()
	s, err := sis.NewServer(sis.DefaultServerConfig())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	listener, served := sis.NewListener(n), make(chan error, 1)
	n.mu.Lock()
	n.s, n.listener, n.cancel, n.served, n.up = s, listener, cancel, served, true
	n.mu.Unlock()
	go func() { served <- listener.Serve(ctx, &pipes{conns: n.pipes, done: make(chan struct{})}) }()
}

// stop ends the node with everything it had.
func (n *node) stop() {
	n.mu.Lock()
	n.up = false
	n.mu.Unlock()
	n.cancel()
	<-n.served
}

func (n *node) Attach() (sis.ClientID, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.s.Attach(time.Now())
}

func (n *node) Closed(id sis.ClientID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.s.Closed(time.Now(), id)
}

func (n *node) Output(id sis.ClientID) ([]byte, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.s.Output(id)
}

func (n *node) Bytes(id sis.ClientID, b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.s.Bytes(time.Now(), id, b)
	for _, e := range n.s.Events() {
		if u, ok := e.(sis.Unidata); ok {
			n.air.send(n, n.s, u)
		}
	}
}

// send carries one U_PDU. The sender's lock is held.
func (a *air) send(from *node, s *sis.Server, u sis.Unidata) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent = append(a.sent, u.Request)
	arq := u.Request.Delivery.Mode == s5066.TxARQ
	refused, lost := a.dice.Float64() < a.refuse, a.dice.Float64() < a.lose
	dropped, again := a.dice.Float64() < a.drop, a.dice.Float64() < a.twice
	at := time.Now().Add(a.delay)
	if a.rate > 0 {
		if a.free.Before(time.Now()) {
			a.free = time.Now()
		}
		a.free = a.free.Add(time.Duration(len(u.Request.Data)) * 8 * time.Second / time.Duration(a.rate))
		at = a.free.Add(a.delay)
	}
	if a.shuffle {
		at = at.Add(time.Duration(a.dice.IntN(5000)) * time.Millisecond)
	} else if !at.After(a.latest) {
		at = a.latest.Add(time.Microsecond)
	}
	a.latest = at
	time.AfterFunc(time.Until(at), func() {
		ok := false
		switch {
		case arq && refused, !arq && dropped:
		default:
			ok = a.deliver(from.address, u)
			if again {
				a.deliver(from.address, u)
			}
		}
		from.mu.Lock()
		defer from.mu.Unlock()
		if !arq || from.s != s || !from.up {
			return
		}
		if ok && !lost {
			s.Confirm(time.Now(), u.Client, u.Request)
		} else {
			s.Reject(time.Now(), u.Client, u.Request, sis.RejectNoAnswer)
		}
		from.listener.Wake()
	})
}

func (a *air) deliver(from s5066.Address, u sis.Unidata) (any bool) {
	for _, n := range a.nodes {
		if n.address == from || n.address != u.Request.Destination && !u.Request.Destination.IsGroup() {
			continue
		}
		any = n.indicate(from, u.SAP, u.Request) || any
	}
	return any
}

func (n *node) indicate(from s5066.Address, sap s5066.SAP, p sis.UnidataRequest) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.up {
		return false
	}
	_, ok := n.s.Indicate(time.Now(), sis.UnidataIndication{
		Priority: p.Priority, SAP: p.SAP, Destination: p.Destination, Mode: p.Delivery.Mode, SourceSAP: sap, Source: from, Data: p.Data,
	})
	n.listener.Wake()
	return ok
}

func (n *node) dial(ctx context.Context, _ string) (net.Conn, error) {
	n.mu.Lock()
	up := n.up
	n.mu.Unlock()
	if !up {
		return nil, net.ErrClosed
	}
	a, b := net.Pipe()
	select {
	case n.pipes <- b:
		return a, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
		return nil, net.ErrClosed
	}
}

type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{} }
