package accept

import (
	"net/netip"
	"sync"
)

// networkBitsOfIP6 are those of a customer: he has as many addresses as he likes below them.
const networkBitsOfIP6 = 64

// Network is what counts as one address: of IPv6 a /64. The zero Prefix is for what is no address.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	bits := a.BitLen()
	if a.Is6() {
		bits = networkBitsOfIP6
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// Crowd counts what strangers have open: of one Network, and altogether. Any goroutine may call it.
type Crowd struct {
	mu        sync.Mutex
	each, all int
	of        map[netip.Prefix]int
	total     int
}

// NewCrowd lets so many in, of each network and of all.
func NewCrowd(each, all int) *Crowd {
	return &Crowd{each: each, all: all, of: make(map[netip.Prefix]int)}
}

// SetBounds lets so many in from now on. Those who are in stay.
func (c *Crowd) SetBounds(each, all int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.each, c.all = each, all
}

// Enter counts one. False: it is one too many, and not counted.
func (c *Crowd) Enter(from netip.Addr) bool {
	key := Network(from)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[key] >= c.each || c.total >= c.all {
		return false
	}
	c.of[key]++
	c.total++
	return true
}

// Leave gives the place of one back that was let in.
func (c *Crowd) Leave(from netip.Addr) {
	key := Network(from)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.of[key]--; c.of[key] <= 0 {
		delete(c.of, key)
	}
}
