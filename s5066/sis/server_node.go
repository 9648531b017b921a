package sis

import (
	"fmt"
	"time"

	"sallyport/s5066"
)

// Indicate gives a U_PDU from the air to the client of its destination SAP, whatever its size
// is. False if nobody is bound there, or the client does not read and has been cut off for it.
func (s *Server) Indicate(_ time.Time, p UnidataIndication) (ClientID, bool) {
	if !p.SAP.Valid() || s.saps[p.SAP] == nil {
		return 0, false
	}
	c := s.saps[p.SAP]
	if !s.tell(c, p) {
		return c.id, false
	}
	s.stats.Indications++
	return c.id, true
}

// Confirm tells a client that a request has arrived as it asked. It says nothing where the client
// asked for no confirmation. False if there is nobody to tell.
func (s *Server) Confirm(_ time.Time, id ClientID, p UnidataRequest) bool {
	c := s.conns[id]
	if c == nil || !c.bound || p.Delivery.Confirm == s5066.ConfirmNone {
		return false
	}
	return s.tell(c, UnidataConfirm{p.Expedited, p.SAP, p.Destination, s.returned(p)})
}

// Reject tells a client that a request has not arrived. It says nothing where the client asked for
// no confirmation. False if there is nobody to tell.
func (s *Server) Reject(_ time.Time, id ClientID, p UnidataRequest, reason RejectReason) bool {
	c := s.conns[id]
	if c == nil || !c.bound || p.Delivery.Confirm == s5066.ConfirmNone {
		return false
	}
	return s.tell(c, s.rejected(p, reason))
}

func (s *Server) rejected(p UnidataRequest, reason RejectReason) UnidataRejected {
	return UnidataRejected{p.Expedited, reason, p.SAP, p.Destination, s.returned(p)}
}

// returned is the part of a U_PDU by which its client knows it again.
func (s *Server) returned(p UnidataRequest) []byte { return p.Data[:min(len(p.Data), s.cfg.Returned)] }

// Tell sends a bound client a primitive that the server only passes on: HardLinkEstablished,
// HardLinkRejected, HardLinkTerminated, HardLinkIndication, a Management indication.
// ErrNoClient if the client is gone, ErrUnexpected for other primitives.
func (s *Server) Tell(_ time.Time, id ClientID, p Primitive) error {
	switch p.Type() {
	case TypeHardLinkEstablished, TypeHardLinkRejected, TypeHardLinkTerminated, TypeHardLinkIndication,
		TypeManagementIndication:
	default:
		return fmt.Errorf("%w: %s", ErrUnexpected, p.Type())
	}
	c := s.conns[id]
	if c == nil || !c.bound || !s.tell(c, p) {
		return ErrNoClient
	}
	return nil
}

// FlowOff asks a client to stop submitting, until FlowOn or its next bind. Requests under way, at
// most FlowGrace, still come as events.
func (s *Server) FlowOff(_ time.Time, id ClientID) { s.hold(id, true) }

// FlowOn lets it go on.
func (s *Server) FlowOn(_ time.Time, id ClientID) { s.hold(id, false) }

func (s *Server) hold(id ClientID, on bool) {
	if c := s.conns[id]; c != nil && c.bound {
		c.held = on
		s.flow(c)
	}
}

// Available tells all bound clients, and those that bind later, what the node can do.
func (s *Server) Available(_ time.Time, status NodeStatus, reason StatusReason) {
	s.status = &SubnetAvailability{status, reason}
	for _, c := range s.saps {
		if c != nil {
			s.tell(c, *s.status)
		}
	}
}

// SetBroadcast changes whether the node broadcasts only; if so, clients bound for ARQ lose their SAP.
func (s *Server) SetBroadcast(now time.Time, on bool) {
	s.cfg.Broadcast = on
	if !on {
		s.cfg.MTU = min(s.cfg.MTU, s5066.MTU)
		return
	}
	for _, c := range s.saps {
		if c != nil && c.binding.Service.Mode == s5066.TxARQ {
			s.tell(c, UnbindIndication{UnbindNoARQ})
			s.unbind(now, c, ErrBroadcast)
		}
	}
}

// tell queues a primitive for a client. A client that leaves too much unread is cut off and
// what waits for it is given up: the node never waits for a client.
func (s *Server) tell(c *conn, p Primitive) bool {
	if c.closing {
		return false
	}
	out, err := AppendPrimitive(c.out, p)
	if err != nil {
		s.events = append(s.events, Fault{c.id, err})
		return false
	}
	if len(out) > QueueMax {
		c.out = nil
		s.cut(c, ErrNotReading)
		return false
	}
	c.out = out
	if !c.full && len(c.out) > QueueOff {
		c.full = true
		s.flow(c)
	}
	return true
}

// flow tells a bound client if what it may do has changed.
func (s *Server) flow(c *conn) {
	off := c.held || c.full
	if !c.bound || off == c.off {
		return
	}
	c.off, c.ignored = off, 0
	s.tell(c, DataFlow{On: !off})
}
