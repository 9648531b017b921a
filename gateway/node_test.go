package gateway_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sallyport/gateway"
	"sallyport/gateway/audit"
	"sallyport/gateway/control"
	"sallyport/internal/disk/faulty"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/x2x"
	"sallyport/peering"
)

// node is a gateway between in-memory links, inside a synctest bubble.
type node struct {
	t testing.TB
	*gateway.Gateway
	site     *site
	link     *memLink
	disk     *slowDisk
	logs     *observer.ObservedLogs
	receipts *receipts
	reloads  chan struct{}
	cancel   context.CancelFunc
	done     chan error
	stopped  bool
}

// receipts counts what the links would acknowledge.
type receipts struct {
	mu    sync.Mutex
	given uint64
	told  map[uint64]int
}

// Settled implements links.Receipt.
func (r *receipts) Settled(seq uint64) {
	r.mu.Lock()
	r.told[seq]++
	r.mu.Unlock()
}

func (r *receipts) next() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given++
	return r.given
}

func (r *receipts) settled() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.told)
}

// once fails the test unless every receipt was told exactly once.
func (r *receipts) once(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for seq := uint64(1); seq <= r.given; seq++ {
		if n := r.told[seq]; n != 1 {
			t.Errorf("receipt %d was told %d times", seq, n)
		}
	}
}

// newNode makes a node on a site and starts it.
func newNode(t testing.TB, s *site) *node { return startNode(t, s, newSlowDisk()) }

// startNode starts a node on a disk that may have a log already.
func startNode(t testing.TB, s *site, disk *slowDisk) *node {
	t.Helper()
	n := &node{t: t, site: s, disk: disk, receipts: &receipts{told: map[uint64]int{}}, reloads: make(chan struct{}), done: make(chan error, 1)}
	core, logs := observer.New(zapcore.InfoLevel)
	n.logs = logs
	o := gateway.Options{Log: zap.New(core), Version: "test"}
	link := func(sink links.Sink) gateway.WatchedLink {
		n.link = newMemLink(sink)
		return n.link
	}
	g, err := gateway.NewBetween(s.load(t), o, disk, faulty.New(), x2x.Env{}, 0, link)
	if err != nil {
		t.Fatal(err)
	}
	n.Gateway = g
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	go func() { n.done <- g.Run(ctx, n.reloads) }()
	synctest.Wait()
	if err := n.Ready(); err != nil {
		t.Fatalf("not ready: %v", err)
	}
	return n
}

// stop ends the node in order and checks what must hold at its end.
func (n *node) stop() error {
	n.t.Helper()
	n.stopped = true
	n.cancel()
	err := <-n.done
	n.balanced()
	n.receipts.once(n.t)
	n.link.mu.Lock()
	defer n.link.mu.Unlock()
	for _, m := range n.link.misuse {
		n.t.Error(m)
	}
	for pair, k := range n.link.reserved {
		if k != 0 {
			n.t.Errorf("%d reservations of %v were never used", k, pair)
		}
	}
	return err
}

// end is stop for a node that must not complain.
func (n *node) end() {
	n.t.Helper()
	if err := n.stop(); err != nil {
		n.t.Errorf("run: %v", err)
	}
}

// rest waits until nothing moves any more: the log lingers for a moment after large batches.
func (n *node) rest() {
	time.Sleep(100 * time.Millisecond)
	synctest.Wait()
}

// counts are the counters of status.
func (n *node) counts() control.Stanzas {
	n.t.Helper()
	s, err := n.Status(context.Background())
	if err != nil {
		n.t.Fatal(err)
	}
	return s.Stanzas
}

// balanced checks conservation and returns the counters.
func (n *node) balanced() control.Stanzas {
	n.t.Helper()
	c := n.counts()
	sum := c.Deciding + c.Queued + c.Delivered + c.Refused + c.Dropped + c.Held + c.Bounced + c.Expired + c.InDoubt + c.Superseded + c.Damaged
	if c.Accepted != sum {
		n.t.Errorf("accepted %d, accounted for %d: %+v", c.Accepted, sum, c)
	}
	return c
}

// arrive lets stanzas come in one after the other, as on one stream of the peer that owns their sender's domain.
func (n *node) arrive(texts ...string) {
	n.t.Helper()
	for _, text := range texts {
		n.link.arrive(n.inbound(text))
	}
}

func (n *node) inbound(text string) links.Inbound {
	n.t.Helper()
	s := parseStanza(n.t, text)
	from := s.From().DomainJID()
	in := n.about(from, s.To().DomainJID())
	in.Stanza, in.Bytes = s, len(text)
	return in
}

// about is an arrival without its stanza.
func (n *node) about(from, to jid.JID) links.Inbound {
	peer := from.Domain()[:1]
	side := map[string]string{"b": "out"}[peer]
	if side == "" {
		side = "in"
	}
	return links.Inbound{
		Link: "s2s", Side: side, Peer: peer, Domain: from, LocalDomain: to, Time: time.Now(), Receipt: n.receipts, Seq: n.receipts.next(),
		Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13},
	}
}

// malformed is an arrival that is no stanza.
func (n *node) malformed(m *stanza.Malformed) {
	in := n.about(m.From.DomainJID(), jid.MustParse("b.example"))
	in.Malformed, in.Bytes = m, 100
	n.link.arrive(in)
}

// records are those of the audit log so far.
func (n *node) records(f audit.Filter) (out []audit.Entry) {
	n.t.Helper()
	for e, err := range audit.Read(n.disk.FS, f) {
		if err != nil {
			n.t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func (n *node) record(f audit.Filter) audit.Entry {
	n.t.Helper()
	all := n.records(f)
	if len(all) != 1 {
		n.t.Fatalf("%d records %+v, want one", len(all), f)
	}
	return all[0]
}

func parseStanza(t testing.TB, text string) stanza.Stanza {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

var messageSerial atomic.Int64

// freshID is one that stands nowhere else, so that it can be looked for in a log.
func freshID() string { return fmt.Sprintf("m%07dx", messageSerial.Add(1)) }

func message(id, from, to string) string {
	return fmt.Sprintf("<message id='%s' from='u@%s/r' to='v@%s' type='chat'><body>hello</body></message>", id, from, to)
}

func ids(ds []*delivery) (out []string) {
	for _, d := range ds {
		out = append(out, d.id)
	}
	return out
}

// wantIDs checks which stanzas went to a domain, in order.
func (n *node) wantIDs(domain string, want ...string) {
	n.t.Helper()
	if got := ids(n.link.to(domain)); !slices.Equal(got, want) {
		n.t.Errorf("delivered to %s: %v, want %v", domain, got, want)
	}
}

// bubble runs a test in virtual time on a node of the usual site, changed by edit.
func bubble(t *testing.T, edit func(*site), test func(t *testing.T, n *node)) {
	t.Helper()
	s := newSite(t, memLeaf())
	if edit != nil {
		edit(s)
	}
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, s)
		defer func() {
			if !n.stopped {
				n.end()
			}
		}()
		test(t, n)
	})
}
