package sis

import (
	"fmt"
	"time"

	"sallyport/s5066"
)

// Limits of one client connection, on both ends where they apply.
const (
	// MaxInvalid unusable primitives end a connection.
	MaxInvalid = 10
	// PartialTimeout is how long a primitive may take to arrive in full.
	PartialTimeout = 60 * time.Second
	// BindTimeout is how long a connection may stay without a SAP.
	BindTimeout = 5 * time.Minute
	// KeepAliveAnswer is how long an answer to S_KEEP_ALIVE may take.
	KeepAliveAnswer = 10 * time.Second
	// KeepAliveInterval is the shortest time between two S_KEEP_ALIVE of one's own.
	KeepAliveInterval = 120 * time.Second

	// QueueOff bytes waiting for a client that does not read bring S_DATA_FLOW_OFF,
	// QueueOn bytes S_DATA_FLOW_ON again, and at QueueMax it is cut off.
	QueueOff = 256 << 10
	QueueOn  = 64 << 10
	QueueMax = 2 << 20
	// FlowGrace requests are taken after S_DATA_FLOW_OFF, since they were under way. More
	// are dropped, and the client is cut off after MaxIgnored of them.
	FlowGrace  = 64
	MaxIgnored = 4096

	outputChunk = 64 << 10 // bytes that Output gives at a time
)

// ServerConfig is what a node allows its clients. The zero value allows nothing; begin with
// DefaultServerConfig.
type ServerConfig struct {
	MTU        int           // largest U_PDU in bytes; more than 2048 only with Broadcast
	MaxClients int           // connections at once, at least 5
	MaxBound   int           // of these with a SAP, at most 16
	MaxRank    s5066.Rank    // highest rank that is accepted; 15 allows management clients
	Broadcast  bool          // the node broadcasts only: ARQ is refused
	MaxTTL     time.Duration // lifetime of requests that name none, and the longest of all
	Returned   int           // bytes of the U_PDU that confirms and rejections return
	KeepAlive  time.Duration // silence after which a client is asked; 0 is never, else at least 120 s
	Expedited  int           // expedited requests a minute; one more unbinds the client
}

// DefaultServerConfig is a general node: 16 clients, rank 14 at most.
func DefaultServerConfig() ServerConfig {
	return ServerConfig{
		MTU: s5066.MTU, MaxClients: 20, MaxBound: 16, MaxRank: s5066.RankManager - 1,
		MaxTTL: 24 * time.Hour, Returned: 256, KeepAlive: 5 * time.Minute, Expedited: 120,
	}
}

func (c ServerConfig) validate() error {
	longest := s5066.MTU
	if c.Broadcast {
		longest = s5066.MaxBroadcast
	}
	switch {
	case c.MTU < 1 || c.MTU > longest:
		return fmt.Errorf("MTU %d, want 1 to %d", c.MTU, longest)
	case c.MaxClients < 5 || c.MaxClients > 1024:
		return fmt.Errorf("%d clients at once, want 5 to 1024", c.MaxClients)
	case c.MaxBound < 1 || c.MaxBound > 16:
		return fmt.Errorf("%d bound clients, want 1 to 16", c.MaxBound)
	case !c.MaxRank.Valid():
		return fmt.Errorf("rank %d, want 0 to 15", c.MaxRank)
	case c.MaxTTL < s5066.TTLUnit || c.MaxTTL > s5066.MaxTTL:
		return fmt.Errorf("longest time to live %v, want 2s to %v", c.MaxTTL, time.Duration(s5066.MaxTTL))
	case c.Returned < 1 || c.Returned > longest:
		return fmt.Errorf("%d bytes returned, want 1 to %d", c.Returned, longest)
	case c.KeepAlive != 0 && c.KeepAlive < KeepAliveInterval:
		return fmt.Errorf("keep-alive after %v, want %v or more", c.KeepAlive, KeepAliveInterval)
	case c.Expedited < 1:
		return fmt.Errorf("%d expedited requests a minute, want 1 or more", c.Expedited)
	}
	return nil
}
