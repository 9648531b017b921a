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

// reflect sends b everything that it has said, as if a did, and returns how much that was.
func (p *pair) reflect() (n int) {
	all := p.air.sentTo(p.a.node)
	for _, q := range all {
		p.from(addresses["a.example"], 6, string(q.Data))
	}
	synctest.Wait()
	return len(all)
}

// TestReflected: a station that sends an end its own U_PDUs, as if they were the peer's, does not make it believe that the peer has lost its
// spool, delivers nothing, and spoils nothing that the peer says.
func TestReflected(t *testing.T) {
	for name, row := range map[string]struct {
		mode    hf.Mode
		managed bool
	}{
		"compact": {hf.Compact, false}, "stream": {hf.Stream, false}, "managed stream": {hf.Stream, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, row.mode, func(c *hf.Config) { c.Managed = row.managed }, func(t *testing.T, p *pair) {
				p.b.offer(0, 1)
				for range 100 { // before a has said a word
					if time.Sleep(100 * time.Millisecond); p.reflect() > 0 {
						break
					}
				}
				p.a.offer(0, 1, 2, 3)
				time.Sleep(3 * time.Minute)
				p.reflect()
				if got, want := p.b.peerEpoch(), uint64('a'); got != want && !row.managed {
					t.Errorf("b knows its peer by epoch %x, want %x", got, want)
				}
				p.a.offer(0, 4)
				p.b.offer(0, 2)
				time.Sleep(20 * time.Minute)
				if got := p.b.came(); !slices.Equal(got, []string{"n1", "n2", "n3", "n4"}) {
					t.Errorf("b got %v", got)
				}
				if got := p.a.came(); !slices.Equal(got, []string{"n1", "n2"}) {
					t.Errorf("a got %v", got)
				}
				if n := p.b.noted("bad-frame"); n > 0 {
					t.Errorf("%d frames that cannot be read", n)
				}
			})
		})
	}
}
