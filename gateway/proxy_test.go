package gateway_test

import (
	"errors"
	"io"
	"math"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands in a TCP connection and can cut it, or swallow everything.
type proxy struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	target netip.AddrPort                 // zero: nobody is there
	conns  map[*net.TCPConn]*atomic.Int64 // to the bytes they may still carry, both ways together
	lives  []int64                        // bytes after which the next connections break; with none left they live on
	broken int
}

func newProxy(t testing.TB) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, conns: map[*net.TCPConn]*atomic.Int64{}}
	p.wg.Go(p.serve)
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		p.cut()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) address() netip.AddrPort { return netip.MustParseAddrPort(p.listener.Addr().String()) }

func (p *proxy) pointAt(a netip.AddrPort) {
	p.mu.Lock()
	p.target = a
	p.mu.Unlock()
}

func (p *proxy) serve() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target := p.target
		p.mu.Unlock()
		near := c.(*net.TCPConn)
		far, err := net.Dial("tcp", target.String())
		if err != nil || !target.IsValid() {
			reset(near)
			continue
		}
		p.join(near, far.(*net.TCPConn))
	}
}

func (p *proxy) join(near, far *net.TCPConn) {
	p.mu.Lock()
	left := new(atomic.Int64)
	left.Store(p.nextLife())
	p.conns[near], p.conns[far] = left, left
	p.mu.Unlock()
	for _, way := range [][2]*net.TCPConn{{near, far}, {far, near}} {
		p.wg.Go(func() {
			_, err := io.Copy(way[0], &mortal{way[1], left}) // the end of one way is the end of both
			if errors.Is(err, errLife) {                     // what was carried arrives, nothing else does
				_ = near.CloseWrite()
				_ = far.CloseWrite()
				_, _ = io.Copy(io.Discard, way[1])
			}
			_ = way[0].Close()
			_ = way[1].Close()
			p.mu.Lock()
			if errors.Is(err, errLife) && left.Swap(math.MinInt64/2) > math.MinInt64/4 { // the other way says so too
				p.broken++
			}
			delete(p.conns, way[0])
			delete(p.conns, way[1])
			p.mu.Unlock()
		})
	}
}

var errLife = errors.New("the connection has lived long enough")

// mortal reads until both ways of a connection have carried so many bytes.
type mortal struct {
	io.Reader
	left *atomic.Int64
}

// Read implements io.Reader.
func (m *mortal) Read(b []byte) (int, error) {
	n, err := m.Reader.Read(b[:min(len(b), 512)])
	if err == nil && m.left.Add(int64(-n)) < 0 {
		err = errLife
	}
	return n, err
}

// nextLife is how many bytes the next connection carries. The caller holds mu.
func (p *proxy) nextLife() int64 {
	if len(p.lives) == 0 {
		return math.MaxInt64
	}
	life := p.lives[0]
	p.lives = p.lives[1:]
	return life
}

// wear makes the connections there are, and the next ones, break after so many bytes each.
func (p *proxy) wear(lives ...int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lives = lives
	seen := map[*atomic.Int64]bool{}
	for _, left := range p.conns {
		if !seen[left] {
			seen[left] = true
			left.Store(p.nextLife())
		}
	}
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// cut resets every connection there is.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		reset(c)
	}
}

// breaks is how many broke of old age.
func (p *proxy) breaks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}
