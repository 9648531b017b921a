package dispatch_test

import (
	"testing"
	"time"

	"sallyport/gateway/dispatch"
	"sallyport/links"
)

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

// A link that says that it heard nothing of the neighbour has no fault to find, however soon it says so and however often.
func TestUnheardIsNoFaultOfTheHead(t *testing.T) {
	t.Parallel()
	for _, custody := range []bool{true, false} {
		o := two(custody)
		o.Resend = true
		w := newWorld(o)
		w.accept(0, 1, dispatch.All, 100)
		w.raise(0)
		for range 10 {
			w.disk(true)
			w.report(0, links.Returned, dispatch.Unheard)
		}
		if len(w.ended) > 0 {
			t.Errorf("custody %t: ended %v, the neighbour was not heard", custody, w.ended)
		}
	}
}
