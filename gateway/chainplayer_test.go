package gateway_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/s2s"
	"sallyport/peering"
)

// patience bounds every wait of the tests on real sockets.
const patience = 2 * time.Minute

// player is a domain at one end of a chain: a server-to-server link that keeps what comes.
type player struct {
	*s2s.Link
	t      testing.TB
	domain string
	peer   string // domain at the other end
	cfg    s2s.Config
	engine *peering.Engine

	mu       sync.Mutex
	got      []string       // bodies in the order of arrival
	errors   map[string]int // by id
	reports  map[links.Disposition]int
	changed  chan struct{} // closed and replaced with every arrival and report
	watchers []watcher
	stopped  atomic.Bool
	dump     func() // what to log when nothing comes
}

// watcher is called once when that many messages have come.
type watcher struct {
	at int
	do func()
}

func newPlayer(t testing.TB, policy *peering.Policy, domain, peer string) *player {
	t.Helper()
	leaf := issue(domain)
	cert, key, err := leaf.WritePEM(t.TempDir(), "own")
	if err != nil {
		t.Fatal(err)
	}
	p := &player{
		t: t, domain: domain, peer: peer, engine: peering.NewEngine(policy), errors: map[string]int{},
		reports: map[links.Disposition]int{}, changed: make(chan struct{}),
	}
	p.cfg = s2s.Config{
		Name: "s2s", Keys: tlsidtest.Must(tlsid.LoadKeys([]tlsid.KeyPair{{CertFile: cert, KeyFile: key, Default: true}})),
		Timing: stream.Timing{AskAfter: 100 * time.Millisecond, Close: 300 * time.Millisecond},
		Sides: []s2s.Side{{
			Name: "net", Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, DefaultDomain: jid.MustParse(domain),
			Hosts: func(d jid.JID) bool { return d.Domain() == domain },
		}},
		Peers: []s2s.Peer{{
			Name: "gate", Side: "net", Domains: []peering.Pattern{peering.Pattern(peer)}, Proofs: s2s.Proofs{External: true},
			Identity: tlsid.Policy{Trust: tlsid.NewTrust(testCA().Cert)}, StreamManagement: true, Bidi: true,
			Route: []resolve.Target{{Host: "127.0.0.1", Port: 9}},
		}},
	}
	p.Link = tlsidtest.Must(s2s.New(p.cfg, p, s2s.Env{}))
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

func (p *player) stop() {
	if p.stopped.Swap(true) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		p.t.Errorf("%s: %v", p.domain, err)
	}
}

func (p *player) address() netip.AddrPort {
	return netip.MustParseAddrPort(p.Addresses("net", false)[0].String())
}

// routeTo says where the other domain is to be found.
func (p *player) routeTo(a netip.AddrPort) {
	p.t.Helper()
	p.cfg.Peers[0].Route = []resolve.Target{{Host: a.Addr().String(), Port: a.Port()}}
	if err := p.Reload(p.cfg); err != nil {
		p.t.Fatal(err)
	}
}

// send lets the player say messages with these numbers; their ids are their bodies.
func (p *player) send(first, last int) {
	for i := first; i <= last; i++ {
		id := fmt.Sprintf("%s-%d", p.domain[:1], i)
		text := fmt.Sprintf("<message id='%s' from='u@%s/r' to='v@%s'><body>%s</body></message>", id, p.domain, p.peer, id)
		s := parseStanza(p.t, text)
		v := p.engine.Judge(&peering.Arrival{
			Stanza: s, Link: "s2s", Peer: p.domain[:1], Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: time.Now(),
			Node: "player", Serial: uint64(i), Bytes: len(text), Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13},
		})
		r, ok := v.Released()
		if !ok {
			p.t.Errorf("a player may not say %s: %+v", text, v.Refusal)
			return
		}
		if err := p.Reserve(context.Background(), r.Local(), r.Remote(), len(text)); err != nil {
			p.t.Errorf("reserve: %v", err)
			return
		}
		p.Deliver(links.Consignment{Released: r, Reporter: p})
	}
}

// Report implements links.Reporter.
func (p *player) Report(_ uint64, d links.Disposition, _ error) {
	p.mu.Lock()
	p.reports[d]++
	p.wakeLocked()
	p.mu.Unlock()
}

func (p *player) wakeLocked() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Accept implements links.Sink.
func (p *player) Accept(_ context.Context, in links.Inbound) {
	defer in.Settle()
	if in.Malformed != nil {
		return
	}
	p.mu.Lock()
	var due []func()
	if in.Stanza.IsError() {
		p.errors[in.Stanza.ID()]++
	} else if body := in.Stanza.Element().Child(xmlstream.NSServer, "body"); body != nil {
		p.got = append(p.got, body.Text())
		for _, w := range p.watchers {
			if w.at == len(p.got) {
				due = append(due, w.do)
			}
		}
	}
	p.wakeLocked()
	p.mu.Unlock()
	for _, do := range due {
		do()
	}
}

// when calls do as soon as n messages have come.
func (p *player) when(n int, do func()) {
	p.mu.Lock()
	p.watchers = append(p.watchers, watcher{n, do})
	p.mu.Unlock()
}

// until waits for a state of the player.
func (p *player) until(what string, ok func() bool) {
	p.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		p.mu.Lock()
		done, changed := ok(), p.changed
		p.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			if p.dump != nil {
				p.dump()
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("%s waits for %s: %d messages, %d errors, reports %v", p.domain, what, len(p.got), len(p.errors), p.reports)
		}
	}
}

// exactly waits for n messages of the other player and checks that they are the first n, each once, in order.
func (p *player) exactly(n int) {
	p.t.Helper()
	p.until(fmt.Sprintf("%d messages", n), func() bool { return len(p.got) >= n })
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, body := range p.got {
		if want := fmt.Sprintf("%s-%d", p.peer[:1], i+1); body != want {
			p.t.Fatalf("message %d is %s, want %s", i+1, body, want)
		}
	}
	if len(p.got) != n {
		p.t.Errorf("%d messages, want %d", len(p.got), n)
	}
}

// reported waits until every delivery has been reported.
func (p *player) reported(n int) {
	p.t.Helper()
	p.until("all reports", func() bool {
		sum := 0
		for _, k := range p.reports {
			sum += k
		}
		return sum >= n
	})
}
