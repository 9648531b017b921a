package hostile_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/internal/tlsid/tlsidtest"
)

// node is the real thing, running in this process.
type node struct {
	g       *gateway.Gateway
	ca      *tlsidtest.CA
	dir     string
	config  string
	inside  string // where servers of the inside connect
	outside string
	direct  string // outside, TLS first
	taps    taps
	log     *tap
	audit   *ledger
	reload  chan struct{}
	cancel  context.CancelFunc
	ended   chan error
}

// peerText is one peer of a configuration.
type peerText struct {
	name, side, domains, route, auth, more string
}

func (p peerText) String() string {
	route := ""
	if p.route != "" {
		route = fmt.Sprintf("route = [%q]\n", p.route)
	}
	return fmt.Sprintf(`
[peer.%s]
side = %q
domains = [%s]
%sauthenticate = [%s]
clearance = "clearance-public.xml"
%s
kinds = { message = true, presence = true, muc = true, pubsub = true, iq = ["*"] }
`, p.name, p.side, p.domains, route, p.auth, p.more)
}

// settings are what one node differs in.
type settings struct {
	profile string // strict
	peers   []peerText
	pairs   [][2]string
	outside string   // more keys of the side
	more    string   // more tables
	names   []string // domains the node has certificates for
	limits  string
	audit   string
	files   map[string][]byte // beside the configuration
}

// write puts everything a node needs into dir and returns the path of its configuration.
func (s settings) write(t testing.TB, dir string, ca *tlsidtest.CA) string {
	t.Helper()
	for _, name := range []string{"guard.spif.xml", "clearance-public.xml"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range s.files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ca.WritePEM(dir, "ca"); err != nil {
		t.Fatal(err)
	}
	own := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: s.names}))
	if _, _, err := own.WritePEM(dir, "own"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "sallyport.toml")
	if err := os.WriteFile(path, []byte(s.text()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s settings) text() string {
	profile := s.profile
	if profile == "" {
		profile = "strict"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `[node]
name = "hostile"
state = "state"

[log]
level = "debug"

[audit]
segment-bytes = "256 KiB"
%s
[limits]
handshake-timeout = "5s"
%s

[side.inside]
listen = ["127.0.0.1:0"]
trust = ["ca.pem"]

[side.outside]
listen = ["127.0.0.1:0"]
listen-direct = ["127.0.0.1:0"]
trust = ["ca.pem"]
%s

[[certificate]]
cert = "own.pem"
key = "own.key"

[policy]
spif = ["guard.spif.xml"]
profile = %q
%s
`, s.audit, s.limits, s.outside, profile, s.more)
	for _, p := range s.peers {
		b.WriteString(p.String())
	}
	for _, p := range s.pairs {
		fmt.Fprintf(&b, "\n[[pair]]\nbetween = [%q, %q]\n", p[0], p[1])
	}
	return b.String()
}

// startNode runs a node until the test ends.
func startNode(t testing.TB, s settings, ca *tlsidtest.CA) *node {
	t.Helper()
	n := &node{ca: ca, dir: t.TempDir(), reload: make(chan struct{}), ended: make(chan error, 1)}
	n.config = s.write(t, n.dir, ca)
	cfg, problems := config.Load(n.config)
	if problems.Failed() {
		t.Fatalf("%v\n%s", problems.Err(), s.text())
	}
	n.log = n.taps.add("log")
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	log := zap.New(zapcore.NewCore(encoder, n.log, zapcore.DebugLevel))
	var err error
	if n.g, err = gateway.New(cfg, gateway.Options{Log: log, Version: "test"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	go func() { n.ended <- n.g.Run(ctx, n.reload) }()
	t.Cleanup(func() { n.stop(t) })
	eventually(t, patience, "the node is ready", func() bool { return n.g.Ready() == nil })
	status, err := n.g.Status(ctx)
	if err != nil || len(status.Sides) != 2 {
		t.Fatalf("status: %v %+v", err, status)
	}
	n.inside = status.Sides[0].Listen[0]
	n.outside = status.Sides[1].Listen[0]
	n.direct, _, _ = strings.Cut(status.Sides[1].Listen[1], " ")
	n.audit = &ledger{dir: filepath.Join(n.dir, "state", "audit")}
	return n
}

// stop ends the node in order; it is for once, and for the end of the test.
func (n *node) stop(t testing.TB) {
	t.Helper()
	if n.cancel == nil {
		return
	}
	n.cancel()
	n.cancel = nil
	deadline := time.NewTimer(2 * patience)
	defer deadline.Stop()
	select {
	case err := <-n.ended:
		if err != nil {
			t.Errorf("the node ended: %v", err)
		}
	case <-deadline.C:
		t.Error("the node does not end")
	}
}

// leaf is a certificate of the CA of the node.
func (n *node) leaf(o tlsidtest.Options) *tls.Certificate {
	c := tlsidtest.Must(n.ca.Issue(o)).TLS()
	return &c
}
