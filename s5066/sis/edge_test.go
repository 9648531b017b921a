package sis_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

func TestTwoClientsTalk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newLoopNode(t)
		a, b := n.dial(t, 6), n.dial(t, 7)
		for i := range uint64(500) {
			if err := a.Send(t.Context(), i+1, to(7, "to b")); err != nil {
				t.Fatal(err)
			}
			if e, ok := receive(t, b).(sis.Received); !ok || string(e.Data) != "to b" || e.SourceSAP != 6 {
				t.Fatalf("b received %+v", e)
			}
			if e := receive(t, a); e != (sis.Confirmed{ID: i + 1}) {
				t.Fatalf("a was told %+v", e)
			}
		}
		if err := b.Send(t.Context(), 9, to(11, "to nobody")); err != nil {
			t.Fatal(err)
		}
		if e, ok := receive(t, b).(sis.Rejected); !ok || e.ID != 9 || e.Reason != sis.RejectNoSAP {
			t.Errorf("b was told %+v", e)
		}
		_, err := sis.Dial(t.Context(), "node", n.options(7))
		var refused *sis.BindError
		if !errors.As(err, &refused) || refused.Reason != sis.BindSAPInUse {
			t.Errorf("third client on SAP 7: %v", err)
		}
		_ = a.Close()
		_ = b.Close()
		if _, err := lastOf(t, a); !errors.Is(err, sis.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		synctest.Wait()
		if list := n.s.Bindings(); len(list) != 0 {
			t.Errorf("bound after both closed: %v", list)
		}
		n.stop(t)
	})
}

func TestDialReconnects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newLoopNode(t)
		c := n.dial(t, 6)
		n.stop(t)
		if e, ok := receive(t, c).(sis.Ended); !ok || !errors.Is(e.Err, sis.ErrGone) {
			t.Fatalf("told %+v", e)
		}
		sent := make(chan error, 1)
		go func() { sent <- c.Send(context.Background(), 1, to(6, "when you are back")) }()
		time.Sleep(time.Hour)
		if c.MTU() != 0 {
			t.Error("an MTU without a connection")
		}
		n.start()
		if e := receive(t, c); e != (sis.Accepted{MTU: 2048}) {
			t.Fatalf("told %+v", e)
		}
		if e, ok := receive(t, c).(sis.Received); !ok || string(e.Data) != "when you are back" {
			t.Errorf("received %+v", e)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n.mu.Lock()
		n.s.FlowOff(time.Now(), n.s.Bindings()[0].Client)
		n.mu.Unlock()
		n.listener.Wake()
		for range 2 { // the confirmation of before, then S_DATA_FLOW_OFF
			receive(t, c)
		}
		if err := c.Send(ctx, 2, to(6, "not now")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("send after S_DATA_FLOW_OFF: %v", err)
		}
		_ = c.Close()
		n.stop(t)
	})
}

func TestCloseWhileTheNodeIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newLoopNode(t)
		c := n.dial(t, 6)
		n.stop(t)
		synctest.Wait() // the client has seen it
		waiting := make(chan error, 1)
		go func() { waiting <- c.Send(context.Background(), 1, to(6, "never")) }()
		time.Sleep(90 * time.Second)
		_ = c.Close()
		if err := <-waiting; !errors.Is(err, sis.ErrClosed) {
			t.Errorf("send over Close: %v", err)
		}
		if err := c.Send(t.Context(), 1, to(6, "never")); !errors.Is(err, sis.ErrClosed) {
			t.Errorf("send after Close: %v", err)
		}
	})
}

func TestDialGivesUpOnASilentNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		far := make(chan net.Conn, 1)
		opts := sis.BindOptions{SAP: 6, Service: arq, Network: sis.Network{
			Dial: func(context.Context, string) (net.Conn, error) {
				a, b := net.Pipe()
				far <- b
				return a, nil
			},
		}}
		go func() { _, _ = (<-far).Read(make([]byte, 100)) }()
		if _, err := sis.Dial(t.Context(), "node", opts); !errors.Is(err, sis.ErrNoBind) {
			t.Errorf("silent node: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := sis.Dial(ctx, "node", opts); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

// TestASlowClientDelaysNobody: one client never reads, another talks on, and the first is
// cut off.
func TestASlowClientDelaysNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newLoopNode(t)
		slow, err := n.options(9).Network.Dial(t.Context(), "node")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := slow.Write(encode(t, sis.BindRequest{SAP: 9, Service: arq})); err != nil {
			t.Fatal(err)
		}
		a := n.dial(t, 6)
		for i := range uint64(2000) { // two megabytes to the slow one
			if err := a.Send(t.Context(), i, to(9, string(make([]byte, 2048)))); err != nil {
				t.Fatal(err)
			}
			switch e := receive(t, a).(type) {
			case sis.Confirmed:
			case sis.Rejected: // from when it was cut off
				if i < 900 || e.Reason != sis.RejectNoSAP {
					t.Fatalf("request %d: %+v", i, e)
				}
			default:
				t.Fatalf("request %d: %+v", i, e)
			}
		}
		time.Sleep(2 * time.Minute) // the write to it stalls
		if s := n.s.Stats(); s.CutOff != 1 || len(n.s.Bindings()) != 1 {
			t.Errorf("stats %+v, bound %v", s, n.s.Bindings())
		}
		_ = a.Close()
		_ = slow.Close()
		n.stop(t)
	})
}

// TestAClientThatDoesNotReceiveLosesNothing: it is read for as far as its limits go, what is beyond waits
// at the node.
func TestAClientThatDoesNotReceiveLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newLoopNode(t)
		a, b := n.dial(t, 6), n.dial(t, 7)
		const all = 12_000
		for i := range uint64(all) {
			if err := a.Send(t.Context(), i+1, to(7, "x")); err != nil {
				t.Fatal(err)
			}
			if e := receive(t, a); e != (sis.Confirmed{ID: i + 1}) {
				t.Fatalf("a was told %+v", e)
			}
		}
		synctest.Wait()
		n.mu.Lock()
		waiting := len(n.s.Pending())
		n.mu.Unlock()
		if waiting != 1 {
			t.Errorf("%d clients have output at the node, want the one that does not read", waiting)
		}
		for i := range all {
			if e, ok := receive(t, b).(sis.Received); !ok {
				t.Fatalf("event %d is %+v", i, e)
			}
		}
		_ = a.Close()
		_ = b.Close()
		n.stop(t)
	})
}

func TestHardLinkAndManagementOverAConn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newLoopNode(t)
		c := n.dial(t, 6)
		group := link
		group.Remote = s5066.AllStations()
		if err := c.HardLink(t.Context(), sis.HardLinkEstablish{Link: group}); !errors.Is(err, sis.ErrNowhere) {
			t.Errorf("hard link with all stations: %v", err)
		}
		if err := c.HardLink(t.Context(), sis.KeepAlive{}); !errors.Is(err, sis.ErrUnexpected) {
			t.Errorf("a keep-alive as hard link: %v", err)
		}
		for _, p := range []sis.Primitive{
			sis.HardLinkEstablish{Link: link}, sis.HardLinkReject{Link: link}, sis.HardLinkTerminate{Remote: peer},
		} {
			if err := c.HardLink(t.Context(), p); err != nil {
				t.Errorf("%s: %v", p.Type(), err)
			}
		}
		if err := c.Manage(t.Context(), 1, make([]byte, sis.MaxManagement+1)); !errors.Is(err, sis.ErrField) {
			t.Errorf("a management message too large: %v", err)
		}
		if err := c.Manage(t.Context(), 1, nil); err != nil { // its rank does not permit it: ignored
			t.Error(err)
		}
		if err := c.Send(t.Context(), 1, to(6, "still there")); err != nil {
			t.Fatal(err)
		}
		if _, ok := receive(t, c).(sis.Received); !ok {
			t.Error("the client is not served any more")
		}
		_ = c.Close()
		n.stop(t)
	})
}

// TestLastWordsReachAFlooder: over a real socket, a client that goes on sending is still told why it is sent
// away.
func TestLastWordsReachAFlooder(t *testing.T) {
	t.Parallel()
	n, addr := serveTCP(t)
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		for range 16 {
			_, _ = conn.Write(make([]byte, 64<<10))
		}
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if want := encode(t, sis.UnbindIndication{Reason: sis.UnbindInvalid}); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read % x, %v; want % x", got, err, want)
	}
	<-flooded
	_ = conn.Close()
	n.stop(t)
}

// TestOverTCP is the same conversation over real sockets.
func TestOverTCP(t *testing.T) {
	t.Parallel()
	n, addr := serveTCP(t)
	c, err := sis.Dial(t.Context(), addr, sis.BindOptions{SAP: 6, Service: arq})
	if err != nil {
		t.Fatal(err)
	}
	receive(t, c)
	if err := c.Send(t.Context(), 5, to(6, "to myself")); err != nil {
		t.Fatal(err)
	}
	receive(t, c)
	if e := receive(t, c); e != (sis.Confirmed{ID: 5}) {
		t.Errorf("told %+v", e)
	}
	_ = c.Close()
	n.stop(t)
}
