package gateway_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/gateway/audit"
	"sallyport/internal/disk/faulty"
	"sallyport/links"
)

// failures are the ways in which a log takes no more records (P13).
var failures = []struct {
	name string
	node string
	fail func(n *node)
}{
	{"fsync says EIO", "", brokenDisk},
	{"write says EIO", "", func(n *node) {
		n.disk.SetPlan(func(op faulty.Op) faulty.Fault {
			if op.Kind == faulty.Write && strings.HasPrefix(op.Name, "segment-") {
				return faulty.Fault{Err: faulty.ErrIO, Short: 7}
			}
			return faulty.Fault{}
		})
	}},
	{"the disk is full", "", func(n *node) { n.disk.SetCapacity(n.used() + 100) }},
	{"the log is full", "\n[audit]\nsegment-bytes = \"64 KiB\"\nmax-bytes = \"128 KiB\"\n", func(n *node) {
		for range 1000 { // more than it takes; from a sender who does not read, as the links close when all have been told
			n.arrive(message(freshID(), "a.example", "b.example"))
		}
		synctest.Wait()
	}},
}

// used is how much the disk holds.
func (n *node) used() (sum int64) {
	list, err := n.disk.List()
	if err != nil {
		n.t.Fatal(err)
	}
	for _, f := range list {
		sum += f.Size
	}
	return sum
}

// TestP13NothingIsReleased: once a record cannot be kept nothing leaves, every sender is told internal-server-error, also those that
// come later, the node says that it is not ready and why, and closes its links.
func TestP13NothingIsReleased(t *testing.T) {
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			bubble(t, func(s *site) { s.node = f.node }, func(t *testing.T, n *node) {
				n.arrive(message(freshID(), "a.example", "b.example"))
				synctest.Wait()
				n.link.setFull("a.example", true) // the senders do not read just now
				f.fail(n)
				before := len(n.link.to("b.example"))
				var told []string
				for range 3 {
					told = append(told, freshID())
					n.arrive(message(told[len(told)-1], "a.example", "b.example"))
				}
				synctest.Wait()
				if got := len(n.link.to("b.example")); got != before {
					t.Errorf("%d released after the failure", got-before)
				}
				told = append(told, freshID())
				n.arrive(message(told[len(told)-1], "c.example", "b.example"))
				time.Sleep(time.Second)
				n.link.setFull("a.example", false)
				synctest.Wait()
				n.wantTold(told)
				n.wantNotReady()
				time.Sleep(time.Minute)
				if !n.link.isClosed() {
					t.Error("the links stay open")
				}
				n.wantComplaint("audit log has failed")
				if err := n.stop(); !errors.Is(err, audit.ErrFailed) && !errors.Is(err, audit.ErrFull) {
					t.Errorf("run ended with %v", err)
				}
			})
		})
	}
}

func (n *node) wantTold(want []string) {
	n.t.Helper()
	got := map[string]string{}
	for _, a := range n.link.deliveries() {
		if a.condition() != "" {
			got[a.id] += a.condition()
		}
	}
	for _, id := range want {
		if got[id] != "internal-server-error" {
			n.t.Errorf("%s was told %q", id, got[id])
		}
	}
}

func (n *node) wantNotReady() {
	n.t.Helper()
	if n.Ready() == nil {
		n.t.Error("ready")
	}
	s, err := n.Status(context.Background())
	if err != nil || s.Ready || len(s.Problems) == 0 || s.Audit.Error == "" {
		n.t.Errorf("status: ready %v, problems %q, audit %q (%v)", s.Ready, s.Problems, s.Audit.Error, err)
	}
}

// wantComplaint checks that the log says so to whoever operates the node.
func (n *node) wantComplaint(text string) {
	n.t.Helper()
	for _, e := range n.logs.All() {
		if strings.Contains(e.Message, text) {
			return
		}
	}
	n.t.Errorf("no line of the log says %q", text)
}

// TestP13WithoutTraffic: the node notices a log that fails although no stanza comes by.
func TestP13WithoutTraffic(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		n.disk.SetPlan(func(op faulty.Op) faulty.Fault { // the head is signed each second
			if op.Kind == faulty.Sync {
				return faulty.Fault{Err: faulty.ErrIO}
			}
			return faulty.Fault{}
		})
		time.Sleep(5 * time.Second)
		n.wantNotReady()
		if err := n.stop(); !errors.Is(err, audit.ErrFailed) {
			t.Errorf("run ended with %v", err)
		}
	})
}

// TestP13InTheAir: what was released before the log failed still gets its report, and is settled; its sender hears nothing that the log
// does not have.
func TestP13InTheAir(t *testing.T) {
	bubble(t, nil, func(t *testing.T, n *node) {
		n.link.fate = func(d *delivery) fate { return fate{keep: d.Released.Remote().Domain() == "b.example"} }
		n.arrive(message(freshID(), "a.example", "b.example"), message(freshID(), "a.example", "b.example"))
		synctest.Wait()
		brokenDisk(n)
		n.link.settleOne(0, links.Failed)
		synctest.Wait()
		n.wantIDs("a.example")
		n.wantNotReady()
		if err := n.stop(); !errors.Is(err, audit.ErrFailed) {
			t.Errorf("run ended with %v", err)
		}
		if c := n.counts(); c.Bounced != 1 || c.InDoubt != 1 {
			t.Errorf("%+v", c)
		}
	})
}
