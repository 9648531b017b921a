package gateway

import (
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/audit"
	"sallyport/gateway/delivery"
	"sallyport/gateway/spool"
	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// conclusion is the end of an entry that was not delivered: first its record, then what its sender is told, then its end on disk, so
// that a crash in between repeats rather than forgets.
type conclusion struct {
	entry      spool.Entry
	how        spool.Outcome
	state      delivery.State
	downSince  time.Time        // of all links
	verdict    *peering.Verdict // that refused it
	why        error
	unroutable bool
	by         string // an operator
	folded     thin.Reason
	ended      bool // by the spool
	recorded   bool
}

// concluder carries conclusions out, in order.
type concluder struct {
	d     *depot
	mu    sync.Mutex
	cond  *sync.Cond
	list  []conclusion
	stop  bool
	begun sync.WaitGroup // recorded, and not yet ended
}

func (q *concluder) add(c conclusion) {
	q.mu.Lock()
	q.list = append(q.list, c)
	q.mu.Unlock()
	q.cond.Signal()
}

// addNow is add for what must be on record before anything else of its lane is sent. It waits for the audit log.
func (q *concluder) addNow(c conclusion) {
	rec := q.record(&c)
	if err := q.d.g.append(&rec); err != nil {
		q.d.g.auditDown(err)
		return // it stays in the spool
	}
	c.recorded = true
	q.add(c)
}

// run ends after close, when the list is empty.
func (q *concluder) run() {
	for {
		q.mu.Lock()
		for len(q.list) == 0 && !q.stop {
			q.cond.Wait()
		}
		list := q.list
		q.list = nil
		stop := q.stop
		q.mu.Unlock()
		for i := range list {
			q.conclude(&list[i])
		}
		if stop && len(list) == 0 {
			return
		}
	}
}

// close lets run end, and waits for what it has begun.
func (q *concluder) close() {
	q.mu.Lock()
	q.stop = true
	q.mu.Unlock()
	q.cond.Signal()
	q.begun.Wait()
}

// judged is the verdict that the sender is told something about.
func (q *concluder) judged(c *conclusion) (v peering.Verdict, ok bool) {
	if c.verdict != nil {
		return *c.verdict, true
	}
	if len(c.entry.Stored) == 0 || c.entry.Stored.IsReply() {
		return v, false
	}
	v, err := q.d.g.engine.RejudgeFor(c.entry.Stored, nil, "")
	return v, err == nil
}

// outcome is the word for the record.
func (c *conclusion) outcome(now time.Time) string {
	switch {
	case c.unroutable:
		return peering.Unroutable.String()
	case c.folded != thin.NoReason:
		return outcomeFolded
	case c.how == spool.Refused, c.how == spool.Damaged:
		return c.how.String()
	}
	return c.stateNow(now).String()
}

func (c *conclusion) stateNow(now time.Time) delivery.State {
	switch {
	case c.how == spool.Expired:
		return delivery.Ended(c.entry.Accepted, now, c.downSince)
	case c.how == spool.InDoubt:
		return delivery.Uncertain
	case c.how == spool.Superseded:
		return delivery.Superseded
	}
	return c.state
}

func (q *concluder) record(c *conclusion) audit.Record {
	g := q.d.g
	rec := audit.Record{
		Kind: audit.Settlement, Outcome: c.outcome(g.now()), ToPeer: peerOf(c.entry.Peer), Time: g.now(), Node: g.node,
		Serial: uint64(c.entry.Number), Size: uint64(max(c.entry.Bytes, 0)),
	}
	if v, ok := q.judged(c); ok {
		from, to := v.Addresses()
		rec.FromPeer, rec.Ref, rec.From, rec.To = v.FromPeer, v.Ref(), from.String(), to.String()
		rec.PolicyVersion = g.versionText(v.Version)
		describeStanza(&rec, v.Source(), nil, &xmlstream.Written{})
		if c.how == spool.Refused && v.Outcome != peering.Release {
			rec.Stage, rec.Rule, rec.Reason = v.Refusal.Stage.String(), v.Refusal.Rule, string(v.Refusal.Reason)
		}
	}
	switch {
	case c.why != nil:
		rec.Reason = c.why.Error()
	case c.folded != thin.NoReason:
		rec.Reason = c.folded.String()
	case c.by != "":
		rec.Reason = "by " + c.by
	}
	return rec
}

// conclude writes the record and goes on when that is durable.
func (q *concluder) conclude(c *conclusion) {
	q.begun.Add(1)
	if len(c.entry.Stored) == 0 && !c.ended {
		c.entry.Stored, _ = q.d.store().Stored(c.entry.Number) // without, the record is all that is left of it
	}
	if !c.ended {
		q.d.rest(&c.entry)
	}
	for _, one := range q.split(c) {
		q.conclude(&one)
	}
	if c.recorded {
		q.tell(c)
		return
	}
	rec := q.record(c)
	if _, err := q.d.g.audit.Append(&rec, recorded{q, c}, 0); err != nil {
		q.d.g.auditDown(err)
		q.begun.Done()
	}
}

type recorded struct {
	q *concluder
	c *conclusion
}

// Durable implements audit.Committed.
func (r recorded) Durable(_, _ uint64, err error) {
	if err != nil {
		r.q.d.g.auditDown(err)
		r.q.begun.Done() // it stays in the spool
		return
	}
	r.q.tell(r.c)
}

// tell tells the sender, if he is to know, and ends the entry with it.
func (q *concluder) tell(c *conclusion) {
	v, ok := q.judged(c)
	if !ok {
		q.end(c)
		return
	}
	g := q.d.g
	if r, released := v.Released(); released {
		g.conversations.forget(&v.Effects, r.Stanza())
	}
	reply, ok := q.reply(c, &v)
	switch {
	case !ok:
		q.end(c)
	case g.depot.keeps(reply.Peer()):
		var ends []spool.End
		if !c.ended {
			ends = []spool.End{{Number: c.entry.Number, How: c.how}}
			q.d.mark(q.d.mine, c.entry.Number)
		}
		q.d.keepReply(&reply, nil, ends, func(err error) {
			if err != nil { // the record stands, its sender does not hear of it
				g.counters.RepliesLost.Add(1)
				g.log.Warn("a sender could not be told what became of his stanza", zap.String("peer", reply.Peer()), zap.Error(err))
				q.end(c)
				return
			}
			q.begun.Done()
		})
	default:
		g.replies.send(reply, func() { q.end(c) })
	}
}

// reply is the error for the sender.
func (q *concluder) reply(c *conclusion, v *peering.Verdict) (peering.Released, bool) {
	g := q.d.g
	switch {
	case c.how == spool.Refused && v.Outcome != peering.Release:
		g.refusals.add(&v.Refusal)
		return g.engine.Reply(v, peering.ByVerdict)
	case c.how == spool.Refused, c.how == spool.Damaged:
		return g.engine.Reply(v, peering.Undelivered)
	case c.unroutable:
		return g.engine.Reply(v, peering.Unroutable)
	}
	a := delivery.To(v.Source(), c.stateNow(g.now()))
	if a.IsNothing() {
		return peering.Released{}, false
	}
	return g.engine.ReplyTold(v, a.Cause, a.Told)
}

// end ends the entry on disk.
func (q *concluder) end(c *conclusion) {
	defer q.begun.Done()
	if c.folded != thin.NoReason {
		q.d.g.counters.Folded.Add(1)
	}
	if c.ended {
		return
	}
	q.d.mark(q.d.mine, c.entry.Number)
	if err := q.d.store().Done(c.entry.Number, c.how); err != nil {
		q.d.unmark(q.d.mine, c.entry.Number)
		if !errors.Is(err, spool.ErrUnknown) {
			q.d.g.log.Error("an entry of the spool could not be ended; it will be dealt with again", zap.Uint64("number", uint64(c.entry.Number)), zap.Error(err))
		}
	}
}

func (d *depot) mark(set map[spool.Number]struct{}, n spool.Number) {
	d.endsMu.Lock()
	set[n] = struct{}{}
	d.endsMu.Unlock()
}

// unmark reports whether it was marked.
func (d *depot) unmark(set map[spool.Number]struct{}, n spool.Number) bool {
	d.endsMu.Lock()
	defer d.endsMu.Unlock()
	_, ok := set[n]
	delete(set, n)
	return ok
}

// settled is told by the spool how an entry ended, when that is on disk. Every entry is counted here, and nowhere else.
func (d *depot) settled(e spool.Entry, how spool.Outcome) {
	if d.unmark(d.moved, e.Number) {
		d.unparted(e.Number)
		return // it goes on under another number, without them
	}
	mine := d.unmark(d.mine, e.Number)
	whole := e
	left := d.rest(&e)
	d.count(&whole, how)
	d.lost(&e, how)
	name := peerOf(e.Peer)
	d.mu.Lock()
	p := d.peers[name]
	d.mu.Unlock()
	var down time.Time
	if p != nil {
		down = p.down()
		switch {
		case name != e.Peer:
			p.ended(uint64(e.Number))
		case how != spool.Delivered && p.plan.custody:
			p.free(uint8(e.Class), uint64(e.Number))
		}
	}
	if mine || !left {
		return
	}
	switch how {
	case spool.Expired, spool.Damaged, spool.Superseded:
		d.ends.add(conclusion{entry: e, how: how, downSince: down, ended: true})
	case spool.NoOutcome, spool.Delivered, spool.Bounced, spool.Refused, spool.InDoubt:
	}
}

func (d *depot) count(e *spool.Entry, how spool.Outcome) {
	c := d.g.counters
	if e.Conversation&replyBit != 0 {
		if how == spool.Delivered {
			c.Replies.Add(1)
		} else {
			c.RepliesLost.Add(1)
		}
		return
	}
	n := e.Weight() - d.unparted(e.Number)
	c.Queued.Add(-n)
	switch how {
	case spool.NoOutcome:
	case spool.Delivered:
		c.Delivered.Add(n)
		d.g.peer(peerOf(e.Peer)).Delivered.Add(n)
	case spool.Bounced:
		c.Bounced.Add(n)
	case spool.Refused:
		c.Refused.Add(n)
	case spool.Expired:
		c.Expired.Add(n)
	case spool.Superseded:
		c.Superseded.Add(n)
	case spool.InDoubt:
		c.InDoubt.Add(n)
	case spool.Damaged:
		c.Damaged.Add(n)
	}
}

// down is since when no link of the dispatcher takes anything; zero while one does.
func (x *dispatcher) down() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.downSince
}
