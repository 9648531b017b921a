package audit_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/gateway/audit"
	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) }

func publicKey() ed25519.PublicKey { return testKey().Public().(ed25519.PublicKey) }

// openLog opens a log of node gw1 that signs heads only at open and close.
func openLog(t testing.TB, fs disk.FS, change func(*audit.Options)) *audit.Log {
	t.Helper()
	o := audit.Options{FS: fs, Node: "gw1", Key: testKey(), SegmentBytes: 4096, HeadEvery: time.Hour}
	if change != nil {
		change(&o)
	}
	l, err := audit.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLog(t testing.TB, l *audit.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// told remembers what Durable said, and that it said it in order.
type told struct {
	mu      sync.Mutex
	last    uint64
	good    map[uint64]bool
	bad     map[uint64]error
	settled chan uint64 // when not nil, gets each sequence number
	wrong   string
}

func newTold() *told { return &told{good: map[uint64]bool{}, bad: map[uint64]error{}} }

func (d *told) Durable(token, seq uint64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if seq <= d.last || token != seq+1000 {
		d.wrong = fmt.Sprintf("record %d (token %d) after record %d", seq, token, d.last)
	}
	d.last = seq
	if err != nil {
		d.bad[seq] = err
	} else {
		d.good[seq] = true
	}
	if d.settled != nil {
		d.settled <- seq
	}
}

func (d *told) failure(seq uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bad[seq]
}

func (d *told) check(t testing.TB) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wrong != "" {
		t.Fatal(d.wrong)
	}
}

// numbered is a record that tells its number; size lengthens it.
func numbered(n uint64, size int) *audit.Record {
	return &audit.Record{
		Kind: audit.Decision, Serial: n, From: fmt.Sprintf("user%d@a.example", n), Outcome: "released",
		Reason: strings.Repeat("x", size),
	}
}

// fill appends n records with their numbers as tokens and serials.
func fill(t testing.TB, l *audit.Log, d *told, n int) {
	t.Helper()
	for range n {
		next := l.Stats().Appended + 1
		seq, err := l.Append(numbered(next, 0), d, next+1000)
		if err != nil || seq != next {
			t.Fatalf("append: record %d, %v; want %d", seq, err, next)
		}
	}
}

func verify(t testing.TB, fs disk.FS, heads ...audit.Statement) audit.Report {
	t.Helper()
	r, err := audit.VerifyFS(fs, heads, publicKey())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

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

// Damage to what had been promised is no torn tail, even before a head speaks of it.
func TestOpenDoesNotCutOffWhatWasPromised(t *testing.T) {
	fs := faulty.New()
	l, d := openLog(t, fs, nil), newTold()
	d.settled = make(chan uint64, 1)
	for range 6 { // six batches
		fill(t, l, d, 1)
		<-d.settled
	}
	crashed := fs.Copy()
	closeLog(t, l)
	name := lastSegment(crashed)
	data := crashed.Contents(name)
	for e, err := range audit.Read(crashed, audit.Filter{FirstSeq: 4, LastSeq: 4}) {
		if err != nil {
			t.Fatal(err)
		}
		data[e.Offset+50] ^= 1
	}
	crashed.SetContents(name, data)
	_, err := audit.Open(audit.Options{FS: crashed, Node: "gw1", Key: testKey()})
	if !errors.Is(err, audit.ErrDamaged) || !strings.Contains(err.Error(), "record 4") {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	filled := func(t *testing.T) *faulty.FS {
		fs := faulty.New()
		l := openLog(t, fs, nil)
		fill(t, l, newTold(), 40)
		closeLog(t, l)
		return fs
	}
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	tests := []struct {
		name   string
		tamper func(*faulty.FS)
		change func(*audit.Options)
	}{
		{"another node", nil, func(o *audit.Options) { o.Node = "gw2" }},
		{"another key", nil, func(o *audit.Options) { o.Key = other }},
		{"no head", func(fs *faulty.FS) { fs.SetContents("head.json", nil) }, nil},
		{"no segments", func(fs *faulty.FS) {
			for _, f := range list(fs) {
				if f != "head.json" {
					fs.SetContents(f, nil)
				}
			}
		}, nil},
		{"last segment gone", func(fs *faulty.FS) { fs.SetContents(lastSegment(fs), nil) }, nil},
		{"last segment empty", func(fs *faulty.FS) { fs.SetContents(lastSegment(fs), []byte{}) }, nil},
		{"last record cut", func(fs *faulty.FS) {
			b := fs.Contents(lastSegment(fs))
			fs.SetContents(lastSegment(fs), b[:len(b)-1])
		}, nil},
		{"last record edited", func(fs *faulty.FS) {
			b := fs.Contents(lastSegment(fs))
			b[len(b)-1] ^= 1
			fs.SetContents(lastSegment(fs), b)
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fs := filled(t)
			if tt.tamper != nil {
				tt.tamper(fs)
			}
			o := audit.Options{FS: fs, Node: "gw1", Key: testKey()}
			if tt.change != nil {
				tt.change(&o)
			}
			before := fs.Copy()
			l, err := audit.Open(o)
			if !errors.Is(err, audit.ErrDamaged) {
				t.Fatalf("got %v, want ErrDamaged", err)
			}
			if l != nil {
				t.Error("a log was returned")
			}
			for _, name := range list(before) {
				if string(before.Contents(name)) != string(fs.Contents(name)) {
					t.Errorf("%s was changed", name)
				}
			}
		})
	}
}

func TestOneOwner(t *testing.T) {
	fs := faulty.New()
	l := openLog(t, fs, nil)
	defer closeLog(t, l)
	if _, err := audit.Open(audit.Options{FS: fs, Node: "gw1", Key: testKey()}); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("got %v", err)
	}
}

func list(fs disk.FS) []string {
	infos, err := fs.List()
	if err != nil {
		return nil
	}
	names := make([]string, len(infos))
	for i, f := range infos {
		names[i] = f.Name
	}
	return names
}

// segments returns the names of the segments in order.
func segments(fs disk.FS) []string {
	var names []string
	for _, name := range list(fs) {
		if strings.HasPrefix(name, "segment-") {
			names = append(names, name)
		}
	}
	return names
}

func lastSegment(fs disk.FS) string {
	all := segments(fs)
	return all[len(all)-1]
}
