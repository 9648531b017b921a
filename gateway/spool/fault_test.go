package spool_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"sallyport/gateway/spool"
	"sallyport/internal/disk/faulty"
)

// life is a spool that is used the same way each time, while something goes wrong at one I/O call.
type life struct {
	*bed
	id       int
	accepted map[int]bool // told that it is durable
	refused  map[int]bool // told that it was not taken
	over     map[int]bool // written and confirmed
}

// use opens the spool and appends, hands out, announces and ends entries; true when anything was said to fail.
func (l *life) use(entries int) (failed bool) {
	if err := l.tryOpen(); err != nil {
		return true
	}
	for range entries {
		l.id++
		id := l.id
		err := l.s.Append(entry("p", id), func(_ spool.Number, err error) {
			switch {
			case err == nil:
				l.accepted[id] = true
			case errors.Is(err, spool.ErrFull):
				l.refused[id] = true
			case !errors.Is(err, spool.ErrStopped):
				l.t.Fatalf("entry %d: %v", id, err)
			}
			failed = failed || err != nil
		})
		failed = failed || err != nil
		if id%3 == 0 {
			l.s.Step()
		}
		if id%5 == 0 {
			failed = l.handOut() || failed
		}
		if l.s.Err() != nil {
			return true
		}
		l.now = l.now.Add(2e9)
	}
	failed = l.s.Close() != nil || failed
	st := l.s.Stats() // where the operator hears of what was got over
	return failed || st.ReadErrors > 0 || st.Full > 0
}

// handOut takes two entries, announces them, and ends the first.
func (l *life) handOut() (failed bool) {
	var got []spool.Entry
	var numbers []spool.Number
	for range 2 {
		if e, ok := l.s.Next("p", "link", l.now); ok {
			got, numbers = append(got, e), append(numbers, e.Number)
		}
	}
	if len(got) == 0 {
		return false
	}
	err := l.s.Sending(numbers, func(err error) { failed = err != nil })
	l.s.Step()
	if failed || err != nil {
		return true
	}
	l.over[int(got[0].Conversation)] = true // was written, and confirmed
	err = l.s.Done(got[0].Number, spool.Delivered)
	if len(got) > 1 {
		err = errors.Join(err, l.s.Requeue(got[1].Number))
	}
	return err != nil
}

// check recovers and compares with what was promised.
func (l *life) check() {
	l.t.Helper()
	l.open()
	if len(l.r.Damaged) > 0 {
		l.t.Fatalf("damage reported: %v", l.r.Damaged)
	}
	there := map[int]bool{}
	for _, e := range l.s.Entries("", 0, 1<<20) {
		id := int(e.Conversation)
		if there[id] || l.refused[id] {
			l.t.Fatalf("entry %d is there twice, or was refused", id)
		}
		there[id] = true
		if l.over[id] && !e.Sending {
			l.t.Fatalf("entry %d was written to the neighbour, and would be written again", id)
		}
		if _, err := l.s.Stored(e.Number); err != nil {
			l.t.Fatal(err)
		}
	}
	for id := range l.accepted {
		if !there[id] && !l.over[id] {
			l.t.Fatalf("entry %d was accepted and is gone", id)
		}
	}
}

func newLife(t *testing.T) *life {
	return &life{
		bed:      &bed{t: t, fs: faulty.New(), now: noon, opts: spool.Options{SegmentBytes: 4096, CacheBytes: -1}},
		accepted: map[int]bool{}, refused: map[int]bool{}, over: map[int]bool{},
	}
}

// F-2: every I/O call fails once. Nothing is acknowledged that is not durable, and the spool goes on or stops and says so.
func TestErrorAtEveryCall(t *testing.T) {
	faults := map[string]faulty.Fault{
		"EIO":                    {Err: faulty.ErrIO},
		"ENOSPC":                 {Err: faulty.ErrFull},
		"short write":            {Err: faulty.ErrIO, Short: 77},
		"short write, disk full": {Err: faulty.ErrFull, Short: 130},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 1
			for ; errorAt(t, n, fault); n++ {
				continue
			}
			if n < 200 {
				t.Errorf("only %d calls were tried", n)
			}
		})
	}
}

// errorAt uses a spool whose I/O call n fails; false when there were fewer calls.
func errorAt(t *testing.T, n int, fault faulty.Fault) bool {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(n), 1))
	l := newLife(t)
	var hit faulty.Op
	l.fs.SetPlan(func(op faulty.Op) faulty.Fault {
		if op.N != n {
			return faulty.Fault{}
		}
		hit = op
		return fault
	})
	failed := l.use(200)
	if hit.N == 0 {
		return false
	}
	if !failed {
		t.Fatalf("call %d (%s %s) failed and nobody said so", n, hit.Kind, hit.Name)
	}
	l.fs.SetPlan(nil)
	if n%2 == 0 { // the process starts again without the machine losing power
		l.check()
		l.use(10)
	}
	l.fs.Crash(random.IntN)
	l.check()
	return true
}

// F-3 in the small: the power goes at a random call, many times on the same disk, also while it recovers.
func TestManyPowerCuts(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	l := newLife(t)
	for range 300 {
		from, calls := l.fs.Calls(), random.IntN(250)
		l.fs.SetPlan(func(op faulty.Op) faulty.Fault {
			if op.N > from+calls {
				return faulty.Fault{Err: faulty.ErrCrashed, Short: op.Bytes}
			}
			return faulty.Fault{}
		})
		l.use(1 + random.IntN(60))
		l.fs.Crash(random.IntN)
		l.check()
		for _, e := range l.r.InDoubt {
			l.over[int(e.Conversation)] = true
			if err := l.s.Done(e.Number, spool.InDoubt); err != nil {
				t.Fatal(err)
			}
		}
		l.s.Step()
	}
	if len(l.accepted) < 1000 {
		t.Errorf("only %d entries were accepted", len(l.accepted))
	}
}

// After a failed sync nothing is accepted or handed out, whatever the disk says later.
func TestFailedSyncIsFatal(t *testing.T) {
	b := newBed(t, spool.Options{})
	b.put(entry("p", 1))
	b.fs.SetPlan(func(op faulty.Op) faulty.Fault {
		if op.Kind == faulty.Sync {
			return faulty.Fault{Err: faulty.ErrIO}
		}
		return faulty.Fault{}
	})
	var told error
	if err := b.s.Append(entry("p", 2), func(_ spool.Number, err error) { told = err }); err != nil {
		t.Fatal(err)
	}
	b.s.Step()
	b.fs.SetPlan(nil)
	select {
	case <-b.s.Failed():
	default:
		t.Error("Failed is not closed")
	}
	_, handed := b.s.Next("p", "link", b.now)
	for what, err := range map[string]error{
		"done": told, "append": b.s.Append(entry("p", 3), nil), "admit": b.s.Admit("p", spool.Flash, 1),
		"refused": b.s.Refused(spool.Mark{Peer: "far", Epoch: 1, Number: 1}, nil), "err": b.s.Err(), "close": b.s.Close(),
	} {
		if !errors.Is(err, spool.ErrStopped) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if handed {
		t.Error("something was handed out")
	}
}

// A full disk refuses what is new and keeps what it has; with room again everything goes on, in the same process.
func TestFullDisk(t *testing.T) {
	b := newBed(t, spool.Options{CacheBytes: -1, SegmentBytes: 4096})
	for id := 1; id <= 60; id++ {
		b.put(entry("p", id))
	}
	used := int64(0)
	list, err := b.fs.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		used += f.Size
	}
	b.fs.SetCapacity(used + 40)
	presence := entry("p", 70)
	presence.Mark = &spool.Mark{Peer: "far", Epoch: 1, Number: 1}
	var told []string
	note := func(_ spool.Number, err error) { told = append(told, fmt.Sprint(errors.Is(err, spool.ErrFull))) }
	if err := errors.Join(b.s.Append(presence, note), b.s.Append(entry("p", 71), note)); err != nil {
		t.Fatal(err)
	}
	b.s.Step()
	if !slices.Equal(told, []string{"true", "true"}) || b.s.Err() != nil {
		t.Fatalf("told %v, %v", told, b.s.Err())
	}
	if err := b.s.Admit("p", spool.Flash, 1); !errors.Is(err, spool.ErrFull) {
		t.Errorf("admitted on a full disk: %v", err)
	}
	for want := 1; want <= 60; want++ {
		if id := b.next("p"); id != want {
			t.Fatalf("handed out %d, want %d", id, want)
		}
		if err := b.s.Done(b.s.Entries("p", 0, 1)[0].Number, spool.Delivered); err != nil {
			t.Fatal(err)
		}
		b.now = b.now.Add(2e9)
		b.s.Step() // cannot be written down, until the oldest segments are not needed and make room
	}
	if st := b.s.Stats(); st.DiskFull || st.Totals.Balance() != 0 || st.Totals.Queued != 0 {
		t.Errorf("%+v", st)
	}
	b.put(presence) // the mark was taken back with the entry
	b.open()
	if b.r.Entries != 1 || len(b.s.Marks("far")) != 1 {
		t.Errorf("%+v", b.r)
	}
}

// Segments go once nothing in them is alive, and one entry that stays does not keep all the others.
func TestSegmentsGo(t *testing.T) {
	b := newBed(t, spool.Options{SegmentBytes: 4096})
	b.put(entry("away", 1))
	for id := 2; id < 2000; id++ {
		b.put(entry("p", id))
		b.next("p")
		if err := b.s.Done(b.s.Entries("p", 0, 1)[0].Number, spool.Delivered); err != nil {
			t.Fatal(err)
		}
	}
	b.s.Step()
	if st := b.s.Stats(); st.Segments > 6 || st.DiskBytes > 6*4096 || st.Moved == 0 {
		t.Errorf("%d segments, %d bytes, %d moved", st.Segments, st.DiskBytes, st.Moved)
	}
	b.open()
	if got := b.all("away"); !slices.Equal(got, []int{1}) || len(b.r.Damaged) > 0 {
		t.Errorf("handed out %v, damage %v", got, b.r.Damaged)
	}
}

// An error of reading one entry back is not damage: it is tried again.
func TestReadErrorIsTriedAgain(t *testing.T) {
	b := newBed(t, spool.Options{CacheBytes: -1})
	b.put(entry("p", 1))
	bad := func(op faulty.Op) faulty.Fault {
		if op.Kind == faulty.Read {
			return faulty.Fault{Err: os.ErrDeadlineExceeded}
		}
		return faulty.Fault{}
	}
	b.fs.SetPlan(bad)
	if id := b.next("p"); id != 0 {
		t.Fatal("handed out without content")
	}
	b.fs.SetPlan(nil)
	if id := b.next("p"); id != 0 {
		t.Fatal("the disk is asked again at once")
	}
	b.now = b.now.Add(2e9)
	if id := b.next("p"); id != 1 {
		t.Fatal("not tried again")
	}
	b.s.Rewind("p", "link")
	b.fs.SetPlan(bad)
	for range 5 {
		b.next("p")
		b.now = b.now.Add(2e9)
	}
	b.s.Step()
	if !slices.Equal(b.ended, []string{"1 damaged"}) {
		t.Errorf("ended %v", b.ended)
	}
}
