package links

import (
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// appendStanza writes a released stanza as it would stand on a server-to-server stream.
func appendStanza(dst []byte, r peering.Released) ([]byte, error) {
	return xmlstream.AppendElement(dst, r.Element(), xmlstream.NSServer)
}

var _ Outlet = (*End)(nil)
