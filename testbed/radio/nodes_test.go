package radio_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/capture"
	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
	"sallyport/s5066/node"
	"sallyport/s5066/rcop"
	"sallyport/s5066/sis"
)

// site is a node with its clients, all in virtual time, and what was recorded of it.
type site struct {
	number  int
	n       *node.Node
	clients []*sis.Client
	ids     []sis.ClientID
	streams map[sis.ClientID]*capture.Stream
	events  [][]sis.ClientEvent
	sis     []byte // records
	keyed   []byte
	heard   []byte
	types   map[string]int // primitives
}

// net is two sites on a channel.
type net struct {
	t     *testing.T
	now   time.Time
	sim   *channel.Sim
	sites []*site
}

func newNet(t *testing.T, wave string, p channel.Profile, seed uint64) *net {
	t.Helper()
	w, err := modem.ParseWaveform(wave)
	if err != nil {
		t.Fatal(err)
	}
	radio := modem.DefaultRadio()
	x := &net{t: t, now: noon}
	x.sim, err = channel.New(channel.Config{Stations: 2, Radio: radio, Paths: channel.Everybody(channel.Path{Profile: p}), Seed: seed}, noon)
	if err != nil {
		t.Fatal(err)
	}
	for i, own := range []s5066.Address{ship, shore} {
		s := &site{number: i, streams: map[sis.ClientID]*capture.Stream{}, types: map[string]int{}}
		cfg := node.Default(own, w)
		cfg.PermitAll, cfg.Seed, cfg.Capture = true, seed+uint64(i), s.record
		if s.n, err = node.New(cfg, noon); err != nil {
			t.Fatal(err)
		}
		s.n.ModemUp(noon, radio, 1)
		x.sites = append(x.sites, s)
	}
	return x
}

// record is the hook of the site's node.
func (s *site) record(c node.Captured) {
	switch {
	case c.Frame != nil && c.Out:
		s.keyed = capture.AppendRecord(s.keyed, c.Time, c.Bytes)
	case c.Frame != nil && len(c.Bytes) > 0:
		s.heard = capture.AppendRecord(s.heard, c.Time, c.Bytes)
	case c.Primitive != nil:
		stream := s.streams[c.Client]
		if stream == nil {
			port := uint16(40_000 + len(s.streams))
			stream = capture.NewStream(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port), netip.MustParseAddrPort("127.0.0.1:5066"))
			s.streams[c.Client] = stream
		}
		from := capture.Client
		if c.Out {
			from = capture.Node
		}
		s.sis = stream.Append(s.sis, c.Time, from, c.Bytes)
		s.types[strconv.Itoa(int(c.Primitive.Type()))]++
	}
}

// join binds another client and returns its number at the site.
func (x *net) join(s *site, o sis.BindOptions) int {
	x.t.Helper()
	o.KeepAlive = -1
	id, err := s.n.Attach(x.now)
	c, err2 := sis.NewClient(x.now, o)
	if err := errors.Join(err, err2); err != nil {
		x.t.Fatal(err)
	}
	s.clients, s.ids, s.events = append(s.clients, c), append(s.ids, id), append(s.events, nil)
	x.settle()
	return len(s.clients) - 1
}

// settle passes bytes and orders on until nobody has any.
func (x *net) settle() {
	for again := true; again; {
		again = false
		for _, s := range x.sites {
			for i, c := range s.clients {
				if b, _ := c.Output(); len(b) > 0 {
					again = true
					s.n.Bytes(x.now, s.ids[i], b)
				}
				if b, _ := s.n.Output(s.ids[i]); len(b) > 0 {
					again = true
					c.Bytes(x.now, b)
				}
				s.events[i] = append(s.events[i], c.Events()...)
			}
			for _, o := range s.n.Orders() {
				if err := x.sim.Order(x.now, s.number, o); err != nil {
					x.t.Fatal(err)
				}
			}
			s.n.Events()
		}
	}
}

func (x *net) run(limit time.Duration) {
	end := x.now.Add(limit)
	for steps := 0; x.now.Before(end) && steps < 200_000; steps++ {
		x.settle()
		due := []deadline{x.sim.Deadline}
		for _, s := range x.sites {
			due = append(due, s.n.Deadline)
		}
		x.now = next(x.now, end, due)
		for _, d := range x.sim.Tick(x.now) {
			x.sites[d.Station].n.Modem(x.now, d.Event)
		}
		for _, s := range x.sites {
			if at, ok := s.n.Deadline(); ok && !at.After(x.now) {
				s.n.Tick(x.now)
			}
		}
	}
}

// count is how many events of a type a client got.
func count[E sis.ClientEvent](s *site, client int) (n int) {
	for _, e := range s.events[client] {
		if _, ok := e.(E); ok {
			n++
		}
	}
	return n
}

// TestWholeSessionsOfTwoNodes: everything between clients and nodes, and on the air, of two nodes that exchange all kinds of data.
func TestWholeSessionsOfTwoNodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, wave string
		profile    channel.Profile
	}{
		{"1200 clean", "110a-1200-short", channel.Presets()[0]},
		{"2400 moderate", "110a-2400-short", channel.Presets()[3]},
		{"9600 a tenth lost", "4539-9600-short", channel.FrameLoss(0.1, 222)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newNet(t, c.wave, c.profile, 5)
			a, b := x.sites[0], x.sites[1]
			x.join(a, sis.BindOptions{SAP: s5066.SAPRCOP, Rank: 5, Service: arq})
			x.join(a, sis.BindOptions{SAP: s5066.SAPUDOP, Rank: 5, Service: s5066.ServiceType{Mode: s5066.TxNonARQ, Retransmissions: 1}})
			x.join(b, sis.BindOptions{SAP: s5066.SAPRCOP, Rank: 5, Service: arq})
			x.join(b, sis.BindOptions{SAP: s5066.SAPUDOP, Rank: 5, Service: s5066.ServiceType{Mode: s5066.TxNonARQ}})
			x.converse(a, b)
			if got := count[sis.Received](b, 0); got != 6 {
				t.Errorf("shore received %d of 5 messages and an expedited one", got)
			}
			if confirmed, rejected := count[sis.Confirmed](a, 0), count[sis.Rejected](a, 0); confirmed != 6 || rejected != 1 {
				t.Errorf("ship: %d confirmed, %d rejected", confirmed, rejected)
			}
			if got := count[sis.Received](a, 0); got != 2 {
				t.Errorf("ship received %d of 2 answers", got)
			}
			for _, s := range x.sites {
				s.judge(t)
			}
		})
	}
}

func (x *net) converse(a, b *site) {
	x.t.Helper()
	id := uint64(0)
	send := func(s *site, client int, size int, q sis.UnidataRequest) {
		x.t.Helper()
		id++
		header, err := rcop.AppendHeader(nil, rcop.Header{ID: uint8(id), App: 0x8001})
		if err != nil {
			x.t.Fatal(err)
		}
		q.Data = append(header, make([]byte, size)...)
		if err := s.clients[client].Send(x.now, id, q); err != nil {
			x.t.Fatal(err)
		}
		x.settle()
	}
	for i := range 5 {
		send(a, 0, 40+400*i, sis.UnidataRequest{Priority: 4, SAP: s5066.SAPRCOP, Destination: shore, TTL: 3 * time.Hour})
	}
	x.run(20 * time.Second)
	for range 2 {
		send(b, 0, 50, sis.UnidataRequest{Priority: 5, SAP: s5066.SAPRCOP, Destination: ship})
	}
	send(a, 0, 20, sis.UnidataRequest{Expedited: true, SAP: s5066.SAPRCOP, Destination: shore})
	send(a, 1, 300, sis.UnidataRequest{Priority: 1, SAP: s5066.SAPUDOP, Destination: s5066.AllStations()})
	x.run(time.Hour)
	nobody := s5066.DeliveryMode{Mode: s5066.TxARQ, Confirm: s5066.ConfirmClient}
	send(a, 0, 20, sis.UnidataRequest{Priority: 4, SAP: s5066.SAPCFTP, Destination: shore, Delivery: nobody})
	x.run(time.Hour)
	link := s5066.HardLink{Type: s5066.LinkReserved, Priority: 1, SAP: s5066.SAPRCOP, Remote: shore}
	if err := a.clients[0].HardLink(x.now, sis.HardLinkEstablish{Link: link}); err != nil {
		x.t.Fatal(err)
	}
	x.run(10 * time.Minute)
	if err := a.clients[0].HardLink(x.now, sis.HardLinkTerminate{Remote: shore}); err != nil {
		x.t.Fatal(err)
	}
	x.run(10 * time.Minute)
	for _, s := range x.sites {
		for _, c := range s.clients {
			c.Unbind(x.now)
		}
	}
	x.settle()
}

// judge lets tshark decode what was recorded at a site, and count it.
func (s *site) judge(t *testing.T) {
	t.Helper()
	dir := s.flawless(t)
	counted(t, filepath.Join(dir, "sis.pcap"), "s5066sis.type", s.types)
	frames := map[string]int{}
	for i, k := range s.n.Status(noon).Stats.Keyed {
		if k.Frames > 0 {
			frames[strconv.Itoa(i)] = int(k.Frames)
		}
	}
	counted(t, filepath.Join(dir, "keyed.pcap"), "s5066dts.type", frames)
}

// flawless fails if tshark finds fault with what was recorded at a site, and says where that is.
func (s *site) flawless(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	files := map[string][]byte{
		"sis": append(capture.AppendHeader(nil, capture.LinkIP), s.sis...), "keyed": append(capture.AppendHeader(nil, capture.LinkDPDU), s.keyed...),
		"heard": append(capture.AppendHeader(nil, capture.LinkDPDU), s.heard...),
	}
	for name, b := range files {
		path := filepath.Join(dir, name+".pcap")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		flawless(t, path)
	}
	return dir
}
