package c2s

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

const (
	// maxFragments is in how many pieces one message may come (bad-inputs D22).
	maxFragments = 1_000
	// maxOverhead is how many bytes may arrive beside those of one message: frame headers and control frames.
	maxOverhead = 64 << 10
	pongTimeout = 30 * time.Second
)

// WebOptions are for streams inside HTTP.
type WebOptions struct {
	// Origins are hosts whose pages may connect, beside our own; patterns as of path.Match. Who sends no Origin is no page.
	Origins []string
	// Proxied: TLS ends at a proxy of ours in front, which says in X-Forwarded-For whom it forwards.
	Proxied bool
}

// WebSocket is the handler of streams by RFC 7395. Its sessions end with ctx, and Close waits for them.
func (s *Server) WebSocket(ctx context.Context, o WebOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !offers(r, "xmpp") { // RFC 7395 §3.1
			http.Error(w, "the subprotocol xmpp is needed", http.StatusBadRequest)
			return
		}
		addr := o.client(r)
		if !s.admit(addr) {
			s.crowded(addr)
			http.Error(w, "too many connections", http.StatusTooManyRequests)
			return
		}
		if !s.enter() {
			s.release(addr)
			http.Error(w, "ending", http.StatusServiceUnavailable)
			return
		}
		defer s.web.Done()
		below := &hijacked{ResponseWriter: w}
		conn, err := websocket.Accept(below, r, &websocket.AcceptOptions{
			Subprotocols: []string{"xmpp"}, OriginPatterns: o.Origins, CompressionMode: websocket.CompressionDisabled,
		})
		if err != nil { // it has been answered
			s.release(addr)
			return
		}
		cfg := *s.stream.Load()
		cfg.Framing, cfg.OfferTLS = stream.WebSocket, false
		p := &webSocket{ctx: context.WithoutCancel(ctx), conn: conn, raw: below.conn}
		p.limit(cfg.FirstLimits())
		newLink(s, p, addr, cfg).run(ctx, stream.Start{TLS: s.facts(o, r)}, &s.web)
	})
}

func offers(r *http.Request, protocol string) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		if slices.ContainsFunc(strings.Split(line, ","), func(p string) bool { return strings.EqualFold(strings.TrimSpace(p), protocol) }) {
			return true
		}
	}
	return false
}

// client is whom a request comes from.
func (o WebOptions) client(r *http.Request) netip.Addr {
	if said := r.Header.Values("X-Forwarded-For"); o.Proxied && len(said) > 0 {
		list := strings.Split(said[len(said)-1], ",") // what stands before the last one the client may have written itself
		if addr, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
			return addr.Unmap()
		}
	}
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// facts are those of the TLS around HTTP; nil without. Nothing in HTTP is bound to its connection, see the decisions of this package.
// Certificates that a proxy has seen are not believed.
func (s *Server) facts(o WebOptions, r *http.Request) *stream.TLSFacts {
	switch {
	case r.TLS != nil && !o.Proxied:
		return &stream.TLSFacts{
			Version: r.TLS.Version, Cipher: r.TLS.CipherSuite, Bindings: []sasl.Binding{}, Accounts: s.proven(r.TLS, o.client(r)),
		}
	case o.Proxied:
		return &stream.TLSFacts{Bindings: []sasl.Binding{}}
	}
	return nil
}

// hijacked hands out a connection that counts.
type hijacked struct {
	http.ResponseWriter
	conn *counted
}

// Hijack is for the WebSocket.
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Time{}) // that of the server's requests
	h.conn = &counted{Conn: conn, left: maxOverhead}
	return h.conn, rw, nil
}

var errBeside = errors.New("too much beside messages")

// counted ends a connection that sends too much for one message. Its reader is the link's.
type counted struct {
	net.Conn
	left int
	told atomic.Bool // why it is closed
}

// Close is called by the library after its last frame.
func (c *counted) Close() error {
	if c.told.Load() {
		drain(c.Conn)
	}
	return c.Conn.Close()
}

func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errBeside
	}
	n, err := c.Conn.Read(p)
	c.left -= n
	return n, err
}

// webSocket is a pipe of messages.
type webSocket struct {
	ctx     context.Context
	conn    *websocket.Conn
	raw     *counted
	limits  xmlstream.Limits
	message []byte
	code    websocket.StatusCode // to close with; 0: what the end of the stream says
}

func (w *webSocket) next() (xmlstream.Event, int, error) {
	if w.message == nil {
		return xmlstream.Event{}, 0, xmlstream.ErrShort
	}
	ev, bad := stream.ReadFrame(w.message, w.limits)
	w.message = nil
	if bad != nil {
		return ev, 0, bad
	}
	return ev, 0, nil
}

func (w *webSocket) fill() error {
	w.raw.left = w.limits.ElementBytes + maxOverhead
	kind, r, err := w.conn.Reader(w.ctx)
	if err != nil {
		return w.failed(err)
	}
	if kind != websocket.MessageText {
		return w.refuse(websocket.StatusUnsupportedData, "a binary message")
	}
	message := make([]byte, 0, 512)
	for pieces := 0; ; pieces++ {
		if len(message) == cap(message) {
			message = slices.Grow(message, cap(message))
		}
		n, err := r.Read(message[len(message):cap(message)])
		message = message[:len(message)+n]
		switch {
		case errors.Is(err, io.EOF):
			w.message = message
			return nil
		case err != nil:
			return w.failed(err)
		case pieces >= maxFragments:
			return w.refuse(websocket.StatusPolicyViolation, "too many fragments")
		}
	}
}

func (w *webSocket) refuse(code websocket.StatusCode, why string) error {
	w.code = code
	return errors.New(why)
}

// failed finds out how to close: a message too big was answered by the library, a lost connection cannot be.
func (w *webSocket) failed(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, errBeside):
		w.code = websocket.StatusPolicyViolation
	case errors.Is(err, websocket.ErrMessageTooBig):
		w.code = websocket.StatusMessageTooBig
		return errors.New("message too big")
	case websocket.CloseStatus(err) >= 0:
		return errors.New("websocket closed")
	case errors.As(err, &timeout), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
	default:
		w.code = websocket.StatusProtocolError
	}
	return err
}

func (w *webSocket) stamp(*xmlstream.Stamp) {} // each message is read by itself

func (w *webSocket) restart(l xmlstream.Limits) { w.limit(l) }

func (w *webSocket) limit(l xmlstream.Limits) {
	w.limits = l
	w.conn.SetReadLimit(int64(l.ElementBytes))
}

func (w *webSocket) write(data []byte, ends []int) error {
	ctx, cancel := context.WithTimeout(w.ctx, writeTimeout)
	defer cancel()
	from := 0
	for _, to := range ends {
		if err := w.conn.Write(ctx, websocket.MessageText, data[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// ping gives the client up that does not answer.
func (w *webSocket) ping() {
	go func() {
		ctx, cancel := context.WithTimeout(w.ctx, pongTimeout)
		defer cancel()
		if w.conn.Ping(ctx) != nil {
			w.interrupt()
		}
	}()
}

func (w *webSocket) interrupt() { _ = w.raw.SetReadDeadline(time.Now()) }

// hangUp closes by the handshake of RFC 6455 §7 unless there is nobody to shake hands with.
func (w *webSocket) hangUp(end stream.Closed) {
	code := w.code
	switch {
	case code != 0:
	case end.Cause == stream.ConnLost:
		_ = w.conn.CloseNow()
		return
	default:
		code = websocket.StatusNormalClosure
	}
	w.raw.left = maxOverhead
	w.raw.told.Store(true)
	_ = w.raw.SetReadDeadline(time.Now().Add(lingering))
	_ = w.conn.Close(code, "")
}
