package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/spool"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/peering"
)

// receiver is what came in from one gateway of our own and is not yet on disk.
type receiver struct {
	d    *depot
	peer string

	order sync.Mutex // held from the question whether something is new to its place in the audit log; before mu

	mu      sync.Mutex
	r       *custody.Receiver
	epoch   uint64
	taken   [links.Lanes]uint64
	tickets map[uint64]links.Inbound
	met     bool // what the peer holds of ours was possible at an earlier greeting of this life
	next    uint64
	stuck   [links.Lanes][]job // found no room, and all that came behind; in order
}

// receiver returns that of a peer.
func (d *depot) receiver(peer string) *receiver {
	d.mu.Lock()
	defer d.mu.Unlock()
	rc := d.inbound[peer]
	if rc == nil {
		rc = &receiver{d: d, peer: peer, tickets: map[uint64]links.Inbound{}}
		rc.begin(marksOf(d.store(), peer))
		d.inbound[peer] = rc
	}
	return rc
}

func marksOf(s *spool.Spool, peer string) []links.Mark {
	if s == nil {
		return nil
	}
	var out []links.Mark
	for _, m := range s.Marks(peer) {
		out = append(out, links.Mark{Epoch: m.Epoch, Lane: m.Lane, Number: m.Number})
	}
	return out
}

// begin starts from durable marks. Caller holds mu, or is alone.
func (rc *receiver) begin(marks []links.Mark) {
	rc.r = custody.NewReceiver(marks)
	rc.epoch = rc.r.Epoch()
	for _, m := range rc.r.Marks() {
		rc.taken[m.Lane] = m.Number
	}
}

// Marks implements links.Custodian.
func (d *depot) Marks(peer string) []links.Mark {
	rc := d.receiver(peer)
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return rc.r.Marks()
}

// Greeted implements links.Custodian.
func (d *depot) Greeted(link, peer string, epoch uint64, marks []links.Mark) {
	rc := d.receiver(peer)
	rc.mu.Lock()
	fresh := rc.r.Greeted(epoch)
	if rc.epoch != epoch && epoch != 0 {
		rc.epoch, rc.taken = epoch, [links.Lanes]uint64{}
		clear(rc.tickets) // nobody settles what is of an epoch that is over
	}
	rc.mu.Unlock()
	s := d.store()
	if s == nil {
		return
	}
	if _, err := s.Greeted(peer, epoch); err != nil {
		d.g.log.Error("the epoch of a peer could not be kept", zap.String("peer", peer), zap.Error(err))
	}
	if fresh {
		d.g.notes.add("spool-lost", link, peer, "the peer begins to count anew: it has lost its spool, and what was in it")
	}
	d.covered(s, link, rc, marks)
}

// covered tells the dispatcher of the peer what the peer holds already.
func (d *depot) covered(s *spool.Spool, link string, rc *receiver, marks []links.Mark) {
	d.mu.Lock()
	p := d.peers[rc.peer]
	d.mu.Unlock()
	epoch, issued := s.Epoch(), d.Issued()
	var held [links.Lanes]uint64
	rolledBack := false
	for _, m := range marks {
		if m.Epoch == epoch && int(m.Lane) < len(held) {
			held[m.Lane] = max(held[m.Lane], m.Number)
			rolledBack = rolledBack || m.Number > issued
		}
	}
	rc.mu.Lock()
	witness := !rc.met && epoch == d.found
	rc.met = rc.met || !rolledBack
	rc.mu.Unlock()
	switch {
	case rolledBack && witness:
		d.setBack(s, link, rc.peer, held)
		return
	case rolledBack:
		d.g.notes.add("custody-lie", link, rc.peer, "the peer says that it holds what it cannot hold; nothing that it says of it is believed")
		return
	}
	for lane, number := range held {
		if number > 0 && p != nil {
			p.covered(uint8(lane), number) //nolint:gosec // a lane
		}
	}
	if p != nil {
		p.greeted(link)
	}
}

// accept takes one stanza that came in under custody: it is recorded and kept, and only then acknowledged. What came before is
// acknowledged and dropped, and never judged again.
func (d *depot) accept(ctx context.Context, in links.Inbound) {
	rc := d.receiver(in.Peer)
	rc.order.Lock()
	defer rc.order.Unlock()
	if done := rc.repeated(in); done {
		return
	}
	g := d.g
	f := g.flights.get(g, &in)
	f.in.Receipt = nil // rc has it
	f.mark = &spool.Mark{Peer: in.Peer, Epoch: in.Frame.Epoch, Lane: in.Frame.Lane, Number: in.Frame.Number}
	if len(in.Also) > 0 {
		rc.acceptCopies(ctx, f, in)
		return
	}
	var a peering.Arrival
	g.arrival(&in, &a)
	g.decide(f, &a)
	g.home.ask(f)
	if err := d.makeRoom(ctx, f, &a); err != nil {
		f.claim.settle(false)
		g.flights.put(f) // not taken: the peer still has it
		return
	}
	if !rc.take(in) {
		f.claim.settle(false)
		g.flights.put(f)
		return
	}
	d.heard(in.Peer, in.Stanza)
	g.counters.Accepted.Add(1)
	g.counters.Deciding.Add(1)
	g.peer(in.Peer).In.Add(1)
	g.record(f, &a)
}

// repeated deals with everything that is not new.
func (rc *receiver) repeated(in links.Inbound) bool {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if in.Frame.Epoch == rc.epoch && in.Frame.Valid() && in.Frame.Number > rc.taken[in.Frame.Lane] {
		return false
	}
	rc.next++
	switch rc.r.Take(in.Frame, rc.next) {
	case custody.Repetition:
		rc.d.g.counters.Repetitions.Add(1)
		in.Settle()
	case custody.Pending:
		rc.d.g.counters.Repetitions.Add(1)
		rc.tickets[rc.next] = in
	case custody.Foreign, custody.New: // New cannot be: it would have been above taken
		rc.d.g.counters.Foreign.Add(1)
	}
	return true
}

// take takes something new in hand; false when another epoch has begun meanwhile.
func (rc *receiver) take(in links.Inbound) bool {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.next++
	if rc.r.Take(in.Frame, rc.next) != custody.New {
		rc.d.g.counters.Foreign.Add(1)
		return false
	}
	rc.taken[in.Frame.Lane] = in.Frame.Number
	rc.tickets[rc.next] = in
	return true
}

// committed acknowledges what is on disk.
func (d *depot) committed(m *spool.Mark) {
	rc := d.receiver(m.Peer)
	rc.mu.Lock()
	defer rc.mu.Unlock()
	err := rc.r.Committed(links.Mark{Epoch: m.Epoch, Lane: m.Lane, Number: m.Number}, func(id uint64) {
		in := rc.tickets[id]
		delete(rc.tickets, id)
		in.Settle()
	})
	if err != nil && !errors.Is(err, custody.ErrNotInHand) { // which a new epoch explains
		d.g.log.Error("custody was broken: the peer is not told that we have it", zap.String("peer", m.Peer), zap.Error(err))
	}
}

// job is one commit under custody: try does it and calls done once, after is told how it ended.
type job struct {
	try   func(done func(error))
	after func(error)
}

// commit brings something that came in under custody to the disk, in the order of its lane: a mark that overtakes would turn what it
// jumped over into a repetition. Without room it is tried again, and what comes behind it waits.
func (d *depot) commit(m *spool.Mark, j job) {
	rc := d.receiver(m.Peer)
	rc.mu.Lock()
	if len(rc.stuck[m.Lane]) > 0 {
		rc.stuck[m.Lane] = append(rc.stuck[m.Lane], j)
		rc.mu.Unlock()
		return
	}
	rc.mu.Unlock()
	j.try(func(err error) {
		if !errors.Is(err, spool.ErrFull) {
			j.after(err)
			return
		}
		rc.mu.Lock()
		rc.stuck[m.Lane] = append(rc.stuck[m.Lane], j)
		first := len(rc.stuck[m.Lane]) == 1
		rc.mu.Unlock()
		if first {
			d.background.Go(func() { rc.unstick(m.Lane) })
		}
	})
}

// retryFull is how long a full disk is left alone.
const retryFull = time.Second

// unstick tries again what found no room, until nothing is left or the node stops.
func (rc *receiver) unstick(lane uint8) {
	tick := time.NewTicker(retryFull)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-rc.d.quit:
			rc.giveUp(lane)
			return
		}
		for {
			rc.mu.Lock()
			j := rc.stuck[lane][0]
			rc.mu.Unlock()
			told := make(chan error, 1)
			j.try(func(err error) { told <- err })
			err := <-told
			if errors.Is(err, spool.ErrFull) {
				break
			}
			j.after(err)
			rc.mu.Lock()
			rc.stuck[lane] = rc.stuck[lane][1:]
			empty := len(rc.stuck[lane]) == 0
			rc.mu.Unlock()
			if empty {
				return
			}
		}
	}
}

// giveUp leaves what is stuck to the peer, who still has it.
func (rc *receiver) giveUp(lane uint8) {
	for {
		rc.mu.Lock()
		if len(rc.stuck[lane]) == 0 {
			rc.mu.Unlock()
			return
		}
		j := rc.stuck[lane][0]
		rc.stuck[lane] = rc.stuck[lane][1:]
		rc.mu.Unlock()
		j.after(spool.ErrClosed)
	}
}

// roomEvery is how often somebody who waits for room in the spool looks again.
const roomEvery = 500 * time.Millisecond

// makeRoom waits until what was judged can be kept. The neighbour waits with it: that is the back-pressure of a full spool.
func (d *depot) makeRoom(ctx context.Context, f *flight, a *peering.Arrival) error {
	r, ok := f.verdict.Released()
	if ok && f.home == nil && d.needless(f, &r) {
		return nil
	}
	f.keep = ok && f.home == nil
	if f.keep {
		if err := f.store(a, d.class(&f.verdict, r.Stanza())); err != nil {
			f.cause = peering.Undelivered
		}
	}
	for {
		err := d.room(ctx, f.verdict.ToPeer, f.class, len(f.stored))
		if err == nil || !errors.Is(err, spool.ErrFull) {
			return err
		}
		if times, ok := d.g.throttle.Allow(d.g.now(), "spool full for "+f.verdict.ToPeer); ok {
			d.g.log.Warn("the spool is full; a gateway of ours is held back", zap.String("from", f.in.Peer), zap.String("to", f.verdict.ToPeer),
				zap.Uint32("times", times), zap.Error(err))
		}
		wait := time.NewTimer(roomEvery)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-d.quit:
			wait.Stop()
			return spool.ErrClosed
		}
	}
}
