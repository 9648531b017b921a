package faulty_test

import (
	"errors"
	"testing"

	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

// pick returns a function for Crash that always takes the given choice, or the last one.
func pick(choice int) func(int) int { return func(n int) int { return min(choice, n-1) } }

func create(t *testing.T, fs *faulty.FS, name string) disk.File {
	t.Helper()
	f, err := fs.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, f disk.File, s string) {
	t.Helper()
	if _, err := f.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	for choice := range 4 {
		fs := faulty.New()
		f := create(t, fs, "a")
		write(t, f, "synced")
		if err := errors.Join(f.Sync(), fs.SyncDir()); err != nil {
			t.Fatal(err)
		}
		write(t, f, " not")
		fs.Crash(pick(choice))
		if got := string(fs.Contents("a")); len(got) < 6 || got[:6] != "synced" {
			t.Errorf("choice %d: %q", choice, got)
		}
		if _, err := f.Write([]byte("x")); !errors.Is(err, faulty.ErrCrashed) {
			t.Errorf("write to a dead handle: %v", err)
		}
	}
}

func TestCrashForgetsNamesThatWereNotSynced(t *testing.T) {
	fs := faulty.New()
	f := create(t, fs, "a")
	write(t, f, "data")
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	fs.Crash(pick(0))
	if fs.Contents("a") != nil {
		t.Error("the file is there although its directory was never synced")
	}
}

func TestFailedSyncLosesForGood(t *testing.T) {
	fs := faulty.New()
	f := create(t, fs, "a")
	if err := fs.SyncDir(); err != nil {
		t.Fatal(err)
	}
	write(t, f, "data")
	fs.SetPlan(faulty.FailAt(fs.Calls()+1, faulty.Fault{Err: faulty.ErrIO}))
	if err := f.Sync(); !errors.Is(err, faulty.ErrIO) {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatalf("the second sync must lie as kernels do: %v", err)
	}
	if got := string(fs.Contents("a")); got != "data" {
		t.Fatalf("before the crash: %q", got)
	}
	fs.Crash(pick(1))
	if got := string(fs.Contents("a")); got != "" {
		t.Errorf("after the crash: %q", got)
	}
}

func TestFaults(t *testing.T) {
	fs := faulty.New()
	f := create(t, fs, "a")
	fs.SetPlan(func(op faulty.Op) faulty.Fault {
		if op.Kind == faulty.Write && op.Name == "a" {
			return faulty.Fault{Err: faulty.ErrIO, Short: 2}
		}
		return faulty.Fault{}
	})
	if n, err := f.Write([]byte("12345")); n != 2 || !errors.Is(err, faulty.ErrIO) {
		t.Errorf("short write: %d %v", n, err)
	}
	fs.SetPlan(nil)
	fs.SetCapacity(4)
	if n, err := f.Write([]byte("12345")); n != 2 || !errors.Is(err, faulty.ErrFull) {
		t.Errorf("full disk: %d %v", n, err)
	}
}
