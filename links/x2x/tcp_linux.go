package x2x

import (
	"net"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/links"
)

// ofTCP takes what TCP itself has measured, where the carrier is on one: the round trip, and the share of the bytes that it sent again.
// What it sent again without need is in that share too.
func ofTCP(conn net.Conn, q *links.Quality) {
	t, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return
	}
	var info *unix.TCPInfo
	if raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }) != nil || err != nil {
		return
	}
	if info.Rtt > 0 {
		q.RoundTrip = time.Duration(info.Rtt) * time.Microsecond
	}
	if info.Bytes_sent > 0 { // kernels before 4.19 do not say
		q.Loss, q.LossMeasured = float64(info.Bytes_retrans)/float64(info.Bytes_sent), true
	}
}
