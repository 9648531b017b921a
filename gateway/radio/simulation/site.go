package simulation

import (
	"encoding/binary"
	"fmt"
	"time"

	"sallyport/gateway/dispatch"
	"sallyport/gateway/spool"
	"sallyport/internal/disk/faulty"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/deflate"
	"sallyport/links/hf"
	"sallyport/peering"
	"sallyport/s5066"
	"sallyport/s5066/modem"
	"sallyport/s5066/node"
	"sallyport/s5066/sis"
)

// site is one end: a gateway with its disk and its clients, and a node. spool is nil while the gateway is down, node while that is.
type site struct {
	w      *world
	i      int
	engine *peering.Engine
	serial uint64
	client client

	fs     *faulty.FS
	spool  *spool.Spool
	commit time.Time // when what was appended is made durable
	sched  *dispatch.Peer
	up     bool // as the scheduler knows of the link
	held   map[uint64]*spool.Entry
	todo   []dispatch.Output // announcements
	queue  []dispatch.Output // that are to be sent
	first  spool.Number      // of this life
	lives  int
	silent bool // by order of the gateway

	link  *hf.Stepped
	r     *custody.Receiver
	epoch uint64
	taken [links.Lanes]uint64
	hand  map[uint64]links.Inbound
	next  uint64
	home  []spool.Entry // announced to the domain in memory, and not yet written
	// last is the number of the latest message of each class that was delivered here.
	last [links.Lanes]uint64

	node      *node.Node
	nodeLives uint64
	conn      sis.ClientID
	emcon     bool
}

var (
	_ links.Sink      = (*site)(nil)
	_ links.Reporter  = (*site)(nil)
	_ links.Custodian = (*site)(nil)
	_ links.Issuer    = (*site)(nil)
)

func newSite(w *world, i int) *site {
	both, err := engines()
	if err != nil {
		w.violate("%v", err)
	}
	s := &site{w: w, i: i, engine: both[i], fs: faulty.New()}
	s.client.s = s
	return s
}

func address(station int) s5066.Address { return s5066.Unicast(0x1020304 + uint32(station)) } //nolint:gosec // small

// Read makes a site the source of randomness of its spool.
func (s *site) Read(p []byte) (int, error) {
	var b [8]byte
	for i := 0; i < len(p); i += len(b) {
		binary.BigEndian.PutUint64(b[:], s.w.dice.Uint64())
		copy(p[i:], b[:])
	}
	return len(p), nil
}

// start starts the gateway.
func (s *site) start() {
	var err error
	var r spool.Recovered
	s.spool, r, err = spool.Open(disk{s.fs}, spool.Options{
		SegmentBytes: 1 << 16, Stepped: true, Random: s, Clock: func() time.Time { return s.w.now },
		Limits: spool.Limits{MergeWindow: 100 * time.Millisecond}, Settled: s.settled,
	})
	if err != nil {
		s.w.violate("site %d: %v", s.i, err)
	}
	s.lives++
	s.first = s.spool.Stats().Next
	s.w.say("gateway %d starts: %d entries, %d in doubt", s.i, r.Entries, len(r.InDoubt))
	if len(r.Damaged) > 0 {
		s.w.violate("site %d: recovery speaks of damage where there was none: %v", s.i, r.Damaged)
	}
	profile := s.profile()
	custodian := s.w.set.Mode == hf.Compact || s.w.set.Mode == hf.Stream && !s.w.set.Managed
	s.sched = dispatch.New(dispatch.Options{Links: []dispatch.Link{{Name: linkHF, Profile: profile}}, Custody: custodian})
	s.up, s.held, s.todo, s.queue, s.hand, s.home = false, map[uint64]*spool.Entry{}, nil, nil, map[uint64]links.Inbound{}, nil
	s.recover(r)
	s.newLink(profile)
	s.client.offered = 0
	s.commitSoon()
}

// recover checks what was found on the disk, and ends what nobody can be asked about.
func (s *site) recover(r spool.Recovered) {
	for _, e := range r.InDoubt {
		if e.Peer == home || !s.custody() {
			s.done(e.Number, spool.InDoubt)
		} else {
			s.w.violate("site %d: %d is in doubt under custody", s.i, e.Number)
		}
	}
	s.w.recovered(s)
	s.r = custody.NewReceiver(s.marks())
	s.epoch, s.taken = s.r.Epoch(), [links.Lanes]uint64{}
	for _, m := range s.r.Marks() {
		s.taken[m.Lane] = m.Number
	}
}

func (s *site) marks() (out []links.Mark) {
	for _, m := range s.spool.Marks(far) {
		out = append(out, links.Mark{Epoch: m.Epoch, Lane: m.Lane, Number: m.Number})
	}
	return out
}

// profile is how the link is configured.
func (s *site) profile() links.Profile {
	t := modem.Timing{Waveform: s.w.set.Wave, Radio: modem.DefaultRadio()}
	return links.Profile{BitsPerSecond: int64(s.w.set.Wave.Rate()), RoundTrip: 2 * t.Arrival(100), HalfDuplex: true}
}

func (s *site) custody() bool {
	return s.w.set.Mode == hf.Compact || s.w.set.Mode == hf.Stream && !s.w.set.Managed
}

func (s *site) newLink(profile links.Profile) {
	own, other := jid.MustParse(domain(s.i)), jid.MustParse(domain(1-s.i))
	rooms := [2]jid.JID{jid.MustParse("rooms." + domain(s.i)), jid.MustParse("rooms." + domain(1-s.i))}
	cfg := hf.Config{
		Name: linkHF, Side: "out", Peer: far, Mode: s.w.set.Mode, Managed: s.w.set.Managed, Node: fmt.Sprint("node ", s.i), SAP: s.w.set.SAP, Rank: 5, Address: address(1 - s.i),
		Remote: func(d jid.JID) bool { return d == other || d == rooms[1] }, Local: func(d jid.JID) bool { return d == own || d == rooms[0] },
		PeerDomain: other, LocalDomain: own, Profile: profile, Silent: s.silent, Age: 24 * time.Hour,
	}
	switch s.w.set.Mode {
	case hf.Compact:
		cfg.Codec = s.w.lab.codecs[s.i]
	case hf.Stream:
		cfg.Compression = &deflate.Config{}
	case hf.RCOP, hf.NoMode:
	}
	by := hf.Clockwork{Now: func() time.Time { return s.w.now }, Draw: func() uint16 { return uint16(s.w.dice.Uint32()) }} //nolint:gosec // any will do
	var err error
	if s.link, err = hf.NewStepped(cfg, s, hf.Env{Custodian: s, Observer: s}, by); err != nil {
		s.w.violate("site %d: %v", s.i, err)
	}
}

// down ends the gateway, as kill -9 does.
func (s *site) down() {
	if s.spool == nil {
		return
	}
	if s.link.Connection() && s.node != nil {
		s.node.Closed(s.w.now, s.conn)
	}
	s.spool, s.link, s.commit = nil, nil, time.Time{}
}

// kill lets one of the parts end, and start again later.
func (s *site) kill(x kill) {
	s.w.say("%v %d is killed", x.victim, s.i)
	again := s.start
	switch x.victim {
	case theNode:
		s.stopNode()
		again = s.startNode
	case theGateway:
		s.down()
	case thePower:
		s.down()
		s.fs.Crash(s.w.dice.IntN)
	}
	s.w.Kills++
	s.w.killed[s.i][x.victim] = true
	s.w.appoint(s.w.now.Add(x.down), func() {
		if x.victim == theNode && s.node == nil || x.victim != theNode && s.spool == nil {
			again()
		}
	})
}

// startNode gives the site a node without memory.
func (s *site) startNode() {
	s.nodeLives++
	c := node.Default(address(s.i), s.w.set.Wave)
	c.Permit, c.Seed, c.EMCON = []s5066.Address{address(1 - s.i)}, s.w.set.Seed*1000+2*s.nodeLives+uint64(s.i), s.emcon //nolint:gosec // 0 or 1
	if record := s.w.lab.Record; record != nil {
		c.Capture = func(x node.Captured) { record(s.i, x) }
	}
	n, err := node.New(c, s.w.now)
	if err != nil {
		s.w.violate("node %d: %v", s.i, err)
	}
	s.node = n
	n.ModemUp(s.w.now, modem.DefaultRadio(), 1)
	if c := s.w.sim.Carrier(s.i); c.On {
		n.Modem(s.w.now, c)
	}
	s.w.say("node %d starts", s.i)
}

func (s *site) stopNode() {
	if s.node == nil {
		return
	}
	s.w.sim.Drop(s.w.now, s.i)
	s.node = nil
	if s.link != nil && s.link.Connection() {
		s.link.Closed()
	}
}

// silence begins or ends radio silence.
func (s *site) silence(node, on bool) {
	s.w.say("site %d: silence of the node %t: %t", s.i, node, on)
	if !node {
		if s.silent = on; s.link != nil {
			s.link.SetSilent(on)
		}
		return
	}
	if s.emcon = on; s.node != nil {
		s.node.SetEMCON(s.w.now, on)
	}
}
