package hf_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/links"
	"sallyport/links/compact"
	"sallyport/links/custody"
	"sallyport/links/deflate"
	"sallyport/links/hf"
	"sallyport/links/x2x"
	"sallyport/peering"
	"sallyport/rules"
	"sallyport/s5066"
	"sallyport/s5066/sis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// releaser lets presence and messages cross between a.example and b.example over the link "hf".
var releaser = sync.OnceValue(func() *peering.Engine {
	profile, problems := rules.CompileProfile(rules.DefaultProfile("federation"))
	set, more := rules.CompileRules(nil)
	registry, err := labels.NewRegistry()
	if len(problems)+len(more) > 0 || err != nil {
		panic(fmt.Sprint(problems, more, err))
	}
	floor := peering.Floor{Methods: []peering.Method{peering.External}, MinTLS: tls.VersionTLS12}
	kinds := peering.Kinds{Message: true, Presence: true, IQ: []string{"*"}}
	p, bad := peering.Compile(peering.Definition{
		Profile: profile, Rules: set, Labels: registry,
		Peers: []peering.Peer{
			{Name: "a", Side: "in", Domains: []peering.Pattern{"a.example"}, Floor: floor, Kinds: kinds, Links: []string{"hf"}},
			{Name: "b", Side: "out", Domains: []peering.Pattern{"b.example"}, Floor: floor, Kinds: kinds, Links: []string{"hf"}},
		},
		Pairs: []peering.Pair{{From: "a", To: "b", Both: true}},
	})
	if len(bad) > 0 {
		panic(bad)
	}
	return peering.NewEngine(p)
})

// released makes presence with a number, and more text, in its status.
func released(t testing.TB, from, to string, n int, more string) peering.Released {
	t.Helper()
	text := fmt.Sprintf("<presence from='u@%s/r' to='v@%s'><status>n%d %s</status></presence>", from, to, n, more)
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatal(err)
	}
	v := releaser().Judge(&peering.Arrival{
		Stanza: s, Link: "hf", Peer: from[:1], Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: time.Now(), Node: "test", Serial: 1,
		Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13}, Bytes: len(text),
	})
	r, ok := v.Released()
	if !ok {
		t.Fatalf("not released: %+v", v.Refusal)
	}
	return r
}

// air joins nodes without radio: what a client submits reaches the other node's client after a while, or does not.
type air struct {
	mu      sync.Mutex
	nodes   map[s5066.Address]*node
	delay   time.Duration
	dice    *rand.Rand
	refuse  float64 // share of U_PDUs that the node rejects
	lose    float64 // share that arrives, and whose confirmation is a rejection
	drop    float64 // share of non-ARQ that is lost
	twice   float64 // share that arrives twice
	sent    []sis.UnidataRequest
	rate    int // bits per second, of all together; 0 is unlimited
	free    time.Time
	latest  time.Time // order holds, unless shuffle
	shuffle bool
}

// node is one of them. It owns a Server under a lock, as a real node does.
type node struct {
	air      *air
	address  s5066.Address
	mu       sync.Mutex
	s        *sis.Server
	listener *sis.Listener
	pipes    chan net.Conn
	cancel   context.CancelFunc
	served   chan error
	up       bool
}

func newAir(seed uint64) *air {
	return &air{nodes: map[s5066.Address]*node{}, delay: time.Second, dice: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // dice of a test
}

func (a *air) node(t *testing.T, address s5066.Address) *node {
	t.Helper()
	n := &node{air: a, address: address, pipes: make(chan net.Conn)}
	a.nodes[address] = n
	n.start(t)
	return n
}

func (n *node) start(t *testing.T) {
	t.Helper()
	s, err := sis.NewServer(sis.DefaultServerConfig())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	listener, served := sis.NewListener(n), make(chan error, 1)
	n.mu.Lock()
	n.s, n.listener, n.cancel, n.served, n.up = s, listener, cancel, served, true
	n.mu.Unlock()
	go func() { served <- listener.Serve(ctx, &pipes{conns: n.pipes, done: make(chan struct{})}) }()
}

// stop ends the node with everything it had.
func (n *node) stop() {
	n.mu.Lock()
	n.up = false
	n.mu.Unlock()
	n.cancel()
	<-n.served
}

func (n *node) Attach() (sis.ClientID, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.s.Attach(time.Now())
}

func (n *node) Closed(id sis.ClientID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.s.Closed(time.Now(), id)
}

func (n *node) Output(id sis.ClientID) ([]byte, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.s.Output(id)
}

func (n *node) Bytes(id sis.ClientID, b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.s.Bytes(time.Now(), id, b)
	for _, e := range n.s.Events() {
		if u, ok := e.(sis.Unidata); ok {
			n.air.send(n, n.s, u)
		}
	}
}

// send carries one U_PDU. The sender's lock is held.
func (a *air) send(from *node, s *sis.Server, u sis.Unidata) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent = append(a.sent, u.Request)
	arq := u.Request.Delivery.Mode == s5066.TxARQ
	refused, lost := a.dice.Float64() < a.refuse, a.dice.Float64() < a.lose
	dropped, again := a.dice.Float64() < a.drop, a.dice.Float64() < a.twice
	at := time.Now().Add(a.delay)
	if a.rate > 0 {
		if a.free.Before(time.Now()) {
			a.free = time.Now()
		}
		a.free = a.free.Add(time.Duration(len(u.Request.Data)) * 8 * time.Second / time.Duration(a.rate))
		at = a.free.Add(a.delay)
	}
	if a.shuffle {
		at = at.Add(time.Duration(a.dice.IntN(5000)) * time.Millisecond)
	} else if !at.After(a.latest) {
		at = a.latest.Add(time.Microsecond)
	}
	a.latest = at
	time.AfterFunc(time.Until(at), func() {
		ok := false
		switch {
		case arq && refused, !arq && dropped:
		default:
			ok = a.deliver(from.address, u)
			if again {
				a.deliver(from.address, u)
			}
		}
		from.mu.Lock()
		defer from.mu.Unlock()
		if !arq || from.s != s || !from.up {
			return
		}
		if ok && !lost {
			s.Confirm(time.Now(), u.Client, u.Request)
		} else {
			s.Reject(time.Now(), u.Client, u.Request, sis.RejectNoAnswer)
		}
		from.listener.Wake()
	})
}

func (a *air) deliver(from s5066.Address, u sis.Unidata) (any bool) {
	for _, n := range a.nodes {
		if n.address == from || n.address != u.Request.Destination && !u.Request.Destination.IsGroup() {
			continue
		}
		any = n.indicate(from, u.SAP, u.Request) || any
	}
	return any
}

func (n *node) indicate(from s5066.Address, sap s5066.SAP, p sis.UnidataRequest) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.up {
		return false
	}
	_, ok := n.s.Indicate(time.Now(), sis.UnidataIndication{
		Priority: p.Priority, SAP: p.SAP, Destination: p.Destination, Mode: p.Delivery.Mode, SourceSAP: sap, Source: from, Data: p.Data,
	})
	n.listener.Wake()
	return ok
}

func (n *node) dial(ctx context.Context, _ string) (net.Conn, error) {
	n.mu.Lock()
	up := n.up
	n.mu.Unlock()
	if !up {
		return nil, net.ErrClosed
	}
	a, b := net.Pipe()
	select {
	case n.pipes <- b:
		return a, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
		return nil, net.ErrClosed
	}
}

type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{} }

// gate is one gateway with a spool in miniature: what it has to send, what it holds in hand, and what is "on disk".
type gate struct {
	t             *testing.T
	domain, other string
	node          *node
	dial          func(context.Context, string) (net.Conn, error)
	cfg           hf.Config
	link          *hf.Link
	text          string // more of each body

	mu       sync.Mutex
	pending  [links.Lanes][]uint64
	receiver *custody.Receiver
	ids      uint64
	waiting  map[uint64]links.Inbound
	toCommit []links.Frame
	got      [links.Lanes][]uint64 // durable
	marks    []links.Mark          // durable
	order    []string              // bodies as they came
	reports  map[links.Disposition]int
	causes   []error
	kinds    map[string]int
	bad      []string
	greeted  [][]links.Mark // what the peer said that it holds
}

var addresses = map[string]s5066.Address{"a.example": s5066.Unicast(0x1020304), "b.example": s5066.Unicast(0x5060708)}

func newGate(t *testing.T, a *air, domain, other string, mode hf.Mode, edit func(*hf.Config)) *gate {
	t.Helper()
	g := &gate{
		t: t, domain: domain, other: other, receiver: custody.NewReceiver(nil), waiting: map[uint64]links.Inbound{},
		reports: map[links.Disposition]int{}, kinds: map[string]int{}, node: a.node(t, addresses[domain]),
	}
	g.dial = g.node.dial
	own, far := jid.MustParse(domain), jid.MustParse(other)
	g.cfg = hf.Config{
		Name: "hf", Side: "net", Peer: other[:1], Mode: mode, Node: "node", SAP: 6, Address: addresses[other],
		Remote: func(d jid.JID) bool { return d == far }, Local: func(d jid.JID) bool { return d == own }, PeerDomain: far, LocalDomain: own,
		Profile: links.Profile{BitsPerSecond: 1200, RoundTrip: 10 * time.Second, HalfDuplex: true},
	}
	if mode == hf.Compact {
		g.cfg.Codec = codecs()[domain]
	}
	if mode == hf.Stream {
		g.cfg.Compression = &deflate.Config{}
	}
	if edit != nil {
		edit(&g.cfg)
	}
	return g
}

// codecs are made once, one for each end: making them costs more than the tests.
var codecs = sync.OnceValue(func() map[string]*compact.Codec {
	all := map[string]*compact.Codec{}
	for domain := range addresses {
		c, err := compact.NewCodec(compact.Config{})
		if err != nil {
			panic(err)
		}
		all[domain] = c
	}
	return all
})

func codec(t testing.TB) *compact.Codec {
	t.Helper()
	c, err := compact.NewCodec(compact.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run makes the process run: link, dispatcher, committer.
func (g *gate) run() (stop func()) {
	link, err := hf.NewLink(g.cfg, g, hf.Env{Custodian: g, Observer: g, Network: hf.Network{Dial: g.dial}})
	if err != nil {
		g.t.Fatal(err)
	}
	g.link = link
	link.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			if !g.dispatch(ctx) {
				pause(ctx, time.Second)
			}
		}
	})
	wg.Go(func() {
		for pause(ctx, 700*time.Millisecond) {
			g.commit()
		}
	})
	return func() {
		cancel()
		link.Shutdown()
		wg.Wait()
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// dispatch sends one of what is pending, the highest class first.
func (g *gate) dispatch(ctx context.Context) bool {
	turn := g.link.Turn()
	if turn == 0 {
		return false
	}
	g.mu.Lock()
	lane := links.Lanes - 1
	for lane > 0 && len(g.pending[lane]) == 0 {
		lane--
	}
	if len(g.pending[lane]) == 0 {
		g.mu.Unlock()
		return false
	}
	number := g.pending[lane][0]
	g.pending[lane] = g.pending[lane][1:]
	g.mu.Unlock()
	r := released(g.t, g.domain, g.other, int(number), g.text)
	token := number<<2 | uint64(lane) //nolint:gosec // small
	if err := g.link.Reserve(ctx, r.Local(), r.Remote(), 200); err != nil {
		g.Report(token, links.Returned, err)
		return false
	}
	c := links.Consignment{Released: r, Token: token, Reporter: g, Turn: turn}
	if g.cfg.Custody() {
		c.Frame = links.Frame{Epoch: g.Epoch(), Lane: uint8(lane), Number: number} //nolint:gosec // small
	}
	g.link.Deliver(c)
	return true
}

// Report implements links.Reporter; the token says lane and number.
func (g *gate) Report(token uint64, d links.Disposition, cause error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lane, number := token&3, token>>2
	g.reports[d]++
	if cause != nil {
		g.causes = append(g.causes, cause)
	}
	if d == links.Returned {
		at, _ := slices.BinarySearch(g.pending[lane], number)
		g.pending[lane] = slices.Insert(g.pending[lane], at, number)
	}
}

func (g *gate) Incident(i x2x.Incident) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kinds[i.Kind]++
}

func (g *gate) Epoch() uint64  { return uint64(g.domain[0]) }
func (g *gate) Issued() uint64 { return 1 << 20 }

func (g *gate) Marks(string) []links.Mark {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.receiver.Marks()
}

func (g *gate) Greeted(_, _ string, epoch uint64, marks []links.Mark) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.receiver.Greeted(epoch)
	g.greeted = append(g.greeted, marks)
}

func body(s stanza.Stanza) string {
	word, _, _ := strings.Cut(s.Element().Child(xmlstream.NSServer, "status").Text(), " ")
	return word
}

func (g *gate) Accept(_ context.Context, in links.Inbound) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if in.Malformed != nil {
		g.order = append(g.order, "refused "+in.Malformed.Detail)
		in.Settle()
		return
	}
	g.order = append(g.order, body(in.Stanza))
	if !g.cfg.Custody() {
		in.Settle()
		return
	}
	g.ids++
	if body(in.Stanza) != fmt.Sprintf("n%d", in.Frame.Number) {
		g.bad = append(g.bad, fmt.Sprintf("frame %v holds %q", in.Frame, body(in.Stanza)))
	}
	switch g.receiver.Take(in.Frame, g.ids) {
	case custody.New:
		g.waiting[g.ids] = in
		g.toCommit = append(g.toCommit, in.Frame)
	case custody.Pending:
		g.waiting[g.ids] = in
	case custody.Repetition:
		in.Settle()
	case custody.Foreign:
		g.bad = append(g.bad, fmt.Sprintf("frame %v is foreign", in.Frame))
	}
}

// commit makes everything in hand durable, with its marks; then it is acknowledged.
func (g *gate) commit() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.toCommit {
		g.got[f.Lane] = append(g.got[f.Lane], f.Number)
		g.marks = append(g.marks, f.Mark())
		err := g.receiver.Committed(f.Mark(), func(id uint64) {
			in := g.waiting[id]
			delete(g.waiting, id)
			in.Settle()
		})
		if err != nil {
			g.bad = append(g.bad, err.Error())
		}
	}
	g.toCommit = nil
}

// crash is what is left of a process after kill -9: the disk.
func (g *gate) crash() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.receiver = custody.NewReceiver(g.marks)
	g.waiting, g.toCommit = map[uint64]links.Inbound{}, nil
}

func (g *gate) count(d links.Disposition) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.reports[d]
}

func (g *gate) noted(kind string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.kinds[kind]
}

func (g *gate) came() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.order)
}

// offer puts numbers into a lane.
func (g *gate) offer(lane int, numbers ...uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pending[lane] = append(g.pending[lane], numbers...)
}

func (g *gate) greetings() [][]links.Mark {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.greeted)
}
