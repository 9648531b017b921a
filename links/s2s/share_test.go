package s2s_test

import (
	"testing"
	"time"

	"sallyport/links"
	"sallyport/links/s2s"
)

// TestMultiplex: several pairs share one stream where the peer's policy says so, and have streams of their own where not.
func TestMultiplex(t *testing.T) {
	for _, shared := range []bool{true, false} {
		w := newWorld(t, setup{proofs: s2s.Proofs{External: true, Dialback: true}, edit: func(a, _ *s2s.Config) { a.Peers[0].Multiplex = shared }})
		w.a.send(t, "a.example", "b.example", 1, 1)
		w.b.sink.wait(t, 1)
		w.a.send(t, "x.a.example", "b.example", 2, 2)
		w.b.sink.wait(t, 2)
		w.a.send(t, "a.example", "x.b.example", 3, 3)
		w.b.sink.wait(t, 3)
		want := map[bool]uint64{true: 1, false: 3}[shared]
		if n := w.a.Counters().Dialled.Load(); n != want {
			w.dump(t)
			t.Errorf("multiplex %v: %d streams, want %d", shared, n, want)
		}
		w.a.rep.wait(t, links.Delivered, 3)
	}
}

// TestIdleClose: an idle stream ends in order and the next stanza opens another.
func TestIdleClose(t *testing.T) {
	bubble(t, setup{edit: func(a, _ *s2s.Config) { a.Peers[0].Idle = 10 * time.Minute }}, func(t *testing.T, w *world, n *memnet) {
		w.a.send(t, "a.example", "b.example", 1, 1)
		w.a.rep.wait(t, links.Delivered, 1)
		time.Sleep(15 * time.Minute)
		if got := len(w.a.Status().Streams); got != 0 {
			t.Errorf("%d streams after the idle time", got)
		}
		if w.a.Counters().Lost.Load() != 0 {
			t.Error("not closed in order")
		}
		w.a.send(t, "a.example", "b.example", 2, 2)
		inOrder(t, w.b.sink.wait(t, 2), 1, 2)
		if n.dials.Load() != 2 {
			t.Errorf("%d connections", n.dials.Load())
		}
	})
}

// TestIdleStreamLives: without traffic a stream is kept alive for hours, by both sides.
func TestIdleStreamLives(t *testing.T) {
	bubble(t, setup{}, func(t *testing.T, w *world, n *memnet) {
		w.a.send(t, "a.example", "b.example", 1, 1)
		w.a.rep.wait(t, links.Delivered, 1)
		time.Sleep(100 * time.Minute)
		w.a.send(t, "a.example", "b.example", 2, 2)
		w.b.sink.wait(t, 2)
		if n.dials.Load() != 1 {
			t.Errorf("%d connections", n.dials.Load())
		}
	})
}

// TestResumeGivenUp: a session whose peer never comes back is settled when its time is over, on both sides.
func TestResumeGivenUp(t *testing.T) {
	bubble(t, setup{edit: func(a, b *s2s.Config) {
		a.Peers[0].Bidi, b.Peers[0].Bidi = true, true
		a.Manage.ResumeFor, b.Manage.ResumeFor = time.Minute, time.Minute
	}}, func(t *testing.T, w *world, n *memnet) {
		w.a.send(t, "a.example", "b.example", 1, 1)
		w.a.rep.wait(t, links.Delivered, 1)
		n.hole()
		n.down.Store(true)
		w.a.send(t, "a.example", "b.example", 2, 3)
		w.b.send(t, "b.example", "a.example", 1, 2)
		time.Sleep(20 * time.Minute)
		if got := w.a.rep.count(links.InDoubt); got != 2 {
			t.Errorf("a: %d in doubt, want 2", got)
		}
		if got := w.b.rep.count(links.InDoubt); got != 2 {
			t.Errorf("b: %d in doubt, want 2", got)
		}
		if got := w.b.Status().Parked; got != 0 {
			t.Errorf("%d sessions parked", got)
		}
	})
}

// TestManySenders: deliveries from many goroutines over one stream all arrive, and each pair keeps its order.
func TestManySenders(t *testing.T) {
	w := newWorld(t, setup{proofs: s2s.Proofs{External: true, Dialback: true}, edit: func(a, _ *s2s.Config) { a.Peers[0].Multiplex = true }})
	domains := []string{"a.example", "x.a.example", "y.a.example", "z.a.example"}
	const each = 300
	done := make(chan struct{})
	for _, d := range domains {
		go func() {
			w.a.send(t, d, "b.example", 1, each)
			done <- struct{}{}
		}()
	}
	for range domains {
		<-done
	}
	byDomain := map[string][]links.Inbound{}
	for _, in := range w.b.sink.wait(t, each*len(domains)) {
		byDomain[in.Domain.String()] = append(byDomain[in.Domain.String()], in)
	}
	for _, d := range domains {
		inOrder(t, byDomain[d], 1, each)
	}
	w.a.rep.wait(t, links.Delivered, each*len(domains))
}
