package component

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
)

// conn is one connection: a goroutine that reads and owns the stream, and one that writes what is queued.
type conn struct {
	all    *Components
	socket net.Conn
	stream *stream // owned by read; append, which changes nothing, is called by others too

	queue chan queued
	ended chan struct{} // nothing is queued any more
	once  sync.Once
}

// queued is what waits to be written.
type queued struct {
	bytes []byte
	done  server.Delivered // nil for what is ours
	last  bool
}

func newConn(all *Components, socket net.Conn) *conn {
	secret := func(domain jid.JID) (string, bool) {
		s, ok := all.cfg.Secrets[domain]
		return s, ok
	}
	return &conn{
		all: all, socket: socket, stream: &stream{secret: secret, id: rand.Text()},
		queue: make(chan queued, maxQueue), ended: make(chan struct{}),
	}
}

// stop ends the connection from any goroutine.
func (n *conn) stop() {
	n.once.Do(func() { close(n.ended) })
	_ = n.socket.Close() // both goroutines end by it
}

// read takes what the component says.
func (n *conn) read() {
	defer n.all.gone(n)
	_ = n.socket.SetReadDeadline(time.Now().Add(handshakeTimeout)) // a socket that cannot be timed fails at the read
	dec := xmlstream.NewDecoder(xmlstream.Options{Limits: xmlstream.PreAuthLimits(), ContentNS: Space})
	for {
		ev, err := dec.Next()
		switch {
		case errors.Is(err, xmlstream.ErrShort):
			if _, err := dec.Fill(n.socket); err != nil {
				n.stop()
				return
			}
			continue
		case errors.Is(err, io.EOF):
			n.stop()
			return
		case err != nil:
			n.end(n.stream.broken(err).write)
			return
		}
		out := n.stream.event(ev)
		if !out.domain.IsZero() {
			if !n.all.claim(out.domain, n) {
				out = n.stream.fail(stanza.StreamConflict)
			} else {
				dec.SetLimits(xmlstream.ServerLimits())
				_ = n.socket.SetReadDeadline(time.Time{}) // as above
			}
		}
		if out.end {
			n.end(out.write)
			return
		}
		if len(out.write) > 0 && !n.put(queued{bytes: out.write}) {
			n.stop()
			return
		}
		if out.refused != nil {
			n.all.cfg.Log.Warn("a component said what is no stanza", zap.Stringer("domain", n.stream.domain), zap.Error(out.refused))
		}
		if !out.stanza.IsZero() {
			n.all.cfg.Gate.Submit(n.all.ctx, out.stanza, func() {})
		}
	}
}

// end writes the last bytes, behind what waits.
func (n *conn) end(last []byte) {
	if !n.put(queued{bytes: last, last: true}) {
		n.stop()
	}
}

// put queues; false where there is no room, or no connection any more.
func (n *conn) put(q queued) bool {
	select {
	case <-n.ended:
		return false
	default:
	}
	select {
	case n.queue <- q:
		return true
	default:
		return false
	}
}

// send queues a stanza for the component.
func (n *conn) send(m stanza.Stanza, done server.Delivered) {
	b := n.stream.append(m)
	if b == nil {
		done(&server.Bounce{Condition: stanza.NotAcceptable, Cause: errors.New("it cannot be written for a component")})
		return
	}
	if !n.put(queued{bytes: b, done: done}) {
		done(&server.Bounce{Condition: stanza.ResourceConstraint, Cause: errors.New("the component does not read")})
		return
	}
	select {
	case <-n.ended: // the writer may have emptied the queue before
		n.drain()
	default:
	}
}

// write writes what is queued, and says so.
func (n *conn) write() {
	defer n.drain()
	for {
		select {
		case <-n.ended:
			return
		case q := <-n.queue:
			_ = n.socket.SetWriteDeadline(time.Now().Add(writeTimeout)) // a socket that cannot be timed fails at the write
			_, err := n.socket.Write(q.bytes)
			if q.done != nil {
				q.done(unwritten(err))
			}
			if err != nil || q.last {
				n.stop()
				return
			}
		}
	}
}

func unwritten(err error) error {
	if err == nil {
		return nil
	}
	return &server.Bounce{Condition: stanza.RemoteServerTimeout, Cause: err}
}

// drain says of everything that waits that it was not written.
func (n *conn) drain() {
	for {
		select {
		case q := <-n.queue:
			if q.done != nil {
				q.done(&server.Bounce{Condition: stanza.RemoteServerTimeout, Cause: errors.New("the component's connection has ended")})
			}
		default:
			return
		}
	}
}
