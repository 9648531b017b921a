package gateway_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/gateway"
	"sallyport/gateway/control"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/links"
	"sallyport/links/s2s"
)

// chain is player a, gateway 1, gateway 2, player b, with a proxy in each direction between the gateways.
type chain struct {
	t      *testing.T
	a, b   *player
	g1, g2 *running
	ahead  *proxy // g1 connects to g2
	back   *proxy // g2 connects to g1
}

// running is a gateway that runs in this process.
type running struct {
	*gateway.Gateway
	t      *testing.T
	site   *site
	cancel context.CancelFunc
	done   chan error
	reload chan struct{}
}

const listenSides = `
[side.in]
listen = ["127.0.0.1:0"]
trust = ["ca.pem"]
[side.out]
listen = ["127.0.0.1:0"]
trust = ["ca.pem"]
`

const abPair = "\n[[pair]]\nbetween = [\"a\", \"b\"]\n"

// gateSite is the folder of one gateway: inside is the domain of its own player, routes are where its peers are.
func gateSite(t *testing.T, name, inside string, routes map[string]netip.AddrPort, more ...string) *site {
	t.Helper()
	s := newSite(t, issue("a.example", "b.example"))
	s.name, s.sides, s.pairs = name, listenSides, abPair
	for _, domain := range []string{"a", "b"} {
		side := map[bool]string{true: "in", false: "out"}[domain == inside]
		s.peers += peerTable(domain, side, append([]string{allKinds, fmt.Sprintf("route = [%q]", routes[domain])}, more...)...)
	}
	return s
}

func startGate(t *testing.T, s *site) *running {
	t.Helper()
	g, err := gateway.New(s.load(t), gateway.Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Gateway: g, t: t, site: s, cancel: cancel, done: make(chan error, 1), reload: make(chan struct{})}
	go func() { r.done <- g.Run(ctx, r.reload) }()
	t.Cleanup(r.stop)
	eventually(t, "ready", func() bool { return g.Ready() == nil })
	return r
}

// stop ends it in order and checks its books.
func (r *running) stop() {
	if r.cancel == nil {
		return
	}
	r.cancel()
	r.cancel = nil
	if err := <-r.done; err != nil {
		r.t.Errorf("%s: %v", r.site.name, err)
	}
	c := r.counts()
	if sum := c.Delivered + c.Refused + c.Dropped + c.Held + c.Bounced + c.Expired + c.InDoubt; sum != c.Accepted {
		r.t.Errorf("%s: %+v", r.site.name, c)
	}
}

func (r *running) counts() control.Stanzas {
	s, err := r.Status(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	return s.Stanzas
}

func (r *running) listens(side string) netip.AddrPort {
	r.t.Helper()
	s, err := r.Status(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, x := range s.Sides {
		if x.Name == side {
			return netip.MustParseAddrPort(x.Listen[0])
		}
	}
	r.t.Fatalf("no side %s", side)
	return netip.AddrPort{}
}

// eventually waits for something that nobody announces.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// newChain starts everything. more are lines for the tables of all peers of both gateways.
func newChain(t *testing.T, more ...string) *chain {
	t.Helper()
	c := &chain{t: t, ahead: newProxy(t), back: newProxy(t)}
	policy := tlsidtest.Must(gateway.BuildPolicy(newSite(t, memLeaf()).load(t)))
	c.a, c.b = newPlayer(t, policy, "a.example", "b.example"), newPlayer(t, policy, "b.example", "a.example")
	c.g1 = startGate(t, gateSite(t, "gw1", "a", map[string]netip.AddrPort{"a": c.a.address(), "b": c.ahead.address()}, more...))
	c.g2 = startGate(t, gateSite(t, "gw2", "b", map[string]netip.AddrPort{"a": c.back.address(), "b": c.b.address()}, more...))
	c.ahead.pointAt(c.g2.listens("out"))
	c.back.pointAt(c.g1.listens("out"))
	c.a.dump, c.b.dump = c.dump, c.dump
	c.a.routeTo(c.g1.listens("in"))
	c.b.routeTo(c.g2.listens("in"))
	return c
}

// dump logs what the gateways and players look like, for a test that is about to fail.
func (c *chain) dump() {
	for name, l := range map[string]*s2s.Link{"a": c.a.Link, "b": c.b.Link, "g1": c.g1.S2S(), "g2": c.g2.S2S()} {
		st := l.Status()
		for _, s := range st.Streams {
			c.t.Logf("%s stream %+v", name, s)
		}
		for _, q := range st.Queues {
			c.t.Logf("%s queue %+v", name, q)
		}
		c.t.Logf("%s parked %d pending %d", name, st.Parked, st.Pending)
	}
	c.t.Logf("g1 %+v", c.g1.counts())
	c.t.Logf("g2 %+v", c.g2.counts())
}

// warm sends one message each way and waits until it is acknowledged: from then on there is a session that both ends know.
func (c *chain) warm() {
	c.t.Helper()
	for _, way := range [][2]*player{{c.a, c.b}, {c.b, c.a}} {
		way[0].send(1, 1)
		way[1].exactly(1)
		way[0].reported(1)
	}
}

// lives are how many bytes a connection between the gateways carries before it breaks: in the middle of traffic mostly, sometimes
// before TLS or the stream are up.
var lives = []int64{30_000, 60_000, 1_000, 45_000, 4_000, 20_000, 80_000, 25_000}

// TestChainSurvivesCuts: between two gateways the connection breaks again and again in the middle of traffic both ways; every message
// arrives once and in order, because the streams are resumed (XEP-0198 §5).
func TestChainSurvivesCuts(t *testing.T) { survivesCuts(t, "bidi = false") }

func survivesCuts(t *testing.T, bidi string) {
	c := newChain(t, bidi)
	c.warm()
	c.ahead.wear(lives...)
	c.back.wear(lives...)
	const n = 2000
	go c.a.send(2, n)
	go c.b.send(2, n)
	c.b.exactly(n)
	c.a.exactly(n)
	c.a.reported(n)
	c.b.reported(n)
	for _, p := range []*player{c.a, c.b} {
		if p.reports[links.Delivered] != n || len(p.errors) != 0 {
			t.Errorf("%s: %v, %d errors", p.domain, p.reports, len(p.errors))
		}
	}
	for _, g := range []*running{c.g1, c.g2} {
		eventually(t, "settled", func() bool { return g.counts().Delivered == 2*n })
	}
	c.wantResumed()
}

// wantResumed fails a test that has seen too little, or connections without end.
func (c *chain) wantResumed() {
	c.t.Helper()
	broken := c.ahead.breaks() + c.back.breaks()
	resumed := c.g1.LinkCounters().Resumed.Load() + c.g2.LinkCounters().Resumed.Load()
	dialled := c.g1.LinkCounters().Dialled.Load() + c.g2.LinkCounters().Dialled.Load()
	if broken < 3 || resumed < 3 || dialled > 60 {
		c.t.Errorf("%d connections broke, %d were opened, %d sessions were resumed", broken, dialled, resumed)
	}
}

// TestChainOnSharedStreams: the same with one stream for both ways (XEP-0288).
func TestChainOnSharedStreams(t *testing.T) { survivesCuts(t, "bidi = true") }

// accounted waits until each of n messages has arrived or its sender been told of an error; none may arrive twice.
func (c *chain) accounted(from, to *player, n int) {
	c.t.Helper()
	everywhere := func() bool {
		seen := map[string]int{}
		to.mu.Lock()
		for _, body := range to.got {
			seen[body]++
		}
		to.mu.Unlock()
		from.mu.Lock()
		defer from.mu.Unlock()
		for i := 1; i <= n; i++ {
			id := fmt.Sprintf("%s-%d", from.domain[:1], i)
			if seen[id] > 1 || from.errors[id] > 1 {
				c.t.Fatalf("%s arrived %d times, %d errors", id, seen[id], from.errors[id])
			}
			if seen[id]+from.errors[id] == 0 {
				return false
			}
		}
		return true
	}
	eventually(c.t, "every message from "+from.domain+" arrives or is answered", everywhere)
}

// TestChainRestart: one gateway goes away in the middle of traffic, without a word to the other, and comes back without its sessions:
// sent = delivered + bounced + in doubt, nothing twice.
func TestChainRestart(t *testing.T) {
	c := newChain(t, "bidi = false", `queue-age = "10s"`)
	c.warm()
	const n = 3000
	middle := make(chan struct{})
	c.b.when(n/4, func() {
		c.ahead.pointAt(netip.AddrPort{})
		c.back.pointAt(netip.AddrPort{})
		c.ahead.cut()
		c.back.cut()
		close(middle)
	})
	go c.a.send(2, n)
	<-middle
	c.g2.stop()
	c.g2 = startGate(t, c.g2.site)
	c.b.routeTo(c.g2.listens("in"))
	c.ahead.pointAt(c.g2.listens("out"))
	c.back.pointAt(c.g1.listens("out"))
	c.accounted(c.a, c.b, n)
	c.a.reported(n)
	eventually(t, "settled", func() bool {
		k := c.g1.counts()
		return k.Queued == 0 && k.Deciding == 0
	})
	k := c.g1.counts()
	if k.Accepted != k.Delivered+k.Bounced+k.InDoubt+k.Expired || k.Accepted < n {
		t.Errorf("%+v", k)
	}
	c.a.mu.Lock()
	defer c.a.mu.Unlock()
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if both := len(c.b.got) + len(c.a.errors) - n; both > int(k.InDoubt) { // only what was in doubt may have arrived and be answered
		t.Errorf("%d arrived and were answered, %d in doubt", both, k.InDoubt)
	}
}

// TestChainReloadsCertificates: new certificates under traffic cost no stream.
func TestChainReloadsCertificates(t *testing.T) {
	c := newChain(t)
	const n = 600
	reloaded := make(chan error, 3)
	for i := range cap(reloaded) {
		c.b.when(100+150*i, func() {
			_, _, err := issue("a.example", "b.example").WritePEM(c.g1.site.dir, "own")
			if err == nil {
				_, err = c.g1.Reload(context.Background(), control.Caller{}, control.ReloadQuestion{})
			}
			reloaded <- err
		})
	}
	go c.a.send(1, n)
	go c.b.send(1, n)
	c.b.exactly(n)
	c.a.exactly(n)
	for range cap(reloaded) {
		if err := <-reloaded; err != nil {
			t.Error(err)
		}
	}
	for _, g := range []*running{c.g1, c.g2} {
		if k := g.LinkCounters(); k.Closed.Load() != 0 {
			t.Errorf("%s: %d streams closed, %d lost", g.site.name, k.Closed.Load(), k.Lost.Load())
		}
	}
}

// TestChainRevokesCertificates: a list that names the certificate of the other gateway ends its streams at the reload and keeps it out;
// who sends meanwhile is told. Without the list it comes back.
func TestChainRevokesCertificates(t *testing.T) {
	c := newChain(t)
	c.a.send(1, 10)
	c.b.exactly(10)
	c.a.reported(10)
	c.g1.site.peers = strings.ReplaceAll(c.g1.site.peers, "route = ", "queue-age = \"1s\"\nroute = ") // only now: the first stream may take longer
	c.g1.site.write(t)
	c.g1.mustReload()
	g1cert := tlsidtest.Must(os.ReadFile(filepath.Join(c.g1.site.dir, "own.pem")))
	list := filepath.Join(c.g2.site.dir, "ca.crl")
	crl := tlsidtest.Must(testCA().CRL(time.Now().Add(-time.Minute), time.Now().Add(time.Hour), certificate(t, g1cert)))
	if err := os.WriteFile(list, crl, 0o600); err != nil {
		t.Fatal(err)
	}
	c.g2.site.rewrite(t, func(s *site) {
		s.sides = strings.Replace(s.sides, "[side.out]", "[side.out]\ncrl = [\"ca.crl\"]\ncrl-required = true", 1)
	})
	c.g2.mustReload()
	if k := c.g2.LinkCounters().Revoked.Load(); k == 0 {
		t.Error("no stream was closed")
	}
	c.a.send(11, 15)
	c.a.until("errors", func() bool { return len(c.a.errors) == 5 })
	c.a.reported(15)
	c.b.exactly(10)
	c.g2.site.write(t)
	c.g2.mustReload()
	for i, back := 16, false; !back; i++ { // bounced as long as gateway 1 waits before it tries again
		c.a.send(i, i)
		id := fmt.Sprintf("a-%d", i)
		eventually(t, "an arrival or an error", func() bool {
			c.a.mu.Lock()
			bounced := c.a.errors[id] > 0
			c.a.mu.Unlock()
			c.b.mu.Lock()
			defer c.b.mu.Unlock()
			back = slices.Contains(c.b.got, id)
			return back || bounced
		})
	}
}

func (r *running) mustReload() {
	r.t.Helper()
	if _, err := r.Reload(context.Background(), control.Caller{}, control.ReloadQuestion{}); err != nil {
		r.t.Fatal(err)
	}
}

// certificate is the first in a file.
func certificate(t testing.TB, text []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("no PEM")
	}
	return tlsidtest.Must(x509.ParseCertificate(block.Bytes))
}
