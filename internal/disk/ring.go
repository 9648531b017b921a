package disk

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What waits in a system call keeps one of Go's processors until the runtime's watch notices and takes it away, and as long as it finds
// something to take, the watch looks every twenty microseconds: a twelfth of a busy program's time. What a log does hundreds of times a
// second is therefore left to the kernel, and waited for as one waits for a network: by a descriptor that becomes readable.

// ring is an io_uring(7) for one write at a time, of one goroutine.
type ring struct {
	fd     int
	file   *os.File // fd, with the poller: readable when a write has ended
	raw    syscall.RawConn
	ended  func(fd uintptr) bool
	p      ringParams
	shared []byte // both queues
	slots  []byte // the entries that the submission queue names
	buf    []byte // what is being written: reached from the heap, so that nothing moves it
	result int32  // of the write that has ended
}

// ringParams, ringQueue, ringEntry and ringEvent are struct io_uring_params with its offsets, io_uring_sqe and io_uring_cqe of linux/io_uring.h.
type (
	ringParams struct {
		entries, events, flags, cpu, idle, features, queue uint32
		_                                                  [3]uint32
		submission, completion                             ringQueue
	}
	ringQueue struct {
		head, tail, mask, entries uint32
		_                         uint32 // flags, or overflow
		cqes                      uint32 // of completion: where its events are
		array                     uint32 // of submission: numbers of its entries
		_                         uint32
		_                         uint64
	}
	ringEntry struct {
		op, flags     uint8
		_             uint16
		fd            int32
		offset, addr  uint64
		size, rwFlags uint32
		_             [4]uint64
	}
	ringEvent struct {
		_      uint64
		result int32
		_      uint32
	}
)

const (
	ringOpWrite   = 23         // IORING_OP_WRITE, Linux 5.6
	ringAsync     = 0x10       // IOSQE_ASYNC: the caller does not even try
	ringGetEvents = 1          // IORING_ENTER_GETEVENTS
	ringNeeded    = 1 | 8      // IORING_FEAT_SINGLE_MMAP, and _RW_CUR_POS, which came with ringOpWrite
	ringSlots     = 0x10000000 // IORING_OFF_SQES
)

// errNotBegun says that the kernel did nothing of what it was asked for.
var errNotBegun = errors.New("not begun")

// newRing fails where the kernel is older than Linux 5.6 or does not allow it (kernel.io_uring_disabled, filters of containers).
func newRing() (*ring, error) {
	r := &ring{fd: -1}
	if err := r.open(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.ended = r.take
	return r, nil
}

func (r *ring) open() error {
	fd, _, no := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&r.p)), 0)
	if no != 0 {
		return os.NewSyscallError("io_uring_setup", no)
	}
	r.fd = int(fd)
	if r.p.features&ringNeeded != ringNeeded {
		return fmt.Errorf("io_uring of an old kernel: features %#x", r.p.features)
	}
	size := max(r.p.submission.array+r.p.entries*4, r.p.completion.cqes+r.p.events*uint32(unsafe.Sizeof(ringEvent{})))
	const access, kind = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	var err error
	if r.shared, err = unix.Mmap(r.fd, 0, int(size), access, kind); err != nil {
		return os.NewSyscallError("mmap", err)
	}
	if r.slots, err = unix.Mmap(r.fd, ringSlots, int(r.p.entries)*int(unsafe.Sizeof(ringEntry{})), access, kind); err != nil {
		return os.NewSyscallError("mmap", err)
	}
	if err = unix.SetNonblock(r.fd, true); err != nil { // or the poller does not take it
		return os.NewSyscallError("fcntl", err)
	}
	if r.file, r.raw, err = polled(r.fd, "io_uring"); err != nil {
		r.fd = -1 // closed
	}
	return err
}

// word is a number that is shared with the kernel.
func (r *ring) word(at uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.shared[at])) }

// writeSync writes p at an offset of a file and makes it durable, as with O_DSYNC. It returns how much of p that was: less than all where
// there is no more room. After errNotBegun nothing was written, and the ring is of no use any more.
func (r *ring) writeSync(file uintptr, p []byte, at int64) (int, error) {
	r.buf = p
	aboutToWrite()
	if err := r.begin(ringEntry{
		op: ringOpWrite, flags: ringAsync, fd: int32(file), offset: uint64(at), size: uint32(len(p)), rwFlags: unix.RWF_DSYNC,
		addr: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(p)))),
	}); err != nil {
		return 0, err
	}
	if err := r.raw.Read(r.ended); err != nil { // no poller: what was begun must end before its memory is another's
		if err := r.waitInCall(); err != nil {
			return 0, err // the memory stays the kernel's
		}
	}
	r.buf = nil
	written(p)
	if r.result >= 0 {
		return int(r.result), nil
	}
	switch no := unix.Errno(-r.result); no {
	case unix.EINVAL, unix.EOPNOTSUPP, unix.ENOSYS, unix.ECANCELED, unix.EINTR: // not with this file; the thread that asked has ended
		return 0, errors.Join(errNotBegun, no)
	default:
		return 0, os.NewSyscallError("write and sync", no)
	}
}

// begin hands one entry to the kernel.
func (r *ring) begin(e ringEntry) error {
	q := &r.p.submission
	tail := *r.word(q.tail) // nobody else writes it
	slot := tail & *r.word(q.mask)
	*(*ringEntry)(unsafe.Pointer(&r.slots[uintptr(slot)*unsafe.Sizeof(e)])) = e
	*r.word(q.array + 4*slot) = slot
	atomic.StoreUint32(r.word(q.tail), tail+1)
	if n, _, no := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 1, 0, 0, 0, 0); no != 0 || n != 1 {
		return errors.Join(errNotBegun, os.NewSyscallError("io_uring_enter", no))
	}
	return nil
}

// take takes an event from its queue; false when there is none. It is called by the poller.
func (r *ring) take(uintptr) bool {
	q := &r.p.completion
	head := *r.word(q.head) // nobody else writes it
	if head == atomic.LoadUint32(r.word(q.tail)) {
		return false
	}
	slot := head & *r.word(q.mask)
	r.result = (*ringEvent)(unsafe.Pointer(&r.shared[uintptr(q.cqes)+uintptr(slot)*unsafe.Sizeof(ringEvent{})])).result
	atomic.StoreUint32(r.word(q.head), head+1)
	return true
}

func (r *ring) waitInCall() error {
	for !r.take(0) {
		_, _, no := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 0, 1, ringGetEvents, 0, 0)
		if no != 0 && no != unix.EINTR && no != unix.EAGAIN {
			return os.NewSyscallError("io_uring_enter", no)
		}
	}
	return nil
}

// Close must not be called during writeSync.
func (r *ring) Close() error {
	var errs []error
	for _, m := range [...][]byte{r.shared, r.slots} {
		if m != nil {
			errs = append(errs, unix.Munmap(m))
		}
	}
	switch {
	case r.file != nil:
		errs = append(errs, r.file.Close())
	case r.fd >= 0:
		errs = append(errs, unix.Close(r.fd))
	}
	return errors.Join(errs...)
}
