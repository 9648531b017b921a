package dispatch_test

import (
	"slices"
	"testing"

	"sallyport/gateway/dispatch"
)

func TestWhatALinkMayNotCarryWaitsAsideAndComesBackInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.raise(1)
	w.accept(0, 1, dispatch.Of(0), 100) // 1
	w.accept(0, 1, dispatch.All, 100)   // 2, of the same conversation
	w.accept(0, 2, dispatch.All, 100)   // 3
	for w.disk(true) {
	}
	w.want(t, 1, 3)
	if n := w.p.LenAside(); n != 2 {
		t.Fatalf("%d aside, want 2", n)
	}
	w.land(1)
	w.raise(0)
	for w.disk(true) {
	}
	w.land(0)
	w.land(1)
	var got []uint64
	for _, g := range w.got {
		got = append(got, g.id)
	}
	if !slices.Equal(got, []uint64{3, 1, 2}) || len(w.bad) > 0 {
		t.Fatalf("arrived %v, want 3 1 2; %v", got, w.bad)
	}
}

// TestCopiesForSeveralStayInOrderForEach: an entry for several recipients overtakes nothing of any of them that stands aside, and nothing
// overtakes it when it does itself.
func TestCopiesForSeveralStayInOrderForEach(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.raise(1)
	w.accept(0, 7, dispatch.Of(0), 100)     // 1, for one alone, and not by this link
	w.accept(0, 3, dispatch.All, 100, 5, 7) // 2, for him too
	w.accept(0, 5, dispatch.All, 100)       // 3
	w.accept(0, 9, dispatch.All, 100)       // 4
	for w.disk(true) {
	}
	w.want(t, 1, 4)
	if n := w.p.LenAside(); n != 3 {
		t.Fatalf("%d aside, want 3", n)
	}
	w.raise(0)
	w.drain()
	if n := len(w.got); n != 4 || len(w.bad) > 0 {
		t.Fatalf("%d arrived, %v", n, w.bad)
	}
}

func TestNothingIsSetAsideWhenNothingElseCouldGo(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.accept(0, 1, dispatch.Of(0), 100)
	w.accept(0, 2, dispatch.All, 100)
	if len(w.todo) > 0 {
		t.Fatalf("all links are down, and still %v", w.todo)
	}
}

func TestWhatWasWrittenKeepsItsNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.raise(0)
	w.accept(0, 1, dispatch.Of(0), 100)
	w.cut(0)
	w.links[1].up = true
	w.turns()
	w.carry(w.p.Link(w.now, 1, true))
	w.accept(0, 2, dispatch.All, 100)
	if len(w.todo) > 0 {
		t.Fatalf("%v of what may have arrived", w.todo[0].Action)
	}
	w.want(t, 1)
	w.raise(0)
	w.want(t, 0, 1, 2)
}
