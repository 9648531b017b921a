package x2x

import (
	"crypto/tls"
	"errors"
	"time"

	"sallyport/links"
	"sallyport/links/custody"
)

// write is the writer: it owns the timer, and closes the connection at the end.
func (c *carrier) write() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	defer c.hangUp()
	for {
		more, next, over, err := c.flush()
		switch {
		case err != nil:
			c.lost(err)
			return
		case over:
			return
		case more:
			continue
		}
		wait := heldBeat / 2 // nobody wakes us when the reader gets held up
		if !next.IsZero() {
			wait = min(wait, max(time.Until(next), 0))
		}
		timer.Reset(wait)
		select {
		case <-c.wakeup:
		case <-timer.C:
		case <-c.ctx.Done(): // the socket is closed by now; the reader says so to the stream
			<-c.drained
		}
	}
}

// flush does what is due, encodes what there is to send, and writes it once.
func (c *carrier) flush() (more bool, next time.Time, over bool, err error) {
	now := time.Now()
	c.mu.Lock()
	c.settle(now)
	if h := c.held.Load(); h != 0 {
		c.s.Busy(time.Unix(0, h))
	} else {
		c.s.Busy(time.Time{})
	}
	if !c.over {
		more = c.fill(now)
		if d := c.s.Deadline(); !d.IsZero() && !now.Before(d) {
			c.s.Tick(now)
		}
		if c.closeq && !more {
			c.s.Close(now)
		}
	}
	next = c.s.Deadline()
	buf := c.s.Output(c.spare)
	over = c.over
	var done []func()
	for !over { // what time brought about
		e, ok := c.s.Timed()
		if !ok {
			break
		}
		left := c.collect(&e)
		done = append(done, func() { c.handle(now, e, left) })
		more = true
		over = c.over
	}
	refused := c.refused
	c.refused = nil
	c.mu.Unlock()
	if len(buf) > 0 {
		_ = c.meter.SetWriteDeadline(now.Add(c.link.profile().WriteTimeout(len(buf))))
		_, err = c.conn.Write(buf)
		c.sent += uint64(len(buf))
		c.below(now, false, &c.belowed, c.meter.sent.Load(), c.sent)
	}
	if cap(buf) > 4*batchBytes {
		buf = nil
	}
	c.spare = buf
	for _, r := range refused {
		c.link.report(r.Consignment, r.d, r.cause)
	}
	for _, f := range done {
		f()
	}
	return more && !over, next, over, err
}

// settle gives the receipts to the stream. Caller holds mu.
func (c *carrier) settle(now time.Time) {
	c.smu.Lock()
	list := c.receipts
	c.receipts = nil
	c.smu.Unlock()
	for _, seq := range list {
		c.s.Settled(now, seq)
	}
	if len(list) > 0 && !c.s.Paused() {
		select {
		case c.roomy <- struct{}{}:
		default:
		}
	}
	plain, saved := c.s.Saved()
	n := &c.link.counters
	n.Plain.Add(plain - c.plain)
	n.Saved.Add(saved - c.saved)
	c.plain, c.saved = plain, saved
	if q := c.s.Quality(); q.RoundTrip > 0 {
		c.link.mu.Lock()
		c.link.quality.RoundTrip = q.RoundTrip
		c.link.mu.Unlock()
	}
}

// fill encodes from the queue until the batch is large or nothing is left. Caller holds mu.
func (c *carrier) fill(now time.Time) (more bool) {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := batchBytes
	if r := l.cfg.Profile.BitsPerSecond; r > 0 { // half a second of the line
		batch = int(min(max(r/16, minBatch), batchBytes))
	}
	for l.sending == c && l.queue.len() > 0 {
		if c.s.Pending() >= batch {
			return true
		}
		it := l.queue.items[l.queue.head]
		d, cause := c.send(now, it)
		if errors.Is(cause, errLater) {
			return false
		}
		l.queue.pop()
		if d != links.Unknown {
			c.refused = append(c.refused, refused{it.Consignment, d, cause})
		}
	}
	return false
}

// refused is a consignment that was not written, until nothing is locked.
type refused struct {
	links.Consignment
	d     links.Disposition
	cause error
}

var errLater = errors.New("not now")

// send gives one consignment to the stream. Unknown: it is in its care, or (with errLater) stays in the queue.
func (c *carrier) send(now time.Time, it queued) (links.Disposition, error) {
	if e := it.Released.Expires(); !e.IsZero() && !now.Before(e) {
		return links.Expired, links.ErrExpired
	}
	list, err := List(c.link.name, &it.Consignment)
	if err != nil {
		return links.Failed, err
	}
	c.next++
	v, err := c.s.Send(now, Item{Element: it.Released.Element(), Also: list, Token: c.next, Frame: it.Frame})
	switch v {
	case custody.Transmit:
		c.flight[c.next] = it.Consignment
		c.link.counters.StanzasOut.Add(1)
		return links.Unknown, nil
	case custody.Already:
		return links.Delivered, nil
	case custody.Full:
		return links.Unknown, errLater
	case custody.Refused:
		switch {
		case errors.Is(err, ErrNotRunning):
			return links.Unknown, errLater
		case errors.Is(err, links.ErrNoCustody):
			return links.Returned, err
		}
	}
	return links.Failed, err
}

// hangUp ends TLS and TCP, and gives the peer a moment to read our last words.
func (c *carrier) hangUp() {
	_ = c.meter.SetWriteDeadline(time.Now().Add(lingerTime))
	if t, ok := c.conn.(*tls.Conn); ok {
		_ = t.CloseWrite()
	}
	if t, ok := c.meter.Conn.(interface{ CloseWrite() error }); ok && c.ctx.Err() == nil && t.CloseWrite() == nil {
		_ = c.meter.SetReadDeadline(time.Now().Add(lingerTime))
		select {
		case <-c.drained:
		case <-c.ctx.Done():
		}
	}
	_ = c.meter.Conn.Close()
	c.cancel()
}

func (l *Link) profile() links.Profile {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cfg.Profile
}
