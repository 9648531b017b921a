package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/node"
	"sallyport/s5066/sis"
)

const wave = "110a-1200-short"

func (c *client) types() (list []string) {
	for _, p := range c.got {
		list = append(list, strings.TrimPrefix(p.Type().String(), "S_"))
	}
	return list
}

// since is what a client was told after the first n primitives.
func (c *client) since(n int) string { return strings.Join(c.types()[min(n, len(c.got)):], " ") }

func TestBothClientsSpeakAtOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		w := newWorld(t, worldConfig{stations: 2, wave: wave, seed: seed})
		a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
		a.unidata(1, s5066.ConfirmNode, sixty(1))
		b.unidata(0, s5066.ConfirmNode, sixty(2))
		w.run(5*time.Minute, func() bool { return len(a.confirmed())+len(b.confirmed()) == 2 })
		if len(a.confirmed()) != 1 || len(b.confirmed()) != 1 || len(a.heard()) != 1 || len(b.heard()) != 1 {
			t.Errorf("seed %d: after five minutes %v %v, rejected %v %v", seed, a.types(), b.types(), a.rejected(), b.rejected())
		}
	}
}

// Above the soft link nothing is exchanged that is not asked for: request, acceptance, data, acknowledgement.
func TestNoRoundTripAboveTheSoftLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 2, wave: wave})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	a.unidata(1, s5066.ConfirmNode, sixty(1))
	w.run(time.Minute, func() bool { return len(a.confirmed()) == 1 })
	if x, y := w.status(0).Stats.Trains, w.status(1).Stats.Trains; x != 2 || y != 2 || len(b.heard()) != 1 {
		t.Errorf("%d and %d transmissions for the first U_PDU, want 2 and 2", x, y)
	}
	a.unidata(1, s5066.ConfirmNode, sixty(2))
	w.run(time.Minute, func() bool { return len(a.confirmed()) == 2 })
	if x, y := w.status(0).Stats.Trains, w.status(1).Stats.Trains; x != 3 || y != 3 {
		t.Errorf("%d and %d transmissions with the second, want 3 and 3", x, y)
	}
	if s := w.status(0).Stats; s.Keyed[dpdu.DataOnly].Bytes != 2*86 {
		t.Errorf("%d bytes of data keyed for two U_PDUs of 60 bytes, want 172", s.Keyed[dpdu.DataOnly].Bytes)
	}
}

func TestClientDeliveryConfirmation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 2, wave: wave})
	a := w.nodes[0].bind(6, arq)
	a.unidata(1, s5066.ConfirmClient, sixty(1))
	w.run(10*time.Minute, nil)
	if got := fmt.Sprint(a.rejected()); !strings.Contains(got, sis.RejectNoSAP.String()) {
		t.Errorf("nobody bound there: %s", got)
	}
	b := w.nodes[1].bind(6, arq)
	a.unidata(1, s5066.ConfirmClient, sixty(2))
	w.run(10*time.Minute, nil)
	if len(a.confirmed()) != 1 || len(b.heard()) != 1 {
		t.Errorf("%v %v", a.types(), b.types())
	}
	if n := w.status(1).Stats.Discarded; n != 1 {
		t.Errorf("%d discarded", n)
	}
}

func TestExpedited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 2, wave: "110a-300-short", loss: 0.1})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	for i := range 8 {
		a.unidata(1, s5066.ConfirmNode, []byte(say(0, 1, i, 1500)))
	}
	w.run(40*time.Second, nil)
	a.send(sis.UnidataRequest{Expedited: true, SAP: 6, Destination: address(1), Data: []byte("flash"), Delivery: arq})
	sent := w.now
	w.run(3*time.Minute, func() bool { return slices.Contains(b.heard(), "flash") })
	took := w.now.Sub(sent)
	if before := len(b.heard()); before > 5 || took > 100*time.Second {
		t.Errorf("expedited after %v, behind %d others", took, before)
	}
	w.run(time.Hour, nil)
	if len(b.heard()) != 9 || len(a.confirmed()) != 9 {
		t.Errorf("%d heard, %d confirmed", len(b.heard()), len(a.confirmed()))
	}
	if !slices.ContainsFunc(b.got, func(p sis.Primitive) bool { return p.Type() == sis.TypeExpeditedIndication }) {
		t.Error("not indicated as expedited")
	}
}

func TestBroadcastWithRepetition(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 3, wave: wave, loss: 0.3, seed: 4})
	cast := s5066.ServiceType{Mode: s5066.TxNonARQ, Retransmissions: 3}
	a := w.nodes[0].bind(7, cast)
	others := []*client{w.nodes[1].bind(7, cast), w.nodes[2].bind(7, cast)}
	for i := range 20 {
		a.send(sis.UnidataRequest{SAP: 7, Destination: s5066.AllStations(), Data: []byte(say(0, 9, i, 120)), Delivery: cast})
	}
	w.run(time.Hour, nil)
	for i, c := range others {
		got := c.heard()
		if n := len(got); n < 19 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != n {
			t.Errorf("station %d heard %d of 20", i+1, n)
		}
	}
	if s := w.status(0); s.Waiting[0]+s.Under != 0 || s.Stats.Keyed[dpdu.NonARQ].Frames != 80 {
		t.Errorf("%d frames keyed, want 80; %+v", s.Stats.Keyed[dpdu.NonARQ].Frames, s.Waiting)
	}
	for i := 1; i < 3; i++ {
		if n := w.status(i).Stats.Trains; n != 0 {
			t.Errorf("station %d keyed %d times", i, n)
		}
	}
}

// In EMCON a node hears broadcasts, keys nothing, and sends what waited when it may again.
func TestEMCON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 2, wave: wave, change: func(i int, c *node.Config) { c.EMCON = i == 1 }})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	if !strings.Contains(b.since(0), "SUBNET_AVAILABILITY") {
		t.Errorf("told %v", b.types())
	}
	cast := s5066.DeliveryMode{Mode: s5066.TxNonARQ}
	a.send(sis.UnidataRequest{SAP: 6, Destination: s5066.AllStations(), Data: []byte("to all"), Delivery: cast})
	a.unidata(1, s5066.ConfirmNode, []byte("to the silent"))
	b.unidata(0, s5066.ConfirmNode, []byte("answer"))
	w.run(30*time.Minute, nil)
	if got := fmt.Sprint(b.heard(), a.rejected(), b.rejected()); got != "[to all] [to the silent: destination node not responding] []" {
		t.Error(got)
	}
	if s := w.status(1); s.Stats.Trains != 0 || s.Waiting[4] != 1 {
		t.Errorf("the silent node keyed %d times, %d wait", s.Stats.Trains, s.Waiting[4])
	}
	w.nodes[1].n.SetEMCON(w.now, false)
	w.run(time.Hour, func() bool { return len(b.confirmed()) == 1 })
	if got := fmt.Sprint(a.heard(), len(b.confirmed())); got != "[answer] 1" {
		t.Error(got)
	}
	// A link lives through a short silence: what was heard is acknowledged behind it.
	w.nodes[1].n.SetEMCON(w.now, true)
	a.unidata(1, s5066.ConfirmNode, []byte("during"))
	w.run(15*time.Second, func() bool { return len(b.heard()) == 2 })
	if len(b.heard()) != 2 || len(a.confirmed()) != 0 {
		t.Fatalf("heard %v, confirmed %v", b.heard(), a.confirmed())
	}
	w.nodes[1].n.SetEMCON(w.now, false)
	w.run(time.Minute, nil)
	if len(a.confirmed()) != 1 {
		t.Errorf("confirmed %v, rejected %v", a.confirmed(), a.rejected())
	}
}

func TestBroadcastOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 2, wave: wave})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	a.unidata(1, s5066.ConfirmNode, sixty(1))
	w.run(time.Minute, nil)
	w.nodes[1].n.SetBroadcast(w.now, true)
	before := len(a.got)
	a.unidata(1, s5066.ConfirmNode, sixty(2))
	w.run(time.Hour, nil)
	if !strings.HasSuffix(b.since(0), "UNBIND_INDICATION") {
		t.Errorf("client bound for ARQ is told %v", b.types())
	}
	if got := a.since(before); got != "UNIDATA_REQUEST_REJECTED" {
		t.Errorf("the other side is told %v: %v", got, a.rejected())
	}
	if l := w.status(0).Links; len(l) != 0 {
		t.Errorf("links %+v", l)
	}
}

func TestHardLinkTypes(t *testing.T) {
	t.Parallel()
	for typ, want := range map[s5066.LinkType][2]string{
		s5066.LinkReserved: {"HARD_LINK_ESTABLISHED", ""},
		s5066.LinkPartial:  {"HARD_LINK_ESTABLISHED", ""},
		s5066.LinkFull:     {"HARD_LINK_ESTABLISHED", "HARD_LINK_INDICATION"},
	} {
		for seed := range uint64(20) {
			hardLink(t, typ, want, seed)
		}
	}
}

func hardLink(t *testing.T, typ s5066.LinkType, want [2]string, seed uint64) {
	t.Helper()
	w := newWorld(t, worldConfig{stations: 3, wave: wave, loss: 0.1, seed: seed})
	a, b, c := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq), w.nodes[2].bind(6, arq)
	other := w.nodes[0].bind(8, arq)
	na, nb := len(a.got), len(b.got)
	link := s5066.HardLink{Type: typ, Priority: 2, SAP: 6, Remote: address(1)}
	a.send(sis.HardLinkEstablish{Link: link})
	w.run(time.Minute, func() bool { return len(b.got) > nb || len(a.got) > na })
	if typ == s5066.LinkFull {
		b.send(sis.HardLinkAccept{Link: s5066.HardLink{Type: typ, Priority: 2, SAP: 6, Remote: address(0)}})
	}
	w.run(2*time.Minute, func() bool { return len(a.got) > na })
	if got := [2]string{a.since(na), b.since(nb)}; got != want {
		t.Fatalf("type %d seed %d: told %q, want %q", typ, seed, got, want)
	}
	a.unidata(1, s5066.ConfirmNode, []byte("over it"))
	other.send(sis.UnidataRequest{SAP: 6, Destination: address(1), Data: []byte("not mine"), Delivery: arq})
	c.unidata(0, s5066.ConfirmNode, []byte("third"))
	w.run(40*time.Second, nil)
	allowed := []string{"over it"}
	if typ == s5066.LinkReserved {
		allowed = append(allowed, "not mine")
	}
	if got := b.heard(); !slices.Equal(got, allowed) || len(a.heard()) != 0 {
		t.Fatalf("type %d seed %d: %q and %q heard, want %q", typ, seed, got, a.heard(), allowed)
	}
	a.send(sis.HardLinkTerminate{Remote: address(1)})
	w.run(30*time.Minute, nil)
	if got := b.heard(); len(got) != 2 || !slices.Equal(a.heard(), []string{"third"}) || len(c.confirmed()) != 1 {
		t.Fatalf("type %d seed %d: afterwards %q and %q heard, %v", typ, seed, got, a.heard(), c.types())
	}
	for i := range w.nodes {
		if s := w.status(i); len(s.Links) != 0 || s.HardPhase != 0 {
			t.Errorf("type %d seed %d: node %d has %+v %v", typ, seed, i, s.Links, s.HardPhase)
		}
	}
	if typ == s5066.LinkFull && !strings.Contains(b.since(nb), "HARD_LINK_TERMINATED") {
		t.Errorf("seed %d: called client is told %s", seed, b.since(nb))
	}
}

// An outage in the middle of a U_PDU: nothing is lost, nothing comes twice.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{
		stations: 2, wave: wave, windows: []channel.Window{{From: epoch.Add(10 * time.Second), To: epoch.Add(100 * time.Second), Kind: channel.Outage}},
	})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	var want []string
	for i := range 10 {
		want = append(want, say(0, 1, i, 1000))
		a.unidata(1, s5066.ConfirmNode, []byte(want[i]))
	}
	w.run(time.Hour, nil)
	if !slices.Equal(b.heard(), want) || len(a.confirmed()) != 10 {
		t.Errorf("%d heard, %d confirmed, rejected %.40q", len(b.heard()), len(a.confirmed()), a.rejected())
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{
		stations: 2, wave: wave, windows: []channel.Window{{From: epoch, To: epoch.Add(5 * time.Minute), Kind: channel.Outage}},
	})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	a.send(sis.UnidataRequest{SAP: 6, Destination: address(1), Data: []byte("short"), Delivery: arq, TTL: 20 * time.Second})
	w.run(time.Hour, nil)
	if got := fmt.Sprint(a.rejected(), b.heard()); got != "[short: time to live expired] []" {
		t.Error(got)
	}
	if a.at[len(a.at)-1].Sub(epoch) > 21*time.Second {
		t.Errorf("told after %v", a.at[len(a.at)-1].Sub(epoch))
	}
	a.send(sis.UnidataRequest{SAP: 6, Destination: address(1), Data: []byte("long"), Delivery: arq, TTL: time.Hour})
	w.run(time.Hour, nil)
	if got := fmt.Sprint(b.heard(), w.status(0).Stats.Keyed[dpdu.DataOnly].Bytes); got != "[long] 32" {
		t.Errorf("%s: 4 bytes, with a time to die 6 of S_PDU and C_PDU, 22 of D_PDU", got)
	}
}

// Flow control: what a client submits beyond the limit is held back by S_DATA_FLOW_OFF, and ON again when half of it is gone.
func TestFlowControl(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 2, wave: "4539-9600-veryshort", change: func(_ int, c *node.Config) { c.QueueCount = 10 }})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	n := len(a.got)
	for i := range 12 {
		a.unidata(1, s5066.ConfirmNone, sixty(i))
	}
	w.run(time.Hour, nil)
	if got := a.since(n); got != "DATA_FLOW_OFF DATA_FLOW_ON" || len(b.heard()) != 12 {
		t.Errorf("told %s, %d heard", got, len(b.heard()))
	}
}

// A client that goes takes with it what it will ask for again.
func TestClientGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 2, wave: wave, change: func(i int, c *node.Config) { c.EMCON = i == 0 }})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	a.unidata(1, s5066.ConfirmNode, []byte("confirmed"))
	a.unidata(1, s5066.ConfirmNone, []byte("thrown"))
	w.nodes[0].n.Closed(w.now, a.id)
	w.nodes[0].clients = nil
	w.nodes[0].n.SetEMCON(w.now, false)
	w.run(time.Hour, nil)
	if got := fmt.Sprint(b.heard()); got != "[thrown]" {
		t.Error(got)
	}
}
