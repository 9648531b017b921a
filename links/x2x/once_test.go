package x2x_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/resolve"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/x2x"
	"sallyport/peering"
)

// node is one gateway with a spool in miniature: what it has to send, what it holds in hand, and what is "on disk".
type node struct {
	t             *testing.T
	net           *network
	domain, other string
	address       string
	set           *x2x.Set
	cfgs          []x2x.Config

	mu       sync.Mutex
	pending  [links.Lanes][]uint64 // to be sent, in order
	flying   [links.Lanes]int
	link     [links.Lanes]int // the link that the lane is on
	done     int
	bad      []string
	receiver *custody.Receiver
	ids      uint64
	waiting  map[uint64]links.Inbound
	toCommit []links.Frame
	got      [links.Lanes][]uint64 // durable
	marks    []links.Mark          // durable
	moves    int
	returned int
	repeated int
}

func (n *node) Epoch() uint64 { return uint64(n.domain[0]) }

func (n *node) Marks(string) []links.Mark {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.receiver.Marks()
}

func (n *node) Greeted(_, _ string, epoch uint64, _ []links.Mark) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.receiver.Greeted(epoch)
}

func (n *node) Accept(_ context.Context, in links.Inbound) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ids++
	if status(in.Stanza) != fmt.Sprintf("n%d", in.Frame.Number) {
		n.bad = append(n.bad, fmt.Sprintf("frame %v holds %q", in.Frame, status(in.Stanza)))
	}
	switch n.receiver.Take(in.Frame, n.ids) {
	case custody.New:
		n.waiting[n.ids] = in
		n.toCommit = append(n.toCommit, in.Frame)
	case custody.Pending:
		n.repeated++
		n.waiting[n.ids] = in
	case custody.Repetition:
		n.repeated++
		in.Settle()
	case custody.Foreign:
		n.bad = append(n.bad, fmt.Sprintf("frame %v is foreign", in.Frame))
	}
}

// commit is the group commit: everything in hand becomes durable, with its marks, and then is acknowledged.
func (n *node) commit() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.toCommit {
		n.got[f.Lane] = append(n.got[f.Lane], f.Number)
		n.marks = append(n.marks, f.Mark())
		err := n.receiver.Committed(f.Mark(), func(id uint64) {
			in := n.waiting[id]
			delete(n.waiting, id)
			in.Settle()
		})
		if err != nil {
			n.bad = append(n.bad, err.Error())
		}
	}
	n.toCommit = nil
}

// Report implements links.Reporter; the token says lane and number.
func (n *node) Report(token uint64, d links.Disposition, cause error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	lane, number := token&3, token>>2
	n.flying[lane]--
	switch d {
	case links.Delivered:
		n.done++
	case links.Returned:
		n.returned++
		at, _ := slices.BinarySearch(n.pending[lane], number)
		n.pending[lane] = slices.Insert(n.pending[lane], at, number)
	case links.Unknown, links.Failed, links.InDoubt, links.Expired:
		n.bad = append(n.bad, fmt.Sprintf("%d: %v %v", number, d, cause))
	}
}

// dispatch is what stands between spool and links: a lane is on one link at a time, and moves when that has no turn and nothing of it
// is under way. It returns whether there was anything to do.
func (n *node) dispatch(ctx context.Context, lane int) bool {
	n.mu.Lock()
	at := n.link[lane]
	set := n.set
	n.mu.Unlock()
	link := set.Link(n.cfgs[at].Name)
	turn := link.Turn() // before anything is taken
	n.mu.Lock()
	if turn == 0 && n.flying[lane] == 0 {
		n.link[lane] = 1 - at
		n.moves++
	}
	if turn == 0 || len(n.pending[lane]) == 0 {
		n.mu.Unlock()
		return false
	}
	number := n.pending[lane][0]
	n.pending[lane] = n.pending[lane][1:]
	n.flying[lane]++
	n.mu.Unlock()
	token := number<<2 | uint64(lane) //nolint:gosec // small
	r := releasedOver(n.t, n.cfgs[at].Name, n.domain, n.other, int(number))
	if err := link.Reserve(ctx, r.Local(), r.Remote(), 150); err != nil {
		n.Report(token, links.Returned, err)
		return false
	}
	if rand.IntN(3000) == 0 { //nolint:gosec // dice; a slow reader of the disk: the link may be lost, and be back, meanwhile
		pause(ctx, 1500*time.Millisecond)
	}
	link.Deliver(links.Consignment{
		Released: r, Token: token, Reporter: n, Turn: turn,
		Frame: links.Frame{Epoch: n.Epoch(), Lane: uint8(lane), Number: number}, //nolint:gosec // small
	})
	return true
}

// start makes the process run: links, one dispatcher a lane, the committer.
func (n *node) start() (stop func()) {
	set, err := x2x.New(n.cfgs, n, x2x.Env{Custodian: n, Dial: n.net.dialAs(n.address), Listen: n.net.listen})
	if err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	n.set = set
	n.mu.Unlock()
	if err := set.Start(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for lane := range links.Lanes {
		wg.Go(func() {
			for ctx.Err() == nil {
				if !n.dispatch(ctx, lane) {
					pause(ctx, time.Millisecond)
				}
			}
		})
	}
	wg.Go(func() {
		for pause(ctx, 2*time.Millisecond) {
			n.commit()
		}
	})
	return func() {
		cancel()
		_ = set.Shutdown(ctx) // at once
		wg.Wait()
	}
}

// crash is what is left of a process after kill -9: the disk.
func (n *node) crash() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.receiver = custody.NewReceiver(n.marks)
	n.waiting, n.toCommit = map[uint64]links.Inbound{}, nil
}

func (n *node) left() (left int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for lane := range n.pending {
		left += len(n.pending[lane]) + n.flying[lane]
	}
	return left
}

// TestExactlyOnceOverCuts: 100,000 stanzas, half each way, four lanes over two links, while connections are cut, links are down for
// a while and processes die: everything arrives once, in the order of its lane.
func TestExactlyOnceOverCuts(t *testing.T) {
	const each = 50_000
	releaser()
	second()
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // dice of a test
		nw := newNetwork()
		nw.delay = 3 * time.Millisecond
		a, b := newNode(t, nw, "a.example", "b.example", addrA), newNode(t, nw, "b.example", "a.example", addrB)
		var sent [2][links.Lanes][]uint64
		for i, n := range []*node{a, b} {
			for number := uint64(1); number <= each; number++ {
				lane := dice.IntN(links.Lanes)
				n.pending[lane] = append(n.pending[lane], number)
			}
			for lane := range n.pending {
				sent[i][lane] = slices.Clone(n.pending[lane])
			}
		}
		stops := []func(){a.start(), b.start()}
		cuts, deaths, ups := 0, 0, 0
		for a.left()+b.left() > 0 {
			time.Sleep(time.Duration(5+dice.IntN(400)) * time.Millisecond)
			switch k := dice.IntN(20); {
			case cuts+ups+deaths > 500: // then peace
			case k < 14:
				cuts++
				nw.cut()
			case k < 18:
				ups++
				nw.down.Store(!nw.down.Load())
				nw.cut()
			default:
				deaths++
				stops[k-18]()
				n := []*node{a, b}[k-18]
				n.crash()
				stops[k-18] = n.start()
			}
			if cuts+ups+deaths > 100_000 {
				t.Fatalf("no end: %d and %d left", a.left(), b.left())
			}
			if nw.down.Load() && dice.IntN(2) == 0 {
				nw.down.Store(false)
			}
		}
		time.Sleep(time.Second)
		stops[0]()
		stops[1]()
		for i, pair := range [][2]*node{{a, b}, {b, a}} {
			from, to := pair[0], pair[1]
			if len(from.bad) > 0 || from.done != each {
				t.Errorf("%s: %d delivered of %d; %.500v", from.domain, from.done, each, from.bad)
			}
			for lane := range sent[i] {
				if !slices.Equal(to.got[lane], sent[i][lane]) {
					t.Errorf("%s, lane %d: %d arrived of %d, or not in order", from.domain, lane, len(to.got[lane]), len(sent[i][lane]))
				}
			}
		}
		t.Logf("%d cuts, %d outages, %d deaths, %d connections; %d returned, %d came again", cuts, ups, deaths, nw.dials.Load(),
			a.returned+b.returned, a.repeated+b.repeated)
		if a.repeated+b.repeated == 0 || a.returned+b.returned == 0 {
			t.Error("nothing was ever sent again: the test proves nothing")
		}
	})
}

func newNode(t *testing.T, nw *network, domain, other, address string) *node {
	n := &node{
		t: t, net: nw, domain: domain, other: other, address: address, receiver: custody.NewReceiver(nil), waiting: map[uint64]links.Inbound{},
	}
	own := jid.MustParse(domain)
	for i, name := range []string{"sat", "ter"} {
		port := uint16(5270 + i) //nolint:gosec // small
		c := x2x.Config{
			Name: name, Side: "net", Peer: x2x.Peer{Name: other[:1], Domains: []peering.Pattern{peering.Pattern(other)}},
			Hosts: func(d jid.JID) bool { return d == own }, DefaultDomain: own, Mode: x2x.Custody, Security: x2x.Clear,
			From:   []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
			Window: custody.Window{Items: 200}, Queue: x2x.QueueLimits{Stanzas: 200},
		}
		if domain == "b.example" {
			c.Listen = []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(addrB), port)}
		} else {
			c.Connect = []resolve.Target{{Host: addrB, Port: port}}
		}
		n.cfgs = append(n.cfgs, c)
	}
	return n
}
