//go:build !race

package rawconn

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// call is the number of a system call.
type call uintptr

const (
	read  call = unix.SYS_READ
	write call = unix.SYS_WRITE
)

// do moves what it can of p, without waiting.
func (c call) do(fd uintptr, p []byte) (int, unix.Errno) {
	n, _, no := unix.RawSyscall(uintptr(c), fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if no != 0 {
		return 0, no
	}
	return int(n), 0
}
