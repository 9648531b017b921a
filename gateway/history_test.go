package gateway_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway"
	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/links"
	"sallyport/peering"
)

// edition rewrites the label policy of the site: the version it states, and the name of its highest classification, which is
// content.
func (s *site) edition(t testing.TB, version, highest string) {
	t.Helper()
	b, err := os.ReadFile("testdata/policy/example.spif.xml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), ` version="1"`, ` version="`+version+`"`, 1)
	text = strings.Replace(text, `name="SECRET"`, `name="`+highest+`"`, 1)
	if err := os.WriteFile(filepath.Join(s.dir, "policy", "example.spif.xml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *site) historyFile() string { return filepath.Join(s.dir, "state", "policies.json") }

// editions are versions and contents of a policy that was active as version 3 with SECRET, and what is said of them; "" takes them.
var editions = []struct{ name, version, highest, says string }{
	{"the same", "3", "SECRET", ""},
	{"higher version", "4", "SECRET", ""},
	{"higher version with a change", "4", "TOP", ""},
	{"lower version", "2", "SECRET", "version 2 is lower than version 3"},
	{"the same version with other content", "3", "TOP", "version 3 has been in use with other content"},
	{"version that is no number", "4b", "SECRET", "not an integer"},
}

// TestReloadGoesForward: a reload does not take a security policy that goes back; an operator can, and both are recorded.
func TestReloadGoesForward(t *testing.T) {
	for _, tt := range editions {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(s *site) { s.edition(t, "3", "SECRET") }, func(t *testing.T, n *node) {
				before := n.status()
				n.site.edition(t, tt.version, tt.highest)
				n.reload()
				refused := n.records(audit.Filter{Kind: audit.Reload, Outcome: "refused"})
				if tt.says == "" {
					if now := n.status(); now.LastReloadError != "" || len(refused) > 0 {
						t.Fatalf("error %q, refused %+v", now.LastReloadError, refused)
					}
					return
				}
				if now := n.status(); now.Policy != before.Policy || !strings.Contains(now.LastReloadError, tt.says) {
					t.Errorf("policy %s, was %s; error %q, want %q", now.Policy, before.Policy, now.LastReloadError, tt.says)
				}
				if len(refused) != 1 {
					t.Fatalf("recorded %+v", refused)
				}
				for _, want := range []string{tt.says, "example.spif.xml", "--allow-rollback"} {
					if !strings.Contains(refused[0].Reason, want) {
						t.Errorf("recorded %q, want %q", refused[0].Reason, want)
					}
				}
				n.onPurpose(t, tt.says)
			})
		})
	}
}

// onPurpose rolls back, which is recorded as such, and is forward for the reload after it.
func (n *node) onPurpose(t *testing.T, says string) {
	t.Helper()
	by := control.Caller{User: "ann"}
	if _, err := n.Reload(context.Background(), by, control.ReloadQuestion{AllowRollback: true}); err != nil {
		t.Fatal(err)
	}
	active := n.record(audit.Filter{Kind: audit.Reload, Outcome: "active"})
	if !strings.Contains(active.Reason, "gone back on purpose") || !strings.Contains(active.Reason, says) || !strings.Contains(active.From, "ann") {
		t.Errorf("recorded %+v", active)
	}
	n.reload()
	if now := n.status(); now.LastReloadError != "" {
		t.Errorf("the reload after it: %s", now.LastReloadError)
	}
	if again := n.records(audit.Filter{Kind: audit.Reload, Outcome: "active"}); len(again) != 2 || strings.Contains(again[1].Reason, "purpose") {
		t.Errorf("recorded %+v", again)
	}
}

// TestRestartGoesForward: nor does a start, whatever happened to the configuration in between.
func TestRestartGoesForward(t *testing.T) {
	for _, tt := range editions {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, memLeaf())
				s.edition(t, "3", "SECRET")
				disk := newSlowDisk()
				n := startNode(t, s, disk)
				n.end()
				s.edition(t, tt.version, tt.highest)
				back, err := gateway.FindRollbacks(policyOf(t, s))
				if err != nil || (len(back) == 0) != (tt.says == "") || len(back) > 0 && !strings.Contains(back[0].Err.Error(), tt.says) {
					t.Errorf("beforehand: %v %v, want %q", back, err, tt.says)
				}
				if tt.says == "" {
					startNode(t, s, disk).end()
					return
				}
				if err := start(t, s, disk); err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("started: %v, want %q", err, tt.says)
				}
				n.record(audit.Filter{Kind: audit.Reload, Outcome: "refused"})
				s.edition(t, "3", "SECRET")
				startNode(t, s, disk).end()
			})
		})
	}
}

// start makes a node that is to refuse it.
func start(t *testing.T, s *site, disk *slowDisk) error {
	t.Helper()
	_, err := gateway.NewInMemory(s.load(t), gateway.Options{Log: zap.NewNop()}, disk, func(sink links.Sink) gateway.WatchedLink { return newMemLink(sink) })
	return err
}

// TestPolicyTakenOutIsRemembered: a policy that was not in the configuration for a while does not come back older.
func TestPolicyTakenOutIsRemembered(t *testing.T) {
	bubble(t, func(s *site) { s.edition(t, "3", "SECRET") }, func(t *testing.T, n *node) {
		other := filepath.Join(n.site.dir, "policy", "other.spif.xml")
		b, err := os.ReadFile("testdata/policy/example.spif.xml")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("2.999.1066.1", "2.999.1066.7", `name="EXAMPLE"`, `name="OTHER"`).Replace(string(b))
		put := func(version string) {
			if err := os.WriteFile(other, []byte(strings.Replace(text, ` version="1"`, ` version="`+version+`"`, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		both := strings.Replace(n.site.text(), `spif = ["policy/example.spif.xml"]`, `spif = ["policy/example.spif.xml", "policy/other.spif.xml"]`, 1)
		put("9")
		n.site.writeText(t, both)
		n.reload()
		n.site.write(t)
		n.reload()
		if now := n.status(); now.LastReloadError != "" {
			t.Fatal(now.LastReloadError)
		}
		put("8")
		n.site.writeText(t, both)
		n.reload()
		if now := n.status(); !strings.Contains(now.LastReloadError, "policy/other.spif.xml") || !strings.Contains(now.LastReloadError, "version 8 is lower than version 9") {
			t.Errorf("error %q", now.LastReloadError)
		}
	})
}

// TestHistoryFile: a file that cannot be read stops a start and a reload, since taking it for empty would let everything go back.
func TestHistoryFile(t *testing.T) {
	for _, tt := range []struct{ name, content string }{
		{"no JSON", "{"},
		{"empty", ""},
		{"another shape", `{"policies":[]}`},
		{"short digest", `[{"id":"2.999.1066.1","name":"EXAMPLE","version":"1","digest":"abcd"}]`},
		{"no identifier", `[{"name":"EXAMPLE","version":"1","digest":"` + strings.Repeat("ab", 32) + `"}]`},
		{"too large", strings.Repeat(" ", 2<<20)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, n *node) {
				if err := os.WriteFile(n.site.historyFile(), []byte(tt.content), 0o600); err != nil {
					t.Fatal(err)
				}
				n.reload()
				if now := n.status(); !strings.Contains(now.LastReloadError, "policies.json") {
					t.Errorf("error %q", now.LastReloadError)
				}
				if err := start(t, n.site, newSlowDisk()); err == nil || !strings.Contains(err.Error(), "policies.json") {
					t.Errorf("started: %v", err)
				}
			})
		})
	}
}

// TestHistoryCannotBeWritten: what cannot be remembered does not become active, and what cannot be recorded is not remembered.
func TestHistoryCannotBeWritten(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		before := n.status().Policy
		kept, err := os.ReadFile(n.site.historyFile())
		if err != nil {
			t.Fatal(err)
		}
		blocker := n.site.historyFile() + ".new"
		if err := os.MkdirAll(filepath.Join(blocker, "full"), 0o700); err != nil {
			t.Fatal(err)
		}
		n.site.edition(t, "2", "SECRET")
		n.reload()
		if now := n.status(); now.Policy != before || !strings.Contains(now.LastReloadError, "which security policies are active") {
			t.Errorf("policy %s, was %s, error %q", now.Policy, before, now.LastReloadError)
		}
		if n.link.dropped != 1 {
			t.Errorf("%d configurations given up by the link, want 1", n.link.dropped)
		}
		if err := os.RemoveAll(blocker); err != nil {
			t.Fatal(err)
		}
		brokenDisk(n)
		n.reload()
		if now := n.status(); now.Policy != before {
			t.Errorf("policy %s, was %s", now.Policy, before)
		}
		if b, err := os.ReadFile(n.site.historyFile()); err != nil || string(b) != string(kept) {
			t.Errorf("kept %s %v, before %s", b, err, kept)
		}
		_ = n.stop()
	})
}

// TestHistoryIsWrittenOnce: what the file says, and that a reload that changes no policy leaves it alone.
func TestHistoryIsWrittenOnce(t *testing.T) {
	bubble(t, func(s *site) { s.edition(t, "3", "SECRET") }, func(t *testing.T, n *node) {
		b, err := os.ReadFile(n.site.historyFile())
		if err != nil {
			t.Fatal(err)
		}
		var entries []map[string]string
		if err := json.Unmarshal(b, &entries); err != nil || len(entries) != 1 || entries[0]["name"] != "EXAMPLE" || entries[0]["version"] != "3" || len(entries[0]["digest"]) != 64 {
			t.Errorf("%s (%v)", b, err)
		}
		time.Sleep(time.Hour)
		n.reload()
		if again, err := os.ReadFile(n.site.historyFile()); err != nil || string(again) != string(b) {
			t.Errorf("%s, before %s", again, b)
		}
	})
}

func policyOf(t *testing.T, s *site) (*config.Config, *peering.Policy) {
	t.Helper()
	cfg := s.load(t)
	p, err := gateway.BuildPolicy(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return cfg, p
}
