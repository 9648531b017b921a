package s2s_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/links"
	"sallyport/links/s2s"
	"sallyport/peering"
	"sallyport/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

// releaser lets everything between *.a.example and *.b.example cross that is not a message.
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
			{Name: "a", Side: "in", Domains: []peering.Pattern{"a.example", "*.a.example"}, Floor: floor, Kinds: kinds, Links: []string{"s2s"}},
			{Name: "b", Side: "out", Domains: []peering.Pattern{"b.example", "*.b.example"}, Floor: floor, Kinds: kinds, Links: []string{"s2s"}},
		},
		Pairs: []peering.Pair{{From: "a", To: "b", Both: true}},
	})
	if len(bad) > 0 {
		panic(bad)
	}
	return peering.NewEngine(p)
})

// released makes presence with a number in its status.
func released(t testing.TB, from, to string, n int) peering.Released {
	t.Helper()
	return release(t, fmt.Sprintf("<presence from='u@%s/r' to='v@%s'><status>n%d</status></presence>", from, to, n))
}

func release(t testing.TB, text string) peering.Released {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatal(err)
	}
	peer := "a"
	if d := s.From().Domain(); d == "b.example" || len(d) > 10 && d[len(d)-10:] == ".b.example" {
		peer = "b"
	}
	v := releaser().Judge(&peering.Arrival{
		Facts:  peering.Facts{Awaited: peering.AwaitedIQ{Found: true}},
		Stanza: s, Link: "s2s", Peer: peer, Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: time.Now(), Node: "test", Serial: 1,
		Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13}, Bytes: len(text),
	})
	r, ok := v.Released()
	if !ok {
		t.Fatalf("not released: %+v", v.Refusal)
	}
	return r
}

// gate is one gateway under test.
type gate struct {
	*s2s.Link
	cfg    s2s.Config
	sink   *sink
	rep    *reporter
	events *events
	net    *network
	token  atomic.Uint64
	// stopped keeps the second Shutdown from being reported.
	stopped atomic.Bool
}

// world is two gates, each speaking for one side's domains, with a CA between them.
type world struct {
	ca     *tlsidtest.CA
	a, b   *gate
	aCert  *tlsidtest.Leaf
	bCert  *tlsidtest.Leaf
	policy tlsid.Policy
}

type setup struct {
	direct bool
	proofs s2s.Proofs
	edit   func(a, b *s2s.Config) // before start; the peer of each is Peers[0]
	aCert  *tlsidtest.Options     // nil: good for the domain
	bCert  *tlsidtest.Options
	env    func(a, b *s2s.Env)
}

func newWorld(t testing.TB, o setup) *world {
	t.Helper()
	w := &world{ca: tlsidtest.Must(tlsidtest.NewCA("test"))}
	if o.proofs == (s2s.Proofs{}) {
		o.proofs.External = true
	}
	issue := func(opts *tlsidtest.Options, domain string) *tlsidtest.Leaf {
		if opts == nil {
			opts = &tlsidtest.Options{DNS: []string{domain, "*." + domain}}
		}
		return tlsidtest.Must(w.ca.Issue(*opts))
	}
	w.aCert, w.bCert = issue(o.aCert, "a.example"), issue(o.bCert, "b.example")
	w.policy = tlsid.Policy{Trust: tlsid.NewTrust(w.ca.Cert)}
	aCfg := w.config(t, "a.example", "b.example", w.aCert, o)
	bCfg := w.config(t, "b.example", "a.example", w.bCert, o)
	if o.edit != nil {
		o.edit(&aCfg, &bCfg)
	}
	w.a, w.b = newGate(aCfg), newGate(bCfg)
	aEnv, bEnv := w.a.env(), w.b.env()
	if o.env != nil {
		o.env(&aEnv, &bEnv)
	}
	w.a.make(t, aEnv)
	w.b.make(t, bEnv)
	for _, g := range []*gate{w.a, w.b} {
		g.sink.dump = func() { w.dump(t) }
		g.sink.pong = func(in links.Inbound) {
			r := release(t, fmt.Sprintf("<iq type='result' id='%s' from='%s' to='%s'/>", in.Stanza.ID(), in.Stanza.To(), in.Stanza.From()))
			if g.Reserve(t.Context(), r.Local(), r.Remote(), 200) == nil { // closed by now, perhaps
				g.Deliver(links.Consignment{Released: r, Reporter: newReporter()})
			}
		}
	}
	w.a.begin(t)
	w.b.begin(t)
	w.route(t, o.direct)
	return w
}

func (w *world) config(t testing.TB, own, other string, cert *tlsidtest.Leaf, o setup) s2s.Config {
	t.Helper()
	listen := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	return s2s.Config{
		Name: "s2s", Timing: stream.Timing{AskAfter: 50 * time.Millisecond, Close: 300 * time.Millisecond}, Manage: stream.ManageConfig{AskEvery: 16}, Secret: "secret of " + own, Keys: keys(t, cert),
		Sides: []s2s.Side{{
			Name: "net", Listen: listen, ListenDirect: listen, DefaultDomain: jid.MustParse(own),
			Hosts: func(d jid.JID) bool { return peering.Pattern("*."+own).Matches(d.Domain()) || d.Domain() == own },
		}},
		Peers: []s2s.Peer{{
			Name: other[:1], Side: "net", Domains: []peering.Pattern{peering.Pattern(other), peering.Pattern("*." + other)},
			Proofs: o.proofs, Identity: w.policy, StreamManagement: true,
			Route: []resolve.Target{{Host: "127.0.0.1", Port: 1}},
		}},
	}
}

func keys(t testing.TB, leaves ...*tlsidtest.Leaf) *tlsid.Keys {
	t.Helper()
	var pairs []tlsid.KeyPair
	for i, l := range leaves {
		c, k, err := l.WritePEM(t.TempDir(), "own")
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, tlsid.KeyPair{CertFile: c, KeyFile: k, Default: i == 0})
	}
	return tlsidtest.Must(tlsid.LoadKeys(pairs))
}

func newGate(cfg s2s.Config) *gate {
	return &gate{cfg: cfg, sink: newSink(), rep: newReporter(), events: &events{}, net: &network{}}
}

func (g *gate) env() s2s.Env { return s2s.Env{Observer: g.events, Dial: g.net.dial} }

func (g *gate) make(t testing.TB, env s2s.Env) {
	t.Helper()
	g.Link = tlsidtest.Must(s2s.New(g.cfg, g.sink, env))
}

func (g *gate) begin(t testing.TB) {
	t.Helper()
	if err := g.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.stop(t) })
}

func (g *gate) stop(t testing.TB) {
	t.Helper()
	if g.stopped.Swap(true) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := g.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// stop ends both at once, as inside a bubble it must be done before the test function returns.
func (w *world) stop(t testing.TB) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() { w.a.stop(t) })
	w.b.stop(t)
	wg.Wait()
}

func (g *gate) port(direct bool) uint16 {
	return netip.MustParseAddrPort(g.Addresses("net", direct)[0].String()).Port()
}

// route tells each gate where the other listens.
func (w *world) route(t testing.TB, direct bool) {
	t.Helper()
	w.a.pointAt(t, w.b.port(direct), direct)
	w.b.pointAt(t, w.a.port(direct), direct)
}

func (g *gate) pointAt(t testing.TB, port uint16, direct bool) {
	t.Helper()
	g.reload(t, func(c *s2s.Config) {
		for i := range c.Peers {
			c.Peers[i].Route = []resolve.Target{{Host: "127.0.0.1", Port: port, Direct: direct}}
		}
	})
}

func (g *gate) reload(t testing.TB, edit func(*s2s.Config)) {
	t.Helper()
	next := g.cfg
	next.Peers = slices.Clone(next.Peers)
	edit(&next)
	if err := g.Reload(next); err != nil {
		t.Fatal(err)
	}
	g.cfg = next
}

// deliver sends one released stanza and returns its token.
func (g *gate) deliver(t testing.TB, r peering.Released) uint64 {
	t.Helper()
	if err := g.Reserve(t.Context(), r.Local(), r.Remote(), 200); err != nil {
		t.Fatalf("reserve: %v", err)
	}
	token := g.token.Add(1)
	g.Deliver(links.Consignment{Released: r, Token: token, Reporter: g.rep})
	return token
}

func (g *gate) send(t testing.TB, from, to string, first, last int) {
	t.Helper()
	for n := first; n <= last; n++ {
		g.deliver(t, released(t, from, to, n))
	}
}

// inOrder checks that arrivals are n1, n2, … without gap or double.
func inOrder(t testing.TB, got []links.Inbound, first, last int) {
	t.Helper()
	if len(got) != last-first+1 {
		t.Errorf("%d arrivals, want %d", len(got), last-first+1)
	}
	for i, in := range got {
		if want := fmt.Sprintf("n%d", first+i); status(in) != want {
			t.Fatalf("arrival %d is %s, want %s", i, status(in), want)
		}
	}
}

// dump logs what both gates look like, for a test that is about to fail.
func (w *world) dump(t testing.TB) {
	for name, g := range map[string]*gate{"a": w.a, "b": w.b} {
		st := g.Status()
		for _, s := range st.Streams {
			t.Logf("%s stream %+v", name, s)
		}
		for _, q := range st.Queues {
			t.Logf("%s queue %+v", name, q)
		}
		g.events.mu.Lock()
		for _, e := range g.events.all {
			t.Logf("%s event %s %s %s>%s %s %s", name, e.Kind, e.Reason, e.Local, e.Remote, e.Detail, e.Address)
		}
		g.events.mu.Unlock()
		t.Logf("%s parked %d", name, st.Parked)
	}
}
