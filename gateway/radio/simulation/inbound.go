package simulation

import (
	"context"
	"slices"
	"time"

	"sallyport/gateway/spool"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/hf"
	"sallyport/links/x2x"
	"sallyport/peering"
)

// Epoch implements links.Custodian.
func (s *site) Epoch() uint64 { return s.spool.Epoch() }

// Issued implements links.Issuer.
func (s *site) Issued() uint64 { return uint64(s.spool.Stats().Next) - 1 }

// Marks implements links.Custodian.
func (s *site) Marks(string) []links.Mark { return s.r.Marks() }

// Greeted implements links.Custodian.
func (s *site) Greeted(_, _ string, epoch uint64, marks []links.Mark) {
	if s.r.Greeted(epoch) {
		s.w.violate("site %d: the other has a new epoch, and nobody lost a spool", s.i)
	}
	if s.epoch != epoch && epoch != 0 {
		s.epoch, s.taken = epoch, [links.Lanes]uint64{}
		clear(s.hand)
	}
	if _, err := s.spool.Greeted(far, epoch); err != nil {
		s.w.violate("site %d: %v", s.i, err)
	}
	s.commitSoon()
	s.refresh()
	for _, m := range marks {
		if m.Epoch != s.Epoch() {
			continue
		}
		if m.Number > s.Issued() {
			s.w.violate("site %d: the other holds %d, and %d is the last that was given", s.i, m.Number, s.Issued())
		}
		s.handle(s.sched.Covered(s.w.now, m.Lane, m.Number), false)
	}
	s.handle(s.sched.Greeted(s.w.now, 0), false)
}

// Incident implements x2x.Observer.
func (s *site) Incident(i x2x.Incident) {
	s.w.note("link: "+i.Kind, 1)
	s.w.say("%d: link: %s %s", s.i, i.Kind, i.Detail)
	switch i.Kind {
	case x2x.IncidentUp:
		s.w.Turns++
	case hf.NoticeRepeated:
		s.w.Repeated++
	}
}

// Accept implements links.Sink.
func (s *site) Accept(_ context.Context, in links.Inbound) {
	if in.Frame.Valid() && s.repeated(in) {
		return
	}
	if in.Malformed != nil {
		s.w.violate("site %d: a malformed stanza came: %+v", s.i, in.Malformed)
	}
	m := s.w.messageOf(in.Stanza)
	e := s.received(m, in)
	if in.Frame.Valid() {
		s.next++
		if s.r.Take(in.Frame, s.next) != custody.New {
			return
		}
		s.taken[in.Frame.Lane], s.hand[s.next] = in.Frame.Number, in
	}
	sp := s.spool
	early := s.w.set.Fault == AcknowledgedEarly
	if early {
		in.Settle()
	}
	done := func(err error) {
		switch {
		case s.spool != sp:
		case err != nil:
			s.w.violate("site %d: %s is not kept: %v", s.i, m.name(), err)
		case early:
		case in.Frame.Valid():
			s.committed(in.Frame)
		default:
			in.Settle()
		}
	}
	s.commitSoon()
	switch {
	case !e.To.IsZero():
		if err := sp.Append(e, func(_ spool.Number, err error) { done(err) }); err != nil {
			done(err)
		}
	case e.Mark != nil:
		if err := sp.Refused(*e.Mark, done); err != nil {
			done(err)
		}
	default:
		in.Settle()
	}
}

// received judges what came for each of its recipients, and makes the entry for those that may have it. Without any, To is zero.
func (s *site) received(m *message, in links.Inbound) (e spool.Entry) {
	if in.Frame.Valid() {
		e.Mark = &spool.Mark{Peer: far, Epoch: in.Frame.Epoch, Lane: in.Frame.Lane, Number: in.Frame.Number}
	}
	for _, to := range append([]jid.JID{in.Stanza.To()}, in.Also...) {
		st := in.Stanza
		if to != st.To() {
			st = st.WithAddresses(jid.JID{}, to)
		}
		a := s.arrival(st, far, in.Bytes)
		v := s.engine.Judge(a)
		r, ok := v.Released()
		switch {
		case !ok:
			m.refusedAt(s, to)
		case !e.To.IsZero():
			e.Also = append(e.Also, to)
		default:
			stored, err := peering.AppendArrival(nil, a)
			if err != nil {
				s.w.violate("site %d: %v", s.i, err)
			}
			e.Peer, e.Local, e.Remote, e.To, e.Kind, e.Stored = r.Peer(), r.Local(), r.Remote(), to, st.Kind(), stored
			e.Conversation, e.Accepted, e.Class = uint64(m.id), s.w.now, spool.Class(in.Frame.Lane) //nolint:gosec // small
		}
	}
	return e
}

// repeated deals with everything that is not new.
func (s *site) repeated(in links.Inbound) bool {
	if in.Frame.Epoch == s.epoch && in.Frame.Number > s.taken[in.Frame.Lane] {
		return false
	}
	s.next++
	switch s.r.Take(in.Frame, s.next) {
	case custody.Repetition:
		s.keepRepetition(in)
		in.Settle()
	case custody.Pending:
		s.hand[s.next] = in
	case custody.Foreign, custody.New:
	}
	s.w.Repeated++
	return true
}

// keepRepetition keeps what came before as if it were new, where that is the planted fault.
func (s *site) keepRepetition(in links.Inbound) {
	if s.w.set.Fault != RepetitionsKept || in.Malformed != nil {
		return
	}
	if e := s.received(s.w.messageOf(in.Stanza), in); !e.To.IsZero() {
		e.Mark = nil
		if err := s.spool.Append(e, nil); err != nil {
			s.w.violate("site %d: %v", s.i, err)
		}
		s.commitSoon()
	}
}

// committed acknowledges what is on disk.
func (s *site) committed(f links.Frame) {
	err := s.r.Committed(f.Mark(), func(id uint64) {
		in := s.hand[id]
		delete(s.hand, id)
		in.Settle()
	})
	if err != nil {
		s.w.violate("site %d: %v", s.i, err)
	}
}

// consume writes to the domain in memory what was announced, and announces what comes next.
func (s *site) consume() {
	if n := len(s.home); s.w.set.Fault == OrderSwapped && n > 1 {
		s.home[0], s.home[n-1] = s.home[n-1], s.home[0]
	}
	for _, e := range s.home {
		s.w.arrived(s, &e)
		s.done(e.Number, spool.Delivered)
	}
	s.home = nil
	var batch []spool.Entry
	var numbers []spool.Number
	for len(batch) < 8 {
		e, ok := s.spool.Next(home, home, s.w.now)
		if !ok {
			break
		}
		batch, numbers = append(batch, e), append(numbers, e.Number)
	}
	if len(batch) == 0 {
		return
	}
	sp := s.spool
	err := sp.Sending(numbers, func(err error) {
		if s.spool == sp && err == nil {
			s.home = append(s.home, batch...)
		}
	})
	if err != nil {
		s.w.violate("site %d: %v", s.i, err)
	}
	s.commitSoon()
}

// settle does one round; false when there was nothing to do.
func (s *site) settle() (again bool) {
	if s.link != nil {
		if s.link.Wants() {
			again = true
			s.dial()
		}
		s.link.Step()
		s.pump()
		again = s.carry() || again
	}
	if s.node != nil {
		for _, o := range s.node.Orders() {
			again = true
			if err := s.w.sim.Order(s.w.now, s.i, o); err != nil {
				s.w.violate("node %d: %v", s.i, err)
			}
		}
		for _, e := range s.node.Events() {
			s.w.note("node: "+e.Kind.String(), 1)
			s.w.say("node %d: %v %v %s %v", s.i, e.Kind, e.Remote, e.Text, e.Err)
		}
	}
	return again
}

// dial connects the gateway to its node, if that is there.
func (s *site) dial() {
	if s.node == nil {
		s.link.Closed()
		return
	}
	id, err := s.node.Attach(s.w.now)
	if err == nil {
		err = s.link.Connected()
	}
	if err != nil {
		s.w.violate("site %d: %v", s.i, err)
	}
	s.conn = id
}

// carry moves bytes between the gateway and its node.
func (s *site) carry() (again bool) {
	if s.node == nil {
		return false
	}
	if !s.link.Connection() {
		if s.conn != 0 {
			s.node.Closed(s.w.now, s.conn)
			s.conn = 0
			return true
		}
		return false
	}
	if b, _ := s.link.Output(); len(b) > 0 {
		again = true
		s.node.Bytes(s.w.now, s.conn, b)
	}
	b, closing := s.node.Output(s.conn)
	if len(b) > 0 {
		again = true
		s.link.Input(b)
	} else if closing {
		again = true
		s.node.Closed(s.w.now, s.conn)
		s.link.Closed()
		s.conn = 0
	}
	return again
}

// tick lets everything happen here that is due.
func (s *site) tick() {
	if s.node != nil {
		if at, ok := s.node.Deadline(); ok && !at.After(s.w.now) {
			s.node.Tick(s.w.now)
		}
	}
	if s.spool == nil {
		return
	}
	s.spool.Expire(s.w.now)
	if !s.commit.IsZero() && !s.commit.After(s.w.now) {
		s.commit = time.Time{}
		s.spool.Step()
		s.consume()
	}
}

func (s *site) deadlines(at func(time.Time, bool)) {
	if s.node != nil {
		at(s.node.Deadline())
	}
	if s.spool == nil {
		return
	}
	at(s.link.Deadline())
	at(s.commit, true)
	at(s.sched.Deadline(), true)
	at(s.spool.HeldUntil(far, s.w.now), true)
}

// messageOf is what a stanza says that it is. Its text has to be that of the message.
func (w *world) messageOf(st stanza.Stanza) *message {
	i := slices.IndexFunc(w.ids, func(m *message) bool { return m.name() == st.ID() })
	if i < 0 {
		w.violate("a stanza came that nobody sent: %v", st.Element())
	}
	m := w.ids[i]
	if body := bodyOf(st); m.topic != question && body != m.text() {
		w.violate("%s came with another text: %.60q", m.name(), body)
	}
	return m
}
