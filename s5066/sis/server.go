package sis

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/s5066"
)

// Server is the node's end of the conversations with its clients. It is a plain type: what
// arrives from a connection goes in by Attach, Bytes and Closed, what the node decides by
// Indicate, Confirm, Reject, Tell, FlowOff and FlowOn; Events tells the node what clients
// want and Output what to write. No call waits for anything. Not safe for concurrent use.
type Server struct {
	cfg    ServerConfig
	lastID ClientID
	conns  map[ClientID]*conn
	saps   [16]*conn
	events []ServerEvent
	status *SubnetAvailability // as last told, nil if never
	stats  ServerStats
}

// ServerStats counts since the server was made.
type ServerStats struct {
	Connections uint64 // accepted
	Refused     uint64 // connections beyond MaxClients
	Invalid     uint64 // unusable or unexpected primitives
	Requests    uint64 // accepted U_PDUs
	Rejected    uint64 // U_PDUs the server refused itself
	Ignored     uint64 // U_PDUs dropped after S_DATA_FLOW_OFF
	Indications uint64 // U_PDUs given to clients
	CutOff      uint64 // connections the server ended
	Evicted     uint64 // clients unbound for one of higher rank
}

// conn is one connection.
type conn struct {
	id      ClientID
	dec     Decoder
	out     []byte
	closing bool
	bound   bool
	binding Binding
	idle    time.Time // since when it has had no SAP
	partial time.Time // since when a primitive is incomplete
	alive   keepAlive
	invalid int
	held    bool // the node said FlowOff
	full    bool // the queue is over QueueOff
	off     bool // S_DATA_FLOW_OFF was the last said
	ignored int  // requests since then
	urgent  int  // expedited requests since minute
	minute  time.Time
}

// NewServer makes a server; the configuration is checked.
func NewServer(cfg ServerConfig) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("subnetwork interface: %w", err)
	}
	return &Server{cfg: cfg, conns: make(map[ClientID]*conn)}, nil
}

// Attach takes a new connection. ErrFull if there are too many: close it.
func (s *Server) Attach(now time.Time) (ClientID, error) {
	if len(s.conns) >= s.cfg.MaxClients {
		s.stats.Refused++
		return 0, ErrFull
	}
	s.stats.Connections++
	s.lastID++
	s.conns[s.lastID] = &conn{id: s.lastID, idle: now, alive: keepAlive{heard: now}}
	return s.lastID, nil
}

// Bytes takes what a client sent. Feed it in pieces of some KiB and drain Events after
// each: the events are bounded by the bytes.
func (s *Server) Bytes(now time.Time, id ClientID, b []byte) {
	c := s.conns[id]
	if c == nil || c.closing {
		return
	}
	c.alive.hear(now)
	c.dec.Push(b)
	for !c.closing {
		p, err := c.dec.Next()
		switch {
		case p != nil:
			c.partial = time.Time{}
			s.handle(now, c, p)
		case errors.Is(err, ErrShort):
			if !c.dec.Partial() {
				c.partial = time.Time{}
			} else if c.partial.IsZero() {
				c.partial = now
			}
			return
		default:
			c.partial = time.Time{}
			s.fault(c, err)
		}
	}
}

// Closed says that a connection has ended.
func (s *Server) Closed(now time.Time, id ClientID) {
	if c := s.conns[id]; c != nil {
		s.unbind(now, c, ErrGone)
		delete(s.conns, id)
	}
}

// Deadline is when Tick wants to be called next.
func (s *Server) Deadline() (time.Time, bool) {
	var next time.Time
	for _, c := range s.conns {
		for _, t := range s.timers(c) {
			if !t.IsZero() && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	return next, !next.IsZero()
}

// timers are the times at which something is due for a connection; zero ones are not running.
func (s *Server) timers(c *conn) [4]time.Time {
	var t [4]time.Time
	if c.closing {
		return t
	}
	if !c.partial.IsZero() {
		t[0] = c.partial.Add(PartialTimeout)
	}
	if !c.bound {
		t[1] = c.idle.Add(BindTimeout)
		return t
	}
	t[2] = c.alive.answerBy()
	if s.cfg.KeepAlive > 0 && t[2].IsZero() {
		t[3] = c.alive.askAt(s.cfg.KeepAlive)
	}
	return t
}

// Tick does what is due: it ends what has taken too long and asks silent clients.
func (s *Server) Tick(now time.Time) {
	for _, id := range s.ids() {
		c := s.conns[id]
		t := s.timers(c)
		switch due := func(i int) bool { return !t[i].IsZero() && !now.Before(t[i]) }; {
		case due(0):
			s.cut(c, ErrPartial)
		case due(1):
			s.cut(c, ErrNoBind)
		case due(2):
			s.tell(c, UnbindIndication{UnbindInactive})
			s.cut(c, ErrNoKeepAlive)
		case due(3):
			c.alive.ask(now)
			s.tell(c, KeepAlive{})
		}
	}
}

// Events returns what has happened since the last call, in order.
func (s *Server) Events() []ServerEvent {
	e := s.events
	s.events = nil
	return e
}

// Output returns the next bytes to write to a client, at most 64 KiB, and whether the
// connection is to be closed once they are written and there are none left. Ask again when they
// are written: what is taken no longer counts against the client's queue.
func (s *Server) Output(id ClientID) (b []byte, closing bool) {
	c := s.conns[id]
	if c == nil {
		return nil, true
	}
	n := min(len(c.out), outputChunk)
	b = slices.Clone(c.out[:n])
	c.out = c.out[n:]
	if len(c.out) == 0 {
		c.out = nil
	}
	if c.full && len(c.out) <= QueueOn {
		c.full = false
		s.flow(c)
	}
	return b, c.closing && len(c.out) == 0
}

// Pending lists the connections for which Output has something to say, by id.
func (s *Server) Pending() []ClientID {
	return slices.DeleteFunc(s.ids(), func(id ClientID) bool {
		c := s.conns[id]
		return len(c.out) == 0 && !c.closing
	})
}

// Bindings lists the bound clients by SAP.
func (s *Server) Bindings() []Binding {
	var list []Binding
	for _, c := range s.saps {
		if c != nil {
			list = append(list, c.binding)
		}
	}
	return list
}

// BoundTo finds the client of a SAP.
func (s *Server) BoundTo(sap s5066.SAP) (Binding, bool) {
	if !sap.Valid() || s.saps[sap] == nil {
		return Binding{}, false
	}
	return s.saps[sap].binding, true
}

// Stats returns the counters.
func (s *Server) Stats() ServerStats { return s.stats }

// ids lists the connections in order, so that what happens does not depend on a map.
func (s *Server) ids() []ClientID {
	ids := make([]ClientID, 0, len(s.conns))
	for id := range s.conns {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
