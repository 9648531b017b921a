package peers

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Tap is a relay that passes bytes on as they are and notes how each connection begins.
type Tap struct {
	Addr netip.AddrPort

	to       netip.AddrPort
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	hellos []Hello
	open   map[net.Conn]bool // nil once closed
}

// Hello is how a connection began.
type Hello struct {
	TLS        bool // with the first byte
	ServerName string
	Protocols  []string // ALPN
}

// ListenTap relays connections to addr to another address.
func ListenTap(addr, to netip.AddrPort) (*Tap, error) {
	l, err := net.Listen("tcp", addr.String())
	if err != nil {
		return nil, err
	}
	t := &Tap{Addr: addr, to: to, listener: l, open: map[net.Conn]bool{}}
	t.running.Go(t.accept)
	return t, nil
}

func (t *Tap) accept() {
	for {
		c, err := t.listener.Accept()
		if err != nil {
			return
		}
		t.running.Go(func() { t.relay(c) })
	}
}

func (t *Tap) relay(c net.Conn) {
	defer t.forget(c)
	if !t.note(c) {
		return
	}
	hello, read := listenTo(c)
	t.mu.Lock()
	t.hellos = append(t.hellos, hello)
	t.mu.Unlock()
	far, err := net.DialTimeout("tcp", t.to.String(), time.Second)
	if err != nil {
		return
	}
	defer t.forget(far)
	if !t.note(far) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(c, far) // either end may go when it likes
		_ = c.Close()
	})
	_, _ = io.Copy(far, io.MultiReader(bytes.NewReader(read), c))
	_ = far.Close()
	back.Wait()
}

// note remembers a connection for Close; false when that has come.
func (t *Tap) note(c net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		return false
	}
	t.open[c] = true
	return true
}

func (t *Tap) forget(c net.Conn) {
	_ = c.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, c)
}

// Hellos are the beginnings of all connections so far.
func (t *Tap) Hellos() []Hello {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.hellos)
}

// Close ends all connections.
func (t *Tap) Close() error {
	err := t.listener.Close()
	t.mu.Lock()
	for c := range t.open {
		_ = c.Close()
	}
	t.open = nil
	t.mu.Unlock()
	t.running.Wait()
	return err
}

// errHeard ends the handshake that nobody wants to make.
var errHeard = errors.New("heard enough")

// listenTo reads how a connection begins and returns what it read.
func listenTo(c net.Conn) (Hello, []byte) {
	first := make([]byte, 1)
	if _, err := io.ReadFull(c, first); err != nil {
		return Hello{}, nil
	}
	const handshakeRecord = 22 // RFC 8446 §5.1
	if first[0] != handshakeRecord {
		return Hello{}, first
	}
	h := Hello{TLS: true}
	e := &ear{Conn: c, in: io.MultiReader(bytes.NewReader(first), c)}
	_ = tls.Server(e, &tls.Config{GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		h.ServerName, h.Protocols = info.ServerName, slices.Clone(info.SupportedProtos)
		return nil, errHeard
	}}).Handshake()
	return h, e.heard.Bytes()
}

// ear is a connection that remembers what is read and says nothing.
type ear struct {
	net.Conn
	in    io.Reader
	heard bytes.Buffer
}

func (e *ear) Read(p []byte) (int, error) {
	n, err := e.in.Read(p)
	e.heard.Write(p[:n])
	return n, err
}

func (e *ear) Write(p []byte) (int, error) { return len(p), nil }
