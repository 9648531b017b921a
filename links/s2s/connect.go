package s2s

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/resolve"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/links"
)

// Times between attempts to reach a peer.
const (
	backOffFirst = time.Second
	backOffMax   = 2 * time.Minute
	shortLife    = 5 * time.Second // a stream that lived no longer was no success
	shortLives   = 3               // so many in a row are replaced at once
)

// need sees to it that somebody looks for a stream for the queue. It takes no stream's lock.
func (l *Link) need(now time.Time, q *queue) {
	if search, ok := q.claim(now); ok {
		l.background(func() { l.connect(q, search) })
	}
}

// connect finds or makes a stream for a claimed queue.
func (l *Link) connect(q *queue, search uint64) {
	p := l.table().peer(q.key.remote)
	if p == nil {
		l.refuse(q, search, &links.Bounce{Condition: stanza.RemoteServerNotFound, Cause: links.ErrNoRoute})
		return
	}
	if l.reuse(q, p) {
		return
	}
	err := l.open(q, p)
	if err == nil {
		if q.leftOver(search) { // the new stream was not to serve: a session came in between that must be resumed first
			l.need(time.Now(), q)
		}
		return
	}
	l.counters.DialFailed.Add(1)
	l.log.Warn("peer not reached", zap.String("peer", p.Name), zap.String("local", q.key.local.ShowDomain()),
		zap.String("remote", q.key.remote.ShowDomain()), zap.String("cause", clean(err.Error())))
	l.env.Observer.Observe(Event{
		Kind: EventUnreachable, Link: l.name, Side: p.Side, Peer: p.Name, Local: q.key.local, Remote: q.key.remote,
		Detail: clean(err.Error()),
	})
	var bounce *links.Bounce
	switch {
	case errors.As(err, &bounce):
		l.refuse(q, search, bounce)
	case errors.Is(err, resolve.ErrNotFound), errors.Is(err, resolve.ErrSpecial):
		l.refuse(q, search, &links.Bounce{Condition: stanza.RemoteServerNotFound, Cause: fmt.Errorf("%w: %w", links.ErrNoRoute, err)})
	default:
		q.wait(search, time.Now().Add(l.backOff(q)), err, nil)
	}
}

// refuse answers everything that waits, and whoever comes before the next attempt.
func (l *Link) refuse(q *queue, search uint64, err error) {
	q.wait(search, time.Now().Add(l.backOff(q)), err, err)
	for _, it := range q.drain(false) {
		l.fail(it.Consignment, err)
	}
}

// backOff doubles from attempt to attempt, give or take a quarter.
func (l *Link) backOff(q *queue) time.Duration {
	q.mu.Lock()
	n := min(q.failures, 10)
	q.mu.Unlock()
	d := min(backOffFirst<<n, backOffMax)
	return d*3/4 + time.Duration(l.env.intn(int(d/2)))
}

// reuse looks for a stream that carries the pair, or on which it may be proven.
func (l *Link) reuse(q *queue, p *Peer) bool {
	q.mu.Lock()
	resuming, ownOnly := q.resume != nil, q.ownOnly
	q.mu.Unlock()
	if resuming {
		return false
	}
	for _, s := range l.allStreams() {
		if s.side == p.Side && s.offer(q, p, ownOnly) {
			return true
		}
	}
	return false
}

// offer takes the queue if the stream can.
func (s *serverStream) offer(q *queue, p *Peer, ownOnly bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil || !s.isReady || s.purpose != stream.ForStanzas {
		return false
	}
	switch s.m.Carries(q.key.local, q.key.remote) {
	case stream.CarryNow:
		s.serve(q)
		return q.servedBy(s)
	case stream.CarryWait:
		return !ownOnly // whoever asked, the answer serves the queue
	case stream.CarryProve:
		// Another target only where it is the same host by configuration (XEP-0220 §2.5).
		same := s.role == stream.Initiator && s.peer.Name == p.Name && (s.key.remote == q.key.remote || len(p.Route) > 0)
		if ownOnly || !p.Multiplex || !same {
			return false
		}
		s.stepLocked(time.Now(), stream.Prove{Local: q.key.local, Remote: q.key.remote})
		return s.closed == nil
	case stream.CarryNo:
	}
	return false
}

func (q *queue) servedBy(s *serverStream) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.stream == s
}

// open dials the peer until a stream has proven the pair.
func (l *Link) open(q *queue, p *Peer) error {
	return l.dial(l.ctx, q.key, p, func(s *serverStream) {
		s.setup(q.takeResume(s, time.Time{}))
	})
}

// dial tries the targets of a peer in order. prepare sets the stream up before it runs. It returns nil as soon as one stream has what
// it was opened for.
func (l *Link) dial(ctx context.Context, key pairKey, p *Peer, prepare func(*serverStream)) error {
	resolver := l.table().sides[p.Side].resolver
	targets := p.Route
	if len(targets) == 0 {
		var err error
		if targets, err = resolver.Lookup(ctx, key.remote.Domain()); err != nil {
			return err
		}
	}
	var problems []error
	for _, t := range targets {
		t.Static = len(p.Route) > 0
		addrs, err := resolver.Addresses(ctx, t)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		conn, _, err := resolve.Dialer{Dial: l.env.Dial}.Connect(ctx, addrs)
		if err != nil {
			problems = append(problems, fmt.Errorf("%v: %w", t, err))
			continue
		}
		l.counters.Dialled.Add(1)
		noDelay(conn)
		s := l.newStream(l.ctx, conn, p.Side, stream.Initiator)
		s.peer, s.key = p, key
		prepare(s)
		if !l.start(s, t.Direct) {
			return links.ErrClosed
		}
		select {
		case err = <-s.outcome:
		case <-ctx.Done():
			s.step(stream.Close{})
			return ctx.Err()
		}
		if err == nil {
			return nil
		}
		problems = append(problems, fmt.Errorf("%v: %w", t, err))
		var bounce *links.Bounce
		if errors.As(err, &bounce) { // the peer itself said no: another of its addresses will not say otherwise
			break
		}
	}
	return fmt.Errorf("%w: %w", links.ErrUnreachable, errors.Join(problems...))
}

// start runs a prepared stream in the background; false when the link is closed, and so is the connection then.
func (l *Link) start(s *serverStream, direct bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		_ = s.wire.Conn.Close()
		s.cancel()
		l.release(s)
		return false
	}
	l.streams[s] = struct{}{}
	l.wg.Go(func() {
		s.run(direct)
		l.forget(s)
	})
	return true
}

func (l *Link) forget(s *serverStream) {
	s.mu.Lock()
	id := s.ping.id
	if s.closed == nil { // the handshake of direct TLS failed: the machine never heard of it
		s.closed = &stream.Closed{Cause: stream.TLSFailed}
		if s.resuming != nil { // for the next attempt
			s.closed.Resume = s.resuming.session
		}
		if q := l.existing(s.key); q != nil {
			q.untake(s)
		}
		s.settleFlights(time.Now(), *s.closed)
	}
	s.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.streams, s)
	delete(l.pings, id)
	l.release(s)
}

// orphaned ends the service of a queue by a stream and looks for another: at once, or when the lost session has had its chance.
func (l *Link) orphaned(now time.Time, q *queue, s *serverStream, parked bool) {
	switch {
	case parked:
		q.orphan(s, now.Add(resumeGrace))
	case q.flaps(now.Sub(s.since) < shortLife):
		q.orphan(s, now.Add(backOffFirst))
	case q.unbind(s):
		l.need(now, q)
	}
}

// alone makes a queue look for a stream of its own.
func (l *Link) alone(q *queue) {
	q.alone()
	l.need(time.Now(), q)
}
