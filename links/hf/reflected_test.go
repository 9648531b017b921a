package hf_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/links/hf"
	"sallyport/s5066/sis"
)

// sentTo are the U_PDUs that went to a node so far.
func (a *air) sentTo(n *node) (all []sis.UnidataRequest) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, q := range a.sent {
		if q.Destination == n.address {
			all = append(all, q)
		}
	}
	return all
}

func (g *gate) peerEpoch() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.receiver.Epoch()
}

// TestReflected: a station that sends an end its own U_PDUs, as if they were the peer's, does not make it believe that the peer has lost its
// spool, and delivers nothing.
func TestReflected(t *testing.T) {
	for _, mode := range []hf.Mode{hf.Compact, hf.Stream} {
		t.Run(mode.String(), func(t *testing.T) {
			bubble(t, mode, nil, func(t *testing.T, p *pair) {
				p.a.offer(0, 1, 2, 3)
				p.b.offer(0, 1, 2)
				time.Sleep(3 * time.Minute)
				for _, q := range p.air.sentTo(p.a.node) {
					p.from(addresses["a.example"], 6, string(q.Data))
				}
				synctest.Wait()
				if got, want := p.b.peerEpoch(), uint64('a'); got != want {
					t.Errorf("b knows its peer by epoch %x, want %x", got, want)
				}
				p.a.offer(0, 4)
				p.b.offer(0, 3)
				time.Sleep(20 * time.Minute)
				if got := p.b.came(); !slices.Equal(got, []string{"n1", "n2", "n3", "n4"}) {
					t.Errorf("b got %v", got)
				}
				if got := p.a.came(); !slices.Equal(got, []string{"n1", "n2", "n3"}) {
					t.Errorf("a got %v", got)
				}
			})
		})
	}
}
