package control

import (
	"net"
	"sync/atomic"
)

// FailFirst has the first connection not accepted. Call it before Serve.
func (s *Server) FailFirst(err error) { s.listener = &failing{listener: s.listener, err: err} }

type failing struct {
	listener
	err  error
	done atomic.Bool
}

func (f *failing) AcceptUnix() (*net.UnixConn, error) {
	if !f.done.Swap(true) {
		return nil, f.err
	}
	return f.listener.AcceptUnix()
}
