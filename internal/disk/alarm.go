package disk

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// alarm waits for some hundred microseconds (timerfd_create(2)), for one goroutine. A timer of Go's is late where nothing else runs, as it
// waits in epoll, which counts in milliseconds: twenty times what is meant, and more than a sync. And who sleeps in the kernel keeps a
// processor of Go's until that is taken away, see ring.
type alarm struct {
	fd    int
	file  *os.File // fd, with the poller
	raw   syscall.RawConn
	rung  func(fd uintptr) bool
	times uint64
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	a := &alarm{fd: fd}
	a.rung = func(fd uintptr) bool {
		_, _, no := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&a.times)), unsafe.Sizeof(a.times))
		return no != unix.EAGAIN
	}
	if a.file, a.raw, err = polled(fd, "timerfd"); err != nil {
		return nil, err
	}
	return a, nil
}

// polled gives a descriptor to the poller. File.Fd would take it away from there again.
func polled(fd int, name string) (*os.File, syscall.RawConn, error) {
	f := os.NewFile(uintptr(fd), name)
	raw, err := f.SyscallConn()
	if err == nil {
		err = f.SetReadDeadline(time.Time{}) // fails where there is no poller
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, raw, nil
}

func (a *alarm) sleep(d time.Duration) error {
	until := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if _, _, no := unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(a.fd), 0, uintptr(unsafe.Pointer(&until)), 0, 0, 0); no != 0 {
		return os.NewSyscallError("timerfd_settime", no)
	}
	return a.raw.Read(a.rung)
}

func (a *alarm) Close() error { return a.file.Close() }
