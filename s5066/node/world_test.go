package node_test

import (
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
	"sallyport/s5066/node"
	"sallyport/s5066/sis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// address of the station with that number.
func address(i int) s5066.Address { return s5066.Unicast(0x1020300 + uint32(i) + 4) }

// world is nodes on a simulated channel, with clients, in virtual time.
type world struct {
	t      testing.TB
	now    time.Time
	sim    *channel.Sim
	radio  modem.Radio
	nodes  []*station
	change func(i int, c *node.Config)
	wave   modem.Waveform
	lives  int
}

// station is one node and what its clients heard. A dead one has no node.
type station struct {
	w       *world
	i       int
	n       *node.Node
	clients []*client
	events  []node.Event
	raw     *modem.Implied // nil: the modem tells what it knows
}

// client is one connected client.
type client struct {
	s    *station
	id   sis.ClientID
	dec  sis.Decoder
	got  []sis.Primitive
	at   []time.Time
	gone bool
}

type worldConfig struct {
	stations int
	wave     string
	loss     float64 // of frames of 200 bytes
	profile  *channel.Profile
	seed     uint64
	windows  []channel.Window
	logData  bool
	raw      bool // modems are plain streams of bytes
	paths    func(from, to int) channel.Path
	change   func(i int, c *node.Config)
}

func newWorld(t testing.TB, c worldConfig) *world {
	t.Helper()
	wave, err := modem.ParseWaveform(c.wave)
	if err != nil {
		t.Fatal(err)
	}
	p := channel.FrameLoss(c.loss, 200)
	if c.profile != nil {
		p = *c.profile
	}
	paths := c.paths
	if paths == nil {
		paths = channel.Everybody(channel.Path{Profile: p})
	}
	sim, err := channel.New(channel.Config{
		Stations: c.stations, Radio: modem.DefaultRadio(), Paths: paths, Seed: c.seed, Windows: c.windows, Log: channel.LogConfig{Data: c.logData},
	}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: epoch, sim: sim, radio: modem.DefaultRadio(), change: c.change, wave: wave}
	for i := range c.stations {
		s := &station{w: w, i: i}
		if c.raw {
			s.plain()
		}
		w.nodes = append(w.nodes, s)
		s.start(c.seed)
	}
	return w
}

// start gives a station a node without memory.
func (s *station) start(seed uint64) {
	s.w.t.Helper()
	cfg := node.Default(address(s.i), s.w.wave)
	cfg.PermitAll = true
	s.w.lives++
	cfg.Seed = seed*1000 + uint64(s.w.lives)
	if s.w.change != nil {
		s.w.change(s.i, &cfg)
	}
	n, err := node.New(cfg, s.w.now)
	if err != nil {
		s.w.t.Fatal(err)
	}
	s.n = n
	n.ModemUp(s.w.now, s.figures(), 1)
	if s.raw != nil {
		return
	}
	if c := s.w.sim.Carrier(s.i); c.On {
		n.Modem(s.w.now, c)
	}
}

// kill ends a node in the middle of whatever it does.
func (s *station) kill() {
	s.w.sim.Drop(s.w.now, s.i)
	s.n = nil
	s.clients = nil
}

// bind connects a client.
func (s *station) bind(sap s5066.SAP, service s5066.ServiceType) *client {
	s.w.t.Helper()
	id, err := s.n.Attach(s.w.now)
	if err != nil {
		s.w.t.Fatal(err)
	}
	c := &client{s: s, id: id}
	s.clients = append(s.clients, c)
	c.send(sis.BindRequest{SAP: sap, Rank: 5, Service: service})
	s.w.drain(s)
	return c
}

func (c *client) send(p sis.Primitive) {
	c.s.w.t.Helper()
	b, err := sis.AppendPrimitive(nil, p)
	if err != nil {
		c.s.w.t.Fatal(err)
	}
	c.s.n.Bytes(c.s.w.now, c.id, b)
}

// unidata submits a U_PDU by ARQ with that confirmation.
func (c *client) unidata(to int, confirm s5066.Confirmation, data []byte) {
	c.s.w.t.Helper()
	c.send(sis.UnidataRequest{
		Priority: 4, SAP: 6, Destination: address(to), Data: data, Delivery: s5066.DeliveryMode{Mode: s5066.TxARQ, Confirm: confirm},
	})
}

// heard is the U_PDUs that came, as text; confirmed and rejected what came of those that were sent.
func (c *client) heard() (list []string) {
	for _, p := range c.got {
		if p, ok := p.(sis.UnidataIndication); ok {
			list = append(list, string(p.Data))
		}
	}
	return list
}

func (c *client) confirmed() (list []string) {
	for _, p := range c.got {
		if p, ok := p.(sis.UnidataConfirm); ok {
			list = append(list, string(p.Returned))
		}
	}
	return list
}

func (c *client) rejected() (list []string) {
	for _, p := range c.got {
		if p, ok := p.(sis.UnidataRejected); ok {
			list = append(list, fmt.Sprintf("%s: %s", p.Returned, p.Reason))
		}
	}
	return list
}

// drain passes on what a station has to say.
func (w *world) drain(s *station) {
	w.t.Helper()
	if s.n == nil {
		return
	}
	for _, o := range s.n.Orders() {
		if s.raw != nil {
			s.step(s.raw.Order(w.now, o))
		} else if err := w.sim.Order(w.now, s.i, o); err != nil {
			w.t.Fatal(err)
		}
	}
	s.events = append(s.events, s.n.Events()...)
	for _, c := range s.clients {
		for {
			b, closing := s.n.Output(c.id)
			c.dec.Push(b)
			if len(b) == 0 {
				c.gone = c.gone || closing
				break
			}
		}
		for {
			p, err := c.dec.Next()
			if p == nil {
				if err != sis.ErrShort {
					w.t.Fatalf("unusable primitive from the node: %v", err)
				}
				break
			}
			if _, ok := p.(sis.KeepAlive); ok {
				c.send(sis.KeepAlive{})
				continue
			}
			c.got = append(c.got, p)
			c.at = append(c.at, w.now)
		}
	}
}

// run lets time pass for so long, or until done says so.
func (w *world) run(limit time.Duration, done func() bool) {
	w.t.Helper()
	end := w.now.Add(limit)
	for still := 0; ; {
		for _, s := range w.nodes {
			w.drain(s)
		}
		if done != nil && done() {
			return
		}
		next, some := end, false
		at := func(t time.Time, ok bool) {
			if ok && !t.After(next) {
				next, some = t, true
			}
		}
		at(w.sim.Deadline())
		for _, s := range w.nodes {
			if s.n != nil {
				at(s.n.Deadline())
			}
			if s.raw != nil {
				at(s.raw.Deadline())
			}
		}
		if !some {
			w.now = end
			return
		}
		if !next.After(w.now) {
			if still++; still > 2000 {
				w.t.Fatalf("no progress at %v: %+v", w.now.Sub(epoch), w.stuck())
			}
		} else {
			w.now, still = next, 0
		}
		w.happen()
	}
}

func (w *world) happen() {
	for _, d := range w.sim.Tick(w.now) {
		if s := w.nodes[d.Station]; s.raw != nil {
			s.bytes(d.Event)
		} else if s.n != nil {
			s.n.Modem(w.now, d.Event)
			w.drain(s)
		}
	}
	for _, s := range w.nodes {
		s.rawTick()
		if s.n == nil {
			continue
		}
		if at, ok := s.n.Deadline(); ok && !at.After(w.now) {
			s.n.Tick(w.now)
			w.drain(s)
		}
	}
}

func (w *world) stuck() (list []string) {
	for _, s := range w.nodes {
		if s.n != nil {
			at, ok := s.n.Deadline()
			list = append(list, fmt.Sprintf("\n%d: %v %t %+v", s.i, at.Sub(w.now), ok, s.n.Status(w.now)))
		}
	}
	return list
}

func (w *world) status(i int) node.Status { return w.nodes[i].n.Status(w.now) }

var arq = s5066.ServiceType{Mode: s5066.TxARQ, Confirm: s5066.ConfirmNode}
