package node

import (
	"fmt"
	"math/rand/v2"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/cas"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
	"sallyport/s5066/modem"
	"sallyport/s5066/sis"
	"sallyport/s5066/spdu"
)

// Node is a STANAG 5066 node without sockets, goroutines or clock: bytes of clients and events of the modem go in, bytes for clients and
// orders to the modem come out. Every input carries the time, which does not go back. One goroutine owns it.
type Node struct {
	cfg    Config
	now    time.Time
	random *rand.Rand

	sis        *sis.Server
	cas        *cas.Machine
	dts        *dts.Machine
	hard       *spdu.Hard
	soft       spdu.Sessions
	deliveries spdu.Deliveries
	requests   requests
	managed    management
	pauses     map[s5066.Address]time.Time // before which no call is made again
	air        air
	rx         dpdu.Receiver

	events []Event
	orders []modem.Order
	taps   map[sis.ClientID]*tap
	stats  Stats
}

// New makes a node without a modem and without clients. Errors wrap ErrConfig, or those of the layers.
func New(cfg Config, now time.Time) (*Node, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.layers()
	n := &Node{
		cfg: cfg, now: now, random: rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.Own.Word()))), //nolint:gosec // waits, no secrets
		pauses: make(map[s5066.Address]time.Time), taps: make(map[sis.ClientID]*tap), requests: newRequests(),
		soft: spdu.Sessions{Config: cfg.Session}, deliveries: spdu.Deliveries{Wait: cfg.ClientWait}, managed: management{watchers: make(map[sis.ClientID]bool)},
	}
	var err error
	if n.sis, err = sis.NewServer(cfg.SIS); err != nil {
		return nil, fmt.Errorf("make a node: %w", err)
	}
	if n.dts, err = dts.New(cfg.DTS, cfg.dts()); err != nil {
		return nil, fmt.Errorf("make a node: %w", err)
	}
	if n.cas, err = cas.New(cas.Config{
		Own: cfg.Own, Permit: cfg.Permits, Broadcast: cfg.Broadcast, MaxLinks: cfg.MaxLinks, Tries: cfg.Calls, Timers: cfg.timers(), Wait: n.dts.Backoff,
	}); err != nil {
		return nil, fmt.Errorf("make a node: %w", err)
	}
	n.hard = spdu.NewHard(spdu.HardConfig{
		Own: cfg.Own, DefaultRank: cfg.HardRank, Answer: cfg.HardAnswer, Client: cfg.HardClient, Bound: n.boundRank,
	})
	n.available()
	return n, nil
}

// enter begins an input, settle ends it.
func (n *Node) enter(now time.Time) {
	if now.After(n.now) {
		n.now = now
	}
}

// settle lets every layer do what follows from an input, and keys if it is this node's turn.
func (n *Node) settle() {
	n.clients()
	n.feed()
	n.flow()
	n.key()
}

// Deadline is when Tick wants to be called. It has to be asked again after every input.
func (n *Node) Deadline() (first time.Time, ok bool) {
	at := func(t time.Time, have bool) {
		if have && (!ok || t.Before(first)) {
			first, ok = t, true
		}
	}
	at(n.sis.Deadline())
	at(n.cas.Deadline())
	at(n.dts.Deadline())
	at(n.hard.Deadline())
	if t, ok := n.soft.Deadline(); ok && !n.air.carrier.On {
		at(later(t, n.quiet()), true)
	}
	at(n.deliveries.Deadline())
	at(n.requests.deadline())
	at(n.keyAt())
	for _, t := range n.pauses {
		at(t, true)
	}
	return first, ok
}

// Tick says how late it is.
func (n *Node) Tick(now time.Time) {
	n.enter(now)
	n.sis.Tick(n.now)
	n.fromCAS(n.cas.Tick(n.now))
	n.fromDTS(n.dts.Tick(n.now))
	n.fromHard(n.hard.Tick(n.now))
	n.outcomes(n.deliveries.Tick(n.now))
	for a, t := range n.pauses {
		if !n.now.Before(t) {
			delete(n.pauses, a)
		}
	}
	n.idle()
	n.expire()
	n.settle()
}

// Orders returns what the modem is to do.
func (n *Node) Orders() []modem.Order {
	o := n.orders
	n.orders = nil
	return o
}

// SetEMCON switches radio silence. What is on the air already goes on.
func (n *Node) SetEMCON(now time.Time, on bool) {
	n.enter(now)
	n.silent(on)
	n.settle()
}

func (n *Node) silent(on bool) {
	if n.cfg.EMCON != on {
		n.cfg.EMCON = on
		n.tell(Event{Kind: ModeChanged, Text: onOff("EMCON", on)})
		n.available()
	}
}

// SetBroadcast switches broadcast-only operation: links are broken, clients bound for ARQ lose their SAP.
func (n *Node) SetBroadcast(now time.Time, on bool) {
	n.enter(now)
	if n.cfg.Broadcast != on {
		n.cfg.Broadcast = on
		n.tell(Event{Kind: ModeChanged, Text: onOff("broadcast only", on)})
		n.fromCAS(n.cas.SetBroadcast(n.now, on))
		n.sis.SetBroadcast(n.now, on)
	}
	n.settle()
}

// SetWaveform changes what the node transmits. Waveforms tell their rate to the receiver. ErrConfig for none.
func (n *Node) SetWaveform(now time.Time, w modem.Waveform) error {
	n.enter(now)
	if !w.Valid() {
		return fmt.Errorf("%w: waveform %s", ErrConfig, w)
	}
	n.useWaveform(w)
	n.settle()
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// retime tells the layers what the modem is like now.
func (n *Node) retime() {
	if err := n.dts.SetTiming(n.cfg.dts()); err != nil {
		n.tell(Event{Kind: RateChanged, Err: err})
	}
	n.cas.SetTimers(n.cfg.timers())
}

// available tells clients what the node can do.
func (n *Node) available() {
	status, reason := sis.NodeHalfDuplex, sis.StatusUnspecified
	switch {
	case !n.air.there:
		status = sis.NodeOff
	case n.cfg.EMCON:
		status, reason = sis.NodeReceiveOnly, sis.StatusEMCON
	case n.cfg.DTS.FullDuplex:
		status = sis.NodeFullDuplex
	}
	n.sis.Available(n.now, status, reason)
}

func onOff(what string, on bool) string {
	if on {
		return what + " on"
	}
	return what + " off"
}
