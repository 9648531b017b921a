package x2x_test

import (
	"testing"
	"time"

	"sallyport/links"
	"sallyport/links/deflate"
	"sallyport/links/x2x"
)

// TestUsageAddsUp: what fills the link is all that left it, whatever its mode, and every stanza is counted once at both ends.
func TestUsageAddsUp(t *testing.T) {
	for name, o := range map[string]setup{
		"custody in clear":      {mode: x2x.Custody, clear: true},
		"custody, TLS":          {mode: x2x.Custody},
		"plain, TLS":            {mode: x2x.Plain},
		"managed in clear":      {mode: x2x.Managed, clear: true},
		"custody, TLS, deflate": {mode: x2x.Custody, edit: squeeze},
		"plain, deflate":        {mode: x2x.Plain, clear: true, edit: squeeze},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, o, func(t *testing.T, w *world) {
				wait(time.Second)
				const n = 40
				for i := 1; i <= n; i++ {
					w.a.send(t, i)
				}
				wait(time.Minute)
				for _, g := range []*gate{w.a, w.b} {
					st := g.link.Status()
					var out, in, stanzas uint64
					seen := map[links.Content]bool{}
					for _, u := range st.Usage {
						if u.Inbound {
							in += u.Wire
						} else {
							out += u.Wire
							seen[u.Content] = true
						}
						stanzas += u.Stanzas
						if u.Hour != u.Wire || u.Day != u.Wire {
							t.Errorf("%+v", u)
						}
						if custody := o.mode == x2x.Custody; u.Content.OfStanza() && (u.Content != links.Presence || custody && u.Lane != 0 || !custody && u.Lane != links.NoLane) {
							t.Errorf("%+v", u)
						}
						if u.Content == links.Presence && !u.Inbound && (u.Wire < u.Plain) != (o.edit != nil) {
							t.Errorf("%+v", u)
						}
					}
					if out != st.Traffic.BytesOut {
						t.Errorf("%d of %d bytes out are accounted for: %+v", out, st.Traffic.BytesOut, st.Usage)
					}
					if in > st.Traffic.BytesIn || in < st.Traffic.BytesIn*7/10 {
						t.Errorf("%d of %d bytes in", in, st.Traffic.BytesIn) // session tickets are noted with what follows them
					}
					if stanzas != n {
						t.Errorf("%d stanzas", stanzas)
					}
					if seen[links.Overhead] == o.clear || g == w.b && seen[links.Acknowledgements] != (o.mode != x2x.Plain) {
						t.Errorf("%v", seen)
					}
				}
			})
		})
	}
}

func squeeze(w *world) {
	for _, g := range []*gate{w.a, w.b} {
		g.cfg.Compression = &deflate.Config{}
	}
}
