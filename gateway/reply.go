package gateway

import (
	"sync"

	"go.uber.org/zap"

	"sallyport/gateway/audit"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/peering"
)

// replies carries errors back to senders, and brings answers of ours on their way. Each remote
// domain has a queue of its own, so that a sender who does not read his errors holds up nobody
// else. A queue is as long as the flights that wait in it, which the links bound.
type replies struct {
	g      *Gateway
	mu     sync.Mutex
	queues map[jid.JID][]func()
	wg     sync.WaitGroup
}

// reply is one error on its way; it reports for itself. after is called once, whatever becomes of it.
type reply struct {
	g        *Gateway
	released peering.Released
	after    func()
}

var _ links.Reporter = (*reply)(nil)

// replyBytes is about what an error takes.
const replyBytes = 512

func newReplies(g *Gateway) *replies {
	return &replies{g: g, queues: make(map[jid.JID][]func())}
}

func (q *replies) send(r peering.Released, after func()) {
	one := &reply{q.g, r, after}
	q.add(r.Remote(), func() { q.deliver(one) })
}

// add does something that may wait for room towards a domain, after everything else that waits for it.
func (q *replies) add(key jid.JID, do func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting, running := q.queues[key]
	q.queues[key] = append(waiting, do)
	if !running {
		q.wg.Go(func() { q.run(key) })
	}
}

// run empties the queue of one domain and ends.
func (q *replies) run(key jid.JID) {
	for {
		q.mu.Lock()
		waiting := q.queues[key]
		if len(waiting) == 0 {
			delete(q.queues, key)
			q.mu.Unlock()
			return
		}
		do := waiting[0]
		q.queues[key] = waiting[1:]
		q.mu.Unlock()
		do()
	}
}

func (q *replies) deliver(r *reply) {
	out := q.g.outlet(r.released.Link())
	if out == nil {
		r.Report(0, links.Failed, errNoLink)
		return
	}
	if err := out.Reserve(q.g.ctx, r.released.Local(), r.released.Remote(), replyBytes); err != nil {
		r.Report(0, links.Failed, err)
		return
	}
	out.Deliver(links.Consignment{Released: r.released, Token: replyBytes, Reporter: r})
}

// Report lands what the error was about. An error that cannot be delivered is not answered by another;
// it is counted, and the decision it was about is in the audit log.
func (r *reply) Report(_ uint64, d links.Disposition, cause error) {
	g := r.g
	if d == links.Delivered {
		g.counters.Replies.Add(1)
	} else {
		g.counters.RepliesLost.Add(1)
		g.log.Info("a sender could not be told of a refusal", zap.String("peer", r.released.Peer()),
			zap.Stringer("disposition", d), zap.Error(cause))
	}
	r.after()
}

// bounces writes down what became of released stanzas that were not delivered, and then
// tells their senders. One goroutine; links report to it without waiting.
type bounces struct {
	g    *Gateway
	mu   sync.Mutex
	cond *sync.Cond
	list []bounce
	stop bool
}

type bounce struct {
	f     *flight
	cause error
}

var _ audit.Committed = (*bounce)(nil)

func newBounces(g *Gateway) *bounces {
	b := &bounces{g: g}
	b.cond = sync.NewCond(&b.mu)
	return b
}

func (b *bounces) add(f *flight, cause error) {
	b.mu.Lock()
	b.list = append(b.list, bounce{f, cause})
	b.mu.Unlock()
	b.cond.Signal()
}

// run ends after close, when the list is empty.
func (b *bounces) run() {
	for {
		b.mu.Lock()
		for len(b.list) == 0 && !b.stop {
			b.cond.Wait()
		}
		batch := b.list
		b.list = nil
		stop := b.stop
		b.mu.Unlock()
		for i := range batch {
			b.settle(&batch[i])
		}
		if stop && len(batch) == 0 {
			return
		}
	}
}

func (b *bounces) close() {
	b.mu.Lock()
	b.stop = true
	b.mu.Unlock()
	b.cond.Signal()
}

func (b *bounces) settle(x *bounce) {
	rec := audit.Record{
		Kind: audit.Settlement, Of: x.f.seq, Outcome: x.f.cause.String(), Ref: x.f.verdict.Ref(),
		FromPeer: x.f.verdict.FromPeer, ToPeer: x.f.verdict.ToPeer, Time: b.g.now(), Node: b.g.node,
	}
	if x.cause != nil {
		rec.Reason = x.cause.Error()
	}
	if _, err := b.g.audit.Append(&rec, x, 0); err != nil {
		x.Durable(0, 0, err)
	}
}

// Durable tells the sender once the record is on disk. Where it can never be, the sender
// is not told either: what he then knows would not be provable.
func (x *bounce) Durable(_, _ uint64, err error) {
	if err != nil {
		x.f.g.auditDown(err)
		x.f.land()
		return
	}
	x.f.g.answer(x.f, x.f.cause)
}
