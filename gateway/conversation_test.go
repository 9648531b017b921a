package gateway_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/gateway/audit"
	"sallyport/links"
)

func iq(typ, id, from, to string) string {
	payload := "<ping xmlns='urn:xmpp:ping'/>"
	if typ == "result" {
		payload = ""
	}
	return fmt.Sprintf("<iq type='%s' id='%s' from='%s' to='%s'>%s</iq>", typ, id, from, to, payload)
}

func presence(typ, from, to string) string {
	return fmt.Sprintf("<presence type='%s' from='%s' to='%s'/>", typ, from, to)
}

const (
	ua = "u@a.example/r"
	vb = "v@b.example/s"
)

// say lets stanzas come in, each after the one before it has come to rest.
func (n *node) say(texts ...string) {
	n.t.Helper()
	for _, text := range texts {
		n.arrive(text)
		synctest.Wait()
	}
}

// kinds are the types of what went to a domain, in order.
func (n *node) kinds(domain string) (out []string) {
	for _, d := range n.link.to(domain) {
		out = append(out, d.typ)
	}
	return out
}

func (n *node) wantKinds(domain string, want ...string) {
	n.t.Helper()
	if got := n.kinds(domain); strings.Join(got, " ") != strings.Join(want, " ") {
		n.t.Errorf("delivered to %s: %v, want %v", domain, got, want)
	}
}

// TestAnswers: an answer crosses once, only from the one who was asked, only to the one who asked, only in time.
func TestAnswers(t *testing.T) {
	rows := []struct {
		name  string
		do    func(n *node)
		wantA []string // what a.example gets
	}{
		{"asked and answered", func(n *node) { n.say(iq("get", "1", ua, vb), iq("result", "1", vb, ua)) }, []string{"result"}},
		{"answered twice", func(n *node) {
			n.say(iq("get", "1", ua, vb), iq("result", "1", vb, ua), iq("result", "1", vb, ua))
		}, []string{"result"}},
		{"H07 nobody asked", func(n *node) { n.say(iq("result", "1", vb, ua)) }, nil},
		{"H07 another id", func(n *node) { n.say(iq("get", "1", ua, vb), iq("result", "2", vb, ua)) }, nil},
		{"H07 somebody else answers, then the right one", func(n *node) {
			n.say(iq("get", "1", ua, vb), iq("result", "1", "w@b.example/s", ua), iq("result", "1", vb, ua))
		}, []string{"result"}},
		{"H07 to somebody else", func(n *node) { n.say(iq("get", "1", ua, vb), iq("result", "1", vb, "w@a.example/r")) }, nil},
		{"from the other side", func(n *node) {
			n.say(iq("get", "1", ua, vb), iq("result", "1", ua, vb))
		}, nil},
		{"too late", func(n *node) {
			n.say(iq("get", "1", ua, vb))
			time.Sleep(2*time.Minute + 10*time.Second)
			n.say(iq("result", "1", vb, ua))
		}, []string{"error"}},
		{"just in time", func(n *node) {
			n.say(iq("get", "1", ua, vb))
			time.Sleep(2*time.Minute - time.Second)
			n.say(iq("result", "1", vb, ua))
		}, []string{"result"}},
		{"the request bounced", func(n *node) {
			toB(fate{d: links.Failed, cause: links.ErrUnreachable})(n)
			n.say(iq("get", "1", ua, vb))
			synctest.Wait()
			n.say(iq("result", "1", vb, ua))
		}, []string{"error"}},
		{"the request is in doubt, its sender was told", func(n *node) {
			toB(fate{d: links.InDoubt, cause: links.ErrLost})(n)
			n.say(iq("get", "1", ua, vb))
			synctest.Wait()
			n.say(iq("result", "1", vb, ua))
		}, []string{"error"}},
		{"the request was refused", func(n *node) {
			n.say("<iq type='get' id='1' from='" + ua + "' to='" + vb + "'><query xmlns='urn:none'/></iq>")
			n.say(iq("result", "1", vb, ua))
		}, []string{"error"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, nil, func(_ *testing.T, n *node) {
				row.do(n)
				synctest.Wait()
				n.wantKinds("a.example", row.wantA...)
			})
		})
	}
}

// TestOneAnswerOfTwo: of answers that are decided at the same time one at most crosses; the request is free again when the
// first of them is refused for what it holds.
func TestOneAnswerOfTwo(t *testing.T) {
	rows := []struct {
		name    string
		answers []string
		later   string
		want    int
	}{
		{"both good", []string{iq("result", "1", vb, ua), iq("result", "1", vb, ua)}, "", 1},
		{"the first not on the profile's list, the second while it waits, the third after", []string{
			strings.Replace(iq("result", "1", vb, ua), "></iq>", "><query xmlns='urn:none'/></iq>", 1),
			iq("result", "1", vb, ua),
		}, iq("result", "1", vb, ua), 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, n *node) {
				n.arrive(iq("get", "1", ua, vb))
				synctest.Wait()
				n.disk.shut()
				var wg sync.WaitGroup
				for _, a := range row.answers {
					in := n.inbound(a)
					wg.Go(func() { n.link.arrive(in) })
					synctest.Wait()
				}
				wg.Wait()
				n.disk.open()
				synctest.Wait()
				if row.later != "" {
					n.arrive(row.later)
					synctest.Wait()
				}
				if got := len(n.kinds("a.example")); got != row.want {
					t.Errorf("%d answers crossed, want %d: %v", got, row.want, n.kinds("a.example"))
				}
			})
		})
	}
}

// TestIDsIssuedAnew: ids carry nothing across, and every requester gets his own answer under his own id.
func TestIDsIssuedAnew(t *testing.T) {
	bubble(t, func(s *site) { s.policy = "reissue-ids = true\n" }, func(t *testing.T, n *node) {
		askers := []string{ua, "w@a.example/r", "u@c.example/r"}
		for _, from := range askers {
			n.arrive(iq("get", "canary", from, vb))
		}
		synctest.Wait()
		seen := map[string]bool{}
		requests := n.link.to("b.example")
		for i := range requests { // answered in another order
			d := requests[len(requests)-1-i]
			if d.id == "" || strings.Contains(d.text(), "canary") || seen[d.id] {
				t.Errorf("sent out %s", d.text())
			}
			seen[d.id] = true
			n.arrive(iq("result", d.id, d.to, d.from))
		}
		n.arrive(iq("result", "canary", vb, ua)) // nobody was asked under that
		synctest.Wait()
		for _, from := range askers {
			got := 0
			for _, d := range n.link.deliveries() {
				if d.to == from && d.id == "canary" && d.typ == "result" {
					got++
				}
			}
			if got != 1 {
				t.Errorf("%s got %d answers", from, got)
			}
		}
		if len(n.link.deliveries()) != 2*len(askers) {
			t.Errorf("%d deliveries", len(n.link.deliveries()))
		}
	})
}

// TestSubscriptionsAcrossRestart: who was asked may answer after a restart, once; nobody else may, and a node that was killed
// forgets no more than the last second.
func TestSubscriptionsAcrossRestart(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed %v", killed), func(t *testing.T) {
			s := newSite(t, memLeaf())
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, s)
				n.arrive(presence("subscribe", "u@a.example", "v@b.example"))
				synctest.Wait()
				n.wantKinds("b.example", "subscribe")
				if killed { // what stands in the state directory is what a kill leaves
					time.Sleep(1100 * time.Millisecond)
					b, err := os.ReadFile(filepath.Join(s.dir, "state", "subscriptions.json"))
					if err != nil {
						t.Error(err)
					}
					n.end()
					if err := os.WriteFile(filepath.Join(s.dir, "state", "subscriptions.json"), b, 0o600); err != nil {
						t.Error(err)
					}
				} else {
					n.end()
				}
				n = startNode(t, s, n.disk)
				n.arrive(presence("subscribed", "w@b.example", "u@a.example"), presence("subscribed", "v@b.example", "x@a.example"))
				synctest.Wait()
				n.wantKinds("a.example")
				n.arrive(presence("subscribed", "v@b.example", "u@a.example"), presence("subscribed", "v@b.example", "u@a.example"))
				synctest.Wait()
				n.wantKinds("a.example", "subscribed")
				n.end()
				n = startNode(t, s, n.disk)
				n.arrive(presence("subscribed", "v@b.example", "u@a.example"))
				synctest.Wait()
				n.wantKinds("a.example")
				n.end()
			})
		})
	}
}

// TestSubscriptionsAreSavedLater: a second in which the file could not be written does not lose what should stand in it.
func TestSubscriptionsAreSavedLater(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		blocker := filepath.Join(n.site.dir, "state", "subscriptions.json.new")
		if err := os.MkdirAll(filepath.Join(blocker, "full"), 0o700); err != nil {
			t.Fatal(err)
		}
		n.arrive(presence("subscribe", "u@a.example", "v@b.example"))
		time.Sleep(3500 * time.Millisecond) // between two attempts, which are made each second
		n.wantComplaint("awaited subscriptions are not saved")
		if err := os.RemoveAll(blocker); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		b, err := os.ReadFile(filepath.Join(n.site.dir, "state", "subscriptions.json"))
		if err != nil || !strings.Contains(string(b), "v@b.example") {
			t.Errorf("saved %q, %v", b, err)
		}
	})
}

// TestReloadWhileSaving: the state directory is looked up while reloads replace the configuration (the race detector is the judge).
func TestReloadWhileSaving(t *testing.T) {
	bubble(t, nil, func(_ *testing.T, n *node) {
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 20 {
				n.reloads <- struct{}{}
				time.Sleep(500 * time.Millisecond)
			}
		})
		for i := range 20 {
			n.arrive(presence("subscribe", fmt.Sprintf("u%d@a.example", i), "v@b.example"))
			time.Sleep(500 * time.Millisecond)
		}
		wg.Wait()
	})
}

// TestApprovalUnderAnotherName: an approval uses the request up also where the domain map gives both sides other names.
func TestApprovalUnderAnotherName(t *testing.T) {
	bubble(t, func(s *site) {
		s.peers = peerTable("a", "in", allKinds, `domain-map = { "a.example" = "public.example" }`) +
			peerTable("b", "out", allKinds, `domain-map = { "b.example" = "partner.example" }`) + peerTable("c", "in", allKinds)
	}, func(_ *testing.T, n *node) {
		n.say(presence("subscribe", "u@a.example", "v@partner.example"))
		n.wantKinds("b.example", "subscribe")
		approve := presence("subscribed", "v@b.example", "u@public.example")
		n.say(approve, approve)
		n.wantKinds("a.example", "subscribed")
	})
}

// TestUndeliveredAnswer: what became of answers and approvals that failed is recorded; the request is not free again, since the
// answer may have been seen.
func TestUndeliveredAnswer(t *testing.T) {
	bubble(t, nil, func(_ *testing.T, n *node) {
		n.link.fate = func(d *delivery) fate {
			if d.typ == "result" {
				return fate{d: links.InDoubt, cause: links.ErrLost}
			}
			return fate{d: links.Delivered}
		}
		n.say(iq("get", "1", ua, vb), iq("result", "1", vb, ua), iq("result", "1", vb, ua))
		n.wantKinds("a.example", "result")
		n.record(audit.Filter{Kind: audit.Settlement})
	})
}
