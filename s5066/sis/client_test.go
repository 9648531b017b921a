package sis_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// boundClient is a client whose node has accepted it.
func boundClient(t testing.TB, opts sis.BindOptions) (*sis.Client, []byte) {
	t.Helper()
	c, err := sis.NewClient(start, opts)
	if err != nil {
		t.Fatal(err)
	}
	bind, _ := c.Output()
	c.Bytes(start, encode(t, sis.BindAccepted{SAP: opts.SAP, MTU: 2048}))
	heard(t, c, "Accepted")
	return c, bind
}

// heard checks a client's events by name.
func heard(t testing.TB, c *sis.Client, want ...string) []sis.ClientEvent {
	t.Helper()
	list := c.Events()
	got := []string{}
	for _, e := range list {
		got = append(got, fmt.Sprintf("%T", e)[len("sis."):])
	}
	compare(t, "client is told", got, want)
	return list
}

// says checks what a client writes.
func says(t testing.TB, c *sis.Client, want ...string) {
	t.Helper()
	var d sis.Decoder
	b, closing := c.Output()
	d.Push(b)
	got := []string{}
	for {
		p, err := d.Next()
		if err != nil {
			break
		}
		got = append(got, p.Type().String())
	}
	if closing {
		got = append(got, "closed")
	}
	compare(t, "client says", got, want)
}

func TestClientBind(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		answer sis.Primitive
		want   string
	}{
		{"accepted", sis.BindAccepted{SAP: 9, MTU: 200}, "Accepted"},
		{"rejected", sis.BindRejected{Reason: sis.BindSAPInUse}, "Ended"},
		{"accepted for another SAP", sis.BindAccepted{SAP: 8, MTU: 2048}, "Fault"},
		{"unbound at once", sis.UnbindIndication{Reason: sis.UnbindNoARQ}, "Ended"},
	} {
		c, err := sis.NewClient(start, sis.BindOptions{SAP: 9, Rank: 5, Service: arq})
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := c.Output(); fmt.Sprintf("%x", b) != "90eb00000401951400" {
			t.Errorf("%s: bind is % x", row.name, b)
		}
		if err := c.Send(start, 1, request); !errors.Is(err, sis.ErrNotBound) {
			t.Errorf("%s: send before the bind: %v", row.name, err)
		}
		c.Bytes(start, encode(t, row.answer))
		heard(t, c, row.want)
	}
	silent, _ := sis.NewClient(start, sis.BindOptions{SAP: 9, Service: arq})
	at, ok := silent.Deadline()
	silent.Tick(at)
	if e := heard(t, silent, "Ended"); !ok || !errors.Is(e[0].(sis.Ended).Err, sis.ErrNoBind) || at.Sub(start) != 30*time.Second {
		t.Errorf("silent node: %v after %v", e, at.Sub(start))
	}
	if _, err := sis.NewClient(start, sis.BindOptions{SAP: 16}); !errors.Is(err, sis.ErrField) {
		t.Errorf("SAP 16: %v", err)
	}
}

func TestClientRefusesToSend(t *testing.T) {
	t.Parallel()
	change := func(f func(*sis.UnidataRequest)) sis.UnidataRequest {
		p := request
		f(&p)
		return p
	}
	for _, row := range []struct {
		name string
		p    sis.UnidataRequest
		want error
	}{
		{"as it should be", request, nil},
		{"over the MTU", change(func(p *sis.UnidataRequest) { p.Data = make([]byte, 2049) }), sis.ErrTooLong},
		{"no address", change(func(p *sis.UnidataRequest) { p.Destination = s5066.Address{} }), sis.ErrNowhere},
		{"group by ARQ", change(func(p *sis.UnidataRequest) { p.Destination = s5066.AllStations() }), sis.ErrNowhere},
		{"mode undefined", change(func(p *sis.UnidataRequest) { p.Delivery.Mode = 9 }), sis.ErrNoMode},
		{"lives too long", change(func(p *sis.UnidataRequest) { p.TTL = s5066.MaxTTL + 1 }), sis.ErrField},
		{"lives less than not", change(func(p *sis.UnidataRequest) { p.TTL = -1 }), sis.ErrField},
		{"SAP 16", change(func(p *sis.UnidataRequest) { p.SAP = 16 }), sis.ErrField},
		{"priority 16", change(func(p *sis.UnidataRequest) { p.Priority = 16 }), sis.ErrField},
	} {
		c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq})
		if err := c.Send(start, 1, row.p); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
		if b, _ := c.Output(); len(b) > 0 && row.want != nil {
			t.Errorf("%s: wrote % x", row.name, b)
		}
	}
	c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: s5066.ServiceType{}})
	if err := c.Send(start, 1, sis.UnidataRequest{SAP: 9, Destination: peer}); !errors.Is(err, sis.ErrNoMode) {
		t.Errorf("no mode anywhere: %v", err)
	}
}

func TestClientMatchesConfirmations(t *testing.T) {
	t.Parallel()
	other := s5066.Unicast(77)
	send := []sis.UnidataRequest{
		{SAP: 9, Destination: peer, Data: []byte("alpha one")},
		{SAP: 9, Destination: peer, Data: []byte("alpha two")},
		{SAP: 9, Destination: peer, Data: []byte("alpha one")},
		{SAP: 9, Destination: other, Data: []byte("alpha one")},
		{SAP: 9, Destination: peer, Data: []byte("alpha one"), Expedited: true},
	}
	for _, row := range []struct {
		name   string
		answer sis.Primitive
		want   sis.ClientEvent
	}{
		{"the whole", sis.UnidataConfirm{SAP: 9, Destination: peer, Returned: []byte("alpha two")}, sis.Confirmed{ID: 2}},
		{"a prefix of several: the oldest", sis.UnidataConfirm{SAP: 9, Destination: peer, Returned: []byte("alpha")}, sis.Confirmed{ID: 1}},
		{"nothing returned: the oldest", sis.UnidataConfirm{SAP: 9, Destination: peer}, sis.Confirmed{ID: 1}},
		{"the other place", sis.UnidataConfirm{SAP: 9, Destination: other, Returned: []byte("alpha one")}, sis.Confirmed{ID: 4}},
		{"expedited", sis.UnidataConfirm{SAP: 9, Destination: peer, Expedited: true}, sis.Confirmed{ID: 5}},
	} {
		c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq})
		for i, p := range send {
			if err := c.Send(start, uint64(i+1), p); err != nil {
				t.Fatal(err)
			}
		}
		c.Bytes(start, encode(t, row.answer))
		if e := c.Events(); len(e) != 1 || e[0] != row.want {
			t.Errorf("%s: %v, want %v", row.name, e, row.want)
		}
	}
	c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq})
	if err := c.Send(start, 7, send[0]); err != nil {
		t.Fatal(err)
	}
	for range 20 { // nothing of this ends a conversation
		c.Bytes(start, encode(t, sis.UnidataConfirm{SAP: 9, Destination: peer, Returned: []byte("alpha one and more")}))
		heard(t, c, "Fault")
	}
	c.Bytes(start, encode(t, sis.UnidataRejected{SAP: 9, Destination: peer, Reason: sis.RejectNoAnswer, Returned: []byte("al")}))
	if e := heard(t, c, "Rejected"); e[0].(sis.Rejected).ID != 7 || e[0].(sis.Rejected).Reason != sis.RejectNoAnswer {
		t.Errorf("rejection: %+v", e[0])
	}
}

func TestClientGivesUpAndSaysSo(t *testing.T) {
	t.Parallel()
	c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq, InFlight: 2, KeepAlive: -1})
	short := request
	short.TTL = 10 * time.Second
	for id, want := range []error{nil, nil, sis.ErrBusy} {
		p := request
		if id == 1 {
			p = short
		}
		if err := c.Send(start, uint64(id), p); !errors.Is(err, want) {
			t.Fatalf("request %d: %v, want %v", id, err, want)
		}
	}
	at, _ := c.Deadline()
	if at.Sub(start) != 10*time.Second+5*time.Minute {
		t.Errorf("gives up after %v", at.Sub(start))
	}
	c.Tick(at)
	if e := heard(t, c, "InDoubt"); e[0] != (sis.InDoubt{ID: 1}) {
		t.Errorf("%v", e)
	}
	c.Closed(at)
	if e := heard(t, c, "InDoubt", "Ended"); e[0] != (sis.InDoubt{ID: 0}) {
		t.Errorf("%v", e)
	}
	if _, running := c.Deadline(); running {
		t.Error("a timer runs on after the end")
	}
}

func TestClientFlow(t *testing.T) {
	t.Parallel()
	c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq})
	c.Bytes(start, encode(t, sis.DataFlow{}))
	heard(t, c, "Flow")
	if err := c.Send(start, 1, request); !errors.Is(err, sis.ErrFlowOff) || c.Ready() {
		t.Errorf("after S_DATA_FLOW_OFF: %v, ready %v", err, c.Ready())
	}
	c.Bytes(start, encode(t, sis.DataFlow{On: true}))
	if err := c.Send(start, 1, request); err != nil {
		t.Errorf("after S_DATA_FLOW_ON: %v", err)
	}
}

func TestClientKeepAlive(t *testing.T) {
	t.Parallel()
	t.Run("answers, but not its own answer's answer", func(t *testing.T) {
		t.Parallel()
		c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq})
		ka := encode(t, sis.KeepAlive{})
		c.Bytes(start, ka)
		says(t, c, "S_KEEP_ALIVE")
		c.Bytes(start.Add(time.Second), ka)
		says(t, c)
		c.Bytes(start.Add(121*time.Second), ka)
		says(t, c, "S_KEEP_ALIVE")
	})
	t.Run("a node that never answers is kept", func(t *testing.T) {
		t.Parallel()
		c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq, KeepAlive: time.Second})
		now := start
		for i := range 5 {
			at, ok := c.Deadline()
			if !ok || i > 0 && at.Sub(now) < sis.KeepAliveInterval {
				t.Fatalf("asked after %v", at.Sub(now))
			}
			now = at
			c.Tick(now)
			says(t, c, "S_KEEP_ALIVE")
			heard(t, c)
		}
	})
	t.Run("a node that has answered is given up", func(t *testing.T) {
		t.Parallel()
		c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq})
		at, _ := c.Deadline()
		c.Tick(at)
		says(t, c, "S_KEEP_ALIVE")
		c.Bytes(at.Add(time.Second), encode(t, sis.KeepAlive{}))
		says(t, c)
		at, _ = c.Deadline()
		c.Tick(at)
		says(t, c, "S_KEEP_ALIVE")
		late, _ := c.Deadline()
		c.Tick(late)
		if e := heard(t, c, "Ended"); late.Sub(at) != 10*time.Second || !errors.Is(e[0].(sis.Ended).Err, sis.ErrNoKeepAlive) {
			t.Errorf("%v after %v", e, late.Sub(at))
		}
	})
}

// TestClientToleratesNodes is what real nodes are known to do, or may do in later editions.
func TestClientToleratesNodes(t *testing.T) {
	t.Parallel()
	c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq})
	for range 50 {
		c.Bytes(start, unhex(t, "90eb00 0001 1c")) // a type of a later edition
		heard(t, c, "Fault")
	}
	c.Bytes(start, unhex(t, "90eb00 0016 15 69 e1020304 29 e5060708 0005 00000000 68656c6c6f"))
	if e := heard(t, c, "Received"); string(e[0].(sis.Received).Data) != "hello" {
		t.Errorf("two counts of zero in front: %+v", e)
	}
	c.Bytes(start, encode(t, sis.SubnetAvailability{Status: sis.NodeReceiveOnly, Reason: sis.StatusEMCON},
		sis.Management{Indication: true, Message: 3}, sis.HardLinkIndication{Status: 1, Link: link}))
	heard(t, c, "Availability", "ManagementNews", "HardLinkNews")
	if err := c.HardLink(start, sis.HardLinkAccept{Link: link}); err != nil {
		t.Error(err)
	}
	c.Unbind(start)
	says(t, c, "S_HARD_LINK_ACCEPT", "S_UNBIND_REQUEST", "closed")
	c.Bytes(start, encode(t, sis.UnbindIndication{})) // the answer that some give
	heard(t, c, "Ended")
}
