package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNotExist and ErrExist are what every FS returns for a missing or an existing name.
var (
	ErrNotExist = fs.ErrNotExist
	ErrExist    = fs.ErrExist
)

// Dir is a directory of the real file system. It resolves names beneath the directory only (os.Root), so that
// neither a name nor a symbolic link can lead outside.
type Dir struct {
	root *os.Root
	// NoRing has WriteSync use ordinary calls, and no io_uring, for files that are opened from now on.
	NoRing bool
}

var _ FS = (*Dir)(nil)

// OpenDir opens an existing directory.
func OpenDir(path string) (*Dir, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Dir{root: root}, nil
}

// MakeDir opens a directory, making it (mode 0700) with its parents when missing.
func MakeDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	return OpenDir(path)
}

// Close releases the directory; open files stay usable.
func (d *Dir) Close() error { return d.root.Close() }

// Create implements FS.
func (d *Dir) Create(name string) (File, error) {
	return d.open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
}

// Append implements FS.
func (d *Dir) Append(name string) (File, error) {
	return d.open(name, os.O_WRONLY)
}

func (d *Dir) open(name string, flags int) (File, error) {
	f, err := d.root.OpenFile(name, flags, 0o600)
	if err != nil {
		return nil, err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &appendFile{f: f, end: end, asked: d.NoRing}, nil
}

// Open implements FS.
func (d *Dir) Open(name string) (Reader, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return readFile{f, info.Size()}, nil
}

// Rename implements FS.
func (d *Dir) Rename(oldName, newName string) error { return d.root.Rename(oldName, newName) }

// Remove implements FS.
func (d *Dir) Remove(name string) error { return d.root.Remove(name) }

// List implements FS.
func (d *Dir) List() ([]Info, error) {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	list := make([]Info, 0, len(entries))
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed between the listing and now
		}
		if err != nil {
			return nil, err
		}
		list = append(list, Info{Name: e.Name(), Size: info.Size()})
	}
	return list, nil
}

// SyncDir implements FS.
func (d *Dir) SyncDir() error {
	f, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Lock implements FS with flock, which the kernel releases when the process dies.
func (d *Dir) Lock(name string) (io.Closer, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return f, nil
}

// appendFile keeps the end itself: with O_APPEND, Linux would append what Rewrite writes.
type appendFile struct {
	f     *os.File
	end   int64
	asked bool  // for a ring, or not to
	ring  *ring // of a file that WriteSync is for; nil where the kernel has none
}

func (a *appendFile) Write(p []byte) (int, error) {
	n, err := a.f.WriteAt(p, a.end)
	a.end += int64(n)
	return n, err
}

func (a *appendFile) Rewrite(p []byte, at int64) error {
	if at < 0 || at+int64(len(p)) > a.end {
		return fmt.Errorf("%s: rewrite beyond the end", a.f.Name())
	}
	_, err := a.f.WriteAt(p, at)
	return err
}

func (a *appendFile) Truncate(size int64) error {
	if size < 0 || size > a.end {
		return fmt.Errorf("%s: truncate beyond the end", a.f.Name())
	}
	if err := a.f.Truncate(size); err != nil {
		return err
	}
	a.end = size
	return nil
}

func (a *appendFile) Close() error { return errors.Join(a.dropRing(), a.f.Close()) }

// WriteSync makes p durable, and by a ring nothing that Write left before it. It keeps none of Go's processors meanwhile, where the kernel
// has a ring for it.
func (a *appendFile) WriteSync(p []byte) error {
	if !a.asked {
		a.asked = true
		a.ring, _ = newRing() // without one it waits for itself
	}
	if a.ring != nil && len(p) > 0 {
		n, err := a.ring.writeSync(a.f.Fd(), p, a.end)
		switch {
		case errors.Is(err, errNotBegun):
			_ = a.dropRing() // it held nothing
		case err != nil:
			return fmt.Errorf("%s: %w", a.f.Name(), err)
		case n == len(p):
			a.end += int64(n)
			return nil
		}
		p = p[n:] // Write says why there was no more
		a.end += int64(n)
	}
	return writeThenSync(a, p)
}

func (a *appendFile) dropRing() error {
	r := a.ring
	a.ring = nil
	if r == nil {
		return nil
	}
	return r.Close()
}

// Sync uses fdatasync: contents and length are durable, time stamps need not be.
func (a *appendFile) Sync() error {
	for {
		err := unix.Fdatasync(int(a.f.Fd()))
		if !errors.Is(err, unix.EINTR) { // interrupted before it did anything: the only error that may be repeated
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

type readFile struct {
	f    *os.File
	size int64
}

func (r readFile) ReadAt(p []byte, off int64) (int, error) { return r.f.ReadAt(p, off) }

func (r readFile) Size() int64 { return r.size }

func (r readFile) Close() error { return r.f.Close() }
