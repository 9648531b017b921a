package x2x_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/links"
	"sallyport/links/x2x"
	"sallyport/peering"
	"sallyport/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// releaser lets presence cross between a.example and b.example over the link "sat", second over the link "ter".
var (
	releaser = sync.OnceValue(func() *peering.Engine { return engineFor("sat") })
	second   = sync.OnceValue(func() *peering.Engine { return engineFor("ter") })
)

func engineFor(link string) *peering.Engine {
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
			{Name: "a", Side: "in", Domains: []peering.Pattern{"a.example"}, Floor: floor, Kinds: kinds, Links: []string{link}},
			{Name: "b", Side: "out", Domains: []peering.Pattern{"b.example"}, Floor: floor, Kinds: kinds, Links: []string{link}},
		},
		Pairs: []peering.Pair{{From: "a", To: "b", Both: true}},
	})
	if len(bad) > 0 {
		panic(bad)
	}
	return peering.NewEngine(p)
}

// released makes presence with a number in its status.
func released(t testing.TB, from, to string, n int) peering.Released {
	t.Helper()
	return releasedOver(t, "sat", from, to, n)
}

func releasedOver(t testing.TB, link, from, to string, n int) peering.Released {
	t.Helper()
	engine := releaser()
	if link == "ter" {
		engine = second()
	}
	text := fmt.Sprintf("<presence from='u@%s/r' to='v@%s'><status>n%d</status></presence>", from, to, n)
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatal(err)
	}
	v := engine.Judge(&peering.Arrival{
		Stanza: s, Link: link, Peer: from[:1], Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: time.Now(), Node: "test", Serial: 1,
		Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13}, Bytes: len(text),
	})
	r, ok := v.Released()
	if !ok {
		t.Fatalf("not released: %+v", v.Refusal)
	}
	return r
}

// gate is one gateway: a set with the link "sat", and everybody the link talks to.
type gate struct {
	*x2x.Set
	link   *x2x.Link
	cfg    x2x.Config
	domain string // its own
	other  string

	mu        sync.Mutex
	got       []string // status of what arrived
	inbound   []links.Inbound
	block     chan struct{} // when set, Accept waits for it
	keep      bool          // do not settle
	reports   map[links.Disposition]int
	tokens    map[uint64]links.Disposition
	causes    []error
	incidents []x2x.Incident
	changes   []bool
	greeted   []uint64
	marks     []links.Mark
	epoch     uint64
}

func (g *gate) Accept(ctx context.Context, in links.Inbound) {
	g.mu.Lock()
	block, keep := g.block, g.keep
	g.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return
		}
	}
	g.mu.Lock()
	if in.Malformed == nil {
		g.got = append(g.got, status(in.Stanza))
	} else {
		g.got = append(g.got, "refused")
	}
	g.inbound = append(g.inbound, in)
	g.mu.Unlock()
	if !keep {
		in.Settle()
	}
}

func status(s stanza.Stanza) string {
	if c := s.Element().Child(xmlstream.NSServer, "status"); c != nil {
		return c.Text()
	}
	return s.Element().Local()
}

func (g *gate) Report(token uint64, d links.Disposition, cause error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reports[d]++
	g.tokens[token] = d
	g.causes = append(g.causes, cause)
}

func (g *gate) Incident(i x2x.Incident) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.incidents = append(g.incidents, i)
}

func (g *gate) Changed(_ string, up bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes = append(g.changes, up)
}
func (g *gate) Epoch() uint64 { return g.epoch }
func (g *gate) Marks(string) []links.Mark {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.marks
}

func (g *gate) Greeted(_, _ string, epoch uint64, _ []links.Mark) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.greeted = append(g.greeted, epoch)
}

func (g *gate) kinds() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []string
	for _, i := range g.incidents {
		out = append(out, i.Kind)
	}
	return strings.Join(out, " ")
}

func (g *gate) arrived() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.got...)
}

func (g *gate) count(d links.Disposition) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.reports[d]
}

// send delivers presence n to the other gate, under the turn of now.
func (g *gate) send(t testing.TB, n int) {
	t.Helper()
	r := released(t, g.domain, g.other, n)
	if err := g.link.Reserve(t.Context(), r.Local(), r.Remote(), 150); err != nil {
		t.Fatal(err)
	}
	c := links.Consignment{Released: r, Token: uint64(n), Reporter: g, Turn: g.link.Turn()} //nolint:gosec // small
	if g.cfg.Mode == x2x.Custody {
		c.Frame = links.Frame{Epoch: g.epoch, Number: uint64(n)} //nolint:gosec // small
	}
	g.link.Deliver(c)
}

const (
	addrA = "192.0.2.1"
	addrB = "192.0.2.2"
	portA = "192.0.2.1:5270"
	portB = "192.0.2.2:5270"
)

// world is two gates and the network between them. A connects to B unless edit says otherwise.
type world struct {
	t      testing.TB
	net    *network
	a, b   *gate
	ca     *tlsidtest.CA
	leaves map[string]*tlsidtest.Leaf
	begin  time.Time // of every bubble: certificates are of real time
}

type setup struct {
	mode  x2x.Mode
	pki   bool // else pins
	clear bool
	delay time.Duration
	edit  func(w *world)
}

// certificates are made once: keys cost more than the tests.
var certificates = sync.OnceValue(func() *world {
	w := &world{ca: tlsidtest.Must(tlsidtest.NewCA("test")), leaves: map[string]*tlsidtest.Leaf{}, begin: time.Now().Add(time.Hour).Truncate(time.Hour)}
	for _, name := range []string{"a.example", "b.example", "c.example"} {
		w.leaves[name] = tlsidtest.Must(w.ca.Issue(tlsidtest.Options{DNS: []string{name}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(4_000_000_000, 0)}))
	}
	return w
})

func keys(t testing.TB, leaf *tlsidtest.Leaf) *tlsid.Keys {
	t.Helper()
	c, k, err := leaf.WritePEM(t.TempDir(), "own")
	if err != nil {
		t.Fatal(err)
	}
	return tlsidtest.Must(tlsid.LoadKeys([]tlsid.KeyPair{{CertFile: c, KeyFile: k, Default: true}}))
}

func (w *world) gate(domain, other, address string, o setup) *gate {
	g := &gate{
		domain: domain, other: other, reports: map[links.Disposition]int{}, tokens: map[uint64]links.Disposition{}, epoch: uint64(domain[0]),
	}
	host, _ := netip.ParseAddrPort(address)
	from := addrA
	if domain == "a.example" {
		from = addrB
	}
	own := jid.MustParse(domain)
	g.cfg = x2x.Config{
		Name: "sat", Side: "net", Peer: x2x.Peer{Name: other[:1], Domains: []peering.Pattern{peering.Pattern(other)}},
		Hosts: func(d jid.JID) bool { return d == own }, DefaultDomain: own, Mode: o.mode,
		From: []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr(from), 32)},
	}
	if o.clear {
		g.cfg.Security = x2x.Clear
	} else {
		g.cfg.Security, g.cfg.Keys = x2x.TLS, keys(w.t, certificates().leaves[domain])
		if o.pki {
			g.cfg.Identity.Trust = tlsid.NewTrust(certificates().ca.Cert)
		} else {
			g.cfg.Identity.Pins = []tlsid.Pin{tlsid.KeyPin(certificates().leaves[other].Cert)}
		}
	}
	if domain == "b.example" {
		g.cfg.Listen = []netip.AddrPort{host}
	} else {
		g.cfg.Connect = []resolve.Target{{Host: addrB, Port: 5270}}
	}
	return g
}

func newWorld(t testing.TB, o setup) *world {
	t.Helper()
	w := &world{t: t, net: newNetwork()}
	w.net.delay = o.delay
	w.a, w.b = w.gate("a.example", "b.example", portA, o), w.gate("b.example", "a.example", portB, o)
	if o.edit != nil {
		o.edit(w)
	}
	w.start(w.b, addrB)
	w.start(w.a, addrA)
	return w
}

func (w *world) start(g *gate, source string) {
	w.t.Helper()
	set, err := x2x.New([]x2x.Config{g.cfg}, g, x2x.Env{Observer: g, Watcher: g, Custodian: g, Dial: w.net.dialAs(source), Listen: w.net.listen})
	if err != nil {
		w.t.Fatal(err)
	}
	g.Set, g.link = set, set.Link("sat")
	if err := set.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = w.a.Shutdown(ctx)
	_ = w.b.Shutdown(ctx)
}

// bubble runs a world in virtual time.
func bubble(t *testing.T, o setup, f func(t *testing.T, w *world)) {
	t.Helper()
	begin := certificates().begin // outside: they are shared
	releaser()
	second()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(begin))
		w := newWorld(t, o)
		defer w.stop()
		f(t, w)
	})
}

// wait lets time pass.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
