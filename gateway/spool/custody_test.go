package spool_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/gateway/spool"
)

const epoch = 0xfeed

func marked(id int, number uint64) spool.Entry {
	e := entry("p", id)
	e.Mark = &spool.Mark{Peer: "far", Epoch: epoch, Lane: 1, Number: number}
	return e
}

// A repetition is known from the moment of Append, and acknowledged from the moment of the commit.
func TestRepetition(t *testing.T) {
	b := newBed(t, spool.Options{})
	if err := b.s.Append(marked(1, 5), nil); err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint64{4, 5} {
		if err := b.s.Append(marked(1, n), nil); !errors.Is(err, spool.ErrRepeated) {
			t.Errorf("number %d: %v", n, err)
		}
	}
	if m := b.s.Marks("far"); len(m) != 0 {
		t.Errorf("marks before the commit: %v", m)
	}
	b.s.Step()
	want := []spool.Mark{{Peer: "far", Epoch: epoch, Lane: 1, Number: 5}}
	if diff := cmp.Diff(want, b.s.Marks("far")); diff != "" {
		t.Error(diff)
	}
	if err := b.s.Refused(spool.Mark{Peer: "far", Epoch: epoch, Lane: 1, Number: 6}, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.s.Append(marked(2, 6), nil); !errors.Is(err, spool.ErrRepeated) {
		t.Errorf("what was refused comes again: %v", err)
	}
	b.s.Step()
	want[0].Number = 6
	b.fs.Crash(func(int) int { return 0 })
	b.open()
	if diff := cmp.Diff(want, b.s.Marks("far")); diff != "" {
		t.Errorf("after a power cut: %s", diff)
	}
	if err := b.s.Append(marked(2, 7), nil); err != nil {
		t.Errorf("another one: %v", err)
	}
}

// An epoch has to be announced; then the marks of the old one are forgotten, for ever.
func TestNewEpoch(t *testing.T) {
	b := newBed(t, spool.Options{})
	b.put(marked(1, 5))
	other := marked(2, 1)
	other.Mark.Epoch = epoch + 1
	if err := b.s.Append(other, nil); !errors.Is(err, spool.ErrEpoch) {
		t.Errorf("an epoch that nobody announced: %v", err)
	}
	for _, step := range []struct {
		epoch uint64
		fresh bool
	}{{epoch, false}, {epoch + 1, true}, {epoch + 1, false}} {
		if fresh, err := b.s.Greeted("far", step.epoch); err != nil || fresh != step.fresh {
			t.Errorf("epoch %x: fresh %v, %v", step.epoch, fresh, err)
		}
	}
	if fresh, err := b.s.Greeted("nobody yet", 1); err != nil || fresh {
		t.Errorf("a new peer: %v %v", fresh, err)
	}
	if err := b.s.Append(marked(3, 6), nil); !errors.Is(err, spool.ErrEpoch) {
		t.Errorf("the epoch that is over: %v", err)
	}
	b.put(other)
	b.fs.Crash(func(int) int { return 0 })
	b.open()
	if got := b.s.Marks("far"); len(got) != 1 || got[0].Epoch != epoch+1 {
		t.Errorf("after a power cut: %v", got)
	}
}

// Confirm believes only what was handed out, and knows a spool that was set back.
func TestConfirm(t *testing.T) {
	b := newBed(t, spool.Options{})
	first, second := b.put(entry("p", 1)), b.put(entry("p", 2))
	b.next("p")
	if n, err := b.s.Confirm("p", spool.Routine, second); n != 1 || err != nil {
		t.Errorf("%d confirmed, %v; 2 was not handed out", n, err)
	}
	if n, err := b.s.Confirm("p", spool.Routine, first); n != 0 || err != nil {
		t.Errorf("again: %d confirmed, %v", n, err)
	}
	if _, err := b.s.Confirm("p", spool.Routine, second+1); !errors.Is(err, spool.ErrRolledBack) {
		t.Errorf("a number that was never issued: %v", err)
	}
	b.s.Step()
	b.open() // after a restart, what an earlier life may have handed out counts
	if n, err := b.s.Confirm("p", spool.Routine, second); n != 1 || err != nil {
		t.Errorf("after a restart: %d confirmed, %v", n, err)
	}
}

// What was announced to a neighbour and not ended is in doubt after a restart; what came back is not.
func TestSendingIsInDoubtAfterARestart(t *testing.T) {
	b := newBed(t, spool.Options{})
	var numbers []spool.Number
	for id := 1; id <= 3; id++ {
		numbers = append(numbers, b.put(entry("p", id)))
		b.next("p")
	}
	written := false
	if err := b.s.Sending(numbers, func(err error) { written = err == nil }); err != nil || written {
		t.Fatalf("%v, written %v", err, written)
	}
	b.s.Step()
	if !written {
		t.Fatal("not told")
	}
	if err := errors.Join(b.s.Requeue(numbers[1]), b.s.Done(numbers[2], spool.Delivered)); err != nil {
		t.Fatal(err)
	}
	b.s.Step()
	b.open()
	if len(b.r.InDoubt) != 1 || b.r.InDoubt[0].Number != numbers[0] || b.r.Entries != 2 {
		t.Fatalf("recovered %+v", b.r)
	}
	if got := b.all("p"); len(got) != 1 || got[0] != 2 {
		t.Errorf("handed out %v; 1 is in doubt", got)
	}
	b.s.Rewind("p", "link")
	if err := b.s.Requeue(numbers[0]); err != nil {
		t.Fatal(err)
	}
	if got := b.all("p"); len(got) != 2 || got[0] != 1 {
		t.Errorf("handed out %v; 1 was said to be sent again", got)
	}
	if err := b.s.Sending([]spool.Number{99}, nil); !errors.Is(err, spool.ErrUnknown) {
		t.Errorf("sending what is not there: %v", err)
	}
}

// A bounce that is spooled itself ends what it answers in the same frame.
func TestEndsWithAnother(t *testing.T) {
	b := newBed(t, spool.Options{})
	n := b.put(entry("p", 1))
	b.next("p")
	bounce := entry("q", 2)
	bounce.Ends = []spool.End{{Number: n, How: spool.Bounced}}
	if err := b.s.Append(bounce, nil); err != nil {
		t.Fatal(err)
	}
	b.open() // killed before the commit
	if b.r.Entries != 1 {
		t.Fatalf("%d entries; nothing was committed", b.r.Entries)
	}
	b.put(bounce)
	if sum := b.s.Stats().Totals; sum.Queued != 1 || sum.Ended[spool.Bounced] != 1 || sum.Balance() != 0 {
		t.Errorf("%+v", sum)
	}
	b.open()
	if list := b.s.Entries("", 0, 10); len(list) != 1 || list[0].Conversation != 2 {
		t.Errorf("after a restart: %v", list)
	}
}

// A new epoch is told when it is on disk, outlives every end of the process, and loses nothing that waits.
func TestRenew(t *testing.T) {
	b := newBed(t, spool.Options{SegmentBytes: 4096})
	b.put(entry("p", 1))
	was := b.s.Epoch()
	done := 0
	renew := func() {
		t.Helper()
		if err := b.s.Renew(func(err error) {
			if err == nil {
				done++
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	renew()
	renew() // two peers may say it at once
	if b.s.Epoch() != was || done != 0 {
		t.Fatal("a new epoch before it is on disk: a crash would bring the old one back")
	}
	b.open()
	if b.s.Epoch() != was {
		t.Fatal("what was never on disk is there after a kill")
	}
	renew()
	b.s.Step()
	now := b.s.Epoch()
	if now == was || now == 0 || done != 1 {
		t.Fatalf("epoch %x after %x, told %d times", now, was, done)
	}
	next := b.s.Stats().Next
	b.fs.Crash(func(int) int { return 0 })
	b.open()
	if b.s.Epoch() != now || b.s.Stats().Next != next || len(b.r.Damaged) != 0 {
		t.Errorf("after a power cut: epoch %x, want %x, next %d, %v", b.s.Epoch(), now, b.s.Stats().Next, b.r.Damaged)
	}
	for id := 2; id < 100; id++ { // until the segment that says it is gone
		n := b.put(entry("p", id))
		if err := b.s.Done(n, spool.Delivered); err != nil {
			t.Fatal(err)
		}
	}
	b.s.Step()
	b.open()
	if got := b.all("p"); b.s.Epoch() != now || !slices.Equal(got, []int{1}) {
		t.Errorf("many segments later: epoch %x, want %x, and %v waits", b.s.Epoch(), now, got)
	}
}

// A disk without room leaves the epoch as it was, and it can be asked for again.
func TestRenewOnAFullDisk(t *testing.T) {
	b := newBed(t, spool.Options{})
	was := b.s.Epoch()
	var cause error
	b.fs.SetCapacity(1)
	if err := b.s.Renew(func(err error) { cause = err }); err != nil {
		t.Fatal(err)
	}
	b.s.Step()
	if !errors.Is(cause, spool.ErrFull) || b.s.Epoch() != was {
		t.Fatalf("told %v, epoch %x, was %x", cause, b.s.Epoch(), was)
	}
	b.fs.SetCapacity(0)
	b.now = b.now.Add(time.Minute)
	if err := b.s.Renew(nil); err != nil {
		t.Fatal(err)
	}
	b.s.Step()
	if b.s.Epoch() == was {
		t.Error("the epoch is what it was")
	}
}
