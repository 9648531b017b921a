package hf

import (
	"time"

	"sallyport/links"
	"sallyport/links/x2x"
	"sallyport/s5066/sis"
)

// Stepped is a Link without its edge, for simulations: its owner carries the bytes between it and the node, tells it the time, and calls
// it until it has nothing more to do. Everything but the waiting is the Link's. One goroutine owns it; Sink, Reporter, Custodian and
// Watcher are called from within its methods.
type Stepped struct {
	l      *Link
	client *sis.Client // nil: not connected
	began  time.Time   // of the turn; zero while the node has not answered the bind
	retry  time.Time
}

// Clockwork is where a Stepped has the time and its random numbers from.
type Clockwork struct {
	Now  func() time.Time
	Draw func() uint16
}

// NewStepped makes a link that is not connected. Errors are those of NewLink.
func NewStepped(cfg Config, sink links.Sink, env Env, by Clockwork) (*Stepped, error) {
	l, err := newLink(cfg, sink, env, by.Now, by.Draw)
	if err != nil {
		return nil, err
	}
	return &Stepped{l: l, retry: by.Now()}, nil
}

// Turn implements links.Turns.
func (s *Stepped) Turn() uint64 { return s.l.Turn() }

// Deliver is that of the Link, but for its Reserve: false when there is no room for so many bytes, and nothing was taken.
func (s *Stepped) Deliver(c links.Consignment, bytes int) bool {
	if ok, _ := s.l.take(bytes); !ok {
		return false
	}
	s.l.Deliver(c)
	return true
}

// Settled implements links.Receipt.
func (s *Stepped) Settled(seq uint64) { s.l.Settled(seq) }

// SetSilent is that of the Link.
func (s *Stepped) SetSilent(silent bool) { s.l.SetSilent(silent) }

// Status is that of the Link.
func (s *Stepped) Status() links.Status { return s.l.Status() }

// Wants reports whether it is time to connect to the node, which is for the owner to do.
func (s *Stepped) Wants() bool { return s.client == nil && !s.l.clock().Before(s.retry) }

// Connected says that there is a connection to the node.
func (s *Stepped) Connected() error {
	c, err := sis.NewClient(s.l.clock(), s.l.bind())
	if err != nil {
		return err
	}
	s.client = c
	return nil
}

// Closed says that the connection, if there is one, is gone, or could not be made.
func (s *Stepped) Closed() {
	if s.client == nil {
		s.retry = s.l.backoff()
		return
	}
	s.client.Closed(s.l.clock())
	s.take()
}

// Input takes bytes of the node.
func (s *Stepped) Input(b []byte) {
	if s.client != nil {
		s.client.Bytes(s.l.clock(), b)
	}
}

// Output is what to write to the node; closing: and then close the connection. A link that is not connected has nothing to say.
func (s *Stepped) Output() (b []byte, closing bool) {
	if s.client == nil {
		return nil, false
	}
	return s.client.Output()
}

// Connection reports whether there is one.
func (s *Stepped) Connection() bool { return s.client != nil }

// Step does what is to be done now. It is called after every input, and at the Deadline.
func (s *Stepped) Step() {
	if s.client != nil {
		s.client.Tick(s.l.clock())
		s.take()
	}
	for s.submit() {
	}
	s.l.flush()
	s.hand()
	if err := s.l.whyEnding(); err != nil && !s.began.IsZero() {
		s.client.Unbind(s.l.clock())
		s.end(err)
	}
}

// submit gives the node one U_PDU, if there is one.
func (s *Stepped) submit() bool {
	if s.began.IsZero() || !s.client.Ready() {
		s.l.tell(func() {
			s.l.line.tick(s.l.clock())
			s.l.sort()
		})
		return false
	}
	r, ok, _ := s.l.step()
	if !ok {
		return false
	}
	if err := s.client.Send(s.l.clock(), r.id, r.UnidataRequest); err != nil {
		s.l.unsent(r.id, err)
	}
	return true
}

// take passes on what the node says.
func (s *Stepped) take() {
	for _, e := range s.client.Events() {
		if a, ok := e.(sis.Accepted); ok {
			s.began = s.l.clock()
			s.l.beginTurn(a.MTU)
			continue
		}
		if err := s.l.note(e); err != nil {
			s.end(err)
			return
		}
	}
}

// hand gives what came in to the sink.
func (s *Stepped) hand() {
	var list []event
	s.l.tell(func() { list, s.l.inbox = s.l.inbox, nil })
	for i := range list {
		s.l.handOne(&list[i])
	}
}

// end ends the connection, and the turn if there is one.
func (s *Stepped) end(err error) {
	s.client = nil
	s.hand()
	s.retry = s.l.clock()
	if s.began.IsZero() {
		s.retry = s.l.backoff()
		return
	}
	s.l.endTurn()
	s.l.incident(x2x.Incident{Kind: x2x.IncidentDown, Detail: err.Error()})
	if s.l.ended(err, s.began) {
		s.retry = s.l.backoff()
	}
	s.began = time.Time{}
}

// Deadline is when Step, or Wants, has something to do; false for never.
func (s *Stepped) Deadline() (at time.Time, ok bool) {
	s.l.tell(func() { at = s.l.line.deadline() })
	if s.client == nil {
		at = sooner(at, s.retry)
	} else if t, ok := s.client.Deadline(); ok {
		at = sooner(at, t)
	}
	return at, !at.IsZero()
}
