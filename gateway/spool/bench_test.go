package spool_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/gateway/spool"
)

const (
	benchStored = 600 // an arrival with its facts, for a labelled message of 350 bytes
	benchFrame  = 700
	benchWindow = 4096 // appended and not yet told of
)

// benchEntry is an entry as the gateway stores it.
func benchEntry() spool.Entry {
	e := entry("b.example", 1)
	e.Stored = bytes.Repeat([]byte{'x'}, benchStored)
	e.Mark = &spool.Mark{Peer: "far", Epoch: epoch}
	return e
}

// BenchmarkCommitted is messages per second through Append, write, sync and done, with the given number not yet told of,
// each handed out and ended once it is durable.
func BenchmarkCommitted(b *testing.B) {
	for _, window := range []int{1, 64, benchWindow} {
		b.Run(map[int]string{1: "window=1", 64: "window=64", benchWindow: "window=4096"}[window], func(b *testing.B) {
			s, _, err := spool.Open(realDir(b), spool.Options{})
			if err != nil {
				b.Fatal(err)
			}
			room := make(chan struct{}, window)
			var all sync.WaitGroup
			done := func(_ spool.Number, err error) {
				if err != nil {
					b.Error(err)
				}
				<-room
				all.Done()
			}
			e := benchEntry()
			b.ReportAllocs()
			for b.Loop() {
				room <- struct{}{}
				all.Add(1)
				e.Mark.Number++
				if err := s.Append(e, done); err != nil {
					b.Fatal(err)
				}
				if got, ok := s.Next("b.example", "link", time.Time{}); ok {
					_ = s.Done(got.Number, spool.Delivered)
				}
			}
			all.Wait()
			st := s.Stats()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			b.ReportMetric(float64(st.Records)/float64(st.Batches), "records/sync")
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkPlainWrites is the yardstick: the same bytes, plainly written and synced in batches.
func BenchmarkPlainWrites(b *testing.B) {
	for _, batch := range []int{1, 64, benchWindow} {
		b.Run(map[int]string{1: "batch=1", 64: "batch=64", benchWindow: "batch=4096"}[batch], func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "plain"))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			data := make([]byte, benchFrame*batch)
			n, size := 0, 0
			for b.Loop() {
				if n++; n%batch != 0 {
					continue
				}
				if size += len(data); size > 256<<20 { // the spool removes its segments too
					size = len(data)
					if err := f.Truncate(0); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := f.WriteAt(data, int64(size-len(data))); err != nil {
					b.Fatal(err)
				}
				if err := unix.Fdatasync(int(f.Fd())); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// BenchmarkRecovery opens a spool with 100,000 entries waiting.
func BenchmarkRecovery(b *testing.B) {
	const entries = 100_000
	bed := newBed(b, spool.Options{})
	for i := range entries {
		if err := bed.s.Append(benchEntryAt(i), nil); err != nil {
			b.Fatal(err)
		}
		if i%1000 == 999 {
			bed.s.Step()
		}
	}
	bytes := bed.s.Stats().DiskBytes
	b.SetBytes(bytes)
	for b.Loop() {
		bed.open()
		if bed.r.Entries != entries {
			b.Fatalf("%d entries", bed.r.Entries)
		}
	}
}

func benchEntryAt(i int) spool.Entry {
	e := benchEntry()
	e.Mark.Number = uint64(i + 1)
	return e
}
