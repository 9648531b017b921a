// Package disk is the seam between durable logs (audit, spool) and the file system: one directory, a handful of
// operations, checksummed frames, and recovery after a crash.
//
// In the room: [FS] and [File] with the real implementation ([OpenDir]), atomic replacement of small files
// ([Replace]), one write made durable at a time ([WriteSync]), record framing with CRC32C ([AppendFrame], [ParseFrame]) and the scan that tells a torn tail from
// damage ([Scan]). Sub-package faulty is an in-memory FS that fails, runs full and crashes on demand.
//
// Not in the room: what the frames mean, when to rotate, when to sync. It starts no goroutine, keeps no global and
// never retries: after a failed write or sync the state of the file is unknown, and only its owner can decide what
// that means (for logs: stop for ever, see "fsync and its errors" in doc comments of [File]).
package disk

import (
	"errors"
	"fmt"
	"io"
)

// ErrLocked says that another process holds the lock.
var ErrLocked = errors.New("locked by another process")

// ErrTooLarge says that a file exceeds what its reader allows.
var ErrTooLarge = errors.New("file too large")

// FS is one directory. Names are plain file names in it; a path that leaves the directory is an error.
type FS interface {
	// Create makes a new file for appending. It is an error when the name exists.
	Create(name string) (File, error)
	// Append opens an existing file for appending.
	Append(name string) (File, error)
	// Open opens an existing file for reading.
	Open(name string) (Reader, error)
	// Rename replaces newName atomically; durable only after SyncDir.
	Rename(oldName, newName string) error
	// Remove deletes a file; durable only after SyncDir.
	Remove(name string) error
	// List returns the regular files in name order.
	List() ([]Info, error)
	// SyncDir makes creations, renames and removals durable.
	SyncDir() error
	// Lock takes an exclusive lock that ends with Close or with the process; ErrLocked when another holds it.
	Lock(name string) (io.Closer, error)
}

// Info is one entry of a listing.
type Info struct {
	Name string
	Size int64
}

// File is open for appending.
//
// After an error from Write, Sync or Truncate the contents are unknown: a later Sync may succeed although the data
// never reached the disk (the kernel drops dirty pages after reporting the error once). Owners must not use the
// file again.
type File interface {
	io.Writer
	// Sync makes the contents durable (fdatasync). The name needs FS.SyncDir.
	Sync() error
	// Rewrite writes p again at offset at, within the file. Bytes that are already there reach the disk again with the
	// next Sync, which is how a new owner makes sure of what an earlier one may not have synced.
	Rewrite(p []byte, at int64) error
	// Truncate cuts the file; later writes go to its new end.
	Truncate(size int64) error
	Close() error
}

// WriteSync writes p at the end of a file and makes it durable, at once where the file can. What Write has left before still needs Sync.
// After an error the contents are unknown.
func WriteSync(f File, p []byte) error {
	if once, ok := f.(interface{ WriteSync(p []byte) error }); ok {
		return once.WriteSync(p)
	}
	return writeThenSync(f, p)
}

func writeThenSync(f File, p []byte) error {
	if _, err := f.Write(p); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

// Reader is open for reading.
type Reader interface {
	io.ReaderAt
	Size() int64
	Close() error
}

// ReadFile reads a whole file of at most limit bytes.
func ReadFile(fs FS, name string, limit int64) (data []byte, err error) {
	r, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	size := r.Size()
	if size > limit {
		return nil, ErrTooLarge
	}
	data = make([]byte, size)
	n, err := r.ReadAt(data, 0)
	if errors.Is(err, io.EOF) {
		err = nil // the file is being written or was cut meanwhile: n says what there is
	}
	return data[:n], err
}

// Replace writes data to name so that after a crash the file holds either the old contents or the new, never a mix.
// Only one writer per name: the temporary file is name + ".new".
func Replace(fs FS, name string, data []byte) error {
	temporary := name + ".new"
	if err := fs.Remove(temporary); err != nil && !errors.Is(err, ErrNotExist) {
		return err
	}
	f, err := fs.Create(temporary)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := fs.Rename(temporary, name); err != nil {
		return err
	}
	return fs.SyncDir()
}
