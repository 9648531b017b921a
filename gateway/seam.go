package gateway

import (
	"context"
	"io"
	"net"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/s2s"
	"sallyport/links/x2x"
	"sallyport/server"
	"sallyport/server/account"
)

// link is what the pipeline needs of the thing that carries its stanzas. Package s2s has
// the real one.
type link interface {
	links.Outlet
	// Unreserve gives back the room of a Reserve that no Deliver will follow.
	Unreserve(local, remote jid.JID)
	Start(ctx context.Context) error
	// Prepare does everything about a new configuration that can fail; then one of use and drop is
	// called.
	Prepare(cfg s2s.Config) (use, drop func(), err error)
	// Shutdown has called Accept for the last time, and reported everything it was given,
	// when it returns.
	Shutdown(ctx context.Context) error
}

// watched is what status and monitoring read of it.
type watched interface {
	Status() s2s.Status
	Counters() *s2s.Counters
	Addresses(side string, direct bool) []net.Addr
}

type watchedLink interface {
	link
	watched
}

var _ watchedLink = (*s2s.Link)(nil)

// seams are the places where a test puts something of its own. Nil is the real thing.
type seams struct {
	link     func(cfg s2s.Config, sink links.Sink, env s2s.Env) (watchedLink, error)
	disk     disk.FS       // holds the audit log, in place of its directory
	heads    time.Duration // how often its head is signed
	spool    disk.FS       // holds the spool
	carriers x2x.Env       // the network of all links but the server-to-server one
	services func() ([]io.Closer, error)
	server   func(server.Gate) (serves, account.Accounts) // in place of the server of this node
}

func (s *seams) makeLink(cfg s2s.Config, sink links.Sink, env s2s.Env) (watchedLink, error) {
	if s.link != nil {
		return s.link(cfg, sink, env)
	}
	return s2s.New(cfg, sink, env)
}
