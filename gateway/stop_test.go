package gateway_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/links"
)

// TestSettledAtStop: what is under way when the node is told to stop is settled, counted and recorded all the same.
func TestSettledAtStop(t *testing.T) {
	rows := []struct {
		name string
		set  func(n *node)
	}{
		{"waiting for the disk", func(n *node) { n.disk.shut() }},
		{"waiting for a report", toB(fate{keep: true})},
		{"waiting for room", fullB},
		{"waiting for room for an error", func(n *node) {
			n.link.setFull("a.example", true)
			toB(fate{d: links.Failed, cause: errors.New("gone")})(n)
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, n *node) {
				row.set(n)
				for range 4 {
					in, bad := message(freshID(), "a.example", "b.example"), message(freshID(), "a.example", "d.example")
					go n.arrive(in)
					go n.arrive(bad)
				}
				synctest.Wait()
				var later sync.WaitGroup
				later.Go(func() { // the disk answers while the node stops
					time.Sleep(time.Second)
					n.disk.open()
				})
				n.end()
				later.Wait()
				if c := n.counts(); c.Deciding+c.Queued != 0 {
					t.Errorf("at rest: %+v", c)
				}
			})
		})
	}
}
