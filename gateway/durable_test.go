package gateway_test

import (
	"testing"
	"testing/synctest"

	"sallyport/gateway/audit"
	"sallyport/links"
)

// TestNothingBeforeItsRecord: while the disk does not answer, nothing leaves, no error and no acknowledgement either; then all of it in
// order, and at the moment of each delivery the record that allows it stands on the disk.
func TestNothingBeforeItsRecord(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		n.link.onDeliver = func(d *delivery) {
			if !n.disk.holds(d.id) {
				t.Errorf("%s was delivered before its record was durable", d.text())
			}
		}
		var want []string
		n.disk.shut()
		for range 5 {
			want = append(want, freshID())
			n.arrive(message(want[len(want)-1], "a.example", "b.example"))
		}
		refused := freshID()
		n.arrive(message(refused, "a.example", "nowhere.example"))
		synctest.Wait()
		if got := n.link.deliveries(); len(got) != 0 {
			t.Errorf("delivered without a record: %v", ids(got))
		}
		if c := n.balanced(); c.Deciding != 6 || n.receipts.settled() != 0 {
			t.Errorf("%+v, %d settled", c, n.receipts.settled())
		}
		n.disk.open()
		synctest.Wait()
		n.wantIDs("b.example", want...)
		n.wantIDs("a.example", refused)
		if c := n.balanced(); c.Delivered != 5 || c.Refused != 1 {
			t.Errorf("%+v", c)
		}
	})
}

// TestNoBounceBeforeItsSettlement: the sender of what failed hears of it when that is on the disk.
func TestNoBounceBeforeItsSettlement(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		n.link.fate = func(d *delivery) fate { return fate{keep: d.Released.Remote().Domain() == "b.example"} }
		id := freshID()
		n.arrive(message(id, "a.example", "b.example"))
		synctest.Wait()
		n.disk.shut()
		n.link.settle(links.Failed, links.ErrUnreachable)
		synctest.Wait()
		n.wantIDs("a.example")
		n.disk.open()
		synctest.Wait()
		n.link.settle(links.Delivered, nil)
		n.wantIDs("a.example", id)
		decision := n.record(audit.Filter{Kind: audit.Decision})
		if s := n.record(audit.Filter{Kind: audit.Settlement}); s.Of != decision.Seq {
			t.Errorf("settlement of %d, the decision is %d", s.Of, decision.Seq)
		}
	})
}
