package gateway_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/gateway/config"
	"sallyport/internal/tlsid/tlsidtest"
)

// Certificates of the tests are good from before the clock of a synctest bubble begins until long after now.
var (
	certsFrom  = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	certsUntil = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

var testCA = sync.OnceValue(func() *tlsidtest.CA {
	return tlsidtest.Must(tlsidtest.NewCAWith(tlsidtest.CAOptions{Name: "gateway tests", NotBefore: certsFrom, NotAfter: certsUntil}))
})

func issue(domains ...string) *tlsidtest.Leaf {
	return tlsidtest.Must(testCA().Issue(tlsidtest.Options{DNS: domains, NotBefore: certsFrom, NotAfter: certsUntil}))
}

var memLeaf = sync.OnceValue(func() *tlsidtest.Leaf { return issue("a.example", "b.example", "c.example") })

// site is a folder with a configuration and what it names.
type site struct {
	dir  string
	name string // of the node
	node string // more of the [node] table, and tables after it
	// Parts of the file. Empty ones take what the in-memory tests need.
	sides, peers, pairs, policy, rules, more string
}

// newSite makes the folder: CA, certificate of leaf, label policy.
func newSite(t testing.TB, leaf *tlsidtest.Leaf) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	tlsidtest.Must(testCA().WritePEM(s.dir, "ca"))
	if _, _, err := leaf.WritePEM(s.dir, "own"); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(s.dir, "policy"), os.DirFS("testdata/policy")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

const memSides = `
[side.in]
listen = ["127.0.0.1:1"]
trust = ["ca.pem"]
[side.out]
listen = ["127.0.0.1:2"]
trust = ["ca.pem"]
`

// peerTable is one peer that judges what has no label as unclassified and is sent labels as they came.
func peerTable(name, side string, more ...string) string {
	return fmt.Sprintf(`
[peer.%s]
side = %q
domains = ["%s.example"]
clearance = "policy/outside.clearance.xml"
unlabelled = "default"
default-label = "policy/unclassified.label.xml"
%s
%s
`, name, side, name, hasRoute(more), strings.Join(more, "\n"))
}

func hasRoute(more []string) string {
	for _, m := range more {
		if strings.HasPrefix(m, "route") {
			return ""
		}
	}
	return `route = ["127.0.0.1:9"]`
}

const allKinds = `kinds = { message = true, presence = true, muc = true, pubsub = true, iq = ["*"] }`

func memPeers() string {
	return peerTable("a", "in", allKinds) + peerTable("b", "out", allKinds) + peerTable("c", "in", allKinds)
}

const memPairs = `
[[pair]]
between = ["a", "b"]
[[pair]]
between = ["c", "b"]
`

func orElse(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

// text is the configuration file.
func (s *site) text() string {
	return `
[node]
name = "` + orElse(s.name, "gw1") + `"
state = "state"
` + s.node + s.more + orElse(s.sides, memSides) + `
[[certificate]]
cert = "own.pem"
key = "own.key"
` + orElse(s.peers, memPeers()) + orElse(s.pairs, memPairs) + `
[policy]
spif = ["policy/example.spif.xml"]
profile = "federation"
` + s.policy + s.rules
}

func (s *site) path() string { return filepath.Join(s.dir, "sallyport.toml") }

// write puts the configuration into its file.
func (s *site) write(t testing.TB) {
	t.Helper()
	s.writeText(t, s.text())
}

func (s *site) writeText(t testing.TB, text string) {
	t.Helper()
	if err := os.WriteFile(s.path(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *site) load(t testing.TB) *config.Config {
	t.Helper()
	s.write(t)
	cfg, problems := config.Load(s.path())
	if problems.Failed() {
		t.Fatalf("configuration: %v\n%s", problems.Err(), s.text())
	}
	return cfg
}
