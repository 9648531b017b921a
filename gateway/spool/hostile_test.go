package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/spool"
	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

const (
	one = "segment-00000001.spool"
	two = "segment-00000002.spool"
)

// filled is a spool with 120 entries in several segments of 4 KiB, of which 1 to 5 were delivered, closed by kill -9.
func filled(t testing.TB, opts spool.Options) *bed {
	t.Helper()
	opts.SegmentBytes = 4096
	b := newBed(t, opts)
	for id := 1; id <= 120; id++ {
		e := entry("p", id)
		e.Expires = b.now.Add(time.Hour)
		b.put(e)
	}
	for range 5 {
		e, _ := b.s.Next("p", "link", b.now)
		if err := b.s.Done(e.Number, spool.Delivered); err != nil {
			t.Fatal(err)
		}
	}
	b.s.Step()
	return b
}

// frames returns where the frames of a segment begin.
func frames(data []byte) (at []int64) {
	disk.Scan(data, func(offset int64, _ disk.Frame) { at = append(at, offset) })
	return at
}

// P14: whatever is done to the files, the bad record is isolated and reported, all others are delivered, and once.
func TestP14(t *testing.T) {
	change := func(name string, how func([]byte) []byte) func(*bed) {
		return func(b *bed) { b.fs.SetContents(name, how(b.fs.Contents(name))) }
	}
	tests := []struct {
		name    string
		do      func(*bed)
		missing int    // entries that are gone
		words   string // in the report; "" means that there is nothing to report
	}{
		{"nothing", func(*bed) {}, 0, ""},
		{"flipped bit in an entry", change(one, func(d []byte) []byte { d[frames(d)[8]+30] ^= 4; return d }), 1, "are no record"},
		{"flipped bit in a length", change(one, func(d []byte) []byte { d[frames(d)[8]+2] ^= 1; return d }), 1, "are no record"},
		{"flipped bit in the header", change(two, func(d []byte) []byte { d[20] ^= 1; return d }), 0, "are no record"},
		{"wrong length, larger than the file", change(one, func(d []byte) []byte { d[frames(d)[8]] = 0x7f; return d }), 1, "are no record"},
		{"half a record at the end of a closed segment", change(two, func(d []byte) []byte { return d[:len(d)-7] }), 1, "are no record"},
		{"a segment of zeros", change(two, func(d []byte) []byte { return make([]byte, len(d)) }), -1, "are no record"},
		{"a segment of noise", change(two, func(d []byte) []byte { return slices.Repeat([]byte{0xa5}, len(d)) }), -1, "are no record"},
		{"empty segment", change(two, func([]byte) []byte { return []byte{} }), -1, ""},
		{"duplicated segment", func(b *bed) { b.fs.SetContents("segment-00000077.spool", b.fs.Contents(one)) }, 0, "a copy of " + one},
		{"segment duplicated into itself", change(one, func(d []byte) []byte { return append(d, d...) }), 0, "count once"},
		{"records duplicated", change(two, func(d []byte) []byte { return append(d, d[frames(d)[1]:]...) }), 0, "count once"},
		{"segment of another spool", func(b *bed) {
			b.fs.SetContents("segment-00000001.spool", filled(t, spool.Options{}).fs.Contents(one))
		}, -1, "belongs to another spool"},
		{"a file that is none of ours", func(b *bed) { b.fs.SetContents("segment-1.spool", []byte("x")) }, 0, ""},
		{"identity gone", func(b *bed) { b.fs.SetContents("identity", nil) }, 0, ""},
		{"identity is noise", func(b *bed) { b.fs.SetContents("identity", []byte("zzz")) }, 0, ""},
		{"identity of another", func(b *bed) { b.fs.SetContents("identity", []byte("00000000000000ff\n")) }, 0, "the segments are believed"},
		{"last segment is noise", func(b *bed) { b.fs.SetContents(last(b.fs), slices.Repeat([]byte{9}, 600)) }, -1, "renamed and not read"},
		{"last segment is torn", func(b *bed) { d := b.fs.Contents(last(b.fs)); b.fs.SetContents(last(b.fs), d[:len(d)-3]) }, -2, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := filled(t, spool.Options{CacheBytes: -1})
			tt.do(b)
			b.open()
			said := ""
			for _, d := range b.r.Damaged {
				said += d.String() + "\n"
			}
			if tt.words == "" && said != "" || !strings.Contains(said, tt.words) {
				t.Errorf("reported %q, want %q", said, tt.words)
			}
			got := b.all("p")
			seen := map[int]bool{}
			for i, id := range got {
				if seen[id] || i > 0 && got[i-1] > id {
					t.Errorf("%d comes twice, or late: %v", id, got)
				}
				seen[id] = true
			}
			if tt.missing >= 0 && len(got) != 115-tt.missing {
				t.Errorf("%d delivered, want %d: %v", len(got), 115-tt.missing, got)
			}
			if len(got) < 40 {
				t.Errorf("only %d delivered", len(got))
			}
			if sum := b.s.Stats().Totals; sum.Balance() != 0 {
				t.Errorf("%+v", sum)
			}
			n := b.put(entry("q", 99))
			b.open()
			if list := b.s.Entries("q", 0, 2); len(list) != 1 || list[0].Number != n {
				t.Errorf("what was accepted afterwards is not there: %v", list)
			}
		})
	}
}

func last(fs *faulty.FS) (name string) {
	list, _ := fs.List()
	for _, f := range list {
		if strings.HasPrefix(f.Name, "segment-") {
			name = f.Name
		}
	}
	return name
}

// P14, bit by bit: one flipped bit anywhere costs at most the record it is in, or is in the torn tail.
func TestP14EveryByteFlipped(t *testing.T) {
	base := filled(t, spool.Options{})
	list, err := base.fs.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if !strings.HasPrefix(f.Name, "segment-") {
			continue
		}
		step := int64(1)
		if testing.Short() {
			step = 13
		}
		for at := int64(0); at < f.Size; at += step {
			b := &bed{t: t, fs: base.fs.Copy(), now: noon}
			data := b.fs.Contents(f.Name)
			data[at] ^= 0x10
			b.fs.SetContents(f.Name, data)
			b.opts.SegmentBytes = 4096
			b.open()
			n, isLast := b.r.Entries, f.Name == last(base.fs)
			if n < 114 || n > 120 || !isLast && len(b.r.Damaged) == 0 {
				t.Fatalf("%s, byte %d: %d entries, reported %v", f.Name, at, n, b.r.Damaged)
			}
		}
	}
}

// P14: accepted by a clock in 2099. The lifetime begins at recovery, nothing stays for decades, nothing is lost.
func TestP14ClockIn2099(t *testing.T) {
	b := newBed(t, spool.Options{})
	b.now = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	e := entry("p", 1)
	e.Expires = b.now.Add(time.Hour)
	b.put(e)
	b.now = noon
	b.open()
	if len(b.r.Damaged) != 1 || !strings.Contains(b.r.Damaged[0].String(), "wrong clock") {
		t.Errorf("reported %v", b.r.Damaged)
	}
	if got := b.s.Expire(noon.Add(59 * time.Minute)); len(got) != 0 {
		t.Error("expired too early")
	}
	if got := b.s.Expire(noon.Add(61 * time.Minute)); len(got) != 1 {
		t.Error("stays until 2099")
	}
}

// P14: permission lost is a clear error, and nothing is changed.
func TestP14PermissionLost(t *testing.T) {
	b := filled(t, spool.Options{})
	before := b.fs.Contents(one)
	b.fs.SetPlan(func(op faulty.Op) faulty.Fault {
		if op.Kind == faulty.Open && op.Name == two {
			return faulty.Fault{Err: os.ErrPermission}
		}
		return faulty.Fault{}
	})
	err := b.tryOpen()
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), two) {
		t.Errorf("got %v", err)
	}
	b.fs.SetPlan(nil)
	b.open()
	if b.r.Entries != 115 || !slices.Equal(before, b.fs.Contents(one)) {
		t.Errorf("%d entries afterwards", b.r.Entries)
	}
}

func TestLocked(t *testing.T) {
	d, err := disk.MakeDir(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	s, r, err := spool.Open(d, spool.Options{})
	if err != nil || !r.Fresh {
		t.Fatal(err)
	}
	if _, _, err := spool.Open(d, spool.Options{}); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("second process: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	if err := s.Append(entry("p", 1), nil); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
}

// A segment with damage in it is kept for inquiry when nothing alive needs it.
func TestDamagedSegmentIsPutAside(t *testing.T) {
	b := filled(t, spool.Options{})
	d := b.fs.Contents(one)
	d[frames(d)[8]+30] ^= 4
	b.fs.SetContents(one, d)
	b.open()
	for id := b.next("p"); id != 0; id = b.next("p") {
		list := b.s.Entries("p", 0, 1)
		if err := b.s.Done(list[0].Number, spool.Delivered); err != nil {
			t.Fatal(err)
		}
	}
	b.s.Step()
	if b.fs.Contents(one) != nil || b.fs.Contents(two) != nil || b.fs.Contents("damaged-"+one) == nil {
		t.Error("the damaged segment is not where it should be")
	}
}
