//go:build race

package rawconn

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// call is a system call as the race detector knows it: that it fills a buffer, and that what is read was written before. Of a raw one it sees
// neither, and would report what a connection put in order, and miss what is done to a buffer in use. It has to be package syscall: what that
// orders, package unix does not know of, and the other end may be any net.Conn.
type call func(fd int, p []byte) (int, error)

var (
	read  call = syscall.Read
	write call = syscall.Write
)

// do moves what it can of p, without waiting.
func (c call) do(fd uintptr, p []byte) (int, unix.Errno) {
	n, err := c(int(fd), p)
	if no := syscall.Errno(0); errors.As(err, &no) {
		return 0, no
	}
	return n, 0
}
