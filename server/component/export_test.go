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

// MaxConns and MaxQueue are the bounds of connections and of what waits for one, CloseTimeout of how long one may take to end.
const (
	MaxConns = maxConns
	MaxQueue = maxQueue

	CloseTimeout = closeTimeout
)
