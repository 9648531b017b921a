package server

import (
	"net/netip"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// Session is what a client is connected by.
type Session = session

// BindTo, ArrivedFrom, EventOf and ClosedBy are the methods of c2s.Sessions for sessions without a socket.
func (s *Server) BindTo(x Session, want stream.BindWanted) stream.Input { return s.bind(x, want) }

func (s *Server) ArrivedFrom(x Session, a stream.Arrival) { s.arrived(x, []stream.Arrival{a}) }

func (s *Server) EventOf(x Session, o stream.Output) { s.event(x, o) }

func (s *Server) ClosedBy(x Session, end stream.Closed) { s.closed(x, end) }

// Users tells how many accounts take memory.
func (s *Server) Users() int {
	n := 0
	for i := range s.shards {
		n += len(s.shards[i].all())
	}
	return n
}

// FateOf is fateOf, in words.
func FateOf(t stanza.Type, to jid.JID, named, open bool) string {
	return [...]string{
		"refused", "ignored", "resource", "open", "keep", "available", "roster", "probe", "account", "server",
	}[fateOf(t, to, named, open)]
}

// FateUnknown is fateUnknown, in words.
func FateUnknown(t stanza.Type) string {
	return map[fate]string{toSender: "refused", toNobody: "ignored", toProbe: "probe"}[fateUnknown(t)]
}

// Paces counts by address, for tests.
type Paces struct{ p paces }

// Take is paces.take.
func (p *Paces) Take(now time.Time, from netip.Addr, perSecond int) bool {
	return p.p.take(now, from, perSecond)
}
