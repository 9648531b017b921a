package dtls

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/links"
)

// tickPace is how often the endpoint looks at its clock.
const tickPace = 250 * time.Millisecond

// ErrClosed says that the endpoint, or the association, was closed on our side.
var ErrClosed = errors.New("dtls: closed")

// Env is the world an Endpoint lives in. Nil fields take the real one.
type Env struct {
	Log  *zap.Logger // nil: silence
	Rand io.Reader   // of the front: ids, tokens, cookies; pion draws from crypto/rand
	Bind func(ctx context.Context, local netip.AddrPort) (Socket, error)
}

// Endpoint is one UDP socket with all associations over it. All methods are safe for concurrent use.
//
// Locks: mu guards the front and the table, and is never held while pion or a socket is called.
type Endpoint struct {
	cfg    Config
	log    *zap.Logger
	socket Socket
	shared bool // some peer has a shared key

	ctx      context.Context // of everything that runs
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	accepted chan *Association

	mu      sync.Mutex
	closed  bool
	front   *Front
	table   map[Key]*Association
	dropped uint64
}

// Open binds the socket and begins to listen.
func Open(ctx context.Context, cfg Config, env Env) (*Endpoint, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if env.Log == nil {
		env.Log = zap.NewNop()
	}
	if env.Rand == nil {
		env.Rand = rand.Reader
	}
	if env.Bind == nil {
		env.Bind = bind
	}
	e := &Endpoint{cfg: cfg, log: env.Log, accepted: make(chan *Association), table: make(map[Key]*Association)}
	for i := range cfg.Peers {
		e.shared = e.shared || cfg.Peers[i].Shared != nil
	}
	var err error
	if e.front, err = NewFront(cfg.Limits, e.cfg.admits, env.Rand); err != nil {
		return nil, err
	}
	if e.socket, err = env.Bind(ctx, cfg.Local); err != nil {
		return nil, fmt.Errorf("bind %v: %w", cfg.Local, err)
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.wg.Go(e.read)
	e.wg.Go(e.tick)
	return e, nil
}

// LocalAddr is where the socket is bound.
func (e *Endpoint) LocalAddr() net.Addr { return e.socket.LocalAddr() }

// Counts returns what the front has seen, and how many datagrams it let through to an association that had no room for them.
func (e *Endpoint) Counts() (c Counts, dropped uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.front.Counts(), e.dropped
}

// Accept waits for an association that a neighbour opened.
func (e *Endpoint) Accept(ctx context.Context) (*Association, error) {
	select {
	case a := <-e.accepted:
		return a, nil
	case <-e.ctx.Done():
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Dial opens an association to a configured peer and waits until it is established.
func (e *Endpoint) Dial(ctx context.Context, peer string) (*Association, error) {
	p := e.cfg.peer(peer)
	if p == nil || !p.Address.IsValid() {
		return nil, fmt.Errorf("%w: %q has no address to dial", ErrIdentity, peer)
	}
	a, err := e.begin(p)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, a.tuning.handshake)
	defer stop()
	if err := a.establish(ctx); err != nil {
		a.end(err)
		return nil, fmt.Errorf("peer %q at %v: %w", peer, p.Address, err)
	}
	return a, nil
}

// begin enters an association of ours.
func (e *Endpoint) begin(p *Peer) (*Association, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	key, cid, err := e.front.Dial(time.Now(), p.Address)
	if err != nil {
		return nil, err
	}
	a := newAssociation(e, key, cid, p)
	e.table[key] = a
	return a, nil
}

// Close ends every association and waits for all goroutines.
func (e *Endpoint) Close() error {
	e.mu.Lock()
	all := make([]*Association, 0, len(e.table))
	for _, a := range e.table {
		all = append(all, a)
	}
	e.closed = true
	e.mu.Unlock()
	for _, a := range all {
		a.stop(ErrClosed)
	}
	e.cancel()
	err := e.socket.Close()
	e.wg.Wait()
	return err
}

// read is the one reader of the socket.
func (e *Endpoint) read() {
	b := make([]byte, e.cfg.Limits.Datagram+1)
	var out []Output
	for {
		n, from, err := e.socket.ReadFromUDPAddrPort(b)
		switch {
		case e.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			continue // an ICMP error of some datagram of ours, or one that was longer than anything
		}
		e.mu.Lock()
		out = e.front.Datagram(time.Now(), from, b[:n], out[:0])
		e.mu.Unlock()
		e.act(out)
	}
}

// tick gives the front its time.
func (e *Endpoint) tick() {
	t := time.NewTicker(tickPace)
	defer t.Stop()
	var out []Output
	for {
		select {
		case <-e.ctx.Done():
			return
		case now := <-t.C:
			e.mu.Lock()
			out = e.front.Tick(now, out[:0])
			for _, a := range e.table {
				switch probe, gone := a.look(now); {
				case gone:
					e.wg.Go(func() { a.stop(errSilent) })
				case probe:
					e.wg.Go(a.probe)
				}
			}
			e.mu.Unlock()
			e.act(out)
		}
	}
}

// act does what the front asks for.
func (e *Endpoint) act(out []Output) {
	for _, o := range out {
		switch o.Kind {
		case Nothing:
		case Answer:
			e.send(o.Address, o.Data)
		case Begin:
			e.open(o)
		case Deliver:
			e.deliver(o)
		case Challenge:
			if a := e.lookup(o.Key); a != nil {
				e.background(func() { a.challenge(o.Address, o.Token) })
			}
		case Moved:
			e.log.Info("datagram link moved", zap.String("peer", e.nameOf(o.Key)), zap.Stringer("address", o.Address))
		case Expire:
			if a := e.lookup(o.Key); a != nil {
				e.background(func() { a.stop(errLate) })
			}
		}
	}
}

func (e *Endpoint) deliver(o Output) {
	a := e.lookup(o.Key)
	if a != nil && a.wire.put(o.Address, append([]byte(nil), o.Data...)) {
		return
	}
	e.mu.Lock()
	e.dropped++
	e.mu.Unlock()
}

// open makes the association for somebody whose address the front has seen proven.
func (e *Endpoint) open(o Output) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		e.front.Closed(o.Key)
		return
	}
	a := newAssociation(e, o.Key, o.CID, nil)
	e.table[o.Key] = a
	e.wg.Go(func() { e.welcome(a, o.Address) })
}

// welcome sees an association through that a neighbour opens.
func (e *Endpoint) welcome(a *Association, from netip.AddrPort) {
	ctx, stop := context.WithTimeout(e.ctx, a.tuning.handshake)
	defer stop()
	if err := a.establish(ctx); err != nil {
		a.end(err)
		if e.ctx.Err() == nil {
			e.log.Info("datagram link refused", zap.Stringer("address", from), zap.Error(err))
		}
		return
	}
	select {
	case e.accepted <- a:
	case <-ctx.Done():
		a.end(errLate)
	}
}

func (e *Endpoint) lookup(k Key) *Association {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.table[k]
}

func (e *Endpoint) nameOf(k Key) string {
	if a := e.lookup(k); a != nil {
		return a.Peer()
	}
	return ""
}

// background runs something that Close waits for.
func (e *Endpoint) background(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.wg.Go(f)
	}
}

// send writes a datagram. What cannot be sent is lost, as datagrams are.
func (e *Endpoint) send(to netip.AddrPort, b []byte) { _, _ = e.socket.WriteToUDPAddrPort(b, to) }

// sendFor sends what an association has to say to where it is.
func (e *Endpoint) sendFor(k Key, b []byte) {
	e.mu.Lock()
	to, ok := e.front.Address(k)
	b = e.front.Outgoing(k, b)
	e.mu.Unlock()
	if ok {
		e.send(to, b)
	}
}

func (e *Endpoint) authentic(k Key, from netip.AddrPort) {
	e.mu.Lock()
	out := e.front.Authentic(k, from, nil)
	e.mu.Unlock()
	e.act(out)
}

func (e *Endpoint) answered(k Key, t Token) {
	e.mu.Lock()
	out := e.front.Answered(k, t, nil)
	e.mu.Unlock()
	e.act(out)
}

func (e *Endpoint) forget(k Key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.front.Closed(k)
	delete(e.table, k)
}

// mostPatient is the profile for somebody not yet known: the slowest of all peers sets the pace of the handshake.
func (e *Endpoint) mostPatient() (p links.Profile) {
	for i := range e.cfg.Peers {
		if q := e.cfg.Peers[i].Profile; q.HandshakeTimeout() > p.HandshakeTimeout() {
			p = q
		}
	}
	return p
}

func (e *Endpoint) addressOf(k Key) (netip.AddrPort, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.front.Address(k)
}

func (e *Endpoint) established(k Key, pace time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.front.Established(k, pace)
}

func (e *Endpoint) settled(k Key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.front.Settled(k)
}
