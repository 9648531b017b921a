package s2s

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/links"
)

// Env is the world a Link lives in. Nil fields take the real one.
type Env struct {
	Log      *zap.Logger // nil: silence
	Observer Observer
	Rand     io.Reader
	// Dial opens connections to peers.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Listen opens the listeners.
	Listen func(ctx context.Context, network, address string) (net.Listener, error)
}

// Link is the server-to-server link. All methods are safe for concurrent use.
type Link struct {
	name       string
	env        Env
	log        *zap.Logger
	sink       links.Sink
	pingPrefix string
	pingSerial atomic.Uint64
	counters   Counters
	current    atomic.Pointer[table]

	ctx    context.Context // of everything that runs; ends when Shutdown gives up waiting
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu        sync.RWMutex
	started   bool
	closing   bool
	queues    map[pairKey]*queue
	streams   map[*serverStream]struct{}
	unproven  map[netip.Addr]int // connections that have not authenticated
	pending   int                // their sum
	listeners map[listenKey]net.Listener
	parkedIDs *stream.Park
	parked    map[*stream.Session]*flight
	pings     map[string]*serverStream
	verifies  int
}

var _ links.Outlet = (*Link)(nil)

// New makes a link. Nothing runs before Start.
func New(cfg Config, sink links.Sink, env Env) (*Link, error) {
	env = env.withDefaults()
	t, err := compile(cfg, &env)
	if err != nil {
		return nil, err
	}
	if sink == nil {
		return nil, errors.New("link without a sink")
	}
	l := &Link{
		name: cfg.Name, env: env, log: env.Log.With(zap.String("link", cfg.Name)), sink: sink,
		queues: make(map[pairKey]*queue), streams: make(map[*serverStream]struct{}), unproven: make(map[netip.Addr]int),
		listeners: make(map[listenKey]net.Listener), parked: make(map[*stream.Session]*flight),
		pings: make(map[string]*serverStream), parkedIDs: stream.NewPark(t.limits.Parked),
	}
	var b [18]byte
	if _, err := io.ReadFull(env.Rand, b[:]); err != nil {
		return nil, fmt.Errorf("randomness: %w", err)
	}
	l.pingPrefix = base64.RawURLEncoding.EncodeToString(b[:])
	l.current.Store(t)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

func (e Env) withDefaults() Env {
	if e.Log == nil {
		e.Log = zap.NewNop()
	}
	if e.Observer == nil {
		e.Observer = nobody{}
	}
	if e.Rand == nil {
		e.Rand = rand.Reader
	}
	if e.Listen == nil {
		var lc net.ListenConfig
		e.Listen = lc.Listen
	}
	return e
}

// intn draws uniformly enough from [0, n) for weights and jitter.
func (e *Env) intn(n int) int {
	var b [8]byte
	if _, err := io.ReadFull(e.Rand, b[:]); err != nil || n <= 0 {
		return 0
	}
	return int(binary.BigEndian.Uint64(b[:]) % uint64(n)) //nolint:gosec // both are small
}

func (l *Link) table() *table { return l.current.Load() }

// Counters are the link's own; they are read while it runs.
func (l *Link) Counters() *Counters { return &l.counters }

func (l *Link) newPingID() (string, error) {
	var b [9]byte
	if _, err := io.ReadFull(l.env.Rand, b[:]); err != nil {
		return "", err
	}
	return l.pingPrefix + base64.RawURLEncoding.EncodeToString(b[:]) + strconv.FormatUint(l.pingSerial.Add(1), 36), nil
}

// Reserve implements links.Outlet.
func (l *Link) Reserve(ctx context.Context, local, remote jid.JID, bytes int) error {
	key := pairKey{local.DomainJID(), remote.DomainJID()}
	if l.table().peer(key.remote) == nil {
		return &links.Bounce{Condition: stanza.RemoteServerNotFound, Cause: links.ErrNoRoute}
	}
	for {
		q := l.queue(key)
		if q == nil {
			return links.ErrClosed
		}
		if err := q.reserve(ctx, bytes); !errors.Is(err, errRetired) {
			return err
		}
	}
}

// Unreserve gives back the room of a Reserve that no Deliver will follow.
func (l *Link) Unreserve(local, remote jid.JID) {
	if q := l.existing(pairKey{local.DomainJID(), remote.DomainJID()}); q != nil {
		q.unreserve()
	}
}

// Deliver implements links.Outlet.
func (l *Link) Deliver(c links.Consignment) {
	if err := checkReleased(&c.Released, l.name); err != nil {
		l.counters.Failed.Add(1)
		c.Reporter.Report(c.Token, links.Failed, err)
		return
	}
	now := time.Now()
	for {
		q := l.queue(pairKey{c.Released.Local(), c.Released.Remote()})
		if q == nil {
			l.fail(c, links.ErrClosed)
			return
		}
		wake, need, ok := q.put(c, now)
		switch {
		case !ok:
			continue // retired in between; the next has taken its place
		case wake != nil:
			wake.wake()
		case need:
			l.need(now, q)
		}
		return
	}
}

func (l *Link) fail(c links.Consignment, cause error) {
	l.counters.Failed.Add(1)
	c.Reporter.Report(c.Token, links.Failed, cause)
}

// queue returns the queue of a pair, made on first use; nil when the link is closing.
func (l *Link) queue(key pairKey) *queue {
	l.mu.RLock()
	q, closing := l.queues[key], l.closing
	l.mu.RUnlock()
	if q != nil || closing {
		if closing {
			return nil
		}
		return q
	}
	p := l.table().peer(key.remote)
	limits := DefaultQueue()
	if p != nil {
		limits = p.Queue
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return nil
	}
	if q := l.queues[key]; q != nil {
		return q
	}
	key = pairKey{key.local.Clone(), key.remote.Clone()} // do not keep the stanza that named them
	q = newQueue(key, limits)
	l.queues[key] = q
	return q
}

func (l *Link) existing(key pairKey) *queue {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.queues[key]
}

func (l *Link) allQueues() []*queue {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Collect(maps.Values(l.queues))
}

func (l *Link) allStreams() []*serverStream {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Collect(maps.Keys(l.streams))
}

// background runs something that Shutdown waits for.
func (l *Link) background(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() == nil {
		l.wg.Go(f)
	}
}

// abandon decides about entries of a flight that nobody will confirm.
func (l *Link) abandon(now time.Time, f *flight, tokens []uint64) {
	doubtful, again := f.lost(tokens, l.table(), now)
	l.counters.InDoubt.Add(uint64(doubtful)) //nolint:gosec // counts
	l.counters.Resent.Add(uint64(again))     //nolint:gosec // counts
}
