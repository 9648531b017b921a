package dispatch_test

import (
	"slices"
	"testing"
	"time"

	"sallyport/gateway/dispatch"
	"sallyport/links"
)

// two links: a is the better one.
func two(custody bool) dispatch.Options {
	return dispatch.Options{
		Custody: custody, Hold: time.Minute,
		Links: []dispatch.Link{{Name: "a", Priority: 1}, {Name: "b", Priority: 2}},
	}
}

// carried are the ids on the wire of a link, in order.
func (w *world) carried(at int) (ids []uint64) {
	for _, s := range w.links[at].wire {
		ids = append(ids, s.id)
	}
	return ids
}

func (w *world) want(t *testing.T, at int, ids ...uint64) {
	t.Helper()
	if got := w.carried(at); !slices.Equal(got, ids) {
		t.Fatalf("link %d carries %v, want %v (%v)", at, got, ids, w.bad)
	}
	if len(w.bad) > 0 {
		t.Fatal(w.bad)
	}
}

func (w *world) land(at int) {
	for w.arrive(at) || w.confirm(at) {
	}
}

func TestFailOverStartsAgainAtTheFirstUnconfirmed(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.raise(0)
	w.raise(1)
	for range 3 {
		w.accept(0, 1, dispatch.All, 100)
	}
	w.want(t, 0, 1, 2, 3)
	w.want(t, 1)
	w.arrive(0)
	w.confirm(0)
	w.cut(0)
	w.want(t, 1, 2, 3)
}

func TestMarksOfTheNeighbourEndWhatItHas(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.raise(0)
	w.accept(0, 1, dispatch.All, 100)
	w.accept(0, 1, dispatch.All, 100)
	w.arrive(0)
	w.cut(0)
	w.carry(w.p.Covered(w.now, 0, 1))
	if w.ended[1] != dispatch.Delivered || len(w.main) != 1 {
		t.Fatalf("ended %v, %d queued", w.ended, len(w.main))
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.main[7] = &entry{id: 7, number: 7, may: dispatch.All}
	w.carry(w.p.Queued(w.now, dispatch.Item{Number: 7, Bytes: 10, Links: dispatch.All, Expires: w.now.Add(time.Hour)}))
	w.pass(time.Hour - time.Second)
	if len(w.ended) > 0 {
		t.Fatalf("ended %v early", w.ended)
	}
	w.pass(time.Second)
	if w.ended[7] != dispatch.Expired {
		t.Fatalf("ended %v", w.ended)
	}
}

func TestLaterMarkRenumbersWhatWasNeverWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.raise(0)
	w.accept(0, 1, dispatch.All, 100)
	w.accept(0, 2, dispatch.All, 100)
	first := w.links[0].wire[0]
	w.links[0].wire = w.links[0].wire[1:]
	w.carry(w.p.Report(w.now, first.number, links.Failed, dispatch.OfLink)) // alone, out of order
	w.arrive(0)
	w.confirm(0)
	w.pass(time.Minute)
	w.drain()
	if len(w.got) != 2 || len(w.bad) > 0 {
		t.Fatalf("arrived %v, %v", w.got, w.bad)
	}
}

// TestMarksEndOnlyWhatWasWritten: a mark above a number that was never on a wire does not mean that the neighbour has it.
func TestMarksEndOnlyWhatWasWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.accept(0, 1, dispatch.All, 100)
	w.carry(w.p.Covered(w.now, 0, 5))
	if len(w.ended) > 0 {
		t.Fatalf("ended %v, it was never sent", w.ended)
	}
}

// TestLaterConfirmationConfirms: what comes back after a later one of its lane was confirmed has arrived.
func TestLaterConfirmationConfirms(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.raise(0)
	w.accept(0, 1, dispatch.All, 100)
	w.accept(0, 2, dispatch.All, 100)
	w.arrive(0)
	w.arrive(0)
	w.carry(w.p.Report(w.now, 2, links.Delivered, 0))
	w.carry(w.p.Report(w.now, 1, links.Returned, 0))
	if w.ended[1] != dispatch.Delivered || len(w.bad) > 0 {
		t.Fatalf("ended %v, want 1 delivered; %v", w.ended, w.bad)
	}
}
