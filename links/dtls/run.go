package dtls

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"sallyport/links"
	"sallyport/links/x2x"
)

// Why a session ends in order.
var (
	errWindow = errors.New("dtls: outside the link's window of time")
	errIdle   = errors.New("dtls: closed for want of traffic")
	errClean  = errors.New("dtls: closed by the peer")
)

// Serve gives the associations that neighbours open to the links of their peers, until the endpoint is closed or ctx ends.
func Serve(ctx context.Context, e *Endpoint, all ...*Link) {
	for {
		a, err := e.Accept(ctx)
		if err != nil {
			return
		}
		taken := false
		for _, l := range all {
			if l.cfg.Peer == a.Peer() && !l.cfg.Dial {
				taken = l.offer(ctx, a)
			}
		}
		if !taken {
			a.stop(ErrClosed)
		}
	}
}

// offer gives an association to the link; a newer one of the same peer ends the older, which the peer would not have replaced if it still
// had it.
func (l *Link) offer(ctx context.Context, a *Association) bool {
	l.mu.Lock()
	old := l.session
	l.mu.Unlock()
	if old != nil {
		old.a.stop(errReplaced)
	}
	select {
	case l.offered <- a:
		return true
	case <-l.ctx.Done():
	case <-ctx.Done():
	}
	return false
}

// onDemand reports that an association exists only while there is traffic.
func (l *Link) onDemand() bool { return l.cfg.Dial && l.profile.IdleClose > 0 }

// run keeps the link as it should be at each time.
func (l *Link) run() {
	for l.ctx.Err() == nil {
		open, until := l.profile.Open(time.Now())
		switch {
		case !open:
			l.endTurn(nil)
			l.enter(links.Down)
			l.rest(until)
		case l.onDemand() && l.failures == 0 && !l.demanded():
			l.enter(links.Idle)
			l.beginTurn(nil)
			l.rest(until)
		default:
			l.carry(until)
		}
	}
	l.endTurn(nil)
	l.enter(links.Down)
}

func (l *Link) demanded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pending) > 0
}

// rest waits until then, or for demand. The zero time is never.
func (l *Link) rest(until time.Time) {
	timer, stop := alarm(until)
	defer stop()
	select {
	case <-timer:
	case <-l.demand:
	case a := <-l.offered:
		a.stop(errWindow)
	case <-l.ctx.Done():
	}
}

// alarm fires at a time; the zero time is never.
func alarm(at time.Time) (<-chan time.Time, func()) {
	if at.IsZero() {
		return nil, func() {}
	}
	t := time.NewTimer(time.Until(at))
	return t.C, func() { t.Stop() }
}

// carry gets an association and carries stanzas over it until it ends.
func (l *Link) carry(until time.Time) {
	a, at, err := l.next(until)
	if a == nil {
		if err != nil && l.ctx.Err() == nil {
			l.incident(x2x.Incident{Kind: x2x.IncidentUnreachable, Detail: err.Error()})
			l.endTurn(nil)
			l.pause()
		}
		return
	}
	began := time.Now()
	orderly, other := l.serve(a, at, until)
	for other != nil {
		began = time.Now()
		orderly, other = l.serve(other, l.relieved(other), until)
	}
	switch {
	case orderly && (l.onDemand() || !l.cfg.Dial), time.Since(began) > shortLife:
		l.failures = 0
	case l.cfg.Dial:
		l.pause()
	}
}

// next gets an association; none without an error when the window of time is over.
func (l *Link) next(until time.Time) (*Association, *links.Attempt, error) {
	if l.cfg.Dial {
		l.enter(links.Connecting)
		at := &links.Attempt{At: time.Now(), Address: l.endpoint.cfg.peer(l.cfg.Peer).Address.String()}
		l.tell(func() { l.story.Begin(at) })
		a, err := l.endpoint.Dial(l.ctx, l.cfg.Peer)
		l.tell(func() {
			if err != nil {
				at.Fail(time.Now(), err.Error(), "Check that the address is right, that UDP passes both ways, and that both ends have the same key or know each other's certificate.")
				return
			}
			at.Say(time.Now(), "association established")
			at.Up = true
		})
		return a, at, err
	}
	l.enter(links.Listening)
	timer, stop := alarm(until)
	defer stop()
	select {
	case a := <-l.offered:
		at := &links.Attempt{At: a.since, Address: a.Address().String(), Inbound: true, Up: true}
		at.Say(time.Now(), "association established")
		l.tell(func() { l.story.Begin(at) })
		return a, at, nil
	case <-timer:
		return nil, nil, nil
	case <-l.ctx.Done():
		return nil, nil, l.ctx.Err()
	}
}

// pause waits before the next attempt: longer each time.
func (l *Link) pause() {
	wait := min(l.profile.RetryFirst()<<min(l.failures, 12), l.profile.RetryMost())
	l.failures++
	d := wait*3/4 + rand.N(wait/2+1) //nolint:gosec // jitter
	l.tell(func() { l.retry = time.Now().Add(d) })
	l.enter(links.Waiting)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.ctx.Done():
	}
}

func (l *Link) tell(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *Link) enter(s links.State) {
	l.tell(func() {
		if s != l.state {
			l.state, l.since = s, time.Now()
		}
	})
}

// serve carries stanzas over one association until it ends, and reports whether it ended in order, and what took its place. An end in order with nothing left over
// is no end of the turn of a link on demand: what was put to it meanwhile goes over the next association.
func (l *Link) serve(a *Association, at *links.Attempt, until time.Time) (orderly bool, other *Association) {
	stop := context.AfterFunc(l.ctx, func() { a.stop(ErrClosed) })
	defer stop()
	s := newSession(l, a, until)
	l.enter(links.Up)
	l.beginTurn(s)
	l.incident(x2x.Incident{Kind: x2x.IncidentUp, Address: a.Address(), Detail: carried(a)})
	var beside sync.WaitGroup
	if l.cfg.Dial {
		beside.Go(func() { other = l.relief(a) })
	}
	left := s.run()
	beside.Wait()
	orderly, why := s.outcome()
	l.tell(func() { at.Fail(time.Now(), "ended: "+why, "") })
	l.incident(x2x.Incident{Kind: x2x.IncidentDown, Address: a.Address(), Detail: why})
	open, _ := l.profile.Open(time.Now())
	if orderly && len(left) == 0 && l.onDemand() && open && l.ctx.Err() == nil && l.keepTurn(s) {
		return true, other
	}
	l.endTurn(left)
	return orderly, other
}

// beginTurn makes a session carry, or nil where the first stanza is to open one. It begins a turn unless there is one.
func (l *Link) beginTurn(s *session) {
	l.mu.Lock()
	l.session = s
	if l.turn == 0 {
		l.turns++
		l.turn = l.turns
	}
	if s != nil {
		for _, w := range l.pending {
			s.put(w)
		}
		l.pending = nil
	}
	l.mu.Unlock()
	if !l.told {
		l.told = true
		l.changed(true)
	}
}

// keepTurn takes what a session has not written into the link's own care; false when the turn is over.
func (l *Link) keepTurn(s *session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turn == 0 {
		return false
	}
	l.pending = s.unwritten()
	l.leave()
	return true
}

// leave lets go of a session that is over. Caller holds mu.
func (l *Link) leave() {
	if l.session == nil {
		return
	}
	in, out := l.session.a.Traffic()
	l.traffic.BytesIn += in
	l.traffic.BytesOut += out
	l.session = nil
}

// endTurn ends the turn: what was written and not confirmed is reported first, then what was not written.
func (l *Link) endTurn(left []links.Consignment) {
	l.mu.Lock()
	rest := l.pending
	if l.session != nil {
		rest = append(rest, l.session.unwritten()...)
	}
	l.turn, l.pending = 0, nil
	l.leave()
	for range rest {
		l.free()
	}
	l.mu.Unlock()
	for _, c := range left {
		c.Reporter.Report(c.Token, links.Returned, links.ErrLost)
	}
	for _, w := range rest {
		w.Reporter.Report(w.Token, links.Returned, links.ErrLost)
	}
	if l.told {
		l.told = false
		l.changed(false)
	}
}

func (l *Link) changed(up bool) {
	if l.env.Watcher != nil {
		l.env.Watcher.Changed(l.cfg.Name, up)
	}
}

func (l *Link) incident(i x2x.Incident) {
	if l.env.Observer != nil {
		i.Link, i.Side, i.Peer = l.cfg.Name, l.cfg.Side, l.cfg.Peer
		l.env.Observer.Incident(i)
	}
}
