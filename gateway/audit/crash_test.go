package audit_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"sallyport/gateway/audit"
	"sallyport/internal/disk/faulty"
)

// keeper is a sink that remembers the newest head.
type keeper struct {
	mu   sync.Mutex
	line []byte
}

func (k *keeper) Put(line []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.line = append(k.line[:0], line...)
	return nil
}

func (k *keeper) Close() error { return nil }

func (k *keeper) head(t fataler) []audit.Statement {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.line == nil {
		return nil
	}
	h, err := audit.ParseStatement(k.line)
	if err != nil {
		t.Fatalf("head: %v", err)
	}
	return []audit.Statement{h}
}

type fataler interface {
	Fatalf(format string, args ...any)
}

// crashing is a log that loses power again and again.
type crashing struct {
	fs       *faulty.FS
	sink     keeper
	promised map[uint64]uint64 // sequence to serial of what Durable(nil) was called for
	serial   uint64
}

// round opens the log, appends records until the power goes at some I/O call, and crashes.
func (c *crashing) round(t fataler, calls, records int, pick func(int) int) {
	from := c.fs.Calls()
	c.fs.SetPlan(func(op faulty.Op) faulty.Fault {
		if op.N > from+calls {
			return faulty.Fault{Err: faulty.ErrCrashed, Short: op.Bytes}
		}
		return faulty.Fault{}
	})
	defer c.fs.Crash(pick)
	l, err := c.open()
	if err != nil {
		if !errors.Is(err, faulty.ErrCrashed) {
			t.Fatalf("open: %v", err)
		}
		return
	}
	d := newTold()
	d.settled = make(chan uint64, records)
	serials := map[uint64]uint64{}
	appended := 0
	for range records {
		c.serial++
		next := l.Stats().Appended + 1
		seq, err := l.Append(numbered(c.serial, int(c.serial%7)*50), d, next+1000)
		if err != nil {
			break
		}
		appended++
		serials[seq] = c.serial
		if pick(3) == 0 {
			<-d.settled
			appended--
		}
	}
	for ; appended > 0 && pick(4) > 0; appended-- {
		<-d.settled
	}
	_ = l.Close() // fails when the power has gone
	for seq := range d.good {
		c.promised[seq] = serials[seq]
	}
	if d.wrong != "" {
		t.Fatalf("%s", d.wrong)
	}
}

func (c *crashing) open() (*audit.Log, error) {
	return audit.Open(audit.Options{
		FS: c.fs, Node: "gw1", Key: testKey(), SegmentBytes: 4096, Sinks: []audit.HeadSink{&c.sink},
	})
}

// check opens the log after a crash, and checks that every promise was kept and the chain goes on.
func (c *crashing) check(t fataler) {
	l, err := c.open()
	if err != nil {
		t.Fatalf("open after crash: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	found := map[uint64]uint64{}
	for e, err := range audit.Read(c.fs, audit.Filter{}) {
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		found[e.Seq] = e.Serial
	}
	for seq, serial := range c.promised {
		if found[seq] != serial {
			t.Fatalf("record %d was promised with serial %d, there is %d", seq, serial, found[seq])
		}
	}
	r, err := audit.VerifyFS(c.fs, c.sink.head(t), publicKey())
	if err != nil || !r.OK() {
		t.Fatalf("verify: %v %v", r.First(), err)
	}
}

func TestNothingPromisedIsLostInACrash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &crashing{fs: faulty.New(), promised: map[uint64]uint64{}}
		// One draw for all picks: how many there are depends on the committer's timing.
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			c.round(t, rapid.IntRange(0, 150).Draw(t, "calls"), rapid.IntRange(1, 60).Draw(t, "records"), random.IntN)
			c.check(t)
		}
	})
}

// F-2: an error at every I/O call. Nothing is promised that a crash could lose, and the log says that it failed.
func TestErrorAtEveryCall(t *testing.T) {
	faults := map[string]faulty.Fault{
		"EIO":         {Err: faulty.ErrIO},
		"ENOSPC":      {Err: faulty.ErrFull},
		"short write": {Err: faulty.ErrIO, Short: 77},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			for n := 1; ; n++ {
				if !errorAt(t, n, fault) {
					if n < 100 {
						t.Errorf("only %d calls were tried", n)
					}
					return
				}
			}
		})
	}
}

// errorAt runs a log whose I/O call n fails; false when there were fewer calls.
func errorAt(t *testing.T, n int, fault faulty.Fault) bool {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(n), 1))
	c := &crashing{fs: faulty.New(), promised: map[uint64]uint64{}}
	c.fs.SetPlan(faulty.FailAt(n, fault))
	failed := c.run(t, 60)
	reached := c.fs.Calls() >= n
	if reached && !failed {
		t.Fatalf("call %d failed and nobody said so", n)
	}
	c.fs.SetPlan(nil)
	if n%2 == 0 { // the process starts again without the machine losing power
		c.run(t, 10)
	}
	c.fs.Crash(random.IntN)
	c.check(t)
	return reached
}

// run opens the log, appends records one by one and closes it; true when anything failed.
func (c *crashing) run(t *testing.T, records int) (failed bool) {
	t.Helper()
	l, err := c.open()
	if err != nil {
		return true
	}
	d := newTold()
	d.settled = make(chan uint64, records)
	for range records {
		c.serial++
		next := l.Stats().Appended + 1
		seq, err := l.Append(numbered(c.serial, 0), d, next+1000)
		if err != nil {
			failed = true
			break
		}
		<-d.settled
		if d.good[seq] {
			c.promised[seq] = c.serial
		} else if err := l.Err(); !errors.Is(err, audit.ErrFailed) {
			t.Fatalf("record %d is not durable, but the log says %v", seq, err)
		}
	}
	return l.Close() != nil || failed
}

// F-3 in the small: kill and crash many times with a fixed seed, the same log all the time.
func TestManyCrashesOfOneLog(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	c := &crashing{fs: faulty.New(), promised: map[uint64]uint64{}}
	for n := range 150 {
		c.round(t, random.IntN(120), 1+random.IntN(40), random.IntN)
		c.check(fatalf{t, fmt.Sprintf("after %d crashes: ", n+1)})
	}
	if len(c.promised) < 1000 {
		t.Errorf("only %d records were promised", len(c.promised))
	}
}

type fatalf struct {
	t      *testing.T
	prefix string
}

func (f fatalf) Fatalf(format string, args ...any) {
	f.t.Helper()
	f.t.Fatalf(f.prefix+format, args...)
}
