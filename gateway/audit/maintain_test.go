package audit_test

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/internal/disk/faulty"
)

func maintenance(fs *faulty.FS, upTo uint64) audit.Maintenance {
	return audit.Maintenance{FS: fs, Key: testKey(), UpTo: upTo}
}

func TestArchiveAndPrune(t *testing.T) {
	fs, archive := faulty.New(), faulty.New()
	l := openLog(t, fs, nil)
	fill(t, l, newTold(), 100)
	closeLog(t, l)
	moved, err := maintenance(fs, 2).Archive(archive)
	if err != nil || moved.Segments != 2 || moved.First != 1 || moved.Last != 2 {
		t.Fatalf("archive: %+v, %v", moved, err)
	}
	first := verify(t, archive)
	if !first.OK() || first.Segments != 2 || first.AfterHead != 0 || first.FirstSeq != 1 {
		t.Fatalf("archive: %+v", first)
	}
	if moved, err = maintenance(fs, 0).Archive(archive); err != nil || moved.First != 3 {
		t.Fatalf("second archive: %+v, %v", moved, err)
	}
	if moved, err = maintenance(fs, 3).Prune(archive); err != nil || moved.Segments != 3 || moved.Bytes == 0 {
		t.Fatalf("prune: %+v, %v", moved, err)
	}
	rest, all := verify(t, fs), verify(t, archive)
	if !rest.OK() || rest.FirstSeq == 1 || rest.LastSeq != 100 || !all.OK() || all.Records+1 < rest.FirstSeq {
		t.Fatalf("rest %+v, archive %+v", rest, all)
	}
	// The log goes on, and can be pruned and archived again.
	l = openLog(t, fs, nil)
	d := newTold()
	d.settled = make(chan uint64, 100)
	fill(t, l, d, 100)
	for <-d.settled != 200 {
		continue
	}
	if moved, err = maintenance(fs, 0).Archive(archive); err != nil || moved.Segments == 0 {
		t.Fatalf("archive while open: %+v, %v", moved, err)
	}
	if moved, err = maintenance(fs, 0).Prune(archive); err != nil || moved.Segments == 0 {
		t.Fatalf("prune while open: %+v, %v", moved, err)
	}
	closeLog(t, l)
	if r := verify(t, fs); !r.OK() || r.LastSeq != 200 {
		t.Errorf("%+v", r)
	}
	if r := verify(t, archive); !r.OK() || r.FirstSeq != 1 {
		t.Errorf("%+v", r)
	}
}

func TestArchiveOfAPrunedLogStartsLater(t *testing.T) {
	fs, archive := faulty.New(), faulty.New()
	l := openLog(t, fs, nil)
	fill(t, l, newTold(), 100)
	closeLog(t, l)
	if _, err := maintenance(fs, 2).Prune(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := maintenance(fs, 0).Archive(archive); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, archive); !r.OK() || r.FirstSeq == 1 {
		t.Errorf("%+v", r)
	}
}

func TestMaintenanceRefuses(t *testing.T) {
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	tests := []struct {
		name string
		do   func(s *tampered, archive *faulty.FS) error
		want error // nil: any
	}{
		{"prune of the open segment", func(s *tampered, _ *faulty.FS) error {
			_, err := maintenance(s.fs, 3).Prune(nil)
			return err
		}, nil},
		{"prune with another key", func(s *tampered, _ *faulty.FS) error {
			_, err := audit.Maintenance{FS: s.fs, Key: other}.Prune(nil)
			return err
		}, audit.ErrSignature},
		{"prune of what is not archived", func(s *tampered, archive *faulty.FS) error {
			_, err := maintenance(s.fs, 1).Prune(archive)
			return err
		}, nil},
		{"prune of what the archive holds otherwise", func(s *tampered, archive *faulty.FS) error {
			archive.SetContents("segment-00000001.audit", []byte("x"))
			_, err := maintenance(s.fs, 1).Prune(archive)
			return err
		}, nil},
		{"prune over damage", func(s *tampered, _ *faulty.FS) error {
			s.swap(18, 21)
			_, err := maintenance(s.fs, 1).Prune(nil)
			return err
		}, audit.ErrDamaged},
		{"archive of damage", func(s *tampered, archive *faulty.FS) error {
			s.swap(18, 21)
			_, err := maintenance(s.fs, 0).Archive(archive)
			return err
		}, audit.ErrDamaged},
		{"archive after a gap", func(s *tampered, archive *faulty.FS) error {
			if _, err := maintenance(s.fs, 1).Archive(archive); err != nil {
				return nil
			}
			s.fs.SetContents("segment-00000002.audit", nil)
			l := openLog(t, s.fs, nil)
			fill(t, l, newTold(), 30)
			closeLog(t, l)
			_, err := maintenance(s.fs, 0).Archive(archive)
			return err
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, archive := newTampered(t), faulty.New()
			before := len(segments(s.fs))
			err := tt.do(s, archive)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if after := len(segments(s.fs)); after < before-1 {
				t.Errorf("%d of %d segments left", after, before)
			}
		})
	}
}

// A crash at any call of Prune leaves a log that verifies and can be pruned again.
func TestPruneSurvivesACrashAnywhere(t *testing.T) {
	for n := 1; ; n++ {
		s := newTampered(t)
		from := s.fs.Calls()
		s.fs.SetPlan(func(op faulty.Op) faulty.Fault {
			if op.N >= from+n {
				return faulty.Fault{Err: faulty.ErrCrashed, Short: op.Bytes}
			}
			return faulty.Fault{}
		})
		_, err := maintenance(s.fs, 2).Prune(nil)
		s.fs.Crash(func(k int) int { return n % k })
		if r := verify(t, s.fs, s.head); !r.OK() {
			t.Fatalf("crash at call %d: %v", n, r.First())
		}
		if _, again := maintenance(s.fs, 2).Prune(nil); again != nil {
			t.Fatalf("crash at call %d, then: %v", n, again)
		}
		if r := verify(t, s.fs, s.head); !r.OK() {
			t.Fatalf("crash at call %d, after pruning again: %v", n, r.First())
		}
		if err == nil {
			return
		}
	}
}

// Pruning makes room in a running log at its next segment.
func TestPruneMakesRoom(t *testing.T) {
	fs := faulty.New()
	l, d := openLog(t, fs, func(o *audit.Options) { o.MaxBytes = 30_000 }), newTold()
	d.settled = make(chan uint64, 10_000)
	for range 1000 {
		fill(t, l, d, 1)
		<-d.settled
		if l.Stats().Segment%4 == 0 {
			if _, err := maintenance(fs, 0).Prune(nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s := l.Stats(); s.TotalBytes > 30_000 || s.Segment < 20 {
		t.Errorf("%+v", s)
	}
	closeLog(t, l)
	if r := verify(t, fs); !r.OK() || r.LastSeq != 1000 {
		t.Errorf("%+v", r)
	}
}
