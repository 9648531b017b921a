package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"sallyport/gateway/answers"
	"sallyport/gateway/audit"
	"sallyport/gateway/spool"
	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/peering"
	"sallyport/server"
)

// flight is one stanza between its arrival and the end of our responsibility for it. It
// is what the audit log and the outlet report to. Flights are reused; the stanza they
// hold is not.
type flight struct {
	course
	verdict peering.Verdict
	facts   []byte            // memory for their encoding
	written xmlstream.Written // the stanza as it came, in canonical form
}

// course is what a flight is, without what is large or used again.
type course struct {
	g        *Gateway
	in       links.Inbound
	claim    claim
	cause    peering.Cause    // why the sender is told something, other than the verdict
	declined stanza.Condition // with the cause of that name
	seq      uint64           // audit record of the decision
	keep     bool             // goes to the spool
	class    spool.Class
	copies   *copies         // came with others in one consignment
	folded   thin.Reason     // why nothing of it is worth sending
	stored   peering.Stored  // for the spool
	mark     *spool.Mark     // what taking it means to a gateway of ours
	home     *answers.Answer // found for the request, in place of its peer
	of       *homeAnswer     // this is an answer of ours
}

var (
	_ audit.Committed = (*flight)(nil)
	_ links.Reporter  = (*flight)(nil)
)

// flights is a free list; what it hands out is empty. Flights end on another processor than they begin on, mostly, so that they go back in
// flocks: a processor that has none takes many at once from the other. For the same reason they are emptied when they are taken: nearly
// all of one is written there, and read only in a few places at its end.
type flights struct{ some, few sync.Pool } // of *flock: some has one flight at least, few has room for one

type flock struct {
	n   int
	all [32]*flight
}

func (p *flights) take() *flight {
	k, _ := p.some.Get().(*flock)
	if k == nil {
		return &flight{}
	}
	k.n--
	f := k.all[k.n]
	k.all[k.n] = nil
	if k.n > 0 {
		p.some.Put(k)
	} else {
		p.few.Put(k)
	}
	return f
}

func (p *flights) give(f *flight) {
	k, _ := p.few.Get().(*flock)
	if k == nil {
		k = new(flock)
	}
	k.all[k.n] = f
	k.n++
	if k.n == len(k.all) {
		p.some.Put(k)
	} else {
		p.few.Put(k)
	}
}

func (p *flights) get(g *Gateway, in *links.Inbound) *flight {
	g.counters.setOff.Add(1)
	f := p.take()
	f.course = course{} // in place: with what follows in the literal it would be made on the stack and copied
	f.g, f.in = g, *in
	f.verdict.Clear()
	f.facts = f.facts[:0]
	f.written.Forget()
	return f
}

func (p *flights) put(f *flight) {
	landed := &f.g.counters.landed
	f.g = nil // who lands it twice is found out
	p.give(f)
	landed.Add(1)
}

// landEvery is how often somebody who waits for flights looks at their number: only a
// node that stops does.
const landEvery = 5 * time.Millisecond

// landed waits until no flight is in the air.
func (g *Gateway) landed(ctx context.Context) {
	look := time.NewTicker(landEvery)
	defer look.Stop()
	for g.counters.air() != 0 {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// Durable is called by the audit log, in order of decisions, when the record of this one
// is on disk, or can never be.
func (f *flight) Durable(_, seq uint64, err error) {
	g := f.g
	f.seq = seq
	g.counters.Deciding.Add(-1)
	r, ok := f.verdict.Released()
	if err != nil { // nothing leaves; the sender is told, which gives nothing away
		f.claim.settle(false)
		g.auditDown(err)
		g.counters.Refused.Add(1)
		if ok && f.cause == peering.ByVerdict && !f.keep {
			g.unreserve(&r, f.in.Bytes)
		}
		if f.mark != nil { // the peer keeps it, and tells nobody
			if f.copies != nil {
				f.copies.unrecorded(f)
				return
			}
			f.land()
			return
		}
		g.answer(f, peering.AuditDown)
		return
	}
	if !ok || f.cause != peering.ByVerdict {
		f.claim.settle(false)
		if ok {
			g.counters.Bounced.Add(1)
		}
		g.answer(f, f.cause)
		return
	}
	f.claim.settle(f.verdict.Effects.Answered || f.verdict.Effects.Answer)
	g.conversations.apply(&f.verdict, r.Stanza(), f.in.Time, seq)
	if f.home != nil {
		g.home.answer(f)
		return
	}
	g.home.crossed(f, &r)
	g.peer(r.Peer()).Out.Add(1)
	if f.keep {
		g.depot.keep(f, &r)
		return
	}
	g.counters.Queued.Add(1)
	out := g.outlet(r.Link())
	if out == nil {
		f.Report(0, links.Failed, errNoLink)
		return
	}
	out.Deliver(links.Consignment{Released: r, Written: &f.written, Token: uint64(f.in.Bytes), Reporter: f})
}

// Report is called by the outlet once the fate of what was released is known.
func (f *flight) Report(_ uint64, d links.Disposition, cause error) {
	g := f.g
	g.counters.Queued.Add(-1)
	switch d {
	case links.Delivered:
		g.counters.Delivered.Add(1)
		g.peer(f.verdict.ToPeer).Delivered.Add(1)
		if f.verdict.Effects.Await {
			r, _ := f.verdict.Released()
			g.requested(r.Stanza(), links.Profile{})
		}
		f.land()
		return
	case links.InDoubt, links.Returned: // without a queue to go back to, nobody can say
		g.counters.InDoubt.Add(1)
		f.cause = peering.Doubtful
	case links.Expired:
		g.counters.Expired.Add(1)
		f.cause = peering.Expired
	case links.Failed, links.Unknown:
		g.counters.Bounced.Add(1)
		f.cause = undelivered(cause)
		var b *server.Bounce
		if errors.As(cause, &b) {
			f.cause, f.declined = peering.Declined, b.Condition
		}
	}
	if r, ok := f.verdict.Released(); ok {
		g.conversations.forget(&f.verdict.Effects, r.Stanza())
	}
	g.bounces.add(f, cause)
}

// undelivered is what the sender is told of what was never written.
func undelivered(err error) peering.Cause {
	if errors.Is(err, links.ErrTooBig) {
		return peering.TooBig
	}
	if links.Condition(err) == stanza.RemoteServerNotFound {
		return peering.Unroutable
	}
	return peering.Undelivered
}

// land ends the flight: the link it came in on may acknowledge it.
func (f *flight) land() {
	if f.in.Receipt != nil {
		f.in.Receipt.Settled(f.in.Seq)
	}
	of := f.of
	f.g.flights.put(f)
	if of != nil {
		of.landed()
	}
}
