package audit_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/gateway/audit"
)

// usual is the record of a plain release as the gateway fills it: about 300 bytes in the log.
func usual() *audit.Record {
	return &audit.Record{
		Kind: audit.Decision, Time: time.Unix(1_800_000_000, 0), Serial: 4711,
		FromPeer: "a.example", ToPeer: "b.example", Link: "s2s",
		From: "alice@a.example/phone", To: "bob@b.example",
		StanzaKind: "message", StanzaType: "chat", StanzaID: "m-123456789",
		Size: 412, Digest: sha256.Sum256([]byte("stanza")),
		Outcome: "released", Rule: "allow-chat", PolicyVersion: "9f86d081884c7d65",
		LabelIn: "RESTRICTED", LabelOut: "RESTRICTED",
	}
}

// sink counts what became durable.
type counter struct {
	ok, bad atomic.Uint64
}

func (c *counter) Durable(_, _ uint64, err error) {
	if err != nil {
		c.bad.Add(1)
		return
	}
	c.ok.Add(1)
}

func openBench(b *testing.B, o audit.Options) *audit.Log {
	b.Helper()
	o.Node, o.Key = "gw1", testKey()
	l, err := audit.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	return l
}

// BenchmarkEncode is one Append without waiting for a disk: encode, hash, checksum.
func BenchmarkEncode(b *testing.B) {
	var buf []byte
	rec := usual()
	b.ReportAllocs()
	for b.Loop() {
		buf = audit.AppendRecord(buf[:0], rec)
	}
	b.ReportMetric(float64(len(buf)), "B/record")
}

// BenchmarkAppend measures records through Append, write and fdatasync on a real disk.
func BenchmarkAppend(b *testing.B) {
	l := openBench(b, audit.Options{Dir: b.TempDir()})
	var c counter
	rec := usual()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Append(rec, &c, 0); err != nil {
			b.Fatal(err)
		}
	}
	s := l.Stats()
	b.ReportMetric(float64(s.Records)/float64(s.Batches), "records/sync")
}

// BenchmarkWriteSync is the yardstick: the same bytes in the same batches, plainly written and synced.
func BenchmarkWriteSync(b *testing.B) {
	const record, batch = 380, 4000
	f, err := os.Create(filepath.Join(b.TempDir(), "plain"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	data := make([]byte, record*batch)
	n := 0
	for b.Loop() {
		if n++; n%batch == 0 {
			if _, err := f.Write(data); err != nil {
				b.Fatal(err)
			}
			if err := unix.Fdatasync(int(f.Fd())); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// TestAppendAllocatesNothing is the budget of the hot path, with what the committer does for it.
func TestAppendAllocatesNothing(t *testing.T) {
	l, err := audit.Open(audit.Options{Dir: t.TempDir(), Node: "gw1", Key: testKey(), HeadEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	rec, c := usual(), new(counter)
	add := func() {
		if _, err := l.Append(rec, c, 0); err != nil {
			t.Fatal(err)
		}
	}
	for range 100_000 { // both buffers reach their size
		add()
	}
	if n := testing.AllocsPerRun(10_000, add); n > 0 {
		t.Errorf("%v allocations for a record, budget 0", n)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if c.bad.Load() > 0 || c.ok.Load() < 110_000 {
		t.Errorf("%d records durable, %d not", c.ok.Load(), c.bad.Load())
	}
}
