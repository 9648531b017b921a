package hf_test

import (
	"slices"
	"testing"
	"time"

	"sallyport/links/hf"
)

// TestStreamsOpenedAtOnce: both ends open a stream before either has heard of the other's, and go on with it. Nothing has to be begun anew for that.
func TestStreamsOpenedAtOnce(t *testing.T) {
	for name, managed := range map[string]bool{"custody": false, "managed": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, hf.Stream, func(c *hf.Config) { c.Managed = managed }, func(t *testing.T, p *pair) {
				time.Sleep(10 * time.Second)
				p.air.delay = 20 * time.Second
				for n := range uint64(4) {
					p.a.offer(0, n+1)
					time.Sleep(12 * time.Second)
					p.b.offer(0, n+1)
					time.Sleep(11 * time.Second) // what a says next leaves before it hears b, and after its node was heard
				}
				time.Sleep(10 * time.Minute)
				for _, g := range []*gate{p.a, p.b} {
					if got := g.came(); !slices.Equal(got, []string{"n1", "n2", "n3", "n4"}) || g.noted(hf.NoticeReset)+g.noted(hf.NoticeMalformed) > 0 {
						t.Errorf("%s got %v, noted %v", g.domain, got, g.kinds)
					}
				}
			})
		})
	}
}
