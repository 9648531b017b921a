package capture

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// standardPort is registered for S_primitives.
const standardPort = 5066

// ErrOn is for a capture that is switched on already.
var ErrOn = errors.New("a capture is running already")

// Switch turns recording on and off while a node runs. The zero Switch is off. Safe for concurrent use.
type Switch struct {
	mu    sync.Mutex
	rec   *Recorder
	round int // counts the captures, so that a Tap begins anew in each
}

// On begins a capture.
func (s *Switch) On(o Options) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rec != nil {
		return ErrOn
	}
	rec, err := Open(o)
	if err != nil {
		return err
	}
	s.rec = rec
	s.round++
	return nil
}

// Off ends it and returns what it recorded; zero if there was none.
func (s *Switch) Off() (Stats, error) {
	s.mu.Lock()
	rec := s.rec
	s.rec = nil
	s.mu.Unlock()
	if rec == nil {
		return Stats{}, nil
	}
	err := rec.Close()
	return rec.Stats(), err
}

// Running gives the counts of the capture, and whether there is one.
func (s *Switch) Running() (Stats, bool) {
	rec, _ := s.now()
	if rec == nil {
		return Stats{}, false
	}
	return rec.Stats(), true
}

func (s *Switch) now() (*Recorder, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rec, s.round
}

// Modem records bytes that were keyed or heard, if there is a capture.
func (s *Switch) Modem(at time.Time, d Direction, b []byte) {
	if rec, _ := s.now(); rec != nil {
		rec.Modem(at, d, b)
	}
}

// ModemEnd says that a transmission is over.
func (s *Switch) ModemEnd(at time.Time, d Direction) {
	if rec, _ := s.now(); rec != nil {
		rec.ModemEnd(at, d)
	}
}

// Frame records one D_PDU, if there is a capture.
func (s *Switch) Frame(at time.Time, d Direction, b []byte) {
	if rec, _ := s.now(); rec != nil {
		rec.Frame(at, d, b)
	}
}

// Listener records the clients that ln accepts.
func (s *Switch) Listener(ln net.Listener) net.Listener { return &listener{ln, s} }

type listener struct {
	net.Listener
	sw *Switch
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.sw.Tap(c, Node), nil
}

// Tap is a connection whose bytes are recorded while there is a capture. own is the side that holds it.
func (s *Switch) Tap(c net.Conn, own Side) net.Conn { return &tap{Conn: c, sw: s, own: own} }

type tap struct {
	net.Conn
	sw  *Switch
	own Side

	mu     sync.Mutex // guards the stream; Read and Write come from two goroutines
	round  int
	stream *Stream
}

// Read implements net.Conn.
func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.record(1-t.own, b[:max(n, 0)], err != nil)
	return n, err
}

// Write implements net.Conn. What is written is recorded before, so that no answer stands before its question, and none is missing when
// the recording ends with the answer. Of a connection that breaks meanwhile, the last bytes that are recorded may not have left.
func (t *tap) Write(b []byte) (int, error) {
	t.record(t.own, b, false)
	return t.Conn.Write(b)
}

// CloseWrite closes the sending half, as TCP can.
func (t *tap) CloseWrite() error {
	half, ok := t.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	t.record(t.own, nil, true)
	return half.CloseWrite()
}

func (t *tap) record(from Side, b []byte, end bool) {
	rec, round := t.sw.now()
	if rec == nil || len(b) == 0 && !end {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stream == nil || t.round != round {
		t.stream, t.round = t.begin(rec.opts.StandardPort), round
	}
	now := time.Now()
	records := t.stream.Append(nil, now, from, b)
	if end {
		records = t.stream.AppendEnd(records, now, from)
	}
	rec.primitives(records)
}

func (t *tap) begin(standard bool) *Stream {
	var ends [2]netip.AddrPort
	ends[t.own], ends[1-t.own] = addressOf(t.LocalAddr()), addressOf(t.RemoteAddr())
	if standard {
		ends[Node] = netip.AddrPortFrom(ends[Node].Addr(), standardPort)
	}
	return NewStream(ends[Client], ends[Node])
}

// addressOf is the address of a socket, and none for what is not one.
func addressOf(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort()
	}
	return netip.AddrPort{}
}
