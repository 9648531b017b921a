package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/gateway"
	"sallyport/gateway/audit"
	"sallyport/gateway/control"
	"sallyport/internal/role"
)

// reload sends the signal and waits until it has been dealt with.
func (n *node) reload() {
	n.reloads <- struct{}{}
	synctest.Wait()
}

func (n *node) status() control.Status {
	n.t.Helper()
	s, err := n.Status(context.Background())
	if err != nil {
		n.t.Fatal(err)
	}
	return s
}

// refusals are the ways to break a configuration that runs.
var brokenReloads = []struct {
	name string
	do   func(t *testing.T, n *node)
	says string
}{
	{"no TOML", func(t *testing.T, n *node) { n.site.writeText(t, "[[[") }, "TOML"},
	{"no file", func(t *testing.T, n *node) {
		if err := os.Remove(n.site.path()); err != nil {
			t.Fatal(err)
		}
	}, "cannot be read"},
	{"unknown key", func(t *testing.T, n *node) { n.site.rewrite(t, func(s *site) { s.node = "nmae = 1\n" }) }, "nmae"},
	{"no certificate", func(t *testing.T, n *node) {
		if err := os.Remove(filepath.Join(n.site.dir, "own.pem")); err != nil {
			t.Fatal(err)
		}
	}, "own.pem"},
	{"label policy that is none", func(t *testing.T, n *node) {
		if err := os.WriteFile(filepath.Join(n.site.dir, "policy", "example.spif.xml"), []byte("<x/>"), 0o600); err != nil {
			t.Fatal(err)
		}
	}, "spif"},
	{"rule of nobody's action", func(t *testing.T, n *node) {
		n.site.rewrite(t, func(s *site) { s.rules = oneRule(`action = "wave"`) })
	}, "wave"},
	{"links that cannot", func(_ *testing.T, n *node) { n.link.reloadErr = errors.New("address in use") }, "address in use"},
	{"another name", func(t *testing.T, n *node) {
		n.site.writeText(t, strings.Replace(n.site.text(), `name = "gw1"`, `name = "gw2"`, 1))
	}, "node.name"},
	{"another state directory", func(t *testing.T, n *node) {
		n.site.writeText(t, strings.Replace(n.site.text(), `state = "state"`, `state = "policy"`, 1))
	}, "node.state"},
	{"content in the audit log", fixedKey("[audit]\ncontent = true\n"), "audit.content"},
	{"another way to write the log", fixedKey("[audit]\nio-uring = false\n"), "audit.io-uring"},
	{"another log directory", fixedKey("[audit]\ndir = \"policy\"\n"), "audit.dir"},
	{"another size of segments", fixedKey("[audit]\nsegment-bytes = \"1 MiB\"\n"), "audit.segment-bytes"},
	{"another size of the log", fixedKey("[audit]\nmax-bytes = \"1 GiB\"\n"), "audit.max-bytes"},
	{"another socket", fixedKey("[control]\nsocket = \"x.sock\"\n"), "control.socket"},
	{"another group of the socket", fixedKey("[control]\ngroup = \"root\"\n"), "control.group"},
	{"another monitoring page", fixedKey("[metrics]\nlisten = \"127.0.0.1:9\"\n"), "metrics.listen"},
	{"another log level", fixedKey("[log]\nlevel = \"debug\"\n"), "log"},
}

func fixedKey(more string) func(*testing.T, *node) {
	return func(t *testing.T, n *node) { n.site.rewrite(t, func(s *site) { s.node = "\n" + more }) }
}

// rewrite changes the file.
func (s *site) rewrite(t testing.TB, edit func(*site)) {
	t.Helper()
	next := *s
	edit(&next)
	next.write(t)
}

// TestBrokenReload: whatever is wrong with the new configuration, the old one keeps running, and the log, the audit log and status say
// why (P15); the one after that is taken.
func TestBrokenReload(t *testing.T) {
	for _, row := range brokenReloads {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, n *node) {
				before := n.status()
				row.do(t, n)
				n.reload()
				after := n.status()
				if after.Policy != before.Policy || after.Digest != before.Digest || !strings.Contains(after.LastReloadError, row.says) {
					t.Errorf("policy %s, was %s; error %q, want %q in it", after.Policy, before.Policy, after.LastReloadError, row.says)
				}
				recs := n.records(audit.Filter{Kind: audit.Reload, Outcome: "refused"})
				if len(recs) != 1 || !strings.Contains(recs[0].Reason, row.says) {
					t.Errorf("recorded %+v", recs)
				}
				if recs := n.records(audit.Filter{Kind: audit.Reload, Outcome: "active"}); len(recs) > 0 {
					t.Errorf("recorded as active: %+v", recs)
				}
				n.wantComplaint("reload refused")
				n.say(message("m", "a.example", "b.example"))
				n.wantIDs("b.example", "m")
			})
		})
	}
}

// TestGoodReload: the new policy judges from then on, the log has its version before any decision of it, status forgets the old error.
func TestGoodReload(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		n.site.writeText(t, "[[[")
		n.reload()
		before := n.status()
		n.say(message("1", "a.example", "b.example"))
		n.site.rewrite(t, func(s *site) { s.rules = oneRule(`action = "refuse"`) })
		n.reload()
		n.say(message("2", "a.example", "b.example"))
		n.wantIDs("b.example", "1")
		after := n.status()
		if after.Policy == before.Policy || after.LastReloadError != "" || before.LastReloadError == "" {
			t.Errorf("before %+v, after %+v", before, after)
		}
		active := n.record(audit.Filter{Kind: audit.Reload, Outcome: "active"})
		refused := n.record(audit.Filter{Kind: audit.Decision, Outcome: "refused"})
		if active.PolicyVersion != after.Policy || refused.PolicyVersion != after.Policy || refused.Seq < active.Seq {
			t.Errorf("reload %+v, decision %+v, status %s", active, refused, after.Policy)
		}
	})
}

// TestReloadBringsPeers: a peer that a reload brings is counted under its own name.
func TestReloadBringsPeers(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		n.site.rewrite(t, func(s *site) {
			s.peers = memPeers() + peerTable("d", "in", allKinds) + peerTable("e", "in", allKinds)
			s.pairs = memPairs + "[[pair]]\nbetween = [\"d\", \"b\"]\n"
		})
		n.reload()
		n.say(message("1", "b.example", "d.example"), message("2", "d.example", "nowhere.example"))
		p, err := n.Peer(context.Background(), "d")
		if err != nil || p.Delivered != 1 || p.Refused != 1 {
			t.Errorf("%+v %v", p.PeerStatus, err)
		}
		if p, err := n.Peer(context.Background(), "e"); err != nil || p.Delivered+p.Refused != 0 {
			t.Errorf("%+v %v", p.PeerStatus, err)
		}
	})
}

// TestReloadTakesRolesAway: who may command the node is what the active configuration says.
func TestReloadTakesRolesAway(t *testing.T) {
	bubble(t, func(s *site) { s.node = "\n[control]\ngroup = \"root\"\npolicy = [\"uid:1\"]\n" }, func(t *testing.T, n *node) {
		var got [][]control.Grant
		n.OnGrants(func(g []control.Grant) { got = append(got, g) })
		n.site.rewrite(t, func(s *site) { s.node = "\n[control]\ngroup = \"root\"\nview = [\"uid:1\"]\n" })
		n.reload()
		if len(got) != 1 || len(got[0]) != 1 || got[0][0].Role != role.View {
			t.Errorf("granted %+v (%s)", got, n.status().LastReloadError)
		}
	})
}

// TestReloadUnderLoad: while reloads swap two policies, every stanza is judged by exactly one of them: its record names the version, its
// outcome is what that version says, and what left was released by the version of its record.
func TestReloadUnderLoad(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		open := n.status().Policy
		var released sync.Map
		n.link.onDeliver = func(d *delivery) {
			if d.Released.Remote().Domain() == "b.example" {
				released.Store(d.id, d.Released.PolicyVersion().String())
			}
		}
		n.link.onReload = func() { time.Sleep(time.Millisecond) } // the swap is no moment
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for _, from := range []string{"a.example", "c.example"} {
			for range 4 {
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							n.arrive(message(freshID(), from, "b.example"))
							time.Sleep(100 * time.Microsecond)
						}
					}
				})
			}
		}
		for i := range 20 {
			n.site.rewrite(t, func(s *site) {
				if i%2 == 0 {
					s.rules = oneRule(`action = "refuse"`)
				}
			})
			n.reloads <- struct{}{}
			time.Sleep(5 * time.Millisecond)
		}
		close(stop)
		wg.Wait()
		synctest.Wait()
		n.oneVersionEach(t, open, &released)
	})
}

func (n *node) oneVersionEach(t *testing.T, open string, released *sync.Map) {
	t.Helper()
	count := map[string]int{}
	known := map[string]bool{open: true}
	for _, e := range n.records(audit.Filter{}) {
		switch e.Kind {
		case audit.Reload:
			known[e.PolicyVersion] = true
		case audit.Decision:
			count[e.Outcome]++
			want := "refused"
			if e.PolicyVersion == open {
				want = "released"
			}
			if e.Outcome != want || !known[e.PolicyVersion] {
				t.Fatalf("record %d: %s by %s, which says %s (known: %v)", e.Seq, e.Outcome, e.PolicyVersion, want, known)
			}
			if v, ok := released.Load(e.StanzaID); ok != (want == "released") || ok && v != e.PolicyVersion {
				t.Fatalf("record %d by %s, released %v by %v", e.Seq, e.PolicyVersion, ok, v)
			}
		}
	}
	if count["released"] == 0 || count["refused"] == 0 || len(known) != 2 {
		t.Errorf("%v under %d versions: the test saw no change", count, len(known))
	}
}

// TestStatusWhileReloading: a reload that waits for the disk holds up nobody who asks.
func TestStatusWhileReloading(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		n.disk.shut()
		n.reload()
		before := n.status().Reloaded
		time.Sleep(time.Second)
		n.disk.open()
		synctest.Wait()
		if after := n.status().Reloaded; !after.After(before) {
			t.Errorf("reloaded at %v, before %v", after, before)
		}
	})
}

// TestReloadWithoutAudit: what cannot be recorded does not become active.
func TestReloadWithoutAudit(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		before := n.status().Policy
		n.site.rewrite(t, func(s *site) { s.rules = oneRule(`action = "refuse"`) })
		brokenDisk(n)
		n.reload()
		if after := n.status(); after.Policy != before || after.LastReloadError == "" {
			t.Errorf("policy %s, was %s, error %q", after.Policy, before, after.LastReloadError)
		}
		if n.link.dropped != 1 {
			t.Errorf("%d configurations given up by the link, want 1", n.link.dropped)
		}
		if err := n.stop(); !errors.Is(err, audit.ErrFailed) {
			t.Errorf("run ended with %v", err)
		}
	})
}

// TestNoResumption: a window of zero switches resumption off; zero would be the default of the stream machine.
func TestNoResumption(t *testing.T) {
	s := newSite(t, memLeaf())
	s.node = "\n[limits]\nresume-window = \"0s\"\n"
	c, err := gateway.LinkConfig(s.load(t))
	if err != nil || c.Manage.ResumeFor >= 0 {
		t.Errorf("resumable for %v (%v)", c.Manage.ResumeFor, err)
	}
}

// TestReloadManyTimes leaves nothing behind.
func TestReloadManyTimes(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		for i := range 10 {
			n.site.rewrite(t, func(s *site) { s.more = fmt.Sprintf("# %d\n", i) })
			n.reload()
		}
		if got := len(n.records(audit.Filter{Kind: audit.Reload, Outcome: "active"})); got != 10 {
			t.Errorf("%d reloads recorded", got)
		}
	})
}
