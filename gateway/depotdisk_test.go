package gateway_test

import (
	"slices"
	"testing"
	"time"

	"sallyport/internal/disk/faulty"
)

// TestFullDisk: a spool without room holds a gateway of ours back, and tells other senders; what it has it keeps.
func TestFullDisk(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		e.ship.spool.SetCapacity(1)
		sent := e.send(20)
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), nil)
		if c := e.counts(e.shore); c.Queued != 20 {
			t.Errorf("shore %+v", c)
		}
		e.ship.spool.SetCapacity(0)
		e.settle(10 * time.Minute)
		wantSame(t, e.ship.got("b.example"), sent)

		e.shore.spool.SetCapacity(1)
		more := e.send(5)
		e.settle(time.Minute)
		wantSame(t, slices.Sorted(slices.Values(e.shore.got("a.example"))), more) // errors have no order
		for _, d := range e.shore.node.link.to("a.example") {
			if d.condition() != "resource-constraint" {
				t.Errorf("the sender is told %q", d.condition())
			}
		}
		e.shore.spool.SetCapacity(0)
		e.settle(time.Minute)
	})
}

// TestFailedSyncStops: after a failed sync nothing leaves, and nothing is acknowledged but what its sender was told an error about:
// what arrives when the spool is known to have failed is bounced.
func TestFailedSyncStops(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		e.shore.spool.SetPlan(func(op faulty.Op) faulty.Fault {
			if op.Kind == faulty.Sync {
				return faulty.Fault{Err: faulty.ErrIO}
			}
			return faulty.Fault{}
		})
		e.send(3)
		e.settle(time.Minute)
		bounced := e.counts(e.shore).Bounced
		if n := e.shore.receipts.settled(); n > 2 || int64(n) != bounced {
			t.Errorf("%d acknowledged, %d bounced: the first one can only be in doubt", n, bounced)
		}
		wantSame(t, e.ship.got("b.example"), nil)
		if e.shore.Ready() == nil {
			t.Error("the node is ready with a spool that has failed")
		}
		e.shore.cancel()
		<-e.shore.done
		e.shore.stopped = true
	})
}
