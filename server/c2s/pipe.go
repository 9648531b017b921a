package c2s

import (
	"crypto/tls"
	"io"
	"net"
	"time"

	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// pipe carries one stream: a socket, a WebSocket, or a session of requests. next, fill, restart, limit and stamp are the
// reader's alone; write, ping and hangUp are called under link.wmu, interrupt under link.mu.
type pipe interface {
	// next gives an event of what has arrived, and how many bytes stand behind it. xmlstream.ErrShort: fill first.
	next() (xmlstream.Event, int, error)
	// fill waits for more.
	fill() error
	restart(xmlstream.Limits)
	limit(xmlstream.Limits)
	// stamp tells what each stanza will be given, from now on.
	stamp(*xmlstream.Stamp)
	// write writes first-level elements that end where ends says; what stands between the streams of a socket is one, too.
	write(data []byte, ends []int) error
	// ping asks the peer for a sign of life below the stream.
	ping()
	// interrupt makes fill return, now or soon.
	interrupt()
	// hangUp closes after the last words were written.
	hangUp(end stream.Closed)
}

// writeTimeout is how long one write may wait for a client that does not read.
const writeTimeout = 30 * time.Second

// idleBuffer is what a client that says little is read with: an idle session should cost as little as it says. Of this size there is next to
// no garbage (of 512 there is much), so that sessions lie side by side.
const idleBuffer = 480

// lingering is how long a client may take to read our last words.
const lingering = time.Second

// maxDrained is how much of what it still sends is thrown away.
const maxDrained = 64 << 20

// socket is TCP, with or without TLS.
type socket struct {
	conn net.Conn // changes under both locks of the link, by its reader
	dec  *xmlstream.Decoder
}

func newSocket(conn net.Conn, first xmlstream.Limits) *socket {
	return &socket{conn: conn, dec: xmlstream.NewDecoder(xmlstream.Options{Limits: first, ContentNS: xmlstream.NSClient, FirstBuffer: idleBuffer})}
}

func (s *socket) next() (xmlstream.Event, int, error) {
	ev, err := s.dec.Next()
	return ev, s.dec.Behind(), err
}

func (s *socket) fill() error {
	_, err := s.dec.Fill(s.conn)
	return err
}

func (s *socket) restart(l xmlstream.Limits) { s.dec.Restart(l) }

func (s *socket) limit(l xmlstream.Limits) { s.dec.SetLimits(l) }

func (s *socket) stamp(st *xmlstream.Stamp) { s.dec.SetStamp(st) }

func (s *socket) write(data []byte, ends []int) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // a failure shows in the write
	if z, ok := s.conn.(*squeezed); ok {
		return z.write(data, ends)
	}
	_, err := s.conn.Write(data)
	return err
}

func (s *socket) ping() {}

func (s *socket) interrupt() { _ = s.conn.SetReadDeadline(time.Now()) }

func (s *socket) hangUp(end stream.Closed) {
	defer s.conn.Close()
	if end.Cause == stream.ClosedByPeer || end.Cause == stream.ConnLost { // it waits for nothing but the end
		return
	}
	drain(s.conn)
}

// drain ends our half of a connection that is about to be closed. What the client still sends is thrown away for a moment,
// as it comes from the network and without looking at it, or the reset would eat our last words.
func drain(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	below := conn
	if z, ok := below.(*squeezed); ok {
		below = z.Conn
	}
	if secured, ok := below.(*tls.Conn); ok {
		below = secured.NetConn()
		if under, ok := below.(*shown); ok {
			below = under.Conn
		}
		if half, ok := below.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite() // a failure shows in the read
		}
	}
	_ = below.SetReadDeadline(time.Now().Add(lingering))
	_, _ = io.CopyN(io.Discard, below, maxDrained)
}
