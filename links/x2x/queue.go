package x2x

import (
	"context"
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
)

// maxReserve bounds how long a sender is held back for a full queue.
const maxReserve = 30 * time.Second

// queued is one consignment that is not written yet.
type queued struct {
	links.Consignment
	room  int
	since time.Time
}

// queue holds what waits for a carrier, in order. Under Link.mu.
type queue struct {
	items         []queued // items[head:]
	head          int
	bytes         int
	promised      int
	promisedBytes int
	room          chan struct{} // closed and replaced when room is freed and somebody waits
	waiters       int
}

func (q *queue) len() int { return len(q.items) - q.head }

// redeem turns a promise into room held: promises are not numbered, so each is worth their mean.
func (q *queue) redeem() int {
	if q.promised == 0 {
		return 0
	}
	n := q.promisedBytes / q.promised
	q.promised--
	q.promisedBytes -= n
	return n
}

func (q *queue) freed() {
	if q.waiters > 0 {
		close(q.room)
		q.room, q.waiters = make(chan struct{}), 0
	}
}

func (q *queue) push(c links.Consignment, now time.Time) {
	if q.head > 64 && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	it := queued{Consignment: c, room: q.redeem(), since: now}
	q.items = append(q.items, it)
	q.bytes += it.room
}

// pop takes the oldest.
func (q *queue) pop() {
	it := &q.items[q.head]
	q.bytes -= it.room
	*it = queued{}
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	q.freed()
}

// drain takes everything.
func (q *queue) drain() []queued {
	gone := append([]queued(nil), q.items[q.head:]...)
	clear(q.items)
	q.items, q.head, q.bytes = q.items[:0], 0, 0
	q.freed()
	return gone
}

// overdue takes what waited too long, or must not leave any more.
func (q *queue) overdue(now time.Time, age time.Duration) []queued {
	var gone []queued
	keep := q.items[:q.head]
	for _, it := range q.items[q.head:] {
		e := it.Released.Expires()
		if now.Sub(it.since) < age && (e.IsZero() || now.Before(e)) {
			keep = append(keep, it)
			continue
		}
		q.bytes -= it.room
		gone = append(gone, it)
	}
	if len(gone) > 0 {
		clear(q.items[len(keep):])
		q.items = keep
		q.freed()
	}
	return gone
}

// Reserve implements links.Outlet.
func (l *Link) Reserve(ctx context.Context, _, remote jid.JID, bytes int) error {
	waited := false
	for {
		l.mu.Lock()
		q := &l.queue
		switch {
		case l.closed:
			l.mu.Unlock()
			return links.ErrClosed
		case !l.cfg.reaches(remote):
			l.mu.Unlock()
			return &links.Bounce{Condition: stanza.RemoteServerNotFound, Cause: links.ErrNoRoute}
		case bytes > l.cfg.limits().ElementBytes:
			l.mu.Unlock()
			return links.ErrTooBig
		}
		count, used := q.len()+q.promised, q.bytes+q.promisedBytes
		if count < l.cfg.Queue.Stanzas && (count == 0 || used+bytes <= l.cfg.Queue.Bytes) {
			q.promised++
			q.promisedBytes += bytes
			l.mu.Unlock()
			return nil
		}
		room := q.room
		q.waiters++
		l.mu.Unlock()
		if !waited {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, maxReserve)
			defer cancel()
			waited = true
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Unreserve gives back the room of a Reserve that no Deliver will follow.
func (l *Link) Unreserve() {
	l.mu.Lock()
	l.queue.redeem()
	l.queue.freed()
	l.mu.Unlock()
}

// Deliver implements links.Outlet.
func (l *Link) Deliver(c links.Consignment) {
	d, cause := l.deliver(c)
	if cause != nil {
		l.report(c, d, cause)
	}
}

func (l *Link) deliver(c links.Consignment) (links.Disposition, error) {
	if err := c.Released.Check(l.name, c.Released.Remote()); err != nil {
		return links.Failed, errors.Join(links.ErrRefused, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cfg.Mode == Custody {
		switch {
		case !c.Frame.Valid():
			l.queue.redeem()
			return links.Failed, links.ErrNoCustody
		case l.closed || l.turn == 0 || c.Turn != l.turn:
			l.queue.redeem()
			l.queue.freed()
			return links.Returned, links.ErrStaleTurn
		}
	}
	switch {
	case l.closed:
		l.queue.redeem()
		return links.Failed, links.ErrClosed
	case !l.cfg.reaches(c.Released.Remote()):
		l.queue.redeem()
		return links.Failed, links.ErrNoRoute
	}
	l.queue.push(c, time.Now())
	if s := l.sending; s != nil {
		s.wake()
	} else {
		l.pokeLocked()
	}
	return links.Unknown, nil
}

// report tells the deliverer, and counts.
func (l *Link) report(c links.Consignment, d links.Disposition, cause error) {
	n := &l.counters
	switch d {
	case links.Delivered:
		n.Delivered.Add(1)
	case links.InDoubt:
		n.InDoubt.Add(1)
	case links.Returned:
		n.Returned.Add(1)
	case links.Expired:
		n.Expired.Add(1)
	case links.Failed, links.Unknown:
		n.Failed.Add(1)
	}
	if c.Reporter != nil {
		c.Reporter.Report(c.Token, d, cause)
	}
}
