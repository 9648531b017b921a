package sis_test

import (
	"errors"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

func TestServerConfigIsChecked(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sis.ServerConfig){
		"zero":              func(c *sis.ServerConfig) { *c = sis.ServerConfig{} },
		"MTU":               func(c *sis.ServerConfig) { c.MTU = 2049 },
		"four clients":      func(c *sis.ServerConfig) { c.MaxClients = 4 },
		"17 SAPs":           func(c *sis.ServerConfig) { c.MaxBound = 17 },
		"rank 16":           func(c *sis.ServerConfig) { c.MaxRank = 16 },
		"lifetime":          func(c *sis.ServerConfig) { c.MaxTTL = 16 * 24 * time.Hour },
		"nothing returned":  func(c *sis.ServerConfig) { c.Returned = 0 },
		"restless":          func(c *sis.ServerConfig) { c.KeepAlive = time.Minute },
		"nothing expedited": func(c *sis.ServerConfig) { c.Expedited = 0 },
	} {
		cfg := sis.DefaultServerConfig()
		change(&cfg)
		if _, err := sis.NewServer(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	cfg := sis.DefaultServerConfig()
	cfg.MTU, cfg.Broadcast = s5066.MaxBroadcast, true
	if _, err := sis.NewServer(cfg); err != nil {
		t.Errorf("broadcast with 4096 bytes: %v", err)
	}
}

func TestSixteenClientsAndNoMoreConnectionsThanAllowed(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for sap := range s5066.SAP(15) {
		b.bind(sap+1, 5, arq)
	}
	for range 5 {
		b.attach()
	}
	if _, err := b.s.Attach(b.now); !errors.Is(err, sis.ErrFull) {
		t.Errorf("21st connection: %v", err)
	}
	b.wait(sis.BindTimeout)
	for id := sis.ClientID(16); id <= 20; id++ { // those that bind nothing are sent away
		b.hears(id, "closed")
		b.s.Closed(b.now, id)
	}
	b.attach()
}

func TestHigherRankEvictsOnlyWhereThereIsNoRoom(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *sis.ServerConfig) { c.MaxBound = 3 })
	low := b.bind(1, 2, arq)
	b.bind(2, 3, arq)
	b.bind(3, 9, arq)
	equal, high := b.attach(), b.attach()
	b.send(equal, sis.BindRequest{SAP: 4, Rank: 2, Service: arq})
	b.hears(equal, "S_BIND_REJECTED(1)")
	b.send(high, sis.BindRequest{SAP: 4, Rank: 3, Service: arq})
	b.hears(high, "S_BIND_ACCEPTED")
	b.hears(low, "S_UNBIND_INDICATION(1)")
	b.events("Fault", "Unbound", "Bound")
	b.send(low, request) // it is still connected, but has nothing to say
	b.events("Fault")
	b.send(low, sis.BindRequest{SAP: 1, Rank: 2, Service: arq})
	b.hears(low, "S_BIND_REJECTED(1)")
}

func TestUnbindFreesTheSAP(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(b *bench, id sis.ClientID){
		"S_UNBIND_REQUEST":  func(b *bench, id sis.ClientID) { b.send(id, sis.UnbindRequest{}) },
		"connection closed": func(b *bench, id sis.ClientID) { b.s.Closed(b.now, id) },
	} {
		b := newBench(t, nil)
		id := b.bind(9, 5, arq)
		leave(b, id)
		b.events("Unbound")
		if name == "S_UNBIND_REQUEST" {
			b.hears(id) // no answer is defined
		}
		if _, ok := b.s.Indicate(b.now, sis.UnidataIndication{SAP: 9}); ok {
			t.Errorf("%s: a U_PDU was given to nobody", name)
		}
		b.bind(9, 5, arq)
		if b.s.Confirm(b.now, id, request) {
			t.Errorf("%s: a confirmation was given to nobody", name)
		}
	}
}

func TestOutcomesAreToldOnlyToThoseWhoAsked(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *sis.ServerConfig) { c.Returned = 3 })
	id := b.bind(9, 5, arq)
	b.s.Confirm(b.now, id, request)
	b.s.Reject(b.now, id, request, sis.RejectExpired)
	list := b.hears(id, "S_UNIDATA_REQUEST_CONFIRM", "S_UNIDATA_REQUEST_REJECTED(1)")
	if c := list[0].(sis.UnidataConfirm); string(c.Returned) != "hel" || c.SAP != 9 || c.Destination != peer {
		t.Errorf("confirm %+v", c)
	}
	quiet := request
	quiet.Delivery = nonARQ
	if b.s.Confirm(b.now, id, quiet) || b.s.Reject(b.now, id, quiet, sis.RejectExpired) {
		t.Error("told, though not asked")
	}
	b.hears(id)
}

func TestNodeHoldsClients(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.bind(9, 5, arq)
	b.s.FlowOff(b.now, id)
	b.s.FlowOff(b.now, id)
	b.hears(id, "S_DATA_FLOW_OFF")
	for range sis.FlowGrace + 10 {
		b.send(id, request)
	}
	if n := len(b.s.Events()); n != sis.FlowGrace {
		t.Errorf("%d requests after S_DATA_FLOW_OFF, want %d", n, sis.FlowGrace)
	}
	b.s.FlowOn(b.now, id)
	b.hears(id, "S_DATA_FLOW_ON")
	b.send(id, request)
	b.events("Unidata")
	b.s.FlowOff(b.now, id)
	for range sis.FlowGrace + sis.MaxIgnored + 1 {
		b.send(id, request)
		b.s.Events()
	}
	b.hears(id, "S_DATA_FLOW_OFF", "closed")
}

func TestServerKeepAlive(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		answer sis.Primitive
		after  time.Duration
		kept   bool
	}{
		"answers in time":    {sis.KeepAlive{}, 10*time.Second - 1, true},
		"says anything":      {request, time.Second, true},
		"answers too late":   {sis.KeepAlive{}, 10 * time.Second, false},
		"does not answer it": {nil, 0, false},
	} {
		b := newBench(t, nil)
		id := b.bind(9, 5, arq)
		b.wait(5*time.Minute - 1)
		b.hears(id)
		b.wait(1)
		b.hears(id, "S_KEEP_ALIVE")
		b.wait(row.after)
		if row.answer != nil {
			b.send(id, row.answer)
		}
		b.wait(10 * time.Second)
		if row.kept {
			b.hears(id)
			b.send(id, sis.KeepAlive{})
			if name == "answers in time" {
				b.hears(id, "S_KEEP_ALIVE")
			}
			continue
		}
		b.hears(id, "S_UNBIND_INDICATION(2)", "closed")
		if e := b.events("Unbound"); !errors.Is(e[0].(sis.Unbound).Cause, sis.ErrNoKeepAlive) {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestTooManyExpeditedRequests(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *sis.ServerConfig) { c.Expedited = 3 })
	id := b.bind(9, 5, arq)
	urgent := request
	urgent.Expedited = true
	for range 2 {
		b.send(id, urgent, urgent, urgent)
		b.events("Unidata", "Unidata", "Unidata")
		b.wait(time.Minute)
	}
	b.send(id, urgent, urgent, urgent, urgent)
	b.hears(id, "S_UNBIND_INDICATION(4)")
	b.events("Unidata", "Unidata", "Unidata", "Unbound")
}

func TestBroadcastRefusesARQ(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	a, n := b.bind(9, 5, arq), b.bind(7, 5, nonARQ)
	b.s.SetBroadcast(b.now, true)
	b.hears(a, "S_UNBIND_INDICATION(5)")
	b.hears(n)
	b.events("Unbound")
	b.send(a, sis.BindRequest{SAP: 9, Rank: 5, Service: arq})
	b.hears(a, "S_BIND_REJECTED(4)")
	b.send(n, request)
	b.hears(n, "S_UNIDATA_REQUEST_REJECTED(3)")
	b.s.SetBroadcast(b.now, false)
	b.send(a, sis.BindRequest{SAP: 9, Rank: 5, Service: arq})
	b.hears(a, "S_BIND_ACCEPTED")
}

func TestHardLinksAndManagementPassThrough(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *sis.ServerConfig) { c.MaxRank = 15 })
	id, manager := b.bind(9, 5, arq), b.bind(0, 15, nonARQ)
	b.send(id, sis.HardLinkEstablish{Link: link}, sis.HardLinkAccept{Link: link}, sis.HardLinkReject{Link: link}, sis.HardLinkTerminate{Remote: peer})
	b.events("HardLink", "HardLink", "HardLink", "HardLink")
	for _, p := range []sis.Primitive{
		sis.HardLinkEstablished{Status: 1, Link: link},
		sis.HardLinkTerminated{Reason: 1, Link: link},
		sis.HardLinkIndication{Link: link},
		sis.HardLinkRejected{Reason: 2, Link: link},
		sis.Management{Indication: true},
	} {
		if err := b.s.Tell(b.now, id, p); err != nil {
			t.Errorf("tell %s: %v", p.Type(), err)
		}
	}
	b.hears(id, "S_HARD_LINK_ESTABLISHED", "S_HARD_LINK_TERMINATED", "S_HARD_LINK_INDICATION", "S_HARD_LINK_REJECTED(2)", "S_MANAGEMENT_MSG_INDICATION")
	if err := b.s.Tell(b.now, id, sis.BindAccepted{SAP: 9, MTU: 1}); !errors.Is(err, sis.ErrUnexpected) {
		t.Errorf("tell something else: %v", err)
	}
	group := link
	group.Remote = s5066.AllStations()
	b.send(id, sis.HardLinkEstablish{Link: group}, sis.HardLinkAccept{Link: group})
	b.hears(id, "S_HARD_LINK_REJECTED(3)")
	b.events("Fault")
	b.send(manager, sis.Management{Message: 1, Body: []byte("x")})
	b.send(id, sis.Management{Message: 1, Body: []byte("x")})
	b.events("ManagementRequest", "Fault")
	b.s.Available(b.now, sis.NodeReceiveOnly, sis.StatusEMCON)
	b.hears(id, "S_SUBNET_AVAILABILITY")
	late := b.attach()
	b.send(late, sis.BindRequest{SAP: 8, Rank: 1, Service: arq})
	b.hears(late, "S_BIND_ACCEPTED", "S_SUBNET_AVAILABILITY")
}
