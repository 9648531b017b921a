package c2s

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// maxQueued is how many bytes wait for a client that does not read before it is given up.
const maxQueued = 8 << 20

// link is one connection of a client with its machine. Its reader runs it from the first byte to the last; whoever has
// something to write starts a writer that ends when nothing is left; one timer ticks.
type link struct {
	server *Server
	addr   netip.Addr
	pipe   pipe

	wmu sync.Mutex // held while writing; before mu

	mu       sync.Mutex // after Session.mu
	of       *Session
	m        *stream.Client
	out      *written  // nil while there is nothing
	taken    *receipts // nil where the pipe does not tell
	writing  bool      // somebody is about to write
	pings    int
	asks     []stream.Output // questions, for the reader
	arrivals *arrivals       // nil while there is none
	startTLS bool
	compress bool
	listed   bool    // in the table of sessions that can be resumed
	ready    bool    // a resource is bound
	stamped  bool    // the pipe knows the stamp
	released bool    // no longer counted as pending
	rest     rest    // of the reader
	asked    jid.JID // whom the attempt under way is about
	facts    int     // of trouble, so far
	nobodys  bool    // the session that it asked for last is unknown
	ill      bool    // said what cannot be read
	closed   *stream.Closed
	returned *stream.Session // that could not be resumed here after all
	timer    *time.Timer
	due      time.Time // when the timer fires

	poke chan struct{} // for the reader while it is paused
}

func newLink(s *Server, p pipe, addr netip.Addr, cfg stream.ClientConfig) *link {
	l := &link{server: s, addr: addr, pipe: p, m: stream.NewClient(cfg), poke: make(chan struct{}, 1)}
	l.of = &Session{server: s, addr: addr, link: l}
	l.taken = newReceipts(p)
	l.timer = time.AfterFunc(time.Hour, l.tick)
	l.timer.Stop()
	return l
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run is the reader, from the first byte to the last. Once the client has logged in, another goroutine of the group goes
// on: what a handshake and a login need of a stack is much more than an idle session should keep.
func (l *link) run(ctx context.Context, start stream.Start, group *sync.WaitGroup) {
	stop := context.AfterFunc(ctx, func() { l.step(stream.ShutDown{}) })
	l.feed(start)
	l.read(ctx, func() bool { return l.isReady() })
	l.rest = rest{}
	l.goOn(ctx, stop, group)
}

// goOn has another goroutine of the group read on, or ends.
func (l *link) goOn(ctx context.Context, stop func() bool, group *sync.WaitGroup) {
	if l.end() != nil {
		l.finish(ctx, stop)
		return
	}
	group.Go(func() {
		if l.rest.now { // all that was to be done before waiting has been
			l.rest.now = false
			l.wait()
		}
		l.read(ctx, func() bool { return l.rest.now })
		l.goOn(ctx, stop, group)
	})
}

// finish is what the reader does at the end.
func (l *link) finish(ctx context.Context, stop func() bool) {
	defer l.free()
	defer stop()
	l.work(ctx) // what came before the end is still delivered
	l.receipts()
	l.stopTimer()
	x := l.owner()
	end, over := x.lost(l)
	if c, ill := l.ended(); c != nil {
		l.server.cfg.Log.Info("client's stream ended", zap.Stringer("cause", c.Cause), zap.String("condition", c.Condition.String()),
			zap.String("detail", c.Detail), zap.Stringer("address", x.Address()))
		if c.Cause == stream.OurError && (c.Bytes > 0 || ill) { // by what was said, and not by a clock or somebody of ours
			l.server.note(Observation{
				What: Hostile, From: l.addr, Account: x.Address().Bare(), Detail: c.Condition.String() + ": " + c.Detail, Bytes: c.Bytes,
			})
		}
	}
	if over && !x.Address().IsZero() {
		l.server.cfg.Sessions.Closed(x, end)
	}
	l.hangUp()
}

// read is the reader's loop: questions first, then input where it may be read. It returns at the end, or when it is enough.
func (l *link) read(ctx context.Context, enough func() bool) {
	for !enough() {
		switch l.look() {
		case toEnd:
			return
		case toWork:
			l.work(ctx)
			continue
		case toWait:
			l.flush()
			<-l.poke // also by whoever ends the stream
			continue
		case toRead:
		}
		l.advance(ctx)
	}
}

// advance takes the stanzas that are there and what is behind them, or waits for more.
func (l *link) advance(ctx context.Context) {
	now := time.Now()
	ev, buffered, err := l.pipe.next()
	for err == nil {
		taken, more := l.take(now, &ev)
		if !taken {
			break
		}
		if !more {
			return
		}
		ev, buffered, err = l.pipe.next()
	}
	var bad *xmlstream.Error
	switch {
	case err == nil:
		if ev.Kind != xmlstream.ElementEvent {
			l.work(ctx)
		}
		l.feed(stream.Received{Event: ev, Buffered: buffered})
	case errors.Is(err, xmlstream.ErrShort):
		if l.work(ctx) {
			return
		}
		l.flush()
		l.receipts()
		if !l.rest.due(now) {
			l.wait()
		}
	case errors.As(err, &bad):
		l.work(ctx) // what came before is handed up before
		l.feed(stream.Malformed{Err: bad})
	default:
		l.feed(stream.Lost{Cause: "end of the stream"})
	}
}

// wait waits for more from the client.
func (l *link) wait() {
	if err := l.pipe.fill(); err != nil {
		l.unreadable(err)
	}
}

// maxArrivals is how many stanzas that have come with each other are handed up with each other.
const maxArrivals = 32

// next is what the reader has to do.
type next uint8

const (
	toEnd next = iota
	toWork
	toWait // until less is unsettled
	toRead
)

// look looks what the reader has to do. A few stanzas can wait for work while more of what is there is read.
func (l *link) look() next {
	l.mu.Lock()
	defer l.mu.Unlock()
	paused := l.closed == nil && l.m.ReadPaused()
	if l.ready && !l.stamped {
		l.stamped = true
		l.pipe.stamp(l.m.Stamp())
	}
	l.arm() // stanzas that were taken have moved it
	switch {
	case l.closed != nil:
		return toEnd
	case len(l.asks) > 0 || l.startTLS || l.compress, l.arrivals != nil && (len(l.arrivals.list) >= maxArrivals || paused || !l.ready):
		return toWork
	case paused:
		return toWait
	}
	return toRead
}

// unreadable ends the stream: with an error that is read where only compression has failed.
func (l *link) unreadable(err error) {
	if errors.Is(err, errInflate) {
		l.feed(stream.Close{Condition: stanza.StreamUndefinedCondition, Text: "compression failed"})
	}
	l.feed(stream.Lost{Cause: cause(err)})
}

func cause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}

// work does what the last steps left to the reader. False: there was nothing.
func (l *link) work(ctx context.Context) bool {
	for some := false; ; some = true {
		l.mu.Lock()
		asks, arrived, handshake, compress := l.asks, l.arrivals, l.startTLS, l.compress
		l.asks, l.arrivals, l.startTLS, l.compress = nil, nil, false, false
		l.mu.Unlock()
		if len(asks) == 0 && arrived == nil && !handshake && !compress {
			return some
		}
		if compress {
			l.squeeze()
		}
		if arrived != nil {
			l.rest.deep = true
			l.server.cfg.Sessions.Arrived(l.owner(), arrived.list)
			arrived.free()
		}
		for _, o := range asks {
			if l.end() != nil {
				break
			}
			if in := l.answer(ctx, o); in != nil {
				l.feed(in)
			}
		}
		if handshake && l.end() == nil {
			l.flush()
			facts, err := l.shake(ctx)
			if err != nil {
				l.feed(stream.SecureFailed{Cause: cause(err)})
				continue
			}
			l.feed(stream.Secured{TLS: facts})
		}
	}
}

// answer asks whoever knows; nil: the machine has its answer already.
func (l *link) answer(ctx context.Context, o stream.Output) stream.Input {
	cfg := &l.server.cfg
	switch o := o.(type) {
	case stream.LookUp:
		return l.lookUp(ctx, o)
	case stream.RegisterWanted:
		return l.register(ctx, o)
	case stream.BindWanted:
		return cfg.Sessions.Bind(ctx, l.owner(), o)
	case stream.ResumeWanted:
		x := l.server.park.find(o.ID)
		if x != nil && x.resume(l, o.ID) {
			return nil
		}
		l.mu.Lock()
		l.nobodys = x == nil
		l.mu.Unlock()
		return stream.SessionFound{ID: o.ID}
	}
	return l.token(ctx, o)
}

// shake replaces the connection by one inside TLS.
func (l *link) shake(ctx context.Context) (stream.TLSFacts, error) {
	s, ok := l.pipe.(*socket)
	if !ok {
		return stream.TLSFacts{}, errors.New("no TLS inside of this")
	}
	l.mu.Lock()
	domain := l.m.Domain()
	l.mu.Unlock()
	conn, facts, err := l.server.secure(ctx, s.conn, domain)
	if err != nil {
		return stream.TLSFacts{}, err
	}
	l.wmu.Lock()
	defer l.wmu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	s.conn = conn
	return facts, nil
}

func (l *link) isReady() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready
}

func (l *link) end() *stream.Closed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// ended is that, and whether it was by what cannot be read.
func (l *link) ended() (end *stream.Closed, ill bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed, l.ill
}

func (l *link) owner() *Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of
}

// free gives the place among the pending of this address back, once.
func (l *link) free() {
	l.mu.Lock()
	first := !l.released
	l.released = true
	l.mu.Unlock()
	if first {
		l.server.release(l.addr)
	}
}
