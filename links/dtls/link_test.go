package dtls_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/dtls"
	"sallyport/peering"
	"sallyport/rules"
)

// releaser lets presence cross between a.example and b.example over the link "udp".
var releaser = sync.OnceValue(func() *peering.Engine {
	profile, problems := rules.CompileProfile(rules.DefaultProfile("federation"))
	set, more := rules.CompileRules(nil)
	registry, err := labels.NewRegistry()
	if len(problems)+len(more) > 0 || err != nil {
		panic(fmt.Sprint(problems, more, err))
	}
	floor := peering.Floor{Methods: []peering.Method{peering.External}, MinTLS: tls.VersionTLS12}
	peer := func(name string) peering.Peer {
		return peering.Peer{
			Name: name, Side: name, Domains: []peering.Pattern{peering.Pattern(name + ".example")}, Floor: floor, Kinds: peering.Kinds{Presence: true},
			Links: []string{"udp"},
		}
	}
	p, bad := peering.Compile(peering.Definition{
		Profile: profile, Rules: set, Labels: registry, Peers: []peering.Peer{peer("a"), peer("b")}, Pairs: []peering.Pair{{From: "a", To: "b", Both: true}},
	})
	if len(bad) > 0 {
		panic(bad)
	}
	return peering.NewEngine(p)
})

func released(t *testing.T, from, to, status string) peering.Released {
	t.Helper()
	text := fmt.Sprintf("<presence from='u@%s/r' to='v@%s'><status>%s</status></presence>", from, to, status)
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatal(err)
	}
	v := releaser().Judge(&peering.Arrival{
		Stanza: s, Link: "udp", Peer: from[:1], Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: time.Now(), Node: "test", Serial: 1,
		Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13}, Bytes: len(text),
	})
	r, ok := v.Released()
	if !ok {
		t.Fatalf("%+v", v.Refusal)
	}
	return r
}

// station is one gateway over a link: entries to send, lane by lane, and what arrived. It stands in for the spool.
type station struct {
	t           *testing.T
	link        *dtls.Link
	epoch       uint64
	from, to    string
	mu          sync.Mutex
	out         [links.Lanes][]entry // not confirmed, in order
	cursor      [links.Lanes]int     // of these, how many the link has in this turn
	turn        uint64
	outstanding int // handed to the link and not reported
	loaded      int
	receiver    *custody.Receiver
	settle      map[uint64]links.Inbound
	ids         uint64
	got         [links.Lanes][]string
	delivered   int
	returned    int
	proofs      []peering.Proof
	greetings   [][]links.Mark
	poke        chan struct{}
}

type entry struct {
	number uint64
	status string
}

func (s *station) Epoch() uint64 { return s.epoch }
func (s *station) Marks(string) []links.Mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.receiver.Marks()
}

func (s *station) Greeted(_, _ string, epoch uint64, marks []links.Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receiver.Greeted(epoch)
	s.greetings = append(s.greetings, marks)
}
func (s *station) Changed(string, bool) { s.wake() }

func (s *station) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// Accept commits at once.
func (s *station) Accept(_ context.Context, in links.Inbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proofs = append(s.proofs, in.Proof)
	s.ids++
	id := s.ids
	switch s.receiver.Take(in.Frame, id) {
	case custody.New:
		s.settle[id] = in
		s.got[in.Frame.Lane] = append(s.got[in.Frame.Lane], in.Stanza.Element().Child(xmlstream.NSServer, "status").Text())
		if err := s.receiver.Committed(in.Frame.Mark(), func(id uint64) {
			x := s.settle[id]
			x.Settle()
			delete(s.settle, id)
		}); err != nil {
			s.t.Error(err)
		}
	case custody.Repetition:
		in.Settle()
	case custody.Pending:
		s.settle[id] = in
	case custody.Foreign:
		s.t.Errorf("foreign: %+v", in.Frame)
	}
}

// Report takes confirmed entries off; the token is lane and number.
func (s *station) Report(token uint64, d links.Disposition, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lane, number := token>>32, token&0xFFFFFFFF
	s.outstanding--
	switch d {
	case links.Delivered:
		s.delivered++
		i := slices.IndexFunc(s.out[lane], func(e entry) bool { return e.number == number })
		if i < 0 {
			s.t.Errorf("confirmed twice: %d/%d", lane, number)
			return
		}
		s.out[lane] = slices.Delete(s.out[lane], i, i+1)
		s.cursor[lane]--
	case links.Returned:
		s.returned++
	case links.Unknown, links.Failed, links.InDoubt, links.Expired:
		s.t.Errorf("report %v", d)
	}
	s.wake()
}

// feed gives the link what there is until nothing is left or ctx ends.
func (s *station) feed(ctx context.Context) {
	for ctx.Err() == nil {
		link, lane, e, turn, ok := s.pick()
		if !ok {
			select {
			case <-s.poke:
			case <-ctx.Done():
			}
			continue
		}
		r := released(s.t, s.from, s.to, e.status)
		if err := link.Reserve(ctx, r.Local(), r.Remote(), 100); err != nil {
			s.putBack(lane, turn)
			continue
		}
		s.mu.Lock()
		s.outstanding++
		s.mu.Unlock()
		link.Deliver(links.Consignment{
			Released: r, Token: uint64(lane)<<32 | e.number, Reporter: s, Turn: turn,
			Frame: links.Frame{Epoch: s.epoch, Lane: uint8(lane), Number: e.number}, //nolint:gosec // small
		})
	}
}

func (s *station) pick() (link *dtls.Link, lane int, e entry, turn uint64, ok bool) {
	link = s.current()
	turn = link.Turn()
	s.mu.Lock()
	defer s.mu.Unlock()
	if turn == 0 || link != s.link {
		return link, 0, e, 0, false
	}
	if turn != s.turn {
		s.turn, s.cursor = turn, [links.Lanes]int{}
	}
	for lane := links.Lanes - 1; lane >= 0; lane-- {
		if i := s.cursor[lane]; i < len(s.out[lane]) {
			s.cursor[lane]++
			return link, lane, s.out[lane][i], turn, true
		}
	}
	return link, 0, e, 0, false
}

// putBack is the end of a pick for which the link had no room.
func (s *station) putBack(lane int, turn uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if turn == s.turn {
		s.cursor[lane]--
	}
}

func (s *station) waiting() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.out {
		n += len(l)
	}
	return n
}

func (s *station) arrived() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.got {
		n += len(l)
	}
	return n
}

// bridge is a pair of stations over a pair of endpoints.
type bridge struct {
	*pair
	a, b *station
	stop func()
}

func newBridge(t *testing.T, s settings) *bridge {
	t.Helper()
	x := &bridge{pair: newPair(t, s)}
	domain := func(name string) jid.JID {
		j, err := jid.ParseDomain(name)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	side := func(e *dtls.Endpoint, peer, own, other string, dial bool, epoch uint64) *station {
		st := &station{t: t, epoch: epoch, from: own, to: other, receiver: custody.NewReceiver(nil), settle: map[uint64]links.Inbound{}, poke: make(chan struct{}, 1)}
		is := func(want jid.JID) func(jid.JID) bool { return func(j jid.JID) bool { return j == want } }
		var err error
		cfg := dtls.LinkConfig{
			Name: "udp", Side: "out", Peer: peer, Dial: dial, Local: is(domain(own)), Remote: is(domain(other)), LocalDomain: domain(own), PeerDomain: domain(other),
		}
		if s.link != nil {
			s.link(&cfg)
		}
		st.link, err = dtls.NewLink(e, cfg, st, dtls.LinkEnv{Custodian: st, Watcher: st})
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	x.a = side(x.ship, "shore", "a.example", "b.example", true, 0xA)
	x.b = side(x.shore, "ship", "b.example", "a.example", false, 0xB)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { dtls.Serve(ctx, x.shore, x.b.link) })
	for _, st := range []*station{x.a, x.b} {
		wg.Go(func() { st.feed(ctx) })
	}
	x.stop = func() {
		cancel()
		x.a.link.Shutdown()
		x.b.link.Shutdown()
		wg.Wait()
		x.close()
	}
	return x
}

// load gives a station n further entries, round the lanes.
func (s *station) load(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		lane := s.loaded % links.Lanes
		s.loaded++
		s.out[lane] = append(s.out[lane], entry{uint64(s.loaded), fmt.Sprintf("%s%d", s.from[:1], s.loaded)}) //nolint:gosec // small
	}
	s.wake()
}

// TestLink: stanzas cross under custody exactly once and in the order of their lane, both ways, over bad networks and broken associations.
func TestLink(t *testing.T) {
	slow := links.Profile{RoundTrip: 600 * time.Millisecond}
	for _, row := range []struct {
		name     string
		settings settings
		breaks   int // how often all datagrams vanish for five minutes
		moves    int
	}{
		{"perfect", settings{}, 0, 0},
		{"slow and lossy", settings{weather: weather{delay: 300 * time.Millisecond, drop: 0.1, seed: 1}, profile: slow}, 0, 0},
		{"broken twice", settings{weather: weather{delay: 50 * time.Millisecond, drop: 0.02, seed: 2}}, 2, 0},
		{"reordered and broken", settings{weather: weather{delay: 20 * time.Millisecond, jitter: 60 * time.Millisecond, twice: 0.2, seed: 3}}, 1, 0},
		{"moving", settings{weather: weather{delay: 100 * time.Millisecond, drop: 0.05, seed: 4}}, 0, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 1200
				x := newBridge(t, row.settings)
				defer x.stop()
				x.a.load(n)
				x.b.load(n)
				x.a.link.Start()
				x.b.link.Start()
				at := shipAt
				for range row.moves {
					time.Sleep(300 * time.Millisecond)
					next := at
					next = elsewhereAfter(next)
					x.net.rebind(at, next)
					at = next
				}
				for i := range row.breaks {
					for x.b.arrived() < 100+500*i { // in the middle of it
						time.Sleep(time.Millisecond)
					}
					x.net.mu.Lock()
					good := x.net.weather.drop
					x.net.weather.drop = 1
					x.net.mu.Unlock()
					time.Sleep(5 * time.Minute)
					x.net.mu.Lock()
					x.net.weather.drop = good
					x.net.mu.Unlock()
				}
				for range 3600 {
					if x.a.waiting()+x.b.waiting() == 0 {
						break
					}
					time.Sleep(time.Second)
				}
				for _, way := range []struct{ from, to *station }{{x.a, x.b}, {x.b, x.a}} {
					checkArrivals(t, way.from, way.to, n)
				}
				if row.breaks > 0 && x.a.returned+x.b.returned == 0 {
					t.Error("nothing was ever returned: the breaks did not break")
				}
				if s := x.a.link.Status(); s.State != links.Up || s.Kind != "dtls" || s.Carrier == "" || len(s.Story) <= row.breaks {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func checkArrivals(t *testing.T, from, to *station, n int) {
	t.Helper()
	to.mu.Lock()
	defer to.mu.Unlock()
	for lane, got := range to.got {
		var want []string
		for i := lane; i < n; i += links.Lanes {
			want = append(want, fmt.Sprintf("%s%d", from.from[:1], i+1))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, lane %d: %d arrived of %d, or not in order", from.from, lane, len(got), len(want))
		}
	}
	for _, p := range to.proofs {
		if p.Method != peering.SharedKey {
			t.Fatalf("%+v", p)
		}
	}
	from.mu.Lock()
	defer from.mu.Unlock()
	if from.delivered != n || from.outstanding != 0 {
		t.Errorf("%s: %d confirmed, %d outstanding", from.from, from.delivered, from.outstanding)
	}
}

// elsewhereAfter is the next address of somebody who moves.
func elsewhereAfter(a netip.AddrPort) netip.AddrPort {
	if a == shipAt {
		return elsewhere
	}
	return netip.AddrPortFrom(a.Addr().Next(), a.Port())
}

// TestDeliverGate: what must not go over the link does not, and each is told why, once.
func TestDeliverGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBridge(t, settings{})
		defer x.stop()
		x.a.link.Start()
		x.b.link.Start()
		for x.a.link.Turn() == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		good := released(t, "a.example", "b.example", "n")
		frame := links.Frame{Epoch: 0xA, Number: 1}
		for _, row := range []struct {
			name string
			c    links.Consignment
			want links.Disposition
		}{
			{"the zero value", links.Consignment{Frame: frame, Turn: x.a.link.Turn()}, links.Failed},
			{"without a frame", links.Consignment{Released: good, Turn: x.a.link.Turn()}, links.Failed},
			{"of another turn", links.Consignment{Released: good, Frame: frame, Turn: x.a.link.Turn() + 1}, links.Returned},
			{"of no turn", links.Consignment{Released: good, Frame: frame}, links.Returned},
			{"a lane that is none", links.Consignment{Released: good, Frame: links.Frame{Epoch: 0xA, Lane: links.Lanes, Number: 1}, Turn: x.a.link.Turn()}, links.Failed},
			{"another epoch", links.Consignment{Released: good, Frame: links.Frame{Epoch: 0xC, Number: 1}, Turn: x.a.link.Turn()}, links.Returned},
			{"good", links.Consignment{Released: good, Frame: frame, Turn: x.a.link.Turn()}, links.Delivered},
		} {
			heard := &hearing{}
			row.c.Reporter = heard
			x.a.link.Deliver(row.c)
			time.Sleep(time.Second)
			if got := heard.all(); !slices.Equal(got, []links.Disposition{row.want}) {
				t.Errorf("%s: %v, want %v", row.name, got, row.want)
			}
		}
		stranger, err := jid.ParseDomain("c.example")
		if err != nil {
			t.Fatal(err)
		}
		if err := x.a.link.Reserve(t.Context(), good.Local(), stranger, 1); err == nil {
			t.Error("room for a domain that the peer does not hold")
		}
		if err := x.a.link.Reserve(t.Context(), good.Local(), good.Remote(), dtls.DefaultMaxMessage+1); err == nil {
			t.Error("room for something too big")
		}
	})
}

type hearing struct {
	mu  sync.Mutex
	got []links.Disposition
}

func (h *hearing) Report(_ uint64, d links.Disposition, _ error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, d)
}

func (h *hearing) all() []links.Disposition {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

// TestKilled: a side that was killed and comes back from the same address is served again, with nothing lost and nothing twice.
func TestKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBridge(t, settings{weather: weather{delay: 20 * time.Millisecond}})
		defer x.stop()
		x.a.load(400)
		x.b.load(400)
		x.a.link.Start()
		x.b.link.Start()
		for x.b.arrived() < 50 {
			time.Sleep(time.Millisecond)
		}
		// The old endpoint is never heard of again; what it has not been told is as good as forgotten.
		limbo := netip.MustParseAddrPort("240.0.0.1:1")
		x.net.rebind(shipAt, limbo)
		x.net.tapped(func(from, to netip.AddrPort, b []byte) []byte {
			if from == limbo || to == limbo {
				return nil
			}
			return b
		})
		again := dtls.Config{Local: shipAt, Peers: []dtls.Peer{{Name: "shore", Address: shoreAt}}}
		byKey(&again.Peers[0])
		e := open(t, x.net, again)
		old := x.a.link
		old.Shutdown()
		is := func(want string) func(jid.JID) bool { return func(j jid.JID) bool { return j.Domain() == want } }
		link, err := dtls.NewLink(e, dtls.LinkConfig{
			Name: "udp", Side: "out", Peer: "shore", Dial: true, Local: is("a.example"), Remote: is("b.example"),
		}, x.a, dtls.LinkEnv{Custodian: x.a, Watcher: x.a})
		if err != nil {
			t.Fatal(err)
		}
		x.a.swap(link)
		link.Start()
		for range 600 {
			if x.a.waiting()+x.b.waiting() == 0 {
				break
			}
			time.Sleep(time.Second)
		}
		checkArrivals(t, x.a, x.b, 400)
		checkArrivals(t, x.b, x.a, 400)
		link.Shutdown()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// swap gives the station another link; its turns count from 1 again.
func (s *station) swap(l *dtls.Link) {
	s.mu.Lock()
	s.link, s.turn = l, 0
	s.mu.Unlock()
	s.wake()
}

func (s *station) current() *dtls.Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}
