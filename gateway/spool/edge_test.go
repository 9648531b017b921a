package spool_test

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"sallyport/gateway/spool"
	"sallyport/internal/disk"
)

func realDir(t testing.TB) *disk.Dir {
	t.Helper()
	d, err := disk.MakeDir(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// Many append, hand out and end at the same time, on a real disk; in between everything is asked about.
func TestManyAtATime(t *testing.T) {
	const writers, each = 8, 300
	d := realDir(t)
	ready := make(chan struct{}, 1)
	var settled, durable atomic.Int64
	opts := spool.Options{
		SegmentBytes: 64 << 10, CacheBytes: 32 << 10, BufferBytes: 32 << 10,
		Settled: func(spool.Entry, spool.Outcome) { settled.Add(1) },
		Ready: func(string) {
			select {
			case ready <- struct{}{}:
			default:
			}
		},
	}
	s, _, err := spool.Open(d, opts)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				if err := s.Room(context.Background()); err != nil {
					t.Error(err)
					return
				}
				err := s.Append(entry("p", w*each+i+1), func(_ spool.Number, err error) {
					if err == nil {
						durable.Add(1)
					}
				})
				if err != nil {
					t.Error(err)
					return
				}
				s.Backlog()
				s.Stats()
			}
		})
	}
	seen := map[uint64]bool{}
	var last spool.Number
	for len(seen) < writers*each {
		e, ok := s.Next("p", "link", noon)
		if !ok {
			<-ready
			continue
		}
		if seen[e.Conversation] || e.Number <= last {
			t.Fatalf("entry %d out of order or twice", e.Number)
		}
		seen[e.Conversation], last = true, e.Number
		if err := s.Done(e.Number, spool.Delivered); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if settled.Load() != writers*each || durable.Load() != writers*each {
		t.Errorf("%d settled, %d durable", settled.Load(), durable.Load())
	}
	s, r, err := spool.Open(d, opts)
	if err != nil || r.Entries != 0 || len(r.Damaged) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Room ends with its context, and with the spool.
func TestRoomEnds(t *testing.T) {
	b := newBed(t, spool.Options{BufferBytes: 100})
	if err := b.s.Append(entry("p", 150), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.s.Room(ctx); err == nil {
		t.Error("there is room, they say")
	}
	if err := b.s.Append(entry("p", 1), nil); err == nil {
		t.Error("taken into a full buffer")
	}
	b.s.Step()
	if err := b.s.Room(context.Background()); err != nil {
		t.Error(err)
	}
}
