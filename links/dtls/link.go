package dtls

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/links/x2x"
)

// LinkConfig is one link to one peer over an Endpoint: the zero-handshake stream with custody (links/x2x), one on each lane.
type LinkConfig struct {
	Name, Side string
	// Peer is the name of a peer of the Endpoint. Dial says that we open; one side of a link is to.
	Peer string
	Dial bool
	// Remote says whether the peer may speak for a domain, Local whether we host one. Nil is no.
	Remote, Local func(domain jid.JID) bool
	// PeerDomain and LocalDomain stand in for those of a stanza that names none.
	PeerDomain, LocalDomain jid.JID
	// QueueStanzas and QueueBytes bound what waits to be written; 0 means 1,000, and the window of the profile twice.
	QueueStanzas, QueueBytes int
}

// LinkEnv is the world a Link lives in. Custodian is needed; other nil fields take nothing.
type LinkEnv struct {
	Log       *zap.Logger
	Custodian links.Custodian
	Watcher   links.Watcher
	Observer  x2x.Observer
}

// Bounds of a link.
const (
	queueStanzas = 1000
	maxReserve   = 30 * time.Second // how long a sender is held back for a full queue
	shortLife    = 10 * time.Second // an association that ended sooner counts as a failure
)

// Link is that link. All methods are safe for concurrent use. Locks, in this order, each optional: strand.mu, Link.mu. Sink, Reporter,
// Custodian, Watcher and Observer are called without locks.
type Link struct {
	endpoint *Endpoint
	cfg      LinkConfig
	profile  links.Profile
	env      LinkEnv
	sink     links.Sink
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	offered  chan *Association // by Serve

	mu      sync.Mutex
	state   links.State
	since   time.Time
	retry   time.Time
	story   links.Story
	session *session
	turn    uint64 // 0: nothing is taken
	turns   uint64
	count   int // stanzas and bytes promised or waiting
	bytes   int
	room    chan struct{} // closed and replaced when room is freed
	traffic links.Traffic
}

var (
	_ links.Outlet = (*Link)(nil)
	_ links.Turns  = (*Link)(nil)
)

// NewLink makes a link. Nothing runs before Start.
func NewLink(e *Endpoint, cfg LinkConfig, sink links.Sink, env LinkEnv) (*Link, error) {
	p := e.cfg.peer(cfg.Peer)
	switch {
	case p == nil:
		return nil, errors.New("dtls: link to an unknown peer")
	case e.cfg.Lanes < links.Lanes:
		return nil, errors.New("dtls: a link needs a lane for each class of precedence")
	case env.Custodian == nil || sink == nil || cfg.Name == "":
		return nil, errors.New("dtls: link without a name, a custodian or a sink")
	}
	if env.Log == nil {
		env.Log = zap.NewNop()
	}
	if cfg.QueueStanzas == 0 {
		cfg.QueueStanzas = queueStanzas
	}
	if cfg.QueueBytes == 0 {
		cfg.QueueBytes = 2 * p.Profile.WindowBytes()
	}
	l := &Link{
		endpoint: e, cfg: cfg, profile: p.Profile, env: env, sink: sink, offered: make(chan *Association), room: make(chan struct{}), since: time.Now(),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

// Start begins to dial, or to wait.
func (l *Link) Start() { l.wg.Go(l.run) }

// Shutdown ends the link; what is not confirmed is returned.
func (l *Link) Shutdown() {
	l.cancel()
	l.wg.Wait()
}

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

// run keeps the link up.
func (l *Link) run() {
	failures := 0
	defer l.enter(links.Down)
	for l.ctx.Err() == nil {
		a, err := l.next()
		if err == nil {
			began := time.Now()
			l.serve(a)
			if time.Since(began) > shortLife {
				failures = 0
				continue
			}
		}
		if !l.cfg.Dial {
			continue
		}
		wait := min(l.profile.RetryFirst()<<min(failures, 12), l.profile.RetryMost())
		failures++
		l.pause(wait*3/4 + rand.N(wait/2+1)) //nolint:gosec // jitter
	}
}

// next gets an association.
func (l *Link) next() (*Association, error) {
	if l.cfg.Dial {
		l.enter(links.Connecting)
		at := &links.Attempt{At: time.Now(), Address: l.endpoint.cfg.peer(l.cfg.Peer).Address.String()}
		l.tell(func() { l.story.Begin(at) })
		a, err := l.endpoint.Dial(l.ctx, l.cfg.Peer)
		l.tell(func() {
			if err != nil {
				at.Fail(time.Now(), err.Error(), "check that the address is right, that UDP passes both ways, and that both ends have the same key or know each other's certificate")
				return
			}
			at.Say(time.Now(), "association established")
			at.Up = true
		})
		return a, err
	}
	l.enter(links.Listening)
	select {
	case a := <-l.offered:
		at := &links.Attempt{At: a.since, Address: a.Address().String(), Inbound: true, Up: true}
		at.Say(time.Now(), "association established")
		l.tell(func() { l.story.Begin(at) })
		return a, nil
	case <-l.ctx.Done():
		return nil, l.ctx.Err()
	}
}

func (l *Link) pause(d time.Duration) {
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

// serve carries stanzas over one association until it ends: that is a turn.
func (l *Link) serve(a *Association) {
	stop := context.AfterFunc(l.ctx, func() { a.stop(ErrClosed) })
	defer stop()
	s := newSession(l, a)
	l.tell(func() {
		l.turns++
		l.session, l.turn = s, l.turns
	})
	l.enter(links.Up)
	l.changed(true)
	left := s.run()
	l.tell(func() { l.session, l.turn = nil, 0 })
	left = append(left, s.unwritten()...)
	for _, c := range left {
		c.Reporter.Report(c.Token, links.Returned, links.ErrLost)
	}
	l.changed(false)
}

func (l *Link) changed(up bool) {
	if l.env.Watcher != nil {
		l.env.Watcher.Changed(l.cfg.Name, up)
	}
}

// Turn implements links.Turns.
func (l *Link) Turn() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turn
}

// Reserve implements links.Outlet.
func (l *Link) Reserve(ctx context.Context, _, remote jid.JID, bytes int) error {
	if l.cfg.Remote == nil || !l.cfg.Remote(remote.DomainJID()) {
		return &links.Bounce{Condition: stanza.RemoteServerNotFound, Cause: links.ErrNoRoute}
	}
	if bytes > l.endpoint.cfg.MaxMessage {
		return links.ErrTooBig
	}
	ctx, stop := context.WithTimeout(ctx, maxReserve)
	defer stop()
	for {
		l.mu.Lock()
		if l.count < l.cfg.QueueStanzas && (l.count == 0 || l.bytes+bytes <= l.cfg.QueueBytes) {
			l.count++
			l.bytes += bytes
			l.mu.Unlock()
			return nil
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.ctx.Done():
			return links.ErrClosed
		}
	}
}

// Unreserve gives back the room of a Reserve that no Deliver will follow. Promises are not numbered: each is worth their mean.
func (l *Link) Unreserve() { l.tell(l.free) }

// free gives room back. Caller holds mu.
func (l *Link) free() {
	if l.count == 0 {
		return
	}
	l.bytes -= l.bytes / l.count
	l.count--
	close(l.room)
	l.room = make(chan struct{})
}

// Deliver implements links.Outlet.
func (l *Link) Deliver(c links.Consignment) {
	if d, cause := l.deliver(c); cause != nil {
		l.tell(l.free)
		c.Reporter.Report(c.Token, d, cause)
	}
}

func (l *Link) deliver(c links.Consignment) (links.Disposition, error) {
	if err := c.Released.Check(l.cfg.Name, c.Released.Remote()); err != nil {
		return links.Failed, errors.Join(links.ErrRefused, err)
	}
	if !c.Frame.Valid() {
		return links.Failed, links.ErrNoCustody
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turn == 0 || c.Turn != l.turn || !l.session.put(c) {
		return links.Returned, links.ErrStaleTurn
	}
	return links.Unknown, nil
}
