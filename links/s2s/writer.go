package s2s

import (
	"crypto/tls"
	"errors"
	"time"

	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/peering"
)

const (
	takeItems  = 128         // taken from a queue at a time
	batchBytes = wireBytes   // encoded before a write
	lingerTime = time.Second // for the peer to read our last words before the socket is closed
)

// write is the writer: it owns the timer, and closes the connection at the end.
func (s *serverStream) write() {
	defer close(s.dead)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		more, next, over, err := s.flush()
		switch {
		case over:
			s.hangUp()
			return
		case err != nil:
			s.step(stream.Lost{Cause: clean(err.Error())})
			continue
		case more:
			continue
		case s.finishing.Swap(false):
			s.step(stream.Close{})
			continue
		}
		timer.Reset(max(time.Until(next), 0))
		select {
		case <-s.wakeup:
			s.signalled.Store(false)
		case <-timer.C:
		}
	}
}

// flush encodes what there is to write and writes it, once.
func (s *serverStream) flush() (more bool, next time.Time, over bool, err error) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	s.mu.Lock()
	now := time.Now()
	if s.ackDue.Swap(false) {
		s.stepLocked(now, stream.AckDue{})
	}
	s.tick(now)
	if s.closed == nil {
		more = s.fill(now)
		next = s.pingOrLetGo(now)
		s.deadline = s.m.Deadline()
		if d := s.deadline; !d.IsZero() && d.Before(next) {
			next = d
		}
		if now.Before(s.holdOff) && s.holdOff.Before(next) {
			next = s.holdOff
		}
	}
	over = s.closed != nil
	buf := s.out
	s.out = s.spare[:0]
	s.mu.Unlock()
	if len(buf) > 0 {
		s.wire.cork()
		_, err = s.conn.Write(buf)
		if e := s.wire.uncork(); err == nil {
			err = e
		}
	}
	if cap(buf) > 4*batchBytes {
		buf = nil
	}
	s.spare = buf
	return more, next, over, err
}

// flushBefore writes what the machine said before StartTLS.
func (s *serverStream) flushBefore() error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	s.mu.Lock()
	buf := s.out
	s.out = nil
	s.mu.Unlock()
	_, err := s.conn.Write(buf)
	return err
}

// hangUp ends TLS and TCP, and gives the peer a moment to read why: closing a socket with unread bytes in it would throw away our last
// words (RFC 1122 §4.2.2.13).
func (s *serverStream) hangUp() {
	s.wmu.Lock()
	conn := s.conn
	s.wmu.Unlock()
	if t, ok := conn.(*tls.Conn); ok {
		_ = t.CloseWrite() // close_notify
	}
	if t, ok := s.wire.Conn.(interface{ CloseWrite() error }); ok && t.CloseWrite() == nil {
		_ = s.wire.Conn.SetReadDeadline(time.Now().Add(lingerTime))
		select {
		case <-s.drained:
		case <-s.ctx.Done():
		}
	}
	_ = s.wire.Conn.Close()
	s.cancel()
}

// fill takes from the queues in turn and encodes, until the buffer is large or nothing is left. Caller holds mu.
func (s *serverStream) fill(now time.Time) (more bool) {
	if now.Before(s.holdOff) && !s.m.Managed() {
		return false
	}
	gone := false
	for range s.lanes {
		s.turn = (s.turn + 1) % len(s.lanes)
		l := s.lanes[s.turn]
		for !l.stuck && len(s.out) < batchBytes {
			if l.next == len(l.pending) {
				clear(l.pending)
				l.pending = l.q.take(s, l.pending[:0], takeItems)
				if l.next = 0; len(l.pending) == 0 {
					break
				}
			}
			s.send(now, l)
		}
		gone = gone || l.gone
		if len(s.out) >= batchBytes {
			more = true
			break
		}
	}
	if gone {
		s.dropLanes(now)
	}
	return more
}

// dropLanes gives up the queues whose pair this stream carries no longer.
func (s *serverStream) dropLanes(now time.Time) {
	keep := s.lanes[:0]
	for _, l := range s.lanes {
		if l.gone {
			s.link.orphaned(now, l.q, s, false)
			continue
		}
		keep = append(keep, l)
	}
	clear(s.lanes[len(keep):])
	s.lanes = keep
}

// stop makes a lane wait; what it had taken grows old in its queue.
func (l *lane) stop() {
	l.stuck = true
	l.q.putBack(l.pending[l.next:])
	clear(l.pending)
	l.pending, l.next = l.pending[:0], 0
}

// send encodes the lane's next stanza, or stops the lane.
func (s *serverStream) send(now time.Time, l *lane) {
	it := &l.pending[l.next]
	switch {
	case expired(&it.Consignment, now):
		s.link.counters.Expired.Add(1)
		l.refuse(links.Expired, links.ErrExpired)
		return
	case s.crowded():
		l.stop()
		return
	}
	start := len(s.out)
	out, err := it.Written.AppendElement(s.out, it.Released.Element(), xmlstream.NSServer)
	if err != nil {
		s.link.counters.Failed.Add(1)
		l.refuse(links.Failed, err)
		return
	}
	size := len(out) - start
	r := s.m.Send(now, stream.Item{Element: it.Released.Element(), Bytes: size, Token: s.flight.next(), Pair: l.q.key.pair()})
	switch r.Verdict {
	case stream.SendNow:
		s.out = out
		if r.AskAck {
			s.out = s.m.AppendAckRequest(s.out)
		}
		s.flight.add(sent{queued: *it, q: l.q, bytes: size, at: now, tracked: r.Tracked})
		l.next++
		s.link.counters.StanzasOut.Add(1)
		s.link.counters.BytesOut.Add(uint64(size)) //nolint:gosec // a length
	case stream.SendTooBig:
		s.link.counters.Failed.Add(1)
		l.refuse(links.Failed, links.ErrTooBig)
	case stream.SendFull:
		if r.AskAck {
			s.out = s.m.AppendAckRequest(s.out)
		}
		l.stop()
	case stream.SendClosed, stream.SendKept: // the end is on its way here
		l.stop()
	case stream.SendNever:
		l.stop()
		l.gone = true
	}
}

// refuse reports the lane's next stanza as not written.
func (l *lane) refuse(d links.Disposition, cause error) {
	c := l.pending[l.next].Consignment
	l.next++
	c.Reporter.Report(c.Token, d, cause)
}

// crowded reports that too much is unconfirmed without stream management, which has bounds of its own.
func (s *serverStream) crowded() bool {
	limits := s.link.table().limits
	return s.flight.untracked >= limits.Flight || s.flight.untrackedBytes >= limits.FlightBytes
}

// filling reports that half of that is reached.
func (s *serverStream) filling() bool {
	limits := s.link.table().limits
	return s.flight.untracked > limits.Flight/2 || s.flight.untrackedBytes > limits.FlightBytes/2
}

// unstick lets lanes go on after a confirmation.
func (s *serverStream) unstick() {
	for _, l := range s.lanes {
		if l.stuck {
			l.stuck = false
			s.wake()
		}
	}
}

// tick gives the machine its Tick when it is due. While the sink holds the reader, answers stay unread in the socket: the peer's silence
// is then ours. Caller holds mu.
func (s *serverStream) tick(now time.Time) {
	if s.closed != nil {
		return
	}
	if s.held.Load() {
		s.m.Busy(now)
	}
	if d := s.m.Deadline(); !d.IsZero() && !now.Before(d) {
		s.stepLocked(now, stream.Tick{})
	}
}

// checkReleased is the last gate before a queue.
func checkReleased(r *peering.Released, link string) error {
	if err := r.Check(link, r.Remote()); err != nil {
		return errors.Join(links.ErrRefused, err)
	}
	return nil
}
