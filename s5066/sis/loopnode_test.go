package sis_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// loopNode is a node without any air: what a client sends to an address reaches the client
// of that SAP here. It owns a Server under a lock, as a real node does.
type loopNode struct {
	mu       sync.Mutex
	s        *sis.Server
	listener *sis.Listener
	pipes    chan net.Conn
	cancel   context.CancelFunc
	served   chan error
}

func newLoopNode(t *testing.T) *loopNode {
	t.Helper()
	s, err := sis.NewServer(sis.DefaultServerConfig())
	if err != nil {
		t.Fatal(err)
	}
	n := &loopNode{s: s, pipes: make(chan net.Conn), served: make(chan error, 1)}
	n.start()
	return n
}

func (n *loopNode) start() {
	ctx, cancel := context.WithCancel(context.Background())
	n.listener, n.cancel = sis.NewListener(n), cancel
	go func() { n.served <- n.listener.Serve(ctx, pipeListener{n.pipes, make(chan struct{}), new(sync.Once)}) }()
}

// stop ends the node and all its connections.
func (n *loopNode) stop(t *testing.T) {
	t.Helper()
	n.cancel()
	if err := <-n.served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func (n *loopNode) Attach() (sis.ClientID, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.s.Attach(time.Now())
}

func (n *loopNode) Bytes(id sis.ClientID, b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.s.Bytes(time.Now(), id, b)
	for _, e := range n.s.Events() {
		if u, ok := e.(sis.Unidata); ok {
			n.deliver(u)
		}
	}
}

func (n *loopNode) deliver(u sis.Unidata) {
	now, p := time.Now(), u.Request
	_, ok := n.s.Indicate(now, sis.UnidataIndication{
		Expedited: p.Expedited, Priority: p.Priority, SAP: p.SAP, Destination: p.Destination,
		Mode: p.Delivery.Mode, SourceSAP: u.SAP, Source: source, Data: p.Data,
	})
	if ok {
		n.s.Confirm(now, u.Client, p)
	} else {
		n.s.Reject(now, u.Client, p, sis.RejectNoSAP)
	}
}

func (n *loopNode) Closed(id sis.ClientID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.s.Closed(time.Now(), id)
}

func (n *loopNode) Output(id sis.ClientID) ([]byte, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.s.Output(id)
}

// options reach the node through a pipe in memory.
func (n *loopNode) options(sap s5066.SAP) sis.BindOptions {
	return sis.BindOptions{SAP: sap, Rank: 5, Service: arq, Network: sis.Network{
		Dial: func(ctx context.Context, _ string) (net.Conn, error) {
			a, b := net.Pipe()
			select {
			case n.pipes <- b:
				return a, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
	}}
}

func (n *loopNode) dial(t *testing.T, sap s5066.SAP) *sis.Conn {
	t.Helper()
	c, err := sis.Dial(t.Context(), "node", n.options(sap))
	if err != nil {
		t.Fatal(err)
	}
	if e := receive(t, c); e != (sis.Accepted{MTU: 2048}) {
		t.Fatalf("first event %v", e)
	}
	return c
}

func receive(t *testing.T, c *sis.Conn) sis.ClientEvent {
	t.Helper()
	e, err := c.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  *sync.Once
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func to(sap s5066.SAP, text string) sis.UnidataRequest {
	return sis.UnidataRequest{SAP: sap, Destination: peer, Data: []byte(text)}
}

// lastOf reads what is left and gives the last event.
func lastOf(t *testing.T, c *sis.Conn) (last sis.ClientEvent, err error) {
	t.Helper()
	for {
		e, err := c.Receive(t.Context())
		if err != nil {
			return last, err
		}
		last = e
	}
}

// serveTCP is a loopNode on a port of loopback.
func serveTCP(t *testing.T) (*loopNode, string) {
	t.Helper()
	ln, err := sis.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := sis.NewServer(sis.DefaultServerConfig())
	if err != nil {
		t.Fatal(err)
	}
	n := &loopNode{s: s, served: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	n.listener, n.cancel = sis.NewListener(n), cancel
	go func() { n.served <- n.listener.Serve(ctx, ln) }()
	return n, ln.Addr().String()
}
