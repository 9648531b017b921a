package cable

import (
	"fmt"
	"net/netip"
	"sync"
)

// State is what a cable does. The zero value passes everything on.
type State uint8

// The states.
const (
	Whole  State = iota
	Silent       // nothing arrives; connections stay
	Broken       // connections end, and new ones do too
)

// Cable is one relay.
type Cable struct {
	// Addr is where it listens.
	Addr netip.AddrPort

	to      netip.AddrPort
	carrier carrier
	running sync.WaitGroup

	mu      sync.Mutex
	state   State
	changed chan struct{} // closed and replaced with each change
	closed  bool
	stats   Stats
}

// carrier is TCP or UDP.
type carrier interface {
	// breakAll ends what is under way.
	breakAll()
	close() error
}

// Stats counts what was given on, for both directions together. Before somebody hears it, it is counted.
type Stats struct {
	Connections, Bytes uint64
	Lost               uint64 // datagrams that came while the cable was silent or broken
}

// Listen relays from an address to another. The network is tcp or udp.
func Listen(network string, at, to netip.AddrPort) (*Cable, error) {
	c := &Cable{Addr: at, to: to, changed: make(chan struct{})}
	var err error
	switch network {
	case "tcp":
		err = c.listenTCP()
	case "udp":
		err = c.listenUDP()
	default:
		err = fmt.Errorf("cable: no network %q", network)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Set puts the cable into a state.
func (c *Cable) Set(s State) {
	c.mu.Lock()
	c.state = s
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
	if s == Broken {
		c.carrier.breakAll()
	}
}

// Stats returns the counters.
func (c *Cable) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Close ends everything.
func (c *Cable) Close() error {
	c.mu.Lock()
	c.closed, c.state = true, Broken
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
	err := c.carrier.close()
	c.carrier.breakAll()
	c.running.Wait()
	return err
}

// awaitVoice returns when the cable is not silent, having counted so many bytes as given on; false when it is broken. Once a cable is broken
// nothing more is counted.
func (c *Cable) awaitVoice(bytes int) bool {
	for {
		c.mu.Lock()
		s, changed := c.state, c.changed
		if s == Whole {
			c.stats.Bytes += uint64(bytes) //nolint:gosec // not negative
		}
		c.mu.Unlock()
		if s != Silent {
			return s == Whole
		}
		<-changed
	}
}

// carries reports whether a datagram is given on, and counts it.
func (c *Cable) carries(bytes int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != Whole {
		c.stats.Lost++
		return false
	}
	c.stats.Bytes += uint64(bytes) //nolint:gosec // not negative
	return true
}

func (c *Cable) connected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Connections++
}
