package s2s

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/links"
)

const (
	beat         = time.Second
	recheckBeats = 60  // beats between two looks at the proofs of living streams
	retireBeats  = 600 // beats until a queue with nothing to do is forgotten
	closeTime    = 10 * time.Second
)

// Start opens the listeners and returns. ctx is for that alone; Shutdown ends what runs.
func (l *Link) Start(ctx context.Context) error {
	l.mu.Lock()
	if l.started || l.closing {
		l.mu.Unlock()
		return errors.New("link was started before")
	}
	l.started = true
	l.mu.Unlock()
	opened, err := l.listen(ctx, l.table())
	if err != nil {
		return err
	}
	l.serveListeners(opened)
	l.background(l.housekeep)
	return nil
}

// Serve is Start, then Shutdown when ctx ends.
func (l *Link) Serve(ctx context.Context) error {
	if err := l.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	return l.Shutdown(end)
}

func (l *Link) serveListeners(opened map[listenKey]net.Listener) {
	l.mu.Lock()
	maps.Copy(l.listeners, opened)
	l.mu.Unlock()
	for k, ln := range opened {
		l.background(func() { l.accept(k, ln) })
	}
}

// Addresses returns where a side listens; with port 0 in the configuration this is how to learn the port.
func (l *Link) Addresses(side string, direct bool) []net.Addr {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var out []net.Addr
	for k, ln := range l.listeners {
		if k.side == side && k.direct == direct {
			out = append(out, ln.Addr())
		}
	}
	return out
}

// Reload puts another configuration into force, or on an error leaves everything as it was; see Prepare.
func (l *Link) Reload(cfg Config) error {
	use, _, err := l.Prepare(cfg)
	if err == nil {
		use()
	}
	return err
}

// Prepare does everything about another configuration that can fail. One of use and drop must then be called, and cannot fail. Streams
// stay under the new one, but for those whose peer is gone or no longer proven by it: these are closed with reset. The link's name
// cannot change.
func (l *Link) Prepare(cfg Config) (use, drop func(), err error) {
	if cfg.Name != l.name {
		return nil, nil, errors.New("a link cannot change its name")
	}
	next, err := compile(cfg, &l.env)
	if err != nil {
		return nil, nil, err
	}
	opened, err := l.listen(l.ctx, next)
	if err != nil {
		return nil, nil, err
	}
	use = func() { l.use(next, opened) }
	drop = func() {
		for _, ln := range opened {
			_ = ln.Close()
		}
	}
	return use, drop, nil
}

// use puts a table into force.
func (l *Link) use(next *table, opened map[listenKey]net.Listener) {
	l.current.Store(next)
	l.serveListeners(opened)
	wanted := next.listenKeys()
	l.mu.Lock()
	for k, ln := range l.listeners {
		if !slices.Contains(wanted, k) {
			_ = ln.Close()
			delete(l.listeners, k)
		}
	}
	l.mu.Unlock()
	for _, q := range l.allQueues() {
		if p := next.peer(q.key.remote); p != nil {
			q.mu.Lock()
			q.limits, q.ownOnly = p.Queue, false
			q.mu.Unlock()
		}
	}
	l.recheck()
	l.log.Info("configuration reloaded")
	l.env.Observer.Observe(Event{Kind: EventReload, Link: l.name})
}

// recheck closes streams whose proofs are gone: expired, revoked, or of a peer that is no longer there (xmpp-checklists §3.3).
func (l *Link) recheck() {
	now := time.Now()
	for _, s := range l.allStreams() {
		s.mu.Lock()
		if s.closed == nil && s.isReady {
			if pair, why := s.unproven(); why != "" {
				l.counters.Revoked.Add(1)
				s.observe(Event{Kind: EventProofGone, Local: pair.Local, Remote: pair.Remote, Reason: why})
				s.log.Warn("proof is gone", zap.String("remote", pair.Remote.ShowDomain()), zap.String("reason", why))
				s.stepLocked(now, stream.Close{Condition: stanza.StreamReset})
			}
		}
		s.mu.Unlock()
	}
}

// housekeep looks after queues and parked sessions, once a second.
func (l *Link) housekeep() {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-l.ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		for _, q := range l.allQueues() {
			l.look(now, q)
		}
		l.expireSessions(now)
		if n%recheckBeats == 0 {
			l.recheck()
		}
	}
}

func (l *Link) look(now time.Time, q *queue) {
	for _, it := range q.overdue(now) {
		l.counters.Expired.Add(1)
		it.Reporter.Report(it.Token, links.Expired, links.ErrExpired)
	}
	if f := q.takeResume(nil, now.Add(-l.resumeFor())); f != nil {
		l.abandon(now, f, f.tokens())
	}
	if q.due(now) {
		l.need(now, q)
	}
	if q.retire(retireBeats) {
		l.mu.Lock()
		if l.queues[q.key] == q {
			delete(l.queues, q.key)
		}
		l.mu.Unlock()
	}
}

func (l *Link) resumeFor() time.Duration {
	if d := l.table().cfg.Manage.ResumeFor; d > 0 {
		return d
	}
	return 5 * time.Minute
}

func (l *Link) expireSessions(now time.Time) {
	l.mu.Lock()
	var gone []*flight
	for _, session := range l.parkedIDs.Expired(now) {
		if f := l.parked[session]; f != nil {
			gone = append(gone, f)
			delete(l.parked, session)
		}
	}
	l.mu.Unlock()
	for _, f := range gone {
		l.abandon(now, f, f.tokens())
	}
}

// Shutdown writes what is queued for streams that are up, closes them in order, and waits for everything to end: as long as ctx allows
// in order, then by closing the sockets. Every consignment has had its report when it returns.
func (l *Link) Shutdown(ctx context.Context) error {
	l.mu.Lock()
	l.closing = true
	for k, ln := range l.listeners {
		_ = ln.Close()
		delete(l.listeners, k)
	}
	l.mu.Unlock()
	last := time.Now().Add(l.table().timing.Close)
	for _, s := range l.allStreams() {
		s.finish(last)
	}
	var err error
	for _, s := range l.allStreams() {
		select {
		case <-s.dead:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	l.mu.Lock()
	l.cancel()
	l.mu.Unlock()
	l.wg.Wait()
	l.settleAll()
	return err
}

// finish has the writer write what waits for this stream, and then close it in order; a peer that does not read by then is not waited
// for.
func (s *serverStream) finish(last time.Time) {
	s.wire.endBy(last)
	s.finishing.Store(true)
	s.wake()
}

// settleAll reports everything that is left when nothing runs any more.
func (l *Link) settleAll() {
	now := time.Now()
	for _, f := range l.parked {
		l.abandon(now, f, f.tokens())
	}
	clear(l.parked)
	for _, q := range l.allQueues() {
		if f := q.takeResume(nil, time.Time{}); f != nil {
			l.abandon(now, f, f.tokens())
		}
	}
	for _, q := range l.allQueues() {
		for _, it := range q.drain(true) {
			d := links.Failed
			if it.resent { // it may have arrived the first time
				d = links.InDoubt
			}
			it.Reporter.Report(it.Token, d, links.ErrClosed)
		}
	}
}
