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

func TestFallForwardOnlyAfterTheHold(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.raise(1)
	w.accept(0, 1, dispatch.All, 100)
	w.raise(0)
	w.accept(0, 1, dispatch.All, 100)
	w.want(t, 1, 1, 2)
	w.land(1)
	w.pass(30 * time.Second)
	w.cut(0) // a link that flaps
	w.raise(0)
	w.pass(40 * time.Second)
	w.accept(0, 1, dispatch.All, 100)
	w.want(t, 1, 3)
	w.land(1)
	w.pass(30 * time.Second)
	w.accept(0, 1, dispatch.All, 100)
	w.want(t, 0, 4)
	w.want(t, 1)
}

func TestFallForwardWaitsForWhatIsInTheAir(t *testing.T) {
	t.Parallel()
	o := two(true)
	o.Hold = time.Second
	w := newWorld(o)
	w.raise(1)
	w.accept(0, 1, dispatch.All, 100)
	w.raise(0)
	w.pass(2 * time.Second)
	w.accept(0, 1, dispatch.All, 100)
	w.want(t, 0)
	w.want(t, 1, 1)
	w.land(1)
	w.want(t, 0, 2)
}

func TestInboundOnlyLinkIsNeverSentOn(t *testing.T) {
	t.Parallel()
	o := two(true)
	o.Links[0].InboundOnly = true
	w := newWorld(o)
	w.raise(0)
	w.accept(0, 1, dispatch.All, 100)
	w.want(t, 0)
	w.raise(1)
	w.want(t, 1, 1)
}

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

func TestUrgentGoesFirstAndRoutineIsNotStarved(t *testing.T) {
	t.Parallel()
	o := dispatch.Options{Custody: true, Links: []dispatch.Link{{Name: "thin", Profile: links.Profile{BitsPerSecond: 2400, RoundTrip: time.Second}}}}
	w := newWorld(o)
	for range 20 {
		w.accept(0, 1, dispatch.All, 500)
	}
	for range 200 {
		w.accept(3, 2, dispatch.All, 500)
	}
	w.raise(0)
	first, routine := w.carried(0)[0], 0
	if first <= 20 {
		t.Fatalf("%d goes first, which is routine", first)
	}
	for range 100 {
		w.arrive(0)
		w.confirm(0)
	}
	for _, g := range w.got {
		if g.lane == 0 {
			routine++
		}
	}
	if routine < 5 || routine > 12 {
		t.Fatalf("%d of 100 are routine, want about 8", routine)
	}
}

func TestUrgentFindsRoomOnAThinLink(t *testing.T) {
	t.Parallel()
	o := dispatch.Options{Custody: true, Links: []dispatch.Link{{Name: "thin", Profile: links.Profile{BitsPerSecond: 2400}}}}
	w := newWorld(o)
	w.raise(0)
	for range 20 {
		w.accept(0, 1, dispatch.All, 400)
	}
	before := len(w.links[0].wire)
	if before > 6 {
		t.Fatalf("%d routine items in the air, 2400 bit/s", before)
	}
	w.accept(3, 2, dispatch.All, 400)
	if got := w.carried(0); got[len(got)-1] != 21 {
		t.Fatalf("carries %v, the urgent 21 waits", got)
	}
}

// TestWhatTheNeighbourHasIsNotTakenOut: at the third loss running, but the neighbour has said over another link that it has it.
func TestWhatTheNeighbourHasIsNotTakenOut(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.accept(0, 1, dispatch.All, 100)
	for range 2 {
		w.raise(0)
		w.cut(0)
	}
	w.raise(0)
	w.arrive(0)
	w.raise(1)
	w.cut(0)
	if len(w.ended) != 1 || w.ended[1] != dispatch.Delivered || len(w.bad) > 0 {
		t.Fatalf("ended %v, want 1 delivered; %v", w.ended, w.bad)
	}
}

func TestHeadOfThreeLossesIsTakenOut(t *testing.T) {
	t.Parallel()
	for _, arrives := range []bool{false, true} {
		w := newWorld(two(true))
		w.accept(0, 1, dispatch.All, 100)
		w.accept(0, 2, dispatch.All, 100)
		for i := range 3 {
			w.raise(0)
			if arrives && i == 2 {
				w.arrive(0) // and its confirmation is lost
			}
			w.cut(0)
		}
		if len(w.ended) > 0 {
			t.Fatalf("ended %v before the neighbour was heard", w.ended)
		}
		w.raise(0)
		if arrives {
			if w.ended[1] != dispatch.Delivered || len(w.ended) != 1 {
				t.Fatalf("ended %v, want 1 delivered", w.ended)
			}
		} else {
			if w.ended[1] != dispatch.Poison || len(w.ended) != 1 {
				t.Fatalf("ended %v, want 1 poison", w.ended)
			}
			w.want(t, 0) // a crash could bring 1 back, behind the mark of 2
			w.disk(true)
		}
		w.want(t, 0, 2)
	}
}

// A suspect does not wait for a link that does not come back while there is another.
func TestSuspectGoesByAnotherLink(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.accept(0, 1, dispatch.All, 100)
	for range 3 {
		w.raise(0)
		w.cut(0)
	}
	w.raise(1)
	w.want(t, 1, 1)
	w.arrive(1)
	w.confirm(1)
	if w.ended[1] != dispatch.Delivered {
		t.Fatalf("ended %v", w.ended)
	}
}

func TestSilenceIsNoFaultOfTheHead(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.accept(0, 1, dispatch.All, 100)
	for range 10 {
		w.raise(0)
		w.now = w.now.Add(30 * time.Second)
		w.cut(0)
	}
	if len(w.ended) > 0 {
		t.Fatalf("ended %v, the link was silent", w.ended)
	}
}

func TestSilentLinkIsCutAndTheNextOneTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(two(true))
	w.raise(0)
	w.raise(1)
	w.accept(0, 1, dispatch.All, 100)
	due := w.p.Deadline()
	if wait := due.Sub(w.now); wait < 10*time.Second || wait > time.Minute {
		t.Fatalf("the link may be silent for %v", wait)
	}
	w.now = due
	outs := w.p.Tick(w.now)
	if len(outs) != 1 || outs[0].Action != dispatch.Cut || outs[0].Link != 0 {
		t.Fatalf("got %v, want cut", outs)
	}
	w.cut(0)
	w.want(t, 1, 1)
	if len(w.ended) > 0 {
		t.Fatalf("ended %v", w.ended)
	}
}

func TestLinkThatFailsIsLeftAloneForAWhile(t *testing.T) {
	t.Parallel()
	w := newWorld(two(false))
	w.raise(0)
	w.raise(1)
	w.accept(0, 1, dispatch.All, 100)
	w.disk(true)
	w.report(0, links.Failed, dispatch.OfLink)
	w.disk(true)
	w.want(t, 1, 1)
	w.pass(2 * time.Second)
	w.accept(0, 2, dispatch.All, 100)
	w.disk(true)
	w.want(t, 1, 1, 2)
}

func TestWindowOfTheDay(t *testing.T) {
	t.Parallel()
	o := two(true)
	window, err := links.ParseWindow("06:00-07:00")
	if err != nil {
		t.Fatal(err)
	}
	o.Links[0].Profile.Windows = []links.Window{window}
	w := newWorld(o) // at midnight
	w.raise(0)
	w.accept(0, 1, dispatch.All, 100)
	w.want(t, 0)
	w.pass(6*time.Hour - time.Second)
	w.want(t, 0)
	w.pass(time.Second)
	w.want(t, 0, 1)
}

func TestEndings(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		custody, resend bool
		d               links.Disposition
		f               dispatch.Fault
		want            dispatch.Action // Nothing: it waits again
	}{
		"delivered":                 {d: links.Delivered, want: dispatch.Delivered},
		"too big":                   {custody: true, d: links.Failed, f: dispatch.ItemTooBig, want: dispatch.TooBig},
		"no such domain":            {d: links.Failed, f: dispatch.ItemNoRoute, want: dispatch.Unroutable},
		"refused by the link":       {d: links.Failed, f: dispatch.ItemIsRefused, want: dispatch.Unroutable},
		"in doubt":                  {d: links.InDoubt, want: dispatch.InDoubt},
		"in doubt, to be resent":    {resend: true, d: links.InDoubt},
		"in doubt under custody":    {custody: true, d: links.InDoubt},
		"unknown":                   {d: links.Unknown, want: dispatch.InDoubt},
		"returned":                  {custody: true, d: links.Returned},
		"returned unwritten":        {custody: true, d: links.Returned, f: dispatch.Unwritten},
		"failed":                    {d: links.Failed},
		"expired in the link alone": {d: links.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := two(tt.custody)
			o.Resend = tt.resend
			w := newWorld(o)
			w.raise(0)
			w.accept(0, 1, dispatch.All, 100)
			w.disk(true)
			w.report(0, tt.d, tt.f)
			if got := w.ended[1]; got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if (tt.want == dispatch.Nothing) != w.p.Has(1) {
				t.Errorf("there: %v", w.p.Has(1))
			}
		})
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

func TestIdleLinkIsClosedOnce(t *testing.T) {
	t.Parallel()
	o := two(true)
	o.Links[0].Profile.IdleClose = 5 * time.Minute
	w := newWorld(o)
	w.raise(0)
	w.accept(0, 1, dispatch.All, 100)
	w.land(0)
	closes := 0
	for range 30 {
		w.now = w.now.Add(time.Minute)
		for _, out := range w.p.Tick(w.now) {
			if out.Action == dispatch.Close {
				closes++
			}
		}
	}
	if closes != 1 {
		t.Errorf("closed %d times", closes)
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

// TestNotWrittenThisTimeMayHaveBeenBefore: what was on a wire in an earlier turn or life keeps its number, although a later hand-out got
// nowhere; under another number it would arrive a second time.
func TestNotWrittenThisTimeMayHaveBeenBefore(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct {
		d links.Disposition
		f dispatch.Fault
	}{"returned": {links.Returned, dispatch.Unwritten}, "failed": {links.Failed, dispatch.OfLink}} {
		for _, life := range []string{"turn", "life"} {
			t.Run(name+" after an earlier "+life, func(t *testing.T) {
				t.Parallel()
				w := newWorld(two(true))
				if life == "turn" {
					w.raise(0)
					w.accept(0, 1, dispatch.Of(0), 100)
					w.arrive(0) // and nobody hears of it
					w.cut(0)
				} else {
					w.next++
					w.main[1] = &entry{id: 1, number: 1, talks: []uint64{1}, may: dispatch.Of(0)}
					w.turns()
					w.carry(w.p.Queued(w.now, dispatch.Item{Number: 1, Bytes: 100, Links: dispatch.Of(0), Conversation: 1, Sent: true}))
				}
				w.links[0].up = true
				w.turns()
				w.carry(w.p.Link(w.now, 0, true))
				w.want(t, 0, 1)
				w.links[0].up = false
				w.turns()
				w.carry(w.p.Link(w.now, 0, false))
				w.report(0, fault.d, fault.f)
				w.links[1].up = true
				w.turns()
				w.carry(w.p.Link(w.now, 1, true))
				w.accept(0, 2, dispatch.All, 100)
				for _, o := range w.todo {
					t.Errorf("%s of %d, which may have arrived", o.Action, o.Number)
				}
				w.want(t, 1)
			})
		}
	}
}
