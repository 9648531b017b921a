package radio_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/capture"
	"sallyport/s5066/rcop"
	"sallyport/s5066/sis"
	"sallyport/testbed/radio"
)

var (
	ship  = s5066.Unicast(0x1020305)
	shore = s5066.Unicast(0x1020304)
	arq   = s5066.ServiceType{Mode: s5066.TxARQ, Confirm: s5066.ConfirmNode}
)

// mirror is a node whose only neighbour is itself: what a client sends comes back to the client of the destination SAP.
type mirror struct {
	mu       sync.Mutex
	server   *sis.Server
	listener *sis.Listener
	unbound  chan struct{} // a client has unbound itself
}

func (m *mirror) Attach() (sis.ClientID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.server.Attach(time.Now())
}

func (m *mirror) Bytes(id sis.ClientID, b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.server.Bytes(now, id, b)
	for _, e := range m.server.Events() {
		switch e := e.(type) {
		case sis.Unbound:
			m.unbound <- struct{}{}
		case sis.Unidata:
			m.carry(now, e)
		case sis.HardLink:
			if q, ok := e.Primitive.(sis.HardLinkEstablish); ok {
				_ = m.server.Tell(now, e.Client, sis.HardLinkEstablished{Status: 1, Link: q.Link}) // a client that is gone hears nothing
			}
		}
	}
}

func (m *mirror) carry(now time.Time, e sis.Unidata) {
	q := e.Request
	_, ok := m.server.Indicate(now, sis.UnidataIndication{
		Expedited: q.Expedited, Priority: q.Priority, SAP: q.SAP, Destination: q.Destination, Mode: q.Delivery.Mode, SourceSAP: e.SAP, Source: ship, Data: q.Data,
	})
	if ok {
		m.server.Confirm(now, e.Client, q)
	} else {
		m.server.Reject(now, e.Client, q, sis.RejectNoSAP)
	}
}

func (m *mirror) Closed(id sis.ClientID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.server.Closed(time.Now(), id)
}

func (m *mirror) Output(id sis.ClientID) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.server.Output(id)
}

// serve starts a mirror behind a capture and returns its address.
func serve(t *testing.T, sw *capture.Switch) (*mirror, string) {
	t.Helper()
	server, err := sis.NewServer(sis.DefaultServerConfig())
	if err != nil {
		t.Fatal(err)
	}
	m := &mirror{server: server, unbound: make(chan struct{}, 16)}
	m.listener = sis.NewListener(m)
	ln, err := sis.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- m.listener.Serve(ctx, sw.Listener(ln)) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return m, ln.Addr().String()
}

// await takes events until one is of the wanted type.
func await[E sis.ClientEvent](t *testing.T, c *sis.Conn) E {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		e, err := c.Receive(ctx)
		if err != nil {
			t.Fatalf("waiting for %T: %v", *new(E), err)
		}
		if want, ok := e.(E); ok {
			return want
		}
	}
}

func dial(t *testing.T, addr string, sap s5066.SAP) *sis.Conn {
	t.Helper()
	c, err := sis.Dial(t.Context(), addr, sis.BindOptions{SAP: sap, Rank: 5, Service: arq, KeepAlive: -1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestClientsAndServer: two clients of our own converse through a server of our own over TCP, on a port that is not 5066.
func TestClientsAndServer(t *testing.T) {
	t.Parallel()
	var sw capture.Switch
	prefix := filepath.Join(t.TempDir(), "day")
	if err := sw.On(capture.Options{Prefix: prefix, StandardPort: true}); err != nil {
		t.Fatal(err)
	}
	m, addr := serve(t, &sw)
	a, b := dial(t, addr, s5066.SAPRCOP), dial(t, addr, s5066.SAPUDOP)
	if _, err := sis.Dial(t.Context(), addr, sis.BindOptions{SAP: s5066.SAPRCOP, Service: arq}); !errors.As(err, new(*sis.BindError)) {
		t.Errorf("a SAP twice: %v", err)
	}
	for i, size := range []int{10, 700, 2000} {
		parts, err := rcop.Split(rcop.Header{Connection: 1, ID: uint8(i), App: 0x8001}, make([]byte, size), 1000)
		if err != nil {
			t.Fatal(err)
		}
		for n, part := range parts {
			id := uint64(100*i + n + 1)
			q := sis.UnidataRequest{Priority: 4, SAP: s5066.SAPUDOP, Destination: shore, TTL: time.Hour, Data: part}
			if err := a.Send(t.Context(), id, q); err != nil {
				t.Fatal(err)
			}
			if got := await[sis.Received](t, b); len(got.Data) != len(part) {
				t.Errorf("%d bytes of %d arrived", len(got.Data), len(part))
			}
			await[sis.Confirmed](t, a)
		}
	}
	send := func(c *sis.Conn, id uint64, q sis.UnidataRequest) {
		t.Helper()
		q.Destination = shore
		if err := c.Send(t.Context(), id, q); err != nil {
			t.Fatal(err)
		}
	}
	send(b, 1, sis.UnidataRequest{Expedited: true, SAP: s5066.SAPRCOP, Data: []byte("\x10\x01\x00\x00\x80\x01now")})
	await[sis.Confirmed](t, b)
	await[sis.Received](t, a)
	send(b, 2, sis.UnidataRequest{SAP: 12, Data: []byte("nobody is there")})
	await[sis.Rejected](t, b)
	if err := b.HardLink(t.Context(), sis.HardLinkEstablish{Link: s5066.HardLink{Type: s5066.LinkFull, SAP: s5066.SAPRCOP, Remote: shore}}); err != nil {
		t.Fatal(err)
	}
	await[sis.HardLinkNews](t, b)
	if err := errors.Join(a.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	for range 2 {
		<-m.unbound
	}
	stats, err := sw.Off()
	if err != nil || stats.Dropped > 0 {
		t.Fatalf("%+v, %v", stats, err)
	}
	name := prefix + "-sis-0001.pcap"
	flawless(t, name)
	counted(t, name, "s5066sis.type", map[string]int{
		"1": 3, "2": 2, "3": 2, "4": 1, "6": 1, "8": 1, "20": 6, "21": 5, "22": 5, "23": 1, "24": 1, "25": 1, "26": 1,
	})
	segments, err := radio.Field(t.Context(), name, "s5066sis.ctl.updu_segment")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(segments); len(segments) < 10 {
		t.Errorf("headers of RCOP and UDOP: segments %s", got)
	}
	counted(t, name, "s5066sis.ctl.app_id", map[string]int{"0x8001": 12})
}
