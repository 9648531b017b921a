package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

// TestWriteSync: whatever comes between, a file holds what a file in memory holds.
func TestWriteSync(t *testing.T) {
	at, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		real, err := disk.MakeDir(filepath.Join(at, fmt.Sprint(n)))
		if err != nil {
			t.Fatal(err)
		}
		defer real.Close()
		real.NoRing = rapid.Bool().Draw(t, "ordinary calls")
		memory := faulty.New()
		var size int64
		a, b := create(t, real), create(t, memory)
		defer a.Close()
		for i := range rapid.IntRange(1, 12).Draw(t, "steps") {
			p := bytes.Repeat([]byte{byte('a' + i)}, rapid.SampledFrom([]int{0, 1, 100, 4096, 70_000}).Draw(t, "size"))
			cut := rapid.Int64Range(0, size).Draw(t, "cut")
			step := rapid.SampledFrom([]string{"write", "truncate", "write and sync", "write and sync", "broken ring"}).Draw(t, "step")
			for _, f := range [...]disk.File{a, b} {
				switch step {
				case "write":
					_, err = f.Write(p)
				case "truncate":
					err = f.Truncate(cut)
				case "broken ring":
					if f == a {
						disk.BreakRing(a)
					}
					err = disk.WriteSync(f, p)
				default:
					err = disk.WriteSync(f, p)
				}
				if err != nil {
					t.Fatalf("%s: %v", step, err)
				}
			}
			if size += int64(len(p)); step == "truncate" {
				size = cut
			}
		}
		got, err := disk.ReadFile(real, "f", 1<<20)
		want, err2 := disk.ReadFile(memory, "f", 1<<20)
		if errors.Join(err, err2) != nil || !bytes.Equal(got, want) || int64(len(got)) != size {
			t.Fatalf("%d bytes, want %d: %v", len(got), size, errors.Join(err, err2))
		}
	})
}

func create(t *rapid.T, fs disk.FS) disk.File {
	f, err := fs.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// ringOf is a ring; without one, this kernel has been asked, and has said why not.
func ringOf(t *testing.T) (disk.Ring, bool) {
	r, err := disk.NewRing()
	if err != nil {
		if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOMEM) {
			t.Fatal(err)
		}
		t.Log("files are written without a ring here: ", err)
		return r, false
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, true
}

// TestRingSaysWhatTheKernelSays: what the kernel has tried and failed in is not taken for what it has not begun.
func TestRingSaysWhatTheKernelSays(t *testing.T) {
	r, ok := ringOf(t)
	if !ok {
		return
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	readOnly, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	for name, c := range map[string]struct {
		file *os.File
		want error
	}{
		"no room":           {full, unix.ENOSPC},
		"not open for that": {readOnly, unix.EBADF},
	} {
		n, notBegun, err := r.WriteSync(c.file, []byte("12345"), 0)
		if n != 0 || notBegun || !errors.Is(err, c.want) {
			t.Errorf("%s: %d, not begun %t, %v", name, n, notBegun, err)
		}
	}
}

// TestRingWithoutPoller: what was begun is waited for in any case.
func TestRingWithoutPoller(t *testing.T) {
	r, ok := ringOf(t)
	if !ok {
		return
	}
	if err := r.NoPoller(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at := range 3 {
		if n, _, err := r.WriteSync(f, []byte("x"), int64(at)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got, err := os.ReadFile(f.Name()); string(got) != "xxx" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestRingOfAThreadThatEnds: the kernel gives up what a thread had asked for when that ends; the file does not notice.
func TestRingOfAThreadThatEnds(t *testing.T) {
	d, err := disk.MakeDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	f, err := d.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var want bytes.Buffer
	for i := range 50 {
		p := bytes.Repeat([]byte{byte(i)}, 1000)
		want.Write(p)
		var group sync.WaitGroup
		group.Go(func() {
			runtime.LockOSThread() // and never unlocked: the runtime ends the thread with the goroutine
			if err := disk.WriteSync(f, p); err != nil {
				t.Error(err)
			}
		})
		group.Wait()
	}
	if got, err := disk.ReadFile(d, "f", 1<<20); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes of %d, %v", len(got), want.Len(), err)
	}
}

// TestRingIsSeen: who reads a file comes after who wrote it, for the race detector, too.
func TestRingIsSeen(t *testing.T) {
	at := t.TempDir()
	d, err := disk.MakeDir(at)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	f, err := d.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := disk.WriteSync(f, []byte("first")); err != nil { // makes the ring
		t.Fatal(err)
	}
	said, heard := 0, make(chan error)
	go func() {
		for {
			p, err := os.ReadFile(filepath.Join(at, "f"))
			if err == nil && len(p) == len("first") {
				continue
			}
			if said != 1 {
				err = errors.Join(err, fmt.Errorf("said %d", said))
			}
			heard <- err
			return
		}
	}()
	said = 1
	if err := disk.WriteSync(f, []byte("second")); err != nil {
		t.Error(err)
	}
	if err := <-heard; err != nil {
		t.Error(err)
	}
}

// TestShortSleep: an alarm is not early.
func TestShortSleep(t *testing.T) {
	const d = 300 * time.Microsecond
	began := time.Now()
	if err := disk.SleepShort(d); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < d {
		t.Errorf("%v, want %v", took, d)
	}
}
