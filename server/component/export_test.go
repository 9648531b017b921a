package component

import (
	"net"

	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
)

// Start takes a connection as Serve does.
func (c *Components) Start(socket net.Conn) bool { return c.start(socket) }

// DeliverStanza is Deliver of what the gate has released.
func (c *Components) DeliverStanza(m stanza.Stanza, done server.Delivered) { c.deliver(m, done) }

// The bounds of connections that have proven nothing, of what waits for one, and of how long one may take to prove itself and to end.
const (
	MaxStrangersEach = maxStrangersEach
	MaxStrangers     = maxStrangers
	MaxQueue         = maxQueue

	HandshakeTimeout = handshakeTimeout
	CloseTimeout     = closeTimeout
)
