package simulation

import (
	"errors"
	"time"

	"sallyport/gateway/dispatch"
	"sallyport/gateway/spool"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/peering"
)

// client says things to the people at the other end, and says them again until its gateway has them.
type client struct {
	s       *site
	unsaid  []*copied // not known to be taken, in order
	offered int       // so many of them were given to this life of the gateway
	numbers [spool.NumClasses]uint64
}

// copied is a message for one of its recipients.
type copied struct {
	m      *message
	which  int
	number uint64 // of the client, in the class
}

// says begins a message.
func (c *client) says(x say) {
	w := c.s.w
	m := &message{say: x, id: len(w.ids)}
	m.to = m.recipients()
	w.ids = append(w.ids, m)
	w.say("%d says %v %s, class %d", c.s.i, m.topic, m.name(), m.class)
	for i := range m.to {
		w.Said++
		c.numbers[m.class]++
		c.unsaid = append(c.unsaid, &copied{m, i, c.numbers[m.class]})
	}
}

// offer gives the gateway what it does not have.
func (c *client) offer() {
	for c.offered < len(c.unsaid) {
		x := c.unsaid[c.offered]
		e, ok := c.s.accept(x)
		if !ok {
			c.taken(x)
			continue
		}
		sp := c.s.spool
		err := sp.Append(e, func(_ spool.Number, err error) {
			if c.s.spool == sp && err == nil {
				x.m.accepted[x.which] = true
				c.taken(x)
			}
		})
		switch {
		case err == nil:
			c.offered++
			c.s.commitSoon()
			if !e.Expires.IsZero() {
				c.s.w.appoint(e.Expires, func() {})
			}
		case errors.Is(err, spool.ErrRepeated):
			x.m.accepted[x.which], x.m.repeated = true, true
			c.taken(x)
		default:
			c.s.w.violate("%s is not taken: %v", x.m.name(), err)
		}
	}
}

// taken takes it off the list.
func (c *client) taken(x *copied) {
	for i, o := range c.unsaid {
		if o == x {
			c.unsaid = append(c.unsaid[:i:i], c.unsaid[i+1:]...)
			if i < c.offered {
				c.offered--
			}
			return
		}
	}
}

const clientEpoch = 7

// accept judges what a client says; false when it is refused.
func (s *site) accept(x *copied) (e spool.Entry, ok bool) {
	m := x.m
	text := m.xml(m.to[x.which])
	st, err := parse(text)
	if err != nil {
		s.w.violate("%s: %v", text, err)
	}
	a := s.arrival(st, home, len(text))
	v := s.engine.Judge(a)
	r, ok := v.Released()
	if !ok {
		s.w.say("%d: %s is refused: %s", s.i, m.name(), v.Refusal.Reason)
		m.end(s.w, s.i, x.which, spool.Refused)
		return e, false
	}
	stored, err := peering.AppendArrival(nil, a)
	if err != nil {
		s.w.violate("%s: %v", text, err)
	}
	m.released = true
	e = spool.Entry{
		Peer: r.Peer(), Class: spool.Class(m.class), Local: r.Local(), Remote: r.Remote(), To: st.To(), Kind: st.Kind(), Conversation: uint64(m.id), //nolint:gosec // small
		Stored: stored, Bytes: len(text), Accepted: s.w.now, Mark: &spool.Mark{Peer: "clients", Epoch: clientEpoch, Lane: uint8(m.class), Number: x.number}, //nolint:gosec // small
	}
	if m.life > 0 {
		e.Expires = e.Accepted.Add(m.life)
	}
	switch m.topic {
	case presence:
		e.Latest = spool.KeyOf("presence", st.From().String(), st.To().String())
	case room:
		e.Copy = spool.KeyOf("copy", m.name())
		e.Mark = nil // copies share a mark only when they come together
	case chat, question, classified:
	}
	return e, true
}

// commitSoon lets the disk have what was appended, after a while.
func (s *site) commitSoon() {
	if s.commit.IsZero() {
		s.commit = s.w.now.Add(s.w.dice.upTo(80 * time.Millisecond))
	}
}

// pump moves everything on that can go on.
func (s *site) pump() {
	s.client.offer()
	s.refresh()
	s.handle(s.sched.Tick(s.w.now), false)
	s.feed()
	s.announce()
	for len(s.queue) > 0 {
		o := s.queue[0]
		s.queue = s.queue[1:]
		s.send(o)
	}
}

// refresh asks the link for its turn before anything else is put into the scheduler.
func (s *site) refresh() {
	turn := s.link.Turn()
	s.sched.Turn(0, turn)
	if up := turn != 0; up != s.up {
		s.up = up
		s.handle(s.sched.Link(s.w.now, 0, up), false)
	}
}

// feed takes from the spool what the scheduler has room for.
func (s *site) feed() {
	for class := spool.NumClasses - 1; class >= 0; class-- {
		for s.sched.Waiting(uint8(class)) < 16 {
			e, ok := s.spool.NextIn(far, spool.Class(class), "dispatcher", s.w.now)
			if !ok {
				break
			}
			s.held[uint64(e.Number)] = &e
			s.refresh()
			s.handle(s.sched.Queued(s.w.now, dispatch.Item{
				Number: uint64(e.Number), Lane: uint8(e.Class), Bytes: e.Bytes, Links: dispatch.All, Conversation: e.Conversation, Expires: e.Expires, Sent: e.Number < s.first,
			}), false)
		}
	}
}

// handle does what the scheduler says. unsent: what waits again was certainly not written.
func (s *site) handle(outs []dispatch.Output, unsent bool) {
	for _, o := range append([]dispatch.Output(nil), outs...) {
		n := spool.Number(o.Number)
		switch o.Action {
		case dispatch.Nothing, dispatch.Close, dispatch.Cut:
		case dispatch.Send:
			s.queue = append(s.queue, o)
		case dispatch.Requeue:
			if unsent {
				s.spool.Unsent(n)
			}
		case dispatch.Announce:
			s.todo = append(s.todo, o)
		case dispatch.Delivered:
			s.ended(n, spool.Delivered)
		case dispatch.InDoubt:
			s.ended(n, spool.InDoubt)
		case dispatch.Expired:
			s.ended(n, spool.Expired)
		case dispatch.Poison:
			s.ended(n, spool.Bounced)
		case dispatch.TooBig, dispatch.Unroutable, dispatch.SetAside, dispatch.Recall:
			s.w.violate("site %d: %v of %d", s.i, o.Action, n)
		}
	}
}

// ended ends an entry that the scheduler has had.
func (s *site) ended(n spool.Number, how spool.Outcome) {
	delete(s.held, uint64(n))
	s.done(n, how)
}

// done ends an entry; that it has ended already is no fault.
func (s *site) done(n spool.Number, how spool.Outcome) {
	s.w.maybe(s, n, how)
	if err := s.spool.Done(n, how); err == nil {
		s.commitSoon()
	}
}

// announce makes durable that entries are about to be written to somebody who cannot be asked later.
func (s *site) announce() {
	if len(s.todo) == 0 {
		return
	}
	var ns []spool.Number
	for _, o := range s.todo {
		ns = append(ns, spool.Number(o.Number))
	}
	s.todo = nil
	sp := s.spool
	err := sp.Sending(ns, func(err error) {
		if s.spool != sp {
			return
		}
		s.refresh()
		for _, n := range ns {
			if err == nil {
				s.handle(s.sched.Announced(s.w.now, uint64(n)), true)
			} else {
				s.handle(s.sched.NotAnnounced(s.w.now, uint64(n)), true)
			}
		}
	})
	if err != nil {
		s.w.violate("site %d: announce: %v", s.i, err)
	}
	s.commitSoon()
}

// send judges an entry for the link, and hands it over.
func (s *site) send(o dispatch.Output) {
	h := s.held[o.Number]
	if h == nil {
		return
	}
	r, ok := s.release(h.Stored)
	if !ok {
		s.w.violate("site %d: %d is refused when it is to leave", s.i, o.Number)
	}
	c := links.Consignment{Released: r, Token: o.Number, Reporter: s, Turn: o.Turn, Lane: uint8(h.Class)}
	var also []peering.Released
	for _, to := range h.Also {
		stored, err := s.engine.Readdressed(h.Stored, to)
		if err != nil {
			s.w.violate("site %d: %v", s.i, err)
		}
		if r, ok := s.release(stored); ok {
			also = append(also, r)
		}
	}
	s.w.ids[h.Conversation].crossed(s, h)
	if s.custody() {
		c.Also = also
		c.Frame = links.Frame{Epoch: s.Epoch(), Lane: c.Lane, Number: o.Number, Expires: h.Expires}
		s.deliver(c, h.Bytes)
		return
	}
	f := &fan{s: s, number: o.Number, left: 1 + len(also), how: links.Delivered, to: append([]jid.JID{h.To}, h.Also...)}
	for i, r := range append([]peering.Released{r}, also...) {
		s.deliver(links.Consignment{Released: r, Token: uint64(i), Reporter: f, Turn: o.Turn, Lane: c.Lane}, h.Bytes) //nolint:gosec // small
	}
}

func (s *site) deliver(c links.Consignment, bytes int) {
	if !s.link.Deliver(c, bytes) {
		s.w.violate("site %d: the link is full", s.i)
	}
}

func (s *site) release(stored peering.Stored) (r peering.Released, ok bool) {
	v, err := s.engine.RejudgeFor(stored, nil, linkHF)
	if err != nil {
		s.w.violate("site %d: %v", s.i, err)
	}
	return v.Released()
}

// fan reports for all copies of an entry that went one by one.
type fan struct {
	s      *site
	number uint64
	left   int
	how    links.Disposition
	cause  error
	to     []jid.JID
}

// Report implements links.Reporter.
func (f *fan) Report(_ uint64, d links.Disposition, cause error) {
	if d != links.Delivered && (f.how == links.Delivered || d == links.InDoubt) {
		f.how, f.cause = d, cause
	}
	if f.left--; f.left == 0 {
		f.s.Report(f.number, f.how, f.cause)
	}
}

// Report implements links.Reporter.
func (s *site) Report(number uint64, d links.Disposition, cause error) {
	if s.spool == nil {
		return
	}
	s.w.say("%d: entry %d: %v %v", s.i, number, d, cause)
	fault := dispatch.OfLink
	switch {
	case errors.Is(cause, links.ErrTooBig):
		fault = dispatch.ItemTooBig
	case errors.Is(cause, links.ErrStaleTurn), errors.Is(cause, links.ErrNoCustody):
		fault = dispatch.Unwritten
	case errors.Is(cause, links.ErrUnreachable):
		fault = dispatch.Unheard
	case errors.Is(cause, links.ErrNoRoute):
		fault = dispatch.ItemNoRoute
	case errors.Is(cause, links.ErrRefused):
		fault = dispatch.ItemIsRefused
	}
	s.refresh()
	s.handle(s.sched.Report(s.w.now, number, d, fault), d == links.Failed || d == links.Expired || fault == dispatch.Unwritten)
}
