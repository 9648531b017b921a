package x2x

import (
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
)

// used notes bytes written that are of no stanza.
func (s *Stream) used(now time.Time, what links.Content, bytes int) {
	s.cfg.Usage.Add(now, links.Use{Lane: links.NoLane, Content: what, Plain: size(bytes), Wire: size(bytes)})
}

// usedBy notes a stanza written: plain before compression, wire on the link, of which body is its own.
func (s *Stream) usedBy(now time.Time, it *Item, plain, body, wire int) {
	s.cfg.Usage.Add(now, links.Use{
		Lane: s.laneOf(it.Frame), Content: contentOf(it.Element), Stanzas: 1, Plain: size(plain), Wire: size(body),
	})
	s.used(now, links.Framing, wire-body)
}

// heard notes what came in.
func (s *Stream) heard(now time.Time, what links.Content, bytes int) {
	s.cfg.Usage.Add(now, links.Use{Inbound: true, Lane: links.NoLane, Content: what, Plain: size(bytes), Wire: size(bytes)})
}

// heardFrom notes a stanza that came in.
func (s *Stream) heardFrom(now time.Time, e *xmlstream.Element, f links.Frame, plain, wire int) {
	s.cfg.Usage.Add(now, links.Use{
		Inbound: true, Lane: s.laneOf(f), Content: contentOf(e), Stanzas: 1, Plain: size(plain), Wire: size(wire),
	})
}

// below notes what the socket carried beyond the stream: noted is how much of it is.
func (c *carrier) below(now time.Time, inbound bool, noted *uint64, socket, stream uint64) {
	if socket <= stream+*noted {
		return
	}
	n := socket - stream - *noted
	*noted += n
	c.link.usage.Add(now, links.Use{Inbound: inbound, Lane: links.NoLane, Content: links.Overhead, Plain: n, Wire: n})
}

func (s *Stream) laneOf(f links.Frame) int {
	if s.cfg.Mode != Custody {
		return links.NoLane
	}
	return int(f.Lane)
}

func contentOf(e *xmlstream.Element) links.Content {
	typ, _ := e.Attr("type")
	return links.ContentOf(e.Local(), typ)
}

func size(n int) uint64 { return uint64(max(n, 0)) } //nolint:gosec // not negative
