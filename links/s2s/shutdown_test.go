package s2s_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/links"
	"sallyport/links/s2s"
)

// TestShutdownOfDeafPeer: a peer that does not read holds the end of the node up for the time of a close, not for that of a write
// nor for all the time there is; and not once for each stream.
func TestShutdownOfDeafPeer(t *testing.T) {
	const written = 6000 // more than the network holds
	bubble(t, setup{edit: func(a, b *s2s.Config) {
		noManagement(a, b)
		a.Peers[0].Confirm = s2s.ConfirmNone
		a.Limits.Flight, a.Timing.Close = 2*written, 5*time.Second
	}}, func(t *testing.T, w *world, n *memnet) {
		domains := []string{"b.example", "x.b.example", "y.b.example"}
		for _, domain := range domains {
			w.a.send(t, "a.example", domain, 1, 1)
		}
		w.b.sink.wait(t, len(domains))
		n.deafen()
		for _, domain := range domains {
			w.a.send(t, "a.example", domain, 2, written)
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		err := w.a.Shutdown(ctx)
		if took := time.Since(began); err != nil || took > 6*time.Second {
			t.Errorf("ended after %v (%v), want 5s", took, err)
		}
		w.a.stopped.Store(true)
		if got := w.a.rep.count(links.InDoubt) + w.a.rep.count(links.Failed) + w.a.rep.count(links.Delivered); got != len(domains)*written {
			t.Errorf("%d reports of %d", got, len(domains)*written)
		}
	})
}
