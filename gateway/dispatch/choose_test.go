package dispatch_test

import (
	"testing"
	"time"

	"sallyport/gateway/dispatch"
	"sallyport/links"
)

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
