package peers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
)

// claimPort is held on the last address of a block for as long as the block is in use. The kernel
// gives it back when the process ends, however it ends.
const claimPort = 47254

// Block is one /24 of the loopback network that this process alone uses, so that every server can
// have the usual ports and test runs side by side do not meet. Linux answers for all of 127.0.0.0/8.
type Block struct {
	second, third byte
	claim         net.Listener
}

// ClaimBlock takes a free block.
func ClaimBlock() (*Block, error) {
	var cause error
	for range 50 {
		b := &Block{second: byte(16 + rand.IntN(224)), third: byte(1 + rand.IntN(254))}
		l, err := net.Listen("tcp", netip.AddrPortFrom(b.Addr(254), claimPort).String())
		if err == nil {
			b.claim = l
			return b, nil
		}
		cause = err
	}
	return nil, fmt.Errorf("claim a loopback block: %w", cause)
}

// Addr is the address of one host of the block.
func (b *Block) Addr(host byte) netip.Addr {
	return netip.AddrFrom4([4]byte{127, b.second, b.third, host})
}

// AddrPort is the same with a port.
func (b *Block) AddrPort(host byte, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(b.Addr(host), port)
}

// Close gives the block back.
func (b *Block) Close() error {
	if b.claim == nil {
		return errors.New("block was not claimed")
	}
	return b.claim.Close()
}
