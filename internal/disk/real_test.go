package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

// Both implementations keep the same contract.
func TestFS(t *testing.T) {
	real := func(t *testing.T) disk.FS {
		d, err := disk.MakeDir(filepath.Join(t.TempDir(), "new", "dir"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		return d
	}
	memory := func(*testing.T) disk.FS { return faulty.New() }
	implementations := map[string]func(*testing.T) disk.FS{"real": real, "memory": memory}
	for name, open := range implementations {
		t.Run(name, func(t *testing.T) { checkContract(t, open(t)) })
	}
}

func checkContract(t *testing.T, fs disk.FS) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	contents := func(name, want string) {
		t.Helper()
		got, err := disk.ReadFile(fs, name, 100)
		if err != nil || string(got) != want {
			t.Fatalf("%s: got %q, %v; want %q", name, got, err, want)
		}
	}
	f, err := fs.Create("a")
	must(err)
	_, err = f.Write([]byte("hello "))
	must(err)
	must(f.Close())
	if _, err := fs.Create("a"); !errors.Is(err, disk.ErrExist) {
		t.Errorf("create of an existing file: %v", err)
	}
	if _, err := fs.Append("missing"); !errors.Is(err, disk.ErrNotExist) {
		t.Errorf("append to a missing file: %v", err)
	}
	f, err = fs.Append("a")
	must(err)
	_, err = f.Write([]byte("worlds"))
	must(err)
	must(f.Truncate(11))
	must(f.Rewrite([]byte("H"), 0))
	if err := f.Rewrite([]byte("12"), 10); err == nil {
		t.Error("rewrite beyond the end was allowed")
	}
	_, err = f.Write([]byte("!"))
	must(err)
	must(f.Sync())
	must(f.Close())
	must(fs.SyncDir())
	contents("a", "Hello world!")
	if _, err := disk.ReadFile(fs, "a", 5); !errors.Is(err, disk.ErrTooLarge) {
		t.Errorf("reading more than the limit: %v", err)
	}
	must(disk.Replace(fs, "b", []byte("one")))
	must(disk.Replace(fs, "b", []byte("two")))
	contents("b", "two")
	must(fs.Rename("a", "c"))
	list, err := fs.List()
	must(err)
	if len(list) != 2 || list[0] != (disk.Info{Name: "b", Size: 3}) || list[1] != (disk.Info{Name: "c", Size: 12}) {
		t.Errorf("list: %v", list)
	}
	must(fs.Remove("c"))
	if err := fs.Remove("c"); !errors.Is(err, disk.ErrNotExist) {
		t.Errorf("second removal: %v", err)
	}
	lock, err := fs.Lock("lock")
	must(err)
	if _, err := fs.Lock("lock"); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("second lock: %v", err)
	}
	must(lock.Close())
	lock, err = fs.Lock("lock")
	must(err)
	must(lock.Close())
}

func TestDirDoesNotLeaveItself(t *testing.T) {
	base := t.TempDir()
	inside := filepath.Join(base, "inside")
	d, err := disk.MakeDir(inside)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if err := os.WriteFile(filepath.Join(base, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", filepath.Join(inside, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../secret", "link", "/etc/hostname"} {
		if r, err := d.Open(name); err == nil {
			t.Errorf("%s was opened", name)
			_ = r.Close()
		}
	}
	info, err := os.Stat(inside)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v %v, want mode 0700", info.Mode(), err)
	}
}
