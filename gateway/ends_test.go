package gateway_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sallyport/gateway"
	"sallyport/gateway/audit"
	"sallyport/gateway/control"
	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
	"sallyport/links"
	"sallyport/links/x2x"
)

// The two links between shore and ship: sat is the better one.
var (
	sat = netip.MustParseAddrPort("127.0.0.1:7001")
	hf  = netip.MustParseAddrPort("127.0.0.1:7002")
)

// end is one of two gateways of our own, with the server of its users behind it: a.example on shore, b.example on the ship.
type end struct {
	*node
	name  string
	audit *slowDisk
	spool *lazyDisk
	wires *wires
	alive *atomic.Bool
	dead  []*node // killed
}

// ends are both.
type ends struct {
	t           *testing.T
	wires       *wires
	shore, ship *end
}

func linkTable(name, peer string, at netip.AddrPort, way, more string) string {
	return fmt.Sprintf("\n[link.%s]\nkind = \"x2x\"\npeer = %q\nsecurity = \"clear\"\nfrom = [\"127.0.0.1\"]\n%s = [%q]\n%s\n", name, peer, way, at, more)
}

func endSite(t testing.TB, name, own, other, way string) *site {
	s := newSite(t, memLeaf())
	s.name = name
	s.peers = peerTable(own, "in", allKinds) + peerTable(other, "out", allKinds)
	s.pairs = fmt.Sprintf("\n[[pair]]\nbetween = [%q, %q]\n", own, other)
	s.more = linkTable("sat", other, sat, way, "priority = 1") + linkTable("hf", other, hf, way, "priority = 2")
	return s
}

// between runs a test in virtual time with both gateways up.
func between(t *testing.T, edit func(shore, ship *site), test func(t *testing.T, e *ends)) {
	t.Helper()
	shore, ship := endSite(t, "shore", "a", "b", "connect"), endSite(t, "ship", "b", "a", "listen")
	if edit != nil {
		edit(shore, ship)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWires()
		e := &ends{t: t, wires: w}
		e.ship = newEnd(t, "ship", ship, w)
		e.shore = newEnd(t, "shore", shore, w)
		defer e.stop()
		test(t, e)
	})
}

func newEnd(t testing.TB, name string, s *site, w *wires) *end {
	x := &end{name: name, audit: newSlowDisk(), spool: &lazyDisk{FS: faulty.New()}, wires: w}
	x.start(t, s)
	return x
}

func (x *end) start(t testing.TB, s *site) {
	t.Helper()
	n := &node{t: t, site: s, disk: x.audit, receipts: &receipts{told: map[uint64]int{}}, reloads: make(chan struct{}), done: make(chan error, 1)}
	core, logs := observer.New(zapcore.InfoLevel)
	n.logs = logs
	link := func(sink links.Sink) gateway.WatchedLink {
		n.link = newMemLink(sink)
		return n.link
	}
	alive := &atomic.Bool{}
	alive.Store(true)
	x.alive = alive
	env := x2x.Env{Listen: x.wires.listen, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if !alive.Load() {
			return nil, syscall.ENETDOWN
		}
		return x.wires.dial(ctx, network, address)
	}}
	g, err := gateway.NewBetween(s.load(t), gateway.Options{Log: zap.New(core), Version: "test"}, x.audit, x.spool, env, time.Hour, link)
	if err != nil {
		t.Fatalf("%s: %v", x.name, err)
	}
	n.Gateway = g
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	go func() { n.done <- g.Run(ctx, n.reloads) }()
	synctest.Wait()
	if err := n.Ready(); err != nil {
		t.Fatalf("%s is not ready: %v", x.name, err)
	}
	x.node = n
}

// stop ends both in order, and whoever was killed before.
func (e *ends) stop() {
	for _, x := range []*end{e.shore, e.ship} {
		if !x.stopped {
			x.node.end()
		}
		for _, n := range x.dead {
			n.cancel()
			<-n.done
		}
	}
}

// lazyDisk is a disk that takes its time.
type lazyDisk struct {
	*faulty.FS
	sync time.Duration
}

func (d *lazyDisk) Create(name string) (disk.File, error) { return d.lazy(d.FS.Create(name)) }

func (d *lazyDisk) Append(name string) (disk.File, error) { return d.lazy(d.FS.Append(name)) }

func (d *lazyDisk) lazy(f disk.File, err error) (disk.File, error) {
	return lazyFile{f, d}, err
}

type lazyFile struct {
	disk.File
	d *lazyDisk
}

// Sync implements disk.File.
func (f lazyFile) Sync() error {
	time.Sleep(f.d.sync)
	return f.File.Sync()
}

// kill ends one as a loss of power does: nothing it does from now on is seen by anybody, and of what it had not synced pick decides.
func (e *ends) kill(x *end, pick func(n int) int) {
	e.t.Helper()
	x.node.link.mu.Lock()
	x.node.link.closed = true
	x.node.link.mu.Unlock()
	for _, at := range []netip.AddrPort{sat, hf} {
		e.wires.cut(at)
	}
	x.alive.Store(false)
	x.spool.Crash(pick)
	x.audit.FS.Crash(pick)
	if x == e.ship { // its doors are open to nobody
		e.wires.mu.Lock()
		e.wires.listeners = map[netip.AddrPort]*wireListener{}
		e.wires.mu.Unlock()
	}
	x.dead = append(x.dead, x.node)
	x.node.stopped = true
}

// acknowledged waits until what came in on shore is acknowledged, and not a moment longer.
func (e *ends) acknowledged() {
	for range 10_000 {
		synctest.Wait()
		if r := e.shore.receipts; r.settled() == int(r.given) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	e.t.Error("never acknowledged")
}

func (e *ends) mend() {
	e.wires.mend(sat)
	e.wires.mend(hf)
}

// settle lets time pass until everything should be where it goes.
func (e *ends) settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

var (
	decisions   = audit.Filter{Kind: audit.Decision}
	settlements = audit.Filter{Kind: audit.Settlement}
)

// labelled is a message under a label of the test policy.
func labelled(id, from, to, class string) string {
	return fmt.Sprintf("<message id='%s' from='u@%s/r' to='v@%s' type='chat'><body>hello</body>"+
		"<securitylabel xmlns='urn:xmpp:sec-label:0'><label><originatorConfidentialityLabel "+
		"xmlns='urn:nato:stanag:4774:confidentialitymetadatalabel:1:0'><ConfidentialityInformation>"+
		"<PolicyIdentifier URI='urn:oid:2.999.1066.1'>EXAMPLE</PolicyIdentifier><Classification>%s</Classification>"+
		"</ConfidentialityInformation><CreationDateTime>2026-11-21T00:00:00Z</CreationDateTime>"+
		"</originatorConfidentialityLabel></label></securitylabel></message>", id, from, to, class)
}

// carried says over which link something was sent, as the receiving gateway has it.
func (e *ends) counts(x *end) control.Stanzas { return x.balanced() }

func (x *end) got(domain string) []string { return ids(x.node.link.to(domain)) }

func wantSame(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

// send lets messages come in on shore for the ship.
func (e *ends) send(n int) (sent []string) {
	for range n {
		id := freshID()
		e.shore.arrive(message(id, "a.example", "b.example"))
		sent = append(sent, id)
	}
	return sent
}
