package server

import (
	"net/netip"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// Census is how many are here.
type Census struct {
	Users     int // accounts with a client that is connected, or waits to be resumed
	Sessions  int // clients
	Available int // of them, those that have said that they are there
}

// Census counts who is here.
func (s *Server) Census() (c Census) {
	for i := range s.shards {
		for _, u := range s.shards[i].all() {
			all := u.some(isConnected)
			c.Sessions += len(all)
			c.Available += len(u.some(isAvailable))
			if len(all) > 0 {
				c.Users++
			}
		}
	}
	return c
}

// Present is one client that is connected, or waits to be resumed.
type Present struct {
	JID       jid.JID // full
	Address   netip.Addr
	Bound     time.Time
	Priority  int8
	Available bool // has said that it is there
	Active    bool // somebody looks at it (XEP-0352), and it does not say that he is away
	Lost      bool // it has no connection, and may come back (XEP-0198 §5); it is not active
}

// Present lists the clients of one account, or of all of a domain, in no order.
func (s *Server) Present(of jid.JID) (list []Present) {
	for i := range s.shards {
		for _, u := range s.shards[i].all() {
			if u.bare != of.Bare() && (!of.IsDomain() || u.bare.DomainJID() != of) {
				continue
			}
			for _, r := range u.some(isConnected) {
				list = append(list, r.present())
			}
		}
	}
	return list
}

func (r *resource) present() Present {
	r.user.mu.Lock()
	p := Present{JID: r.jid, Bound: r.bound, Priority: r.priority, Available: isAvailable(r), Lost: r.parked}
	p.Active = p.Available && !p.Lost && !r.inactive && !away(r.presence)
	r.user.mu.Unlock()
	if at, ok := r.session.(interface{ Remote() netip.Addr }); ok {
		p.Address = at.Remote()
	}
	return p
}

// away reports whether a presence says that nobody looks (RFC 6121 §4.7.2.1).
func away(p stanza.Stanza) bool {
	e := p.Element()
	show := e.Child(e.Space(), "show")
	if show == nil {
		return false
	}
	text := show.Text()
	return text == "away" || text == "xa"
}
