// Package faulty is a file system in memory that fails, fills up and loses power on demand, so that logs can be tested
// at every I/O call and every point of a crash, the same way each time.
//
// It keeps apart what a program sees and what a disk has promised: contents become durable with File.Sync, names
// (creation, renaming, removal) with FS.SyncDir. Crash throws away some of the rest. It is for tests; no product code
// imports it.
package faulty

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"syscall"

	"sallyport/internal/disk"
)

// ErrCrashed is what handles opened before a crash return after it. A Plan that returns it from some call on plays a
// machine without power: unlike other errors of Sync it leaves to Crash what reached the disk.
var ErrCrashed = errors.New("crashed")

// Errors that disks give.
var (
	ErrIO   error = syscall.EIO
	ErrFull error = syscall.ENOSPC
)

// Kind is the kind of an I/O call.
type Kind uint8

// The calls that a Plan is asked about.
const (
	NoKind Kind = iota
	Create
	Append
	Open
	Rename
	Remove
	List
	SyncDir
	Write
	Rewrite
	Sync
	Truncate
	Read
)

func (k Kind) String() string {
	names := [...]string{"none", "create", "append", "open", "rename", "remove", "list", "syncdir", "write", "rewrite", "sync", "truncate", "read"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Op is one I/O call. N counts all calls from 1.
type Op struct {
	N     int
	Kind  Kind
	Name  string
	Bytes int
}

// Fault is what happens instead of success. The zero value is success. Short is the number of bytes that a failing
// write still writes.
type Fault struct {
	Err   error
	Short int
}

// Plan decides about each call. It runs under the lock of the file system and must not call it.
type Plan func(Op) Fault

// FailAt fails the call with number n, and only that.
func FailAt(n int, f Fault) Plan {
	return func(op Op) Fault {
		if op.N == n {
			return f
		}
		return Fault{}
	}
}

// FS is the file system. The zero value is not usable: call New. It is safe for concurrent use.
type FS struct {
	mu       sync.Mutex
	names    map[string]*file // what the program sees
	durable  map[string]*file // what survives a crash for certain
	pending  []change         // changes of names since the last SyncDir
	locks    map[string]bool
	plan     Plan
	calls    int
	capacity int64
	epoch    int // counts crashes; handles of an earlier one are dead
}

// change is one unsynced change of the directory: name now means file, or nothing.
type change []struct {
	name string
	file *file
}

var _ disk.FS = (*FS)(nil)

// New returns an empty file system without limits or faults.
func New() *FS {
	return &FS{names: map[string]*file{}, durable: map[string]*file{}, locks: map[string]bool{}}
}

// SetPlan replaces the plan; nil means no faults. Calls are counted on.
func (s *FS) SetPlan(p Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan = p
}

// SetCapacity bounds the bytes of all files; a write beyond it is short and fails with ErrFull. 0 means no bound.
func (s *FS) SetCapacity(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.capacity = bytes
}

// Calls returns how many I/O calls there were.
func (s *FS) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Create implements disk.FS.
func (s *FS) Create(name string) (disk.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(Create, name, 0).Err; err != nil {
		return nil, err
	}
	if s.names[name] != nil {
		return nil, fmt.Errorf("create %s: %w", name, disk.ErrExist)
	}
	f := &file{}
	s.change(change{{name, f}})
	return &handle{fs: s, name: name, file: f, epoch: s.epoch}, nil
}

// Append implements disk.FS.
func (s *FS) Append(name string) (disk.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.existing(Append, name)
	if err != nil {
		return nil, err
	}
	return &handle{fs: s, name: name, file: f, epoch: s.epoch}, nil
}

// Open implements disk.FS.
func (s *FS) Open(name string) (disk.Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.existing(Open, name)
	if err != nil {
		return nil, err
	}
	return &handle{fs: s, name: name, file: f, size: int64(len(f.seen)), epoch: s.epoch}, nil
}

// Rename implements disk.FS.
func (s *FS) Rename(oldName, newName string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.existing(Rename, oldName)
	if err != nil {
		return err
	}
	s.change(change{{oldName, nil}, {newName, f}})
	return nil
}

// Remove implements disk.FS.
func (s *FS) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.existing(Remove, name); err != nil {
		return err
	}
	s.change(change{{name, nil}})
	return nil
}

// List implements disk.FS.
func (s *FS) List() ([]disk.Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(List, "", 0).Err; err != nil {
		return nil, err
	}
	list := make([]disk.Info, 0, len(s.names))
	for name, f := range s.names {
		list = append(list, disk.Info{Name: name, Size: int64(len(f.seen))})
	}
	slices.SortFunc(list, func(a, b disk.Info) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// SyncDir implements disk.FS.
func (s *FS) SyncDir() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(SyncDir, "", 0).Err; err != nil {
		return err
	}
	for _, c := range s.pending {
		apply(s.durable, c)
	}
	s.pending = nil
	return nil
}

// Lock implements disk.FS. A crash releases it, as the end of the process does.
func (s *FS) Lock(name string) (io.Closer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locks[name] {
		return nil, disk.ErrLocked
	}
	s.locks[name] = true
	return &lock{s, name, s.epoch}, nil
}

type lock struct {
	fs    *FS
	name  string
	epoch int
}

func (l *lock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	if l.epoch == l.fs.epoch {
		delete(l.fs.locks, l.name)
	}
	return nil
}

// call counts one I/O call and asks the plan.
func (s *FS) call(k Kind, name string, bytes int) Fault {
	s.calls++
	if s.plan == nil {
		return Fault{}
	}
	return s.plan(Op{N: s.calls, Kind: k, Name: name, Bytes: bytes})
}

func (s *FS) existing(k Kind, name string) (*file, error) {
	if err := s.call(k, name, 0).Err; err != nil {
		return nil, err
	}
	f := s.names[name]
	if f == nil {
		return nil, fmt.Errorf("%s %s: %w", k, name, disk.ErrNotExist)
	}
	return f, nil
}

func (s *FS) change(c change) {
	apply(s.names, c)
	s.pending = append(s.pending, c)
}

func apply(names map[string]*file, c change) {
	for _, e := range c {
		if e.file == nil {
			delete(names, e.name)
		} else {
			names[e.name] = e.file
		}
	}
}

func (s *FS) used() int64 {
	var n int64
	for _, f := range s.names {
		n += int64(len(f.seen))
	}
	return n
}
