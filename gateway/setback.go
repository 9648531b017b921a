package gateway

import (
	"fmt"
	"sync"

	"go.uber.org/zap"

	"sallyport/gateway/config"
	"sallyport/gateway/spool"
	"sallyport/links"
)

// setback is a spool that turned out to be an older copy of itself: a peer holds numbers that were never given here. Whoever put the
// copy there gave back to us what had been delivered since, and new entries would get numbers that the peer takes for repetitions.
//
// So the numbers begin anew (spool.Renew). Marks of the peer, who was witness, prove what of the copy never reached it. All else in
// the copy may have been delivered by the life that is lost, and is dealt with as the peer's in-doubt says.
//
// A peer can only be witness of what lies before this life: its first greeting in it counts, and only as long as the epoch is the one
// that was found on the disk. Whatever else says so lies, and costs the other peers nothing.
type setback struct {
	mu    sync.Mutex
	busy  bool   // until the new epoch is on disk
	words string // for operators; empty: it never was
}

// Issued implements links.Issuer.
func (d *depot) Issued() uint64 {
	if s := d.store(); s != nil {
		return uint64(s.Stats().Next) - 1
	}
	return 0
}

// setBack begins anew. Nothing goes to the witness before: its carrier ends by itself (links.Issuer), and the next one that greets with
// the old epoch does too.
func (d *depot) setBack(s *spool.Spool, link, witness string, held [links.Lanes]uint64) {
	d.back.mu.Lock()
	defer d.back.mu.Unlock()
	if d.back.busy {
		return
	}
	d.back.busy = true
	doubtful, again := 0, 0
	for _, e := range s.Entries("", 0, allListed) {
		if mark := held[e.Class]; e.Number >= d.first || e.Peer == witness && mark > 0 && uint64(e.Number) > mark {
			continue // no earlier life can have sent it, or it did not arrive
		}
		if p := d.g.active().Peer(peerOf(e.Peer)); p != nil && p.InDoubt == config.Resend {
			again++
			continue
		}
		d.condemn(conclusion{entry: e, how: spool.InDoubt, by: "a spool that was set back"})
		doubtful++
	}
	d.back.words = fmt.Sprintf("an older copy of the spool was put in its place: %s holds numbers that were never given here. "+
		"The numbers begin anew. What was accepted after the copy was made and had not left is lost. Of what is in the copy, "+
		"%d may have been delivered before and end in doubt, %d are sent again and may arrive twice", witness, doubtful, again)
	d.g.notes.add("spool-rolled-back", link, witness, d.back.words)
	if err := s.Renew(d.renewed); err != nil {
		go d.renewed(err) // it holds the lock
	}
}

// renewed is told when the new epoch is on disk. Links that greeted with the old one greet again.
func (d *depot) renewed(err error) {
	d.back.mu.Lock()
	d.back.busy = false
	d.back.mu.Unlock()
	if err != nil {
		d.g.log.Error("the numbers of the spool could not begin anew; the next greeting tries again", zap.Error(err))
		return
	}
	d.background.Go(d.g.carriers.renew)
}

// warning is what operators are told of it.
func (d *depot) warning() string {
	d.back.mu.Lock()
	defer d.back.mu.Unlock()
	return d.back.words
}

// condemn ends an entry, at once or when the link that has it gives it back. What that link can deliver is delivered.
func (d *depot) condemn(c conclusion) {
	d.mark(d.mine, c.entry.Number) // what is not yet in the hands of a dispatcher it does not take
	d.mu.Lock()
	x := d.peers[peerOf(c.entry.Peer)]
	d.mu.Unlock()
	if x == nil || x.letGo(uint64(c.entry.Number), &c) {
		d.ends.add(c)
	}
}

// condemned reports whether an entry is about to be ended.
func (d *depot) condemned(n spool.Number) bool {
	d.endsMu.Lock()
	defer d.endsMu.Unlock()
	_, ok := d.mine[n]
	return ok
}

// mourned ends what was condemned and came back from a link; false for anything else. Caller holds mu.
func (x *dispatcher) mourned(number uint64) bool {
	c, ok := x.doomed[number]
	if !ok {
		return false
	}
	delete(x.doomed, number)
	delete(x.held, number)
	outs, _ := x.sched.Ended(x.d.g.now(), number)
	x.d.ends.add(c)
	x.handle(outs, false)
	return true
}

// renewer is a link that can be made to greet again.
type renewer interface{ Renew() }

// renew lets every link with custody greet again.
func (c carriers) renew() {
	for _, l := range c.all() {
		if r, ok := l.(renewer); ok {
			r.Renew()
		}
	}
}
