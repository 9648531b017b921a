package peers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
)

// Ports that the kernel gives to nobody who does not ask for them (ip_local_port_range begins at 32768). One of the others can be gone
// between the look and the use: whoever connects to anything on this machine takes one.
const (
	firstPort = 10_000
	lastPort  = 32_000
)

// Ports are free ports of addresses that others use, too. What is claimed here is claimed nowhere else on this machine until Close, or until the
// process ends, however it ends. The zero value has none. One goroutine owns it.
type Ports struct {
	claims []net.Listener // by port, on claimAddr
}

// claimAddr is where a port is held for whoever has claimed it, on whatever address.
var claimAddr = netip.AddrFrom4([4]byte{127, 255, 255, 254})

// Free claims a port where nobody listens at that address.
func (p *Ports) Free(addr netip.Addr) (netip.AddrPort, error) {
	var cause error
	for range 50 {
		port := uint16(firstPort + rand.IntN(lastPort-firstPort)) //nolint:gosec // in range, and no secret
		claim, err := net.Listen("tcp", netip.AddrPortFrom(claimAddr, port).String())
		if err != nil {
			cause = err
			continue
		}
		at := netip.AddrPortFrom(addr, port)
		l, err := net.Listen("tcp", at.String())
		if err != nil {
			cause = errors.Join(err, claim.Close())
			continue
		}
		p.claims = append(p.claims, claim)
		return at, l.Close()
	}
	return netip.AddrPort{}, fmt.Errorf("claim a port of %s: %w", addr, cause)
}

// Close gives all of them back.
func (p *Ports) Close() error {
	var all []error
	for _, c := range p.claims {
		all = append(all, c.Close())
	}
	p.claims = nil
	return errors.Join(all...)
}
