package audit_test

import (
	"crypto/ed25519"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/gateway/audit"
	"sallyport/internal/disk"
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
