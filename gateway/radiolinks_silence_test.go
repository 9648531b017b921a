package gateway_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/gateway"
	"sallyport/gateway/audit"
	"sallyport/gateway/control"
)

// radioSite is a site with one link of kind hf, compact.
func radioSite(t *testing.T, i int, more string) *site {
	t.Helper()
	own, peer := []string{"a", "b"}[i], []string{"b", "a"}[i]
	s := endSite(t, []string{"shore", "ship"}[i], own, peer, []string{"connect", "listen"}[i])
	s.more = fmt.Sprintf("\n[link.hf]\nkind = \"hf\"\npeer = %q\nconnect = [%q]\nbits-per-second = 1200\nround-trip = \"8s\"\nhalf-duplex = true\n[link.hf.hf]\nmode = \"compact\"\nremote = %q\n%s",
		peer, radioNode(i), radioAddress(1-i), more)
	return s
}

// overRadio runs a test in virtual time with both gateways on a channel.
func overRadio(t *testing.T, shore, ship *site, test func(t *testing.T, e *ends)) {
	t.Helper()
	overEther(t, etherConfig{}, shore, ship, func(t *testing.T, e *ends, _ *ether) { test(t, e) })
}

// overEther is overRadio with nodes or a channel of another kind.
func overEther(t *testing.T, cfg etherConfig, shore, ship *site, test func(t *testing.T, e *ends, air *ether)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWires()
		air := newEtherOf(t, w, cfg)
		defer air.stop()
		e := &ends{t: t, wires: w}
		e.ship = newEnd(t, "ship", ship, w)
		e.shore = newEnd(t, "shore", shore, w)
		defer e.stop()
		e.settle(time.Minute)
		test(t, e, air)
	})
}

func (x *end) emcon(on bool) control.EMCONAnswer {
	x.t.Helper()
	by := control.Caller{User: "op", UID: 1000, PID: 7}
	a, err := x.SetEMCON(context.Background(), by, control.EMCONQuestion{Link: "hf", On: on})
	if err != nil {
		x.t.Fatal(err)
	}
	return a
}

func (x *end) silence() string {
	x.t.Helper()
	all, err := x.Links(context.Background())
	if err != nil || len(all) != 1 {
		x.t.Fatalf("%v %v", all, err)
	}
	return all[0].Silence
}

// changes are the records about the link, in their order.
func (x *end) changes() (out []string) {
	x.t.Helper()
	for _, r := range x.records(audit.Filter{Kind: audit.PeerEvent}) {
		if r.Link != "hf" || r.FromPeer == "" {
			x.t.Errorf("record of another link, or of no peer: %+v", r.Record)
		}
		out = append(out, strings.TrimSpace(r.Rule+" "+r.From))
	}
	return out
}

// TestSilenceByCommand: nothing is sent until it is ended, neither by a restart nor by a reload, and the log has who ordered what.
func TestSilenceByCommand(t *testing.T) {
	shore, ship := radioSite(t, 0, ""), radioSite(t, 1, "")
	overRadio(t, shore, ship, func(t *testing.T, e *ends) {
		if a := e.shore.emcon(true); !a.On || !a.Changed {
			t.Errorf("%+v", a)
		}
		sent := e.send(3)
		e.settle(10 * time.Minute)
		e.shore.node.end()
		e.shore.start(t, shore)
		e.settle(10 * time.Minute)
		shore.more = strings.Replace(shore.more, "8s", "9s", 1) // the link is made anew
		shore.write(t)
		if _, err := e.shore.Reload(t.Context(), control.Caller{}, control.ReloadQuestion{}); err != nil {
			t.Fatal(err)
		}
		e.settle(10 * time.Minute)
		wantSame(t, e.ship.got("b.example"), nil)
		if words := e.shore.silence(); !strings.HasPrefix(words, "ordered by op at 20") {
			t.Errorf("silent %q", words)
		}
		if a := e.shore.emcon(false); a.On || !a.Changed {
			t.Errorf("%+v", a)
		}
		if a := e.shore.emcon(false); a.On || a.Changed {
			t.Errorf("again: %+v", a)
		}
		e.settle(10 * time.Minute)
		wantSame(t, e.ship.got("b.example"), sent)
		want := []string{
			"hf-node-up", "hf-emcon op (uid 1000, pid 7)", "hf-node-lost", "hf-node-up", "hf-node-lost", "hf-node-up", "hf-emcon op (uid 1000, pid 7)",
		}
		if got := e.shore.changes(); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// TestSilenceAsConfigured: it can be ended by a command, and a link that is made anew begins with it again.
func TestSilenceAsConfigured(t *testing.T) {
	shore := radioSite(t, 0, "silent = true\n")
	overRadio(t, shore, radioSite(t, 1, ""), func(t *testing.T, e *ends) {
		if words := e.shore.silence(); words != "as configured" {
			t.Errorf("silent %q", words)
		}
		sent := e.send(1)
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), nil)
		e.shore.emcon(false)
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), sent)
		e.shore.node.end()
		e.shore.start(t, shore)
		if words := e.shore.silence(); words != "as configured" {
			t.Errorf("silent %q after a restart", words)
		}
	})
}

// TestOrdersOfSilenceThatCannotBeRead: they are not taken for none.
func TestOrdersOfSilenceThatCannotBeRead(t *testing.T) {
	s := radioSite(t, 0, "")
	cfg := s.load(t)
	if err := os.MkdirAll(string(cfg.Node.State), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(string(cfg.Node.State), "silent-links.json"), []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.New(cfg, gateway.Options{}); err == nil || !strings.Contains(err.Error(), "ordered to be silent") {
		t.Errorf("got %v", err)
	}
}
