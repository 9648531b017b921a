package hf

import (
	"context"
	"net"
)

// Network reaches the node. The zero value is TCP.
type Network struct {
	Dial func(ctx context.Context, address string) (net.Conn, error)
}
