package dtls

import (
	"errors"
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/x2x"
)

// errReplaced ends an association when the neighbour opened another.
var errReplaced = errors.New("dtls: a newer association of the same peer took its place")

// writeBytes is how much of a stream goes into one message.
const writeBytes = 16 << 10

// session is one association with a stream on each lane.
type session struct {
	link    *Link
	a       *Association
	strands []*strand
	wg      sync.WaitGroup
}

// strand is the stream of one lane: a reader, a writer, and one lock around the machine.
type strand struct {
	session *session
	lane    int
	wakeup  chan struct{}
	roomy   chan struct{}

	qmu      sync.Mutex // stands alone: put is called under Link.mu
	queue    []links.Consignment
	receipts []uint64
	over     bool

	mu     sync.Mutex
	stream *x2x.Stream
	token  uint64
	flight map[uint64]links.Consignment
	left   []links.Consignment
}

func newSession(l *Link, a *Association) *session {
	s := &session{link: l, a: a}
	p := l.profile
	p.KeepAlive, p.IdleClose = 0, 0 // the association's own
	marks := l.env.Custodian.Marks(l.cfg.Peer)
	for lane := range links.Lanes {
		cfg := x2x.StreamConfig{
			Mode: x2x.Custody, Opener: a.Opener(), Profile: p, Remote: l.cfg.Remote, Local: l.cfg.Local, Epoch: l.env.Custodian.Epoch(),
		}
		for _, m := range marks {
			if int(m.Lane) == lane {
				cfg.Marks = append(cfg.Marks, m)
			}
		}
		s.strands = append(s.strands, &strand{
			session: s, lane: lane, wakeup: make(chan struct{}, 1), roomy: make(chan struct{}, 1),
			stream: x2x.NewStream(cfg), flight: make(map[uint64]links.Consignment),
		})
	}
	return s
}

// run returns when the association has ended, with what was written and not confirmed, lane by lane in order.
func (s *session) run() (left []links.Consignment) {
	for _, st := range s.strands {
		st.mu.Lock()
		st.stream.Start(time.Now())
		st.mu.Unlock()
		s.wg.Go(st.write)
		s.wg.Go(st.read)
	}
	s.wg.Wait()
	for _, st := range s.strands {
		left = append(left, st.left...)
	}
	return left
}

// put gives a consignment to the strand of its lane; false when that is over.
func (s *session) put(c links.Consignment) bool {
	st := s.strands[c.Frame.Lane]
	st.qmu.Lock()
	defer st.qmu.Unlock()
	if st.over {
		return false
	}
	st.queue = append(st.queue, c)
	st.wake()
	return true
}

// unwritten takes what never left.
func (s *session) unwritten() (all []links.Consignment) {
	for _, st := range s.strands {
		st.qmu.Lock()
		st.over = true
		all = append(all, st.queue...)
		n := len(st.queue)
		st.queue = nil
		st.qmu.Unlock()
		for range n {
			s.link.tell(s.link.free)
		}
	}
	return all
}

func (st *strand) wake() {
	select {
	case st.wakeup <- struct{}{}:
	default:
	}
}

// read feeds the stream.
func (st *strand) read() {
	for {
		b, err := st.session.a.Receive(st.lane)
		now := time.Now()
		for len(b) > 0 && err == nil {
			n := min(len(b), 64<<10)
			st.mu.Lock()
			st.stream.Feed(now, b[:n])
			st.mu.Unlock()
			b = b[n:]
			for st.step(now) {
			}
			st.waitForRoom()
		}
		if err != nil {
			st.mu.Lock()
			st.stream.Lost(err.Error())
			st.mu.Unlock()
			for st.step(now) {
			}
			return
		}
	}
}

// step takes one event; false when there is none.
func (st *strand) step(now time.Time) bool {
	st.mu.Lock()
	e := st.stream.Next(now)
	done := st.collect(&e)
	st.mu.Unlock()
	st.handle(now, e, done)
	st.wake()
	return e.Kind != x2x.None
}

// collect turns tokens into consignments. Caller holds mu.
func (st *strand) collect(e *x2x.Event) (done []links.Consignment) {
	for _, t := range e.Tokens {
		done = append(done, st.flight[t])
		delete(st.flight, t)
	}
	for _, t := range e.Left {
		st.left = append(st.left, st.flight[t])
		delete(st.flight, t)
	}
	return done
}

// handle carries out one event. Nothing is locked.
func (st *strand) handle(now time.Time, e x2x.Event, done []links.Consignment) {
	l := st.session.link
	switch e.Kind {
	case x2x.None:
	case x2x.Arrived:
		l.tell(func() { l.traffic.StanzasIn++ })
		l.sink.Accept(l.ctx, st.inbound(now, &e))
	case x2x.Greeted:
		l.env.Custodian.Greeted(l.cfg.Name, l.cfg.Peer, e.Epoch, e.Marks)
	case x2x.Confirmed:
		for _, c := range done {
			c.Reporter.Report(c.Token, links.Delivered, nil)
		}
	case x2x.Noticed:
		st.incident(e.Word, &e)
	case x2x.Ended:
		st.incident(x2x.IncidentDown, &e)
		st.session.a.stop(errors.New("stream of a lane ended: " + e.Detail))
	}
}

func (st *strand) incident(kind string, e *x2x.Event) {
	l := st.session.link
	l.tell(func() { l.traffic.Refused++ })
	if l.env.Observer != nil {
		l.env.Observer.Incident(x2x.Incident{
			Kind: kind, Link: l.cfg.Name, Side: l.cfg.Side, Peer: l.cfg.Peer, Address: st.session.a.Address(), Reason: e.Condition.String(),
			Detail: e.Detail, Bytes: e.Bytes,
		})
	}
}

func (st *strand) inbound(now time.Time, e *x2x.Event) links.Inbound {
	l := st.session.link
	in := links.Inbound{
		Stanza: e.Stanza, Malformed: e.Malformed, Bytes: e.Bytes, Link: l.cfg.Name, Side: l.cfg.Side, Peer: l.cfg.Peer,
		Proof: st.session.a.Proof(), Time: now, Receipt: st, Seq: e.Seq, Frame: e.Frame, Domain: l.cfg.PeerDomain, LocalDomain: l.cfg.LocalDomain,
	}
	switch m := e.Malformed; {
	case m == nil:
		in.Domain, in.LocalDomain = e.Stanza.From().DomainJID(), e.Stanza.To().DomainJID()
	case !m.From.IsZero():
		in.Domain = m.From.DomainJID()
		if !m.To.IsZero() && hosts(l.cfg.Local, m.To) {
			in.LocalDomain = m.To.DomainJID()
		}
	}
	return in
}

func hosts(local func(jid.JID) bool, j jid.JID) bool { return local != nil && local(j.DomainJID()) }

// Settled implements links.Receipt.
func (st *strand) Settled(seq uint64) {
	st.qmu.Lock()
	st.receipts = append(st.receipts, seq)
	st.qmu.Unlock()
	st.wake()
}

// waitForRoom holds the reader while too much is unsettled.
func (st *strand) waitForRoom() {
	for {
		st.mu.Lock()
		paused := st.stream.Paused() && st.stream.Running()
		st.mu.Unlock()
		if !paused {
			return
		}
		select {
		case <-st.roomy:
		case <-st.session.a.ended:
			return
		}
	}
}

// write gives the stream receipts, consignments and time, and sends what comes of it.
func (st *strand) write() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	a := st.session.a
	for {
		out, next, more := st.turn(time.Now())
		for len(out) > 0 {
			n := min(len(out), writeBytes)
			if a.Send(st.session.link.ctx, st.lane, out[:n]) != nil {
				break
			}
			out = out[n:]
		}
		if more && a.Err() == nil {
			continue
		}
		wait := time.Hour
		if !next.IsZero() {
			wait = max(time.Until(next), 0)
		}
		timer.Reset(wait)
		select {
		case <-st.wakeup:
		case <-timer.C:
		case <-a.ended:
			return
		}
	}
}

// turn does what is due, and returns what is to be sent, when to look again, and whether there is more at once.
func (st *strand) turn(now time.Time) (out []byte, next time.Time, more bool) {
	st.qmu.Lock()
	receipts := st.receipts
	st.receipts = nil
	st.qmu.Unlock()
	var refused []refusal
	st.mu.Lock()
	for _, seq := range receipts {
		st.stream.Settled(now, seq)
	}
	refused, more = st.fill(now)
	if d := st.stream.Deadline(); !d.IsZero() && !now.Before(d) {
		st.stream.Tick(now)
	}
	out, next = st.stream.Output(nil), st.stream.Deadline()
	var done []links.Consignment
	e, timed := st.stream.Timed()
	if timed {
		done = st.collect(&e)
		more = true
	}
	roomy := !st.stream.Paused()
	st.mu.Unlock()
	if roomy {
		select {
		case st.roomy <- struct{}{}:
		default:
		}
	}
	for _, r := range refused {
		r.c.Reporter.Report(r.c.Token, r.d, r.cause)
	}
	if timed {
		st.handle(now, e, done)
	}
	return out, next, more
}

// refusal is a consignment that the stream did not take for good.
type refusal struct {
	c     links.Consignment
	d     links.Disposition
	cause error
}

// fill encodes from the queue, a message at a time. Caller holds mu.
func (st *strand) fill(now time.Time) (refused []refusal, more bool) {
	l := st.session.link
	for st.stream.Pending() < writeBytes {
		st.qmu.Lock()
		if len(st.queue) == 0 {
			st.qmu.Unlock()
			return refused, false
		}
		c := st.queue[0]
		st.qmu.Unlock()
		d, cause, later := st.give(now, c)
		if later {
			return refused, false
		}
		st.qmu.Lock()
		st.queue[0] = links.Consignment{}
		st.queue = st.queue[1:]
		st.qmu.Unlock()
		l.tell(l.free)
		if d != links.Unknown {
			refused = append(refused, refusal{c, d, cause})
		}
	}
	return refused, true
}

// give puts one consignment into the stream; later says that it has to wait. Caller holds mu.
func (st *strand) give(now time.Time, c links.Consignment) (d links.Disposition, cause error, later bool) {
	if e := c.Released.Expires(); !e.IsZero() && !now.Before(e) {
		return links.Expired, links.ErrExpired, false
	}
	st.token++
	v, err := st.stream.Send(now, x2x.Item{Element: c.Released.Element(), Token: st.token, Frame: c.Frame})
	switch {
	case v == custody.Transmit:
		st.flight[st.token] = c
		return links.Unknown, nil, false
	case v == custody.Already:
		return links.Delivered, nil, false
	case v == custody.Full || errors.Is(err, x2x.ErrNotRunning):
		return links.Unknown, nil, true
	case errors.Is(err, links.ErrNoCustody):
		return links.Returned, err, false
	}
	return links.Failed, err, false
}
