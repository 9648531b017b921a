package c2s

import (
	"net/netip"
	"sync"
	"time"
)

// How many connections may be unauthenticated at a time, of one address (of IPv6: of one /64) and of all, where nothing else is said (bad-inputs D13).
const (
	MaxPending    = 50
	maxPendingAll = 20_000
)

// seldomEvery is how often a line in the log says what anybody can bring about as often as he likes. The audit counts the others.
const seldomEvery = time.Minute

// seldom lets something happen now and then. Any goroutine may call it.
type seldom struct {
	mu   sync.Mutex
	last time.Time
}

func (s *seldom) may(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && now.Sub(s.last) < seldomEvery {
		return false
	}
	s.last = now
	return true
}

// Crowd counts what strangers have open: of one network, as [Server] has it for failed logins, and altogether. Any goroutine may call it.
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
	key := network(from)
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
	key := network(from)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.of[key]--; c.of[key] <= 0 {
		delete(c.of, key)
	}
}
