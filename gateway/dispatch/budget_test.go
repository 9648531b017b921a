package dispatch_test

import (
	"testing"
	"time"

	"sallyport/gateway/dispatch"
	"sallyport/links"
)

// tight: 1000 bytes an hour for routine and, which means nothing, for flash.
func tight(custody bool) dispatch.Options {
	o := two(custody)
	hour := links.Budget{Bytes: 1000, Period: time.Hour}
	o.Links[0].Profile.Budgets = [links.Lanes]links.Budget{0: hour, links.Lanes - 1: hour}
	return o
}

func TestBudget(t *testing.T) {
	t.Parallel()
	const flash = links.Lanes - 1
	w := newWorld(tight(true))
	w.raise(0)
	w.raise(1) // works, and is the worse one
	w.accept(0, 1, dispatch.All, 600)
	w.accept(0, 1, dispatch.All, 600)
	w.accept(0, 1, dispatch.All, 600)
	w.want(t, 0, 1, 2) // what begins within the budget goes
	w.want(t, 1)       // and nothing flees to a link that costs more
	for range 20 {
		w.accept(flash, 2, dispatch.All, 600)
	}
	w.accept(1, 3, dispatch.All, 600)
	if n := len(w.carried(0)); n != 23 {
		t.Fatalf("%d on the wire: flash waits for nothing, and priority has no budget", n)
	}
	w.land(0)
	all := w.p.Spent(w.now, 0)
	if len(all) != 1 || all[0].Class != 0 || all[0].Left != -200 || all[0].Opens.Sub(w.now).Round(time.Second) != 12*time.Minute {
		t.Fatalf("%+v", all)
	}
	if d := w.p.Deadline(); d.After(all[0].Opens) {
		t.Fatalf("looks again at %v, it opens at %v", d, all[0].Opens)
	}
	w.pass(12*time.Minute - time.Second)
	w.want(t, 0)
	w.pass(2 * time.Second)
	w.want(t, 0, 3)
	w.land(0)
	w.pass(2 * time.Hour)
	if all := w.p.Spent(w.now, 0); all[0].Left != 1000 || !all[0].Opens.IsZero() {
		t.Errorf("%+v: it comes back, and is not saved up", all)
	}
	if all := append(w.p.Spent(w.now, 1), w.p.Spent(w.now, 9)...); len(all) > 0 {
		t.Errorf("%+v", all)
	}
}

// TestBudgetIsForWhatWasSent: what never got to the wire costs nothing.
func TestBudgetIsForWhatWasSent(t *testing.T) {
	t.Parallel()
	left := func(w *world) int { return w.p.Spent(w.now, 0)[0].Left }
	t.Run("given back by the link", func(t *testing.T) {
		t.Parallel()
		w := newWorld(tight(true))
		w.raise(0)
		w.accept(0, 1, dispatch.Of(0), 400)
		if left(w) != 600 {
			t.Fatal(left(w))
		}
		w.links[0].up = false
		w.turns()
		w.carry(w.p.Link(w.now, 0, false))
		w.report(0, links.Returned, dispatch.Unwritten)
		if left(w) != 1000 {
			t.Error(left(w))
		}
	})
	t.Run("not announced", func(t *testing.T) {
		t.Parallel()
		w := newWorld(tight(false))
		w.raise(0)
		w.accept(0, 1, dispatch.Of(0), 400)
		if left(w) != 600 {
			t.Fatal(left(w))
		}
		w.disk(false)
		if left(w) != 1000 {
			t.Error(left(w))
		}
	})
	t.Run("compressed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(tight(true))
		w.p.Weigh(0, 250)
		w.raise(0)
		w.accept(0, 1, dispatch.All, 400)
		if left(w) != 900 {
			t.Error(left(w))
		}
	})
	t.Run("larger than anything", func(t *testing.T) {
		t.Parallel()
		w := newWorld(tight(true))
		w.raise(0)
		w.accept(0, 1, dispatch.All, 1<<40)
		w.want(t, 0, 1)
		w.land(0)
		w.accept(0, 1, dispatch.All, 1)
		w.pass(100 * time.Hour)
		w.want(t, 0, 2)
	})
}
