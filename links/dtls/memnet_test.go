package dtls_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"sallyport/links/dtls"
)

// weather is how a memory network treats datagrams.
type weather struct {
	delay, jitter time.Duration
	drop, twice   float64
	seed          uint64
}

// memnet is a network of datagrams in memory; the time package drives it.
type memnet struct {
	mu      sync.Mutex
	weather weather
	dice    *rand.Rand
	socks   map[netip.AddrPort]*memsock
	// tap sees every datagram and may change it or return nil to swallow it.
	tap  func(from, to netip.AddrPort, b []byte) []byte
	log  []packet
	last map[netip.AddrPort]time.Time // when the last datagram to an address arrives
	size map[netip.AddrPort]int       // bytes sent to an address
}

type packet struct {
	from, to netip.AddrPort
	data     []byte
}

func newMemnet(w weather) *memnet {
	return &memnet{weather: w, dice: rand.New(rand.NewPCG(w.seed, 1)), socks: map[netip.AddrPort]*memsock{}, size: map[netip.AddrPort]int{}, last: map[netip.AddrPort]time.Time{}}
}

type memsock struct {
	net    *memnet
	mu     sync.Mutex
	addr   netip.AddrPort
	inbox  chan packet
	closed chan struct{}
	once   sync.Once
}

func (n *memnet) bind(_ context.Context, a netip.AddrPort) (dtls.Socket, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.socks[a] != nil {
		return nil, errors.New("address in use")
	}
	s := &memsock{net: n, addr: a, inbox: make(chan packet, 20_000), closed: make(chan struct{})}
	n.socks[a] = s
	return s, nil
}

// rebind makes a socket's datagrams come from another address, as a network address translator does.
func (n *memnet) rebind(from, to netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.socks[from]
	delete(n.socks, from)
	n.socks[to] = s
	s.mu.Lock()
	s.addr = to
	s.mu.Unlock()
}

func (n *memnet) tapped(f func(from, to netip.AddrPort, b []byte) []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tap = f
}

// packets returns what was sent so far.
func (n *memnet) packets() []packet {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.log)
}

// sentTo is how many bytes were sent to an address.
func (n *memnet) sentTo(a netip.AddrPort) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.size[a]
}

// inject sends a datagram with a forged source.
func (n *memnet) inject(from, to netip.AddrPort, b []byte) {
	n.mu.Lock()
	s := n.socks[to]
	n.mu.Unlock()
	if s != nil {
		s.put(packet{from, to, slices.Clone(b)})
	}
}

func (n *memnet) send(from, to netip.AddrPort, b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	b = slices.Clone(b)
	n.size[to] += len(b)
	if n.tap != nil {
		if b = n.tap(from, to, b); b == nil {
			return
		}
	}
	n.log = append(n.log, packet{from, to, b})
	copies := 1
	if n.dice.Float64() < n.weather.twice {
		copies = 2
	}
	for range copies {
		if n.dice.Float64() < n.weather.drop {
			continue
		}
		delay := n.weather.delay
		if n.weather.jitter > 0 {
			delay += time.Duration(n.dice.Int64N(int64(n.weather.jitter)))
		}
		if n.weather.jitter == 0 && delay > 0 { // in order, also when sent at the same instant
			at := time.Now().Add(delay)
			if last := n.last[to]; !at.After(last) {
				at = last.Add(1)
			}
			n.last[to] = at
			delay = time.Until(at)
		}
		if delay == 0 {
			if s := n.socks[to]; s != nil {
				s.put(packet{from, to, b})
			}
			continue
		}
		time.AfterFunc(delay, func() { n.inject(from, to, b) })
	}
}

func (s *memsock) put(p packet) {
	select {
	case s.inbox <- p:
	default:
	}
}

func (s *memsock) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case p := <-s.inbox:
		return copy(b, p.data), p.from, nil
	case <-s.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (s *memsock) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	s.mu.Lock()
	from := s.addr
	s.mu.Unlock()
	s.net.send(from, to, b)
	return len(b), nil
}

func (s *memsock) LocalAddr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return net.UDPAddrFromAddrPort(s.addr)
}

func (s *memsock) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.net.mu.Lock()
		defer s.net.mu.Unlock()
		delete(s.net.socks, s.addr)
	})
	return nil
}
