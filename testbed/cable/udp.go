package cable

import (
	"net"
	"net/netip"
	"sync"
)

// maxDatagram is the largest datagram there is.
const maxDatagram = 64 << 10

// post is UDP: one socket towards the far end for each address that sends.
type post struct {
	socket *net.UDPConn

	mu  sync.Mutex
	far map[netip.AddrPort]*net.UDPConn
}

func (c *Cable) listenUDP() error {
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(c.Addr))
	if err != nil {
		return err
	}
	p := &post{socket: socket, far: map[netip.AddrPort]*net.UDPConn{}}
	c.carrier = p
	c.running.Go(func() {
		b := make([]byte, maxDatagram)
		for {
			n, from, err := socket.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if !c.carries(n) {
				continue
			}
			if far := c.towards(p, from); far != nil {
				_, _ = far.Write(b[:n]) // what is not taken is lost, as datagrams are
			}
		}
	})
	return nil
}

// towards is the socket for what comes from an address.
func (c *Cable) towards(p *post, from netip.AddrPort) *net.UDPConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if far := p.far[from]; far != nil {
		return far
	}
	far, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(c.to))
	if err != nil {
		return nil
	}
	p.far[from] = far
	c.connected()
	c.running.Go(func() { c.answers(p, from, far) })
	return far
}

// answers carries back what comes for an address. Nobody listening at the far end is an error of one datagram, not of the socket.
func (c *Cable) answers(p *post, to netip.AddrPort, far *net.UDPConn) {
	b := make([]byte, maxDatagram)
	for {
		n, err := far.Read(b)
		if err != nil {
			p.mu.Lock()
			gone := p.far[to] != far
			p.mu.Unlock()
			if gone {
				return
			}
			continue
		}
		if c.carries(n) {
			_, _ = p.socket.WriteToUDPAddrPort(b[:n], to) // may be lost
		}
	}
}

// breakAll forgets the ways back, so that whoever sends again comes from another address.
func (p *post) breakAll() {
	p.mu.Lock()
	all := p.far
	p.far = map[netip.AddrPort]*net.UDPConn{}
	p.mu.Unlock()
	for _, far := range all {
		_ = far.Close()
	}
}

func (p *post) close() error { return p.socket.Close() }
