package sis

import (
	"fmt"
	"time"

	"sallyport/s5066"
)

// handle does what a primitive of a client asks for.
func (s *Server) handle(now time.Time, c *conn, p Primitive) {
	switch p := p.(type) {
	case BindRequest:
		s.bind(now, c, p)
		return
	case KeepAlive:
		if c.alive.receive(now) {
			s.tell(c, KeepAlive{})
		}
		return
	}
	if !c.bound || shapeOf(p.Type()).from&fromClient == 0 {
		s.fault(c, fmt.Errorf("%w: %s", ErrUnexpected, p.Type()))
		return
	}
	switch p := p.(type) {
	case UnbindRequest:
		s.unbind(now, c, ErrUnbindRequest)
	case UnidataRequest:
		s.request(now, c, p)
	case Management:
		if c.binding.Rank != s5066.RankManager {
			s.events = append(s.events, Fault{c.id, fmt.Errorf("%w: %s", ErrRank, p.Type())})
			return
		}
		s.events = append(s.events, ManagementRequest{c.binding, p})
	case HardLinkEstablish:
		if !p.Link.Remote.IsUnicast() {
			s.tell(c, HardLinkRejected{s5066.LinkNoAnswer, p.Link})
			return
		}
		s.events = append(s.events, HardLink{c.binding, p})
	case HardLinkTerminate:
		s.hardLink(c, p, p.Remote)
	case HardLinkAccept:
		s.hardLink(c, p, p.Link.Remote)
	case HardLinkReject:
		s.hardLink(c, p, p.Link.Remote)
	}
}

func (s *Server) hardLink(c *conn, p Primitive, remote s5066.Address) {
	if !remote.IsUnicast() {
		s.fault(c, fmt.Errorf("%w: %s for %s", ErrArguments, p.Type(), remote))
		return
	}
	s.events = append(s.events, HardLink{c.binding, p})
}

// bind gives out a SAP or says why not.
func (s *Server) bind(now time.Time, c *conn, p BindRequest) {
	if reason := s.refusal(now, c, p); reason != 0 {
		s.events = append(s.events, Fault{c.id, fmt.Errorf("bind of SAP %d with rank %d: %v", p.SAP, p.Rank, reason)})
		s.tell(c, BindRejected{reason})
		return
	}
	if !p.Service.Mode.Defined() {
		p.Service.Mode = s5066.TxDefault // there is no default: requests have to name a mode
	}
	c.binding = Binding{c.id, p.SAP, p.Rank, p.Service}
	c.bound, c.alive.heard = true, now
	c.held, c.off, c.ignored = false, false, 0
	s.saps[p.SAP] = c
	s.events = append(s.events, Bound{c.binding})
	s.tell(c, BindAccepted{p.SAP, uint16(s.cfg.MTU)})
	if s.status != nil {
		s.tell(c, *s.status)
	}
	s.flow(c)
}

// refusal says why a bind is refused, 0 if it is not. Where only room is missing, it makes some if it
// may.
func (s *Server) refusal(now time.Time, c *conn, p BindRequest) BindReason {
	switch {
	case p.Rank > s.cfg.MaxRank, p.SAP == s5066.SAPManagement && p.Rank != s5066.RankManager:
		return BindInvalidSAP
	case s.saps[p.SAP] != nil:
		return BindSAPInUse
	case c.bound: // one SAP per connection
		return BindNoResources
	case s.cfg.Broadcast && p.Service.Mode == s5066.TxARQ:
		return BindNoARQ
	case len(s.Bindings()) >= s.cfg.MaxBound && !s.evict(now, p.Rank):
		return BindNoResources
	}
	return 0
}

// evict unbinds the client of lowest rank if that is below rank; of equals the one on the highest
// SAP.
func (s *Server) evict(now time.Time, rank s5066.Rank) bool {
	var lowest *conn
	for _, c := range s.saps {
		if c != nil && c.binding.Rank < rank && (lowest == nil || c.binding.Rank <= lowest.binding.Rank) {
			lowest = c
		}
	}
	if lowest == nil {
		return false
	}
	s.stats.Evicted++
	s.tell(lowest, UnbindIndication{UnbindPreempted})
	s.unbind(now, lowest, ErrPreempted)
	return true
}

// request takes a U_PDU, or says why not.
func (s *Server) request(now time.Time, c *conn, p UnidataRequest) {
	if c.off {
		if c.ignored++; c.ignored > FlowGrace {
			s.stats.Ignored++
			if c.ignored > FlowGrace+MaxIgnored {
				s.cut(c, ErrOverrun)
			}
			return
		}
	}
	if p.Expedited && !s.mayHurry(now, c) {
		return
	}
	p.Delivery = p.Delivery.Resolve(c.binding.Service)
	arq := p.Delivery.Mode == s5066.TxARQ
	reason := RejectReason(0)
	switch {
	case len(p.Data) > s.cfg.MTU:
		reason = RejectTooLong
	case !p.Delivery.Mode.Defined():
		reason = RejectNoMode
	case !p.Destination.Valid(), arq && p.Destination.IsGroup(), arq && s.cfg.Broadcast:
		reason = RejectNoAnswer
	}
	if reason != 0 {
		s.stats.Rejected++
		s.events = append(s.events, Fault{c.id, fmt.Errorf("request to %s, %d bytes: %v", p.Destination, len(p.Data), reason)})
		s.tell(c, s.rejected(p, reason))
		return
	}
	if p.TTL == 0 || p.TTL > s.cfg.MaxTTL {
		p.TTL = s.cfg.MaxTTL
	}
	s.stats.Requests++
	s.events = append(s.events, Unidata{c.binding, p, now.Add(p.TTL)})
}

// mayHurry counts expedited requests, and unbinds the client that sends too many.
func (s *Server) mayHurry(now time.Time, c *conn) bool {
	if now.Sub(c.minute) >= time.Minute {
		c.minute, c.urgent = now, 0
	}
	if c.urgent++; c.urgent <= s.cfg.Expedited {
		return true
	}
	s.tell(c, UnbindIndication{UnbindExpedited})
	s.unbind(now, c, ErrExpedited)
	return false
}

// fault counts what a client sent and should not have; the tenth ends the connection.
func (s *Server) fault(c *conn, cause error) {
	s.stats.Invalid++
	c.invalid++
	s.events = append(s.events, Fault{c.id, cause})
	if c.invalid >= MaxInvalid {
		s.tell(c, UnbindIndication{UnbindInvalid})
		s.cut(c, ErrInvalid)
	}
}

// unbind frees the SAP of a client that has one.
func (s *Server) unbind(now time.Time, c *conn, cause error) {
	if c.bound {
		c.bound, c.idle = false, now
		s.saps[c.binding.SAP] = nil
		s.events = append(s.events, Unbound{c.binding, cause})
	}
}

// cut ends a connection after what is queued has been written.
func (s *Server) cut(c *conn, cause error) {
	if c.closing {
		return
	}
	s.stats.CutOff++
	if !c.bound {
		s.events = append(s.events, Fault{c.id, cause})
	}
	s.unbind(c.idle, c, cause)
	c.closing = true
	c.dec = Decoder{}
}
