package hf_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/compact"
	"sallyport/links/custody"
	"sallyport/links/deflate"
	"sallyport/links/hf"
	"sallyport/links/x2x"
	"sallyport/s5066"
)

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
		all, err := codecs()
		if err != nil {
			t.Fatal(err)
		}
		g.cfg.Codec = all[domain]
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
var codecs = sync.OnceValues(func() (map[string]*compact.Codec, error) {
	all := map[string]*compact.Codec{}
	for domain := range addresses {
		c, err := untrainedCodec()
		if err != nil {
			return nil, err
		}
		all[domain] = c
	}
	return all, nil
})

// untrained is the model of no samples, made once: that takes a while.
var untrained = sync.OnceValues(func() (*compact.Model, error) {
	return compact.Train(nil, compact.TrainOptions{})
})

func untrainedCodec() (*compact.Codec, error) {
	model, err := untrained()
	if err != nil {
		return nil, err
	}
	return compact.NewCodec(compact.Config{Model: model})
}

func codec(t testing.TB) *compact.Codec {
	t.Helper()
	c, err := untrainedCodec()
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
	c := links.Consignment{Released: r, Token: token, Reporter: g, Turn: turn, Lane: uint8(lane)} //nolint:gosec // small
	if g.cfg.Custody() {
		c.Frame = links.Frame{Epoch: g.Epoch(), Lane: c.Lane, Number: number}
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
