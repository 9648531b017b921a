package audit_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

func TestLogKeepsAndContinues(t *testing.T) {
	fs := faulty.New()
	for round := range 3 {
		l, d := openLog(t, fs, nil), newTold()
		fill(t, l, d, 100)
		closeLog(t, l)
		d.check(t)
		want := uint64(100 * (round + 1))
		if len(d.good) != 100 || d.last != want {
			t.Fatalf("round %d: told of %d records up to %d", round, len(d.good), d.last)
		}
		r := verify(t, fs)
		if !r.OK() || r.Records != want || r.LastSeq != want || r.HeadSeq != want || r.Node != "gw1" {
			t.Fatalf("round %d: %+v", round, r)
		}
	}
	list, err := fs.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Size > 4096 {
			t.Errorf("%s has %d bytes, the limit is 4096", f.Name, f.Size)
		}
	}
	next := uint64(1)
	for e, err := range audit.Read(fs, audit.Filter{}) {
		if err != nil || e.Seq != next || e.Serial != next || e.Node != "gw1" {
			t.Fatalf("record %d: %+v, %v", next, e, err)
		}
		next++
	}
}

func TestAppendAfterClose(t *testing.T) {
	l := openLog(t, faulty.New(), nil)
	closeLog(t, l)
	if _, err := l.Append(numbered(1, 0), nil, 0); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := l.Close(); !errors.Is(err, audit.ErrClosed) {
		t.Errorf("second close: %v", err)
	}
}

func TestAppendRefusesTheZeroRecord(t *testing.T) {
	l := openLog(t, faulty.New(), nil)
	defer closeLog(t, l)
	if _, err := l.Append(&audit.Record{}, nil, 0); !errors.Is(err, audit.ErrRecord) {
		t.Errorf("got %v", err)
	}
}

func TestManyAppenders(t *testing.T) {
	fs := faulty.New()
	l := openLog(t, fs, func(o *audit.Options) { o.BufferBytes, o.BufferRecords = 2000, 4 })
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if _, err := l.Append(numbered(0, 10), nil, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	closeLog(t, l)
	if r := verify(t, fs); !r.OK() || r.Records != 400 {
		t.Errorf("%+v", r)
	}
}

// slow is a file system whose syncs of segments wait for leave, and fail with the error they get.
type slow struct {
	*faulty.FS
	leave chan error
}

type slowFile struct {
	disk.File
	leave chan error
}

func (s slow) Append(name string) (disk.File, error) {
	f, err := s.FS.Append(name)
	return slowFile{f, s.leave}, err
}

func (f slowFile) Sync() error {
	if err := <-f.leave; err != nil {
		return err
	}
	return f.File.Sync()
}

func TestNothingIsToldBeforeTheSync(t *testing.T) {
	fs := faulty.New()
	closeLog(t, openLog(t, fs, nil)) // so that the next opening appends to a slow file
	s := slow{fs, make(chan error, 1)}
	s.leave <- nil // Open syncs once
	l, d := openLog(t, s, func(o *audit.Options) { o.BufferRecords = 2 }), newTold()
	d.settled = make(chan uint64, 10)
	fill(t, l, d, 1)
	// The committer waits in its sync or has not begun; both buffers take two records each, the fifth append must wait.
	blocked := make(chan error, 1)
	go func() {
		for n := uint64(2); n <= 5; n++ {
			if _, err := l.Append(numbered(n, 0), d, n+1000); err != nil {
				blocked <- err
				return
			}
		}
		blocked <- nil
	}()
	for l.Stats().Waits == 0 && len(blocked) == 0 { // until it waits
		runtime.Gosched()
	}
	if s := l.Stats(); s.Durable != 0 || len(d.settled) != 0 || s.Appended > 4 {
		t.Fatalf("before the sync: %+v", s)
	}
	close(s.leave)
	if err := <-blocked; err != nil {
		t.Fatal(err)
	}
	for want := uint64(1); want <= 5; want++ {
		if got := <-d.settled; got != want {
			t.Fatalf("told of %d, want %d", got, want)
		}
	}
	closeLog(t, l)
	d.check(t)
}

func TestWhatWaitsBehindAFailedBatchFailsToo(t *testing.T) {
	fs := faulty.New()
	closeLog(t, openLog(t, fs, nil))
	s := slow{fs, make(chan error, 1)}
	s.leave <- nil
	l, d := openLog(t, s, func(o *audit.Options) { o.BufferRecords = 2 }), newTold()
	d.settled = make(chan uint64, 10)
	fill(t, l, d, 3) // one or two are being synced, the others wait behind them
	blocked := make(chan uint64)
	go func() {
		for n := uint64(4); ; n++ { // at most one more fits
			if _, err := l.Append(numbered(n, 0), d, n+1000); err != nil {
				if !errors.Is(err, audit.ErrFailed) {
					t.Error(err)
				}
				blocked <- n
				return
			}
		}
	}()
	s.leave <- faulty.ErrIO
	refused := <-blocked
	for want := uint64(1); want < refused; want++ {
		if got := <-d.settled; got != want || !errors.Is(d.failure(got), faulty.ErrIO) {
			t.Errorf("told of %d: %v", got, d.failure(got))
		}
	}
	if err := l.Close(); !errors.Is(err, faulty.ErrIO) {
		t.Errorf("close: %v", err)
	}
	d.check(t)
}
