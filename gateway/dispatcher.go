package gateway

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/dispatch"
	"sallyport/gateway/spool"
	"sallyport/links"
	"sallyport/peering"
)

// dispatcher sends what the spool holds for one peer. The scheduler decides; one goroutine feeds it from the spool and does what
// touches the disk, and one for each link hands over what goes there.
type dispatcher struct {
	d     *depot
	peer  string
	plan  plan
	token string // its name to the spool: a lane is with one dispatcher at a time
	wake  chan struct{}
	ctx   context.Context // until it is stopped
	halt  context.CancelFunc
	group sync.WaitGroup
	out   []*outgoing // by place in the plan

	mu        sync.Mutex
	sched     *dispatch.Peer
	held      map[uint64]*heldEntry
	todo      []dispatch.Output
	doomed    map[uint64]conclusion // end when the link that has them gives them back
	recalling map[uint64]uint64     // number to come back under, its order
	downSince time.Time             // no link takes anything since; zero while one does
	pending   int                   // are on their way back; nothing is taken until their numbers are known
	weighed   time.Time             // when the scheduler was told last how much compression saves
	retired   bool
	stopped   bool
}

// heldEntry is an entry that was taken from the spool and has not ended.
type heldEntry struct {
	spool.Entry
	order    uint64
	released peering.Released // as it was judged last, for one link
}

// Bounds of what is taken from the spool ahead of being sent, in each lane.
const (
	feedItems = 64
	feedBytes = 1 << 20
)

func newDispatcher(d *depot, peer string, p plan, token string) *dispatcher {
	x := &dispatcher{
		d: d, peer: peer, plan: p, token: token, wake: make(chan struct{}, 1), sched: dispatch.New(p.options()),
		held: map[uint64]*heldEntry{}, doomed: map[uint64]conclusion{}, recalling: map[uint64]uint64{},
	}
	x.ctx, x.halt = context.WithCancel(context.Background())
	for i := range p.bearers {
		x.out = append(x.out, newOutgoing(x, i))
	}
	return x
}

func (x *dispatcher) start() {
	now := x.d.g.now()
	for _, e := range x.d.store().Entries(x.peer+aside, 0, 1<<30) {
		x.sched.Aside(now, dispatch.Item{
			Number: uint64(e.Number), Lane: uint8(e.Class), Bytes: e.Bytes, Links: dispatch.All, Conversation: e.Conversation, Also: x.voicesAside(e),
		})
	}
	x.group.Go(x.run)
	for _, o := range x.out {
		x.group.Go(o.run)
	}
}

func (x *dispatcher) wakeUp() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// stop ends sending. What links have is still reported.
func (x *dispatcher) stop() {
	x.mu.Lock()
	x.stopped = true
	x.sched.Halt()
	x.mu.Unlock()
	x.halt()
	for _, o := range x.out {
		o.wakeUp()
	}
}

// retire gives everything back to the spool, as far as no link has it; another dispatcher takes over.
func (x *dispatcher) retire() {
	x.mu.Lock()
	x.retired = true
	x.mu.Unlock()
	x.stop()
}

// wait waits until its goroutines have ended.
func (x *dispatcher) wait() { x.group.Wait() }

// run feeds the scheduler and does what takes time, until the dispatcher is stopped.
func (x *dispatcher) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-x.ctx.Done():
			x.giveBack()
			return
		case <-x.wake:
		case <-timer.C:
		}
		x.feed()
		timer.Reset(x.work())
	}
}

// lookEvery is how often links are asked for their turn while something waits, should a word of theirs get lost.
const lookEvery = time.Second

// work lets the time pass and says when to look again.
func (x *dispatcher) work() time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.refresh()
	x.weigh(now)
	x.handle(x.sched.Tick(now), false)
	x.disk()
	wait := time.Minute
	if len(x.held)+x.sched.LenAside() > 0 {
		wait = lookEvery
	}
	if due := x.sched.Deadline(); !due.IsZero() {
		wait = min(wait, max(due.Sub(now), time.Millisecond))
	}
	if held := x.d.store().HeldUntil(x.peer, now); !held.IsZero() {
		wait = min(wait, max(held.Sub(now), time.Millisecond))
	}
	return wait
}

// refresh asks links for their turns before anything else is put into the scheduler. Caller holds mu.
func (x *dispatcher) refresh() time.Time {
	now, any := x.d.g.now(), false
	for i, b := range x.plan.bearers {
		turn := b.Turn()
		x.sched.Turn(i, turn)
		if up := turn != 0; up != x.out[i].up {
			x.out[i].up = up
			x.handle(x.sched.Link(now, i, up), false)
		}
		any = any || x.out[i].up && !b.inboundOnly()
	}
	if any {
		x.downSince = time.Time{}
	} else if x.downSince.IsZero() {
		x.downSince = now
	}
	return now
}

// feed takes from the spool what the scheduler has room for.
func (x *dispatcher) feed() {
	s := x.d.store()
	for class := spool.NumClasses - 1; class >= 0; class-- {
		for x.hungry(uint8(class)) {
			e, ok := s.NextIn(x.peer, spool.Class(class), x.token, x.d.g.now())
			if !ok {
				break
			}
			x.take(&e)
		}
	}
}

func (x *dispatcher) hungry(class uint8) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stopped || x.pending > 0 || x.sched.Waiting(class) >= feedItems {
		return false
	}
	bytes := 0
	for _, h := range x.held {
		if uint8(h.Class) == class {
			bytes += len(h.Stored)
		}
	}
	return bytes < feedBytes
}

// take judges an entry as it comes from the disk, and gives it to the scheduler.
func (x *dispatcher) take(e *spool.Entry) {
	h := &heldEntry{Entry: *e, order: uint64(e.Number)}
	if !x.d.rest(&h.Entry) {
		_ = x.d.store().Done(e.Number, spool.Delivered) // fails only when the spool has stopped
		return
	}
	may, ok := x.judge(h)
	if !ok {
		return
	}
	voices := x.voices(h)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.d.condemned(e.Number) {
		x.leaves(e)
		return
	}
	if order, back := x.recalling[uint64(e.Number)]; back {
		h.order = order
		delete(x.recalling, uint64(e.Number))
	}
	x.held[uint64(e.Number)] = h
	now := x.refresh()
	x.handle(x.sched.Queued(now, dispatch.Item{
		Number: uint64(e.Number), Order: h.order, Lane: uint8(e.Class), Bytes: e.Bytes, Links: may, Conversation: e.Conversation,
		Also: voices, Expires: e.Expires, Sent: e.Number < x.d.first,
	}), false)
}

// judge asks the policy of today over which links an entry may go. What it refuses is ended, with a record before anything else of
// the lane is sent; ok is false then.
func (x *dispatcher) judge(h *heldEntry) (may dispatch.Set, ok bool) {
	if h.Stored.IsReply() {
		return dispatch.All, true
	}
	v, err := x.d.g.engine.RejudgeFor(h.Stored, nil, "")
	if err != nil {
		x.refuse(conclusion{entry: h.Entry, how: spool.Damaged, why: err})
		return 0, false
	}
	r, ok := v.Released()
	if !ok || v.ToPeer != x.peer {
		if x.headRefused(h, &v) {
			return x.judge(h)
		}
		x.refuse(conclusion{entry: h.Entry, how: spool.Refused, verdict: &v})
		return 0, false
	}
	h.released = r
	if h.Number < x.d.first {
		x.d.g.conversations.restore(&v, r.Stanza(), x.d.g.now())
	}
	var names []string
	if p := x.d.g.engine.Policy().Peer(x.peer); p != nil {
		names = p.Links
	}
	return x.plan.set(names, v.Links.Has), true
}

// release makes what is sent over a link: judged for it, today. may is where else it could go when it may not go there.
func (x *dispatcher) release(h *heldEntry, at int) (r peering.Released, may dispatch.Set, ok bool) {
	link := x.plan.names[at]
	if h.Stored.IsReply() {
		r, err := x.d.g.engine.Restore(h.Stored, link)
		if err != nil {
			x.refuse(conclusion{entry: h.Entry, how: spool.Refused, why: err})
		}
		return r, dispatch.All, err == nil
	}
	if p := x.d.g.engine.Policy(); h.released.IsZero() || h.released.PolicyVersion() != p.Version() {
		if may, ok = x.judge(h); !ok || !may.Has(at) {
			return r, may, ok
		}
	}
	if h.released.Link() != link {
		v, err := x.d.g.engine.RejudgeFor(h.Stored, nil, link)
		if err == nil {
			h.released, ok = v.Released()
		}
		if !ok || h.released.Link() != link {
			h.released = peering.Released{}
			may, ok = x.judge(h)
			return r, may &^ dispatch.Of(at), ok
		}
	}
	return x.d.g.lateness().Leaving(h.released, h.Accepted, x.d.g.now()), dispatch.Of(at), true
}

// covered tells what the peer holds of a lane.
func (x *dispatcher) covered(lane uint8, number uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.refresh()
	x.handle(x.sched.Covered(now, lane, number), false)
	x.wakeUp()
}

// greeted tells that the peer has said on a link what it holds.
func (x *dispatcher) greeted(link string) {
	at := slices.Index(x.plan.names, link)
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.refresh()
	x.handle(x.sched.Greeted(now, at), false)
	x.wakeUp()
}

// ended forgets an entry that somebody else ended.
func (x *dispatcher) ended(number uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.refresh()
	delete(x.held, number)
	outs, _ := x.sched.Ended(now, number)
	x.handle(outs, false)
	x.wakeUp()
}

// report takes what a link says of what it was given.
func (x *dispatcher) report(number uint64, d links.Disposition, cause error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.refresh()
	fault := faultOf(cause)
	unsent := d == links.Failed || d == links.Expired || fault == dispatch.Unwritten
	x.handle(x.sched.Report(now, number, d, fault), unsent)
	x.wakeUp()
}

// handle does what the scheduler says, as far as that is done at once. unsent: what waits again was certainly not written. Caller
// holds mu.
func (x *dispatcher) handle(outs []dispatch.Output, unsent bool) {
	s := x.d.store()
	for _, o := range slices.Clone(outs) {
		n := spool.Number(o.Number)
		h := x.held[o.Number]
		switch o.Action {
		case dispatch.Nothing, dispatch.Close: // links rest by themselves
		case dispatch.Cut:
			x.d.g.log.Warn("a link owes answers beyond its time", zap.String("link", x.plan.names[o.Link]), zap.String("peer", x.peer))
		case dispatch.Send:
			x.out[o.Link].push(o)
		case dispatch.Requeue:
			if x.mourned(o.Number) {
				continue
			}
			if unsent && !x.d.partly(n) {
				s.Unsent(n)
			}
			if x.retired {
				delete(x.held, o.Number)
				x.sched.Ended(x.d.g.now(), o.Number)
				_ = s.Requeue(n) // fails only when the spool has stopped
			}
		case dispatch.Announce, dispatch.SetAside, dispatch.Recall:
			x.todo = append(x.todo, o)
			x.wakeUp()
		case dispatch.Delivered:
			delete(x.held, o.Number)
			delete(x.doomed, o.Number)
			x.requested(h)
			_ = s.Done(n, spool.Delivered) // fails only when the spool has stopped, or somebody else ended it
		case dispatch.InDoubt, dispatch.Expired, dispatch.TooBig, dispatch.Unroutable, dispatch.Poison:
			delete(x.held, o.Number)
			delete(x.doomed, o.Number)
			if h != nil {
				x.leaves(&h.Entry)
				x.d.ends.add(x.conclusion(h, o.Action))
			}
		}
	}
}
