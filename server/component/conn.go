package component

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
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
	shown  string  // the secret that it was last held to; owned by read
	from   netip.Addr
	proven bool // a domain, once; guarded by the lock of all

	queue chan queued
	ended chan struct{} // nothing is written any more
	heard chan struct{} // nothing is read any more

	mu      sync.Mutex // held for a moment
	full    bool       // the end is queued, and nothing behind it
	stopped bool
	revoked bool // nothing that it says is taken any more
}

// queued is what waits to be written.
type queued struct {
	bytes []byte
	done  server.Delivered // nil for what is ours
	then  then
}

// then is what follows when something was written.
type then uint8

const (
	goOn   then = iota
	closed      // the connection ends
	waited      // it ends when the component has ended its side, which it is given a while for
)

func newConn(all *Components, socket net.Conn) *conn {
	n := &conn{all: all, socket: socket, queue: make(chan queued, maxQueue), ended: make(chan struct{}), heard: make(chan struct{})}
	n.stream = &stream{id: rand.Text(), secret: func(domain jid.JID) (secret string, known bool) {
		n.shown, known = all.secret(domain)
		return n.shown, known
	}}
	return n
}

// stop ends the connection from any goroutine.
func (n *conn) stop() {
	n.mu.Lock()
	n.full = true
	if !n.stopped {
		close(n.ended)
	}
	n.stopped = true
	n.mu.Unlock()
	_ = n.socket.Close() // both goroutines end by it
}

// revoke takes nothing more from the component, and ends the connection behind what waits for it.
func (n *conn) revoke(why stanza.StreamCondition) {
	n.mu.Lock()
	n.revoked = true
	n.mu.Unlock()
	n.end(n.stream.ending(why), closed)
}

// standing is how far the end has come.
func (n *conn) standing() (ending, revoked bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.full, n.revoked
}

// shutDown ends the connection behind what waits for it; what the component said before it knew is taken.
func (n *conn) shutDown() { n.end(n.stream.ending(stanza.StreamSystemShutdown), waited) }

// read takes what the component says.
func (n *conn) read() {
	defer n.all.gone(n)
	defer close(n.heard)
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
			n.end(n.stream.broken(err).write, closed)
			return
		}
		out := n.stream.event(ev)
		if !out.domain.IsZero() {
			if !n.all.claim(out.domain, n.shown, n) {
				out = n.stream.fail(stanza.StreamConflict)
			} else {
				dec.SetLimits(xmlstream.ServerLimits())
				_ = n.socket.SetReadDeadline(time.Time{}) // as above
			}
		}
		if out.end {
			n.end(out.write, closed)
			return
		}
		fits := len(out.write) == 0 || n.put(queued{bytes: out.write})
		ending, revoked := n.standing()
		if !fits && !ending {
			n.stop()
			return
		}
		if out.refused != nil {
			n.all.cfg.Log.Warn("a component said what is no stanza", zap.Stringer("domain", n.stream.domain), zap.Error(out.refused))
		}
		if !out.stanza.IsZero() && !revoked {
			n.all.cfg.Gate.Submit(n.all.ctx, out.stanza, 0, func() {})
		}
	}
}

// end writes the last bytes, behind what waits; where an end waits already, that is it.
func (n *conn) end(last []byte, how then) {
	n.mu.Lock()
	room := true
	if !n.full {
		select {
		case n.queue <- queued{bytes: last, then: how}:
		default:
			room = false
		}
	}
	n.full = true
	n.mu.Unlock()
	if !room { // it does not read
		n.stop()
	}
}

// put queues; false where there is no room, or no connection any more.
func (n *conn) put(q queued) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.full {
		return false
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
			if err == nil && q.then == goOn {
				continue
			}
			if err == nil && q.then == waited {
				_ = n.socket.SetReadDeadline(time.Now().Add(closeTimeout)) // a socket that cannot be timed is ended by Close
				<-n.heard
			}
			n.stop()
			return
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
