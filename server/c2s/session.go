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
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// maxQueued is how many bytes wait for a client that does not read before it is given up.
const maxQueued = 8 << 20

// Session is one client's connection. Any goroutine may call its exported methods.
type Session struct {
	server *Server
	addr   netip.Addr
	dec    *xmlstream.Decoder // of the reader

	wmu sync.Mutex // held while writing; before mu

	mu       sync.Mutex
	conn     net.Conn
	m        *stream.Client
	out      []byte
	asks     []stream.Output // questions, for the reader
	arrivals []stream.Arrival
	startTLS bool
	released bool // no longer counted as pending
	closed   *stream.Closed

	wake  chan struct{} // for the writer
	poke  chan struct{} // for the reader while it is paused
	ended chan struct{}
}

func newSession(s *Server, conn net.Conn, addr netip.Addr) *Session {
	return &Session{
		server: s, addr: addr, conn: conn, m: stream.NewClient(s.cfg.Stream),
		dec:  xmlstream.NewDecoder(xmlstream.Options{Limits: s.cfg.Stream.FirstLimits(), ContentNS: xmlstream.NSClient}),
		wake: make(chan struct{}, 1), poke: make(chan struct{}, 1), ended: make(chan struct{}),
	}
}

// Address is the full address of the client, zero before a resource is bound.
func (x *Session) Address() jid.JID {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.m.Address()
}

// Send writes a stanza (in jabber:server) or says why not. It does not wait for the client.
func (x *Session) Send(e *xmlstream.Element, token uint64) stream.Verdict {
	data, err := x.m.AppendStanza(nil, e) // reads only what never changes
	if err != nil {
		return stream.SendTooBig
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.out)+len(data) > maxQueued {
		return stream.SendFull
	}
	r := x.m.Send(time.Now(), stream.Item{Element: e, Bytes: len(data), Token: token})
	if r.Verdict == stream.SendNow {
		x.out = append(x.out, data...)
	}
	if r.AskAck {
		x.out = x.m.AppendAckRequest(x.out)
	}
	signal(x.wake)
	return r.Verdict
}

// Settled tells that responsibility for an arrival has passed on.
func (x *Session) Settled(a stream.Arrival) {
	if a.Session.Settled(a.Seq) {
		x.step(stream.AckDue{})
	}
	signal(x.poke)
}

// Close ends the session, with a stream error where in names one.
func (x *Session) Close(in stream.Close) { x.step(in) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run is the reader, from the first byte to the last.
func (x *Session) run(ctx context.Context, direct bool) {
	defer x.free()
	stop := context.AfterFunc(ctx, func() { x.step(stream.Close{}) })
	defer stop()
	start := stream.Start{}
	if direct {
		facts, err := x.shake(ctx, true)
		if err != nil {
			_ = x.conn.Close()
			return
		}
		start.TLS = &facts
	}
	x.step(start)
	var writer sync.WaitGroup
	writer.Go(x.write)
	x.read(ctx)
	x.work(ctx) // what came before the end is still delivered
	close(x.ended)
	writer.Wait()
	x.hangUp()
	if end := x.end(); end != nil {
		x.server.cfg.Log.Info("client's stream ended", zap.Stringer("cause", end.Cause), zap.String("condition", end.Condition.String()),
			zap.String("detail", end.Detail), zap.Stringer("address", x.Address()))
		if !x.Address().IsZero() {
			x.server.cfg.Sessions.Closed(x, *end)
		}
	}
}

// read is the reader's loop: questions first, then input where it may be read.
func (x *Session) read(ctx context.Context) {
	for x.end() == nil {
		x.work(ctx)
		if x.paused() {
			select {
			case <-x.poke:
			case <-ctx.Done():
				x.step(stream.Lost{Cause: "shutting down"})
			}
			continue
		}
		if x.end() != nil {
			return
		}
		ev, err := x.dec.Next()
		var bad *xmlstream.Error
		switch {
		case err == nil:
			x.step(stream.Received{Event: ev, Buffered: x.dec.Buffered()})
		case errors.Is(err, xmlstream.ErrShort):
			x.fill()
		case errors.As(err, &bad):
			x.step(stream.Malformed{Err: bad})
		default:
			x.step(stream.Lost{Cause: "end of the stream"})
		}
	}
}

// fill waits for more bytes.
func (x *Session) fill() {
	x.flush()
	if _, err := x.dec.Fill(x.conn); err != nil { // conn changes in the reader alone
		x.step(stream.Lost{Cause: cause(err)})
	}
}

func cause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}

// work does what the last steps left to the reader.
func (x *Session) work(ctx context.Context) {
	for {
		x.mu.Lock()
		asks, arrivals, handshake := x.asks, x.arrivals, x.startTLS
		x.asks, x.arrivals, x.startTLS = nil, nil, false
		x.mu.Unlock()
		if len(asks)+len(arrivals) == 0 && !handshake {
			return
		}
		for _, a := range arrivals {
			x.server.cfg.Sessions.Arrived(x, a)
		}
		for _, o := range asks {
			if x.end() == nil {
				x.step(x.answer(ctx, o))
			}
		}
		if handshake && x.end() == nil {
			x.flush()
			facts, err := x.shake(ctx, false)
			if err != nil {
				x.step(stream.SecureFailed{Cause: cause(err)})
				continue
			}
			x.step(stream.Secured{TLS: facts})
		}
	}
}

// answer asks whoever knows.
func (x *Session) answer(ctx context.Context, o stream.Output) stream.Input {
	switch o := o.(type) {
	case stream.LookUp:
		r, err := x.server.cfg.Accounts.LookUp(ctx, o)
		if err != nil {
			x.server.cfg.Log.Error("look up an account", zap.Error(err))
			return stream.LookUpFailed{}
		}
		return stream.Found{Reply: r}
	case stream.BindWanted:
		return x.server.cfg.Sessions.Bind(ctx, x, o)
	case stream.ResumeWanted:
		return stream.SessionFound{ID: o.ID}
	}
	if want, ok := o.(stream.TokenWanted); ok {
		granted, err := x.server.cfg.Accounts.Grant(ctx, want)
		if err == nil {
			return granted
		}
		x.server.cfg.Log.Error("grant a token", zap.Error(err)) // the login goes on without
	}
	return stream.TokenGranted{}
}

// shake replaces the connection by one inside TLS.
func (x *Session) shake(ctx context.Context, direct bool) (stream.TLSFacts, error) {
	conn, facts, err := secure(ctx, x.conn, x.server.cfg.TLS, direct)
	if err != nil {
		return stream.TLSFacts{}, err
	}
	x.wmu.Lock()
	defer x.wmu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.conn = conn
	return facts, nil
}

func (x *Session) paused() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.closed == nil && x.m.ReadPaused()
}

func (x *Session) end() *stream.Closed {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.closed
}

// free gives the place among the pending of this address back, once.
func (x *Session) free() {
	x.mu.Lock()
	first := !x.released
	x.released = true
	x.mu.Unlock()
	if first {
		x.server.release(x.addr)
	}
}
