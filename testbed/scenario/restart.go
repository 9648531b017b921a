package scenario

import (
	"testing"

	"sallyport/gateway/audit"
)

// outsideRestarts: the outside server stops in good order in the middle of traffic and comes back; every message is
// delivered, or comes back, or is in doubt and recorded as such.
func outsideRestarts(t *testing.T, w *World) {
	f := w.NewTraffic(t)
	f.Send(100)
	if !f.Reached(20) {
		t.Fatal("traffic does not flow")
	}
	f.Send(100)
	if err := w.Bed.Ejabberd.Stop(); err != nil {
		t.Fatal(err)
	}
	f.Send(50)
	if err := w.Bed.Ejabberd.Start(); err != nil {
		t.Fatal(err)
	}
	f.Back(t, w)
	f.Send(100)
	if _, direct := w.Middle.(*Direct); direct {
		f.flowsAgain(t)
		return
	}
	f.Account(t, w)
}

// outsideCrashes: the same with a server that is killed, which may lose what it had already accepted; but nothing may
// arrive twice, and traffic flows again.
func outsideCrashes(t *testing.T, w *World) {
	f := w.NewTraffic(t)
	f.Send(100)
	if !f.Reached(20) {
		t.Fatal("traffic does not flow")
	}
	w.Bed.Ejabberd.Kill()
	f.Send(20)
	if err := w.Bed.Ejabberd.Start(); err != nil {
		t.Fatal(err)
	}
	f.Back(t, w)
	f.flowsAgain(t)
	for n, times := range f.delivered {
		if times > 1 {
			t.Errorf("message %d arrived %d times", n, times)
		}
	}
}

// flowsAgain sends one message at a time until one arrives: servers wait before they try again.
func (f *Traffic) flowsAgain(t *testing.T) {
	t.Helper()
	again := func() bool {
		f.Send(1)
		last := f.sent
		eventually(2*Quiet, func() bool { f.collect(); return f.delivered[last] > 0 || f.bounced[last] > 0 })
		return f.delivered[last] > 0
	}
	if !eventually(2*Patience, again) {
		t.Error("traffic does not flow again")
	}
}

// gatewayCrashes: the gateway is killed in the middle of traffic from a server with stream management and comes back.
// What it had not passed on was never acknowledged, so every message arrives or comes back, none arrives twice, and the
// log is whole.
func gatewayCrashes(t *testing.T, w *World) {
	gateway := w.gateway(t)
	f := w.NewTraffic(t)
	f.Send(100)
	if !f.Reached(20) {
		t.Fatal("traffic does not flow")
	}
	f.Send(100)
	gateway.Kill()
	f.Send(50)
	if err := gateway.Run(); err != nil {
		t.Fatal(err)
	}
	f.Send(100)
	if missing := f.Settle(4 * Patience); len(missing) > 0 {
		t.Errorf("of %d sent, %d delivered, %d bounced; lost without a word: %v", f.sent, len(f.delivered), len(f.bounced), missing)
	}
	for n, times := range f.delivered {
		if times > 1 {
			t.Errorf("message %d arrived %d times", n, times)
		}
	}
	t.Logf("%d sent, %d delivered, %d bounced", f.sent, len(f.delivered), len(f.bounced))
	if out, err := gateway.command("audit", "verify"); err != nil {
		t.Errorf("audit verify after the crash: %v\n%s", err, out)
	}
}

// reloadUnderLoad: the configuration is taken again and again while messages flow, once a broken one; nothing is
// lost, doubled, bounced or reordered, and the log tells of each reload.
func reloadUnderLoad(t *testing.T, w *World) {
	gateway := w.gateway(t)
	f := w.NewTraffic(t)
	for round := range 10 {
		f.Send(30)
		options := gateway.Options
		if round == 5 {
			options.Profile = "no such profile"
		}
		if err := gateway.Write(options); err != nil {
			t.Fatal(err)
		}
		if err := gateway.Reload(); err != nil {
			t.Fatal(err)
		}
		told := func() bool { done := reloads(t, gateway); return done["active"]+done["refused"] > round }
		if !eventually(Patience, told) { // two signals at once are one
			t.Fatalf("reload %d is not in the log: %v", round, reloads(t, gateway))
		}
	}
	f.Account(t, w)
	if len(f.bounced) > 0 {
		t.Errorf("%d bounced", len(f.bounced))
	}
	if done := reloads(t, gateway); done["active"] != 9 || done["refused"] != 1 {
		t.Errorf("the log tells of reloads: %v; want nine active, one refused", done)
	}
}

// reloads counts what became of reloads, by outcome.
func reloads(t *testing.T, g *Gateway) map[string]int {
	t.Helper()
	lines, err := g.Audit()
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]int{}
	for _, l := range lines {
		if l.Kind == audit.Reload {
			outcomes[l.Outcome]++
		}
	}
	return outcomes
}
