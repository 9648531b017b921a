package dtls

import (
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/x2x"
)

// feedBytes is how much a stream is given at a time.
const feedBytes = 64 << 10

// strand is the stream of one lane: a reader, a writer, and one lock around the machine.
type strand struct {
	session *session
	lane    int
	wakeup  chan struct{}
	roomy   chan struct{}
	held    atomic.Int64 // since when our own side holds the reader, Unix nanoseconds; 0: not

	qmu      sync.Mutex // put is called under Link.mu
	queue    []waiting
	receipts []uint64

	mu     sync.Mutex
	stream *x2x.Stream
	token  uint64
	flight map[uint64]links.Consignment
	left   []links.Consignment
	end    *x2x.Event // once it is over
	plain  uint64     // of the stream's, what is counted in Link.traffic
	saved  int64
}

func (st *strand) wake() {
	select {
	case st.wakeup <- struct{}{}:
	default:
	}
}

// quiet reports that nothing waits, here or at the peer.
func (st *strand) quiet() bool {
	st.mu.Lock()
	items, _ := st.stream.Unconfirmed()
	unsettled := st.stream.Unsettled()
	st.mu.Unlock()
	st.qmu.Lock()
	defer st.qmu.Unlock()
	return items == 0 && unsettled == 0 && len(st.queue) == 0
}

// read feeds the stream.
func (st *strand) read() {
	for {
		b, err := st.session.a.Receive(st.lane)
		now := time.Now()
		st.session.fed.Add(uint64(len(b)))
		for len(b) > 0 && err == nil {
			n := min(len(b), feedBytes)
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
	if e.Kind == x2x.Ended {
		st.end = e
	}
	return done
}

// handle carries out one event. Nothing is locked.
func (st *strand) handle(now time.Time, e x2x.Event, done []links.Consignment) {
	l := st.session.link
	switch e.Kind {
	case x2x.None, x2x.Ended: // the writer ends the strand
	case x2x.Arrived:
		st.session.stanza(now)
		l.tell(func() { l.traffic.StanzasIn++ })
		st.held.Store(now.UnixNano())
		l.sink.Accept(l.ctx, st.inbound(now, &e))
		st.held.Store(0)
	case x2x.Greeted:
		l.env.Custodian.Greeted(l.cfg.Name, l.cfg.Peer, e.Epoch, e.Marks)
	case x2x.Confirmed:
		for _, c := range done {
			c.Reporter.Report(c.Token, links.Delivered, nil)
		}
	case x2x.Noticed:
		l.tell(func() { l.traffic.Refused++ })
		l.incident(x2x.Incident{Kind: e.Word, Address: st.session.a.Address(), Reason: e.Condition.String(), Detail: e.Detail, Bytes: e.Bytes})
	}
}

func (st *strand) inbound(now time.Time, e *x2x.Event) links.Inbound {
	l := st.session.link
	in := links.Inbound{
		Stanza: e.Stanza, Malformed: e.Malformed, Bytes: e.Bytes, Link: l.cfg.Name, Side: l.cfg.Side, Peer: l.cfg.Peer,
		Proof: st.session.a.Proof(), Time: now, Receipt: st, Seq: e.Seq, Also: e.Also, Frame: e.Frame, Domain: l.cfg.PeerDomain, LocalDomain: l.cfg.LocalDomain,
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
			st.held.Store(0)
			return
		}
		st.held.CompareAndSwap(0, time.Now().UnixNano())
		select {
		case <-st.roomy:
		case <-st.session.a.ended:
			return
		}
	}
}
