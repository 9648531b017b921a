package x2x

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/links"
)

const (
	shortLife    = 5 * time.Second // a carrier that is lost sooner was no success
	recheckEvery = time.Minute     // of the certificates of living carriers
)

// Link is one link to one peer. All methods are safe for concurrent use.
type Link struct {
	name     string
	set      *Set
	log      *zap.Logger
	counters Counters
	usage    links.Usage
	poke     chan struct{}
	sessions tls.ClientSessionCache
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu       sync.Mutex
	cfg      Config
	queue    queue
	turn     uint64 // 0: nothing is taken under custody
	turns    uint64
	ending   int // turns whose remains are being reported
	outbound *carrier
	inbound  *carrier
	sending  *carrier
	dialing  bool
	failures int
	retry    time.Time
	checked  time.Time
	started  bool
	shut     bool // outside the window of time
	closed   bool
	state    links.State
	since    time.Time
	story    links.Story
	quality  links.Quality
	told     uint64 // the turn that the watcher knows of; run's
}

var (
	_ links.Outlet = (*Link)(nil)
	_ links.Turns  = (*Link)(nil)
)

func newLink(set *Set, cfg Config) *Link {
	cfg.withDefaults()
	l := &Link{
		name: cfg.Name, set: set, cfg: cfg, log: set.env.Log.With(zap.String("link", cfg.Name)), poke: make(chan struct{}, 1),
		sessions: tls.NewLRUClientSessionCache(4), since: time.Now(),
	}
	l.queue.room = make(chan struct{})
	l.ctx, l.cancel = context.WithCancel(set.ctx)
	return l
}

// Turn implements links.Turns. Without custody it says whether stanzas make sense now.
func (l *Link) Turn() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turn
}

// Counters are the link's own; they are read while it runs.
func (l *Link) Counters() *Counters { return &l.counters }

func (l *Link) start() {
	l.mu.Lock()
	l.started = true
	l.mu.Unlock()
	l.background(l.run)
}

func (l *Link) background(f func()) { l.wg.Go(f) }

// pokeLocked makes run look. It needs no lock, and may hold any.
func (l *Link) pokeLocked() {
	select {
	case l.poke <- struct{}{}:
	default:
	}
}

// run tends the link until it is closed.
func (l *Link) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-l.poke:
		case <-timer.C:
		}
		next := l.tend(time.Now())
		timer.Reset(max(time.Until(next), 0))
	}
}

// tend does what is due, and says when to look again.
func (l *Link) tend(now time.Time) (next time.Time) {
	next = now.Add(time.Second)
	l.mu.Lock()
	age := l.cfg.Queue.Age
	if l.cfg.Mode == Custody {
		age = 1 << 62
	}
	gone := l.queue.overdue(now, age)
	if n := l.queue.len(); n == 0 && l.sending != nil {
		next = now.Add(recheckEvery)
	}
	open, again := l.cfg.Profile.Open(now)
	shutting := !open && !l.shut
	l.shut = !open
	if !again.IsZero() && again.Before(next) {
		next = again
	}
	recheck := now.Sub(l.checked) >= recheckEvery
	if recheck {
		l.checked = now
	}
	l.elect()
	if l.wantsCarrier(now) {
		l.dialing = true
		l.background(l.connect)
	}
	if l.retry.After(now) && l.retry.Before(next) {
		next = l.retry
	}
	l.settleState(now)
	l.mu.Unlock()
	for _, it := range gone {
		l.report(it.Consignment, links.Expired, links.ErrExpired)
	}
	if shutting {
		l.drop("the window of time is over", true)
		l.turnOver(nil, 0, nil)
	}
	if recheck {
		l.recheck(now)
	}
	l.notify()
	return next
}

func (l *Link) wantsCarrier(now time.Time) bool {
	switch {
	case l.dialing, l.shut, l.closed, !l.started, l.outbound != nil, l.inbound != nil, len(l.cfg.Connect) == 0, now.Before(l.retry):
		return false
	}
	return !l.cfg.onDemand() || l.queue.len() > 0 || l.failures > 0
}

// elect chooses the carrier that stanzas go out on, and begins a turn when there is none and things can go. Our own comes first; the
// peer's, while we are not about to have our own: when both ends open at once, each sends on what it opened. Caller holds mu.
func (l *Link) elect() {
	if l.ending > 0 || l.closed || !l.started || l.shut {
		return
	}
	if l.sending == nil {
		switch {
		case l.outbound != nil:
			l.sending = l.outbound
		case l.inbound != nil && !l.dialing:
			l.sending = l.inbound
		}
		if l.sending != nil {
			l.sending.wake()
		}
	}
	if l.turn == 0 && (l.sending != nil || l.cfg.onDemand() && l.failures == 0) {
		l.turns++
		l.turn = l.turns
		l.pokeLocked()
	}
}

// turnOver ends the turn: what is left of it is reported, then the next may begin.
func (l *Link) turnOver(left []links.Consignment, d links.Disposition, cause error) {
	l.mu.Lock()
	l.turn = 0
	l.ending++
	var back []queued
	if l.cfg.Mode == Custody {
		back = l.queue.drain()
	}
	l.mu.Unlock()
	for _, c := range left {
		l.report(c, d, cause)
	}
	for _, it := range back {
		l.report(it.Consignment, links.Returned, links.ErrLost)
	}
	l.mu.Lock()
	l.ending--
	l.elect()
	l.settleState(time.Now())
	l.mu.Unlock()
	l.pokeLocked()
}

// settleState says what the link is doing. Caller holds mu.
func (l *Link) settleState(now time.Time) {
	s := links.Waiting
	switch {
	case l.closed, !l.started, l.shut:
		s = links.Down
	case l.sending != nil:
		s = links.Up
	case l.dialing:
		s = links.Connecting
	case len(l.cfg.Connect) == 0:
		s = links.Listening
	case l.failures == 0 && l.cfg.onDemand():
		s = links.Idle
	}
	if s != l.state {
		l.state, l.since = s, now
	}
}

// notify tells the watcher of turns; only run calls it, so that the words come in order.
func (l *Link) notify() {
	l.mu.Lock()
	turn := l.turn
	l.mu.Unlock()
	if turn == l.told {
		return
	}
	if l.told != 0 {
		l.set.env.Watcher.Changed(l.name, false)
	}
	if l.told = turn; turn != 0 {
		l.set.env.Watcher.Changed(l.name, true)
	}
}

// attach makes a carrier the link's; false when the link is closed. A second one of the peer takes the place of its first: the peer
// would not open another if it still had that.
func (l *Link) attach(c *carrier) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.shut || !l.started {
		return false
	}
	old := &l.inbound
	if c.opener {
		old = &l.outbound
	}
	if *old != nil {
		(*old).abandon("a newer connection of the same peer took its place")
	}
	*old = c
	c.attempt.Up = true
	l.quality = links.Quality{Since: time.Now()}
	l.elect()
	l.settleState(time.Now())
	l.pokeLocked()
	return true
}

// detach takes a carrier away that is over, with what it leaves behind.
func (l *Link) detach(c *carrier, e Event, left []links.Consignment) {
	now := time.Now()
	l.mu.Lock()
	if l.outbound == c {
		l.outbound = nil
	}
	if l.inbound == c {
		l.inbound = nil
	}
	was := l.sending == c
	if was {
		l.sending = nil
	}
	l.retry = now
	if !e.Clean && now.Sub(c.since) < shortLife {
		l.failed(now)
	} else {
		l.failures = 0
	}
	quiet := was && e.Clean && len(left) == 0 && l.cfg.onDemand() && !l.shut && !l.closed
	c.attempt.Fail(now, "ended: "+e.Detail, adviceOf(e))
	l.mu.Unlock()
	if !e.Clean {
		l.counters.Lost.Add(1)
	}
	cause := links.ErrLost
	if e.Disposition == links.Delivered {
		cause = nil
	}
	if quiet || !was && len(left) == 0 {
		l.mu.Lock()
		l.elect()
		l.settleState(now)
		l.mu.Unlock()
		l.pokeLocked()
		return
	}
	l.turnOver(left, e.Disposition, cause)
}

// failed puts the next attempt off. Caller holds mu.
func (l *Link) failed(now time.Time) {
	p := l.cfg.Profile
	d := min(p.RetryFirst()<<min(l.failures, 12), p.RetryMost())
	l.failures++
	l.retry = now.Add(d*3/4 + rand.N(d/2+1)) //nolint:gosec // jitter
}
