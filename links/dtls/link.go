package dtls

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/links/deflate"
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
	// Compression must be the same at both ends; nil is none. Each lane has a context of its own.
	Compression *deflate.Config
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
	lingerTime   = time.Second      // for last words to arrive, beside two round trips
)

// Link is that link. All methods are safe for concurrent use. Locks, in this order, each optional: strand.mu, Link.mu, strand.qmu. Sink,
// Reporter, Custodian, Watcher and Observer are called without locks.
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
	demand   chan struct{}     // something waits that no association carries
	usage    links.Usage

	failures int  // running; run's
	told     bool // the watcher knows of a turn; run's

	mu      sync.Mutex
	state   links.State
	since   time.Time
	retry   time.Time
	story   links.Story
	session *session
	turn    uint64 // 0: nothing is taken
	turns   uint64
	pending []waiting // taken while idle, for the next session
	count   int       // stanzas and bytes promised or waiting
	bytes   int
	room    chan struct{} // closed and replaced when room is freed
	traffic links.Traffic
}

// waiting is a consignment that has not been written.
type waiting struct {
	links.Consignment
	since time.Time
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
		endpoint: e, cfg: cfg, profile: p.Profile, env: env, sink: sink, offered: make(chan *Association), room: make(chan struct{}),
		demand: make(chan struct{}, 1), since: time.Now(),
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
	w := waiting{c, time.Now()}
	switch {
	case l.turn == 0 || c.Turn != l.turn:
		return links.Returned, links.ErrStaleTurn
	case l.session != nil:
		l.session.put(w)
	default: // idle: this ends it
		l.pending = append(l.pending, w)
		select {
		case l.demand <- struct{}{}:
		default:
		}
	}
	return links.Unknown, nil
}
