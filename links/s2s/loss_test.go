package s2s_test

import (
	"net"
	"testing"

	"sallyport/links"
	"sallyport/links/s2s"
)

// TestResumeAfterCut: two of us, the network cut again and again under load; nothing is lost, doubled or out of order (XEP-0198 §5).
func TestResumeAfterCut(t *testing.T) {
	for _, bidi := range []bool{false, true} {
		name := map[bool]string{false: "one way", true: "bidirectional"}[bidi]
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, setup{edit: func(a, b *s2s.Config) { a.Peers[0].Bidi, b.Peers[0].Bidi = bidi, bidi }})
			const rounds, each = 3, 200
			w.a.send(t, "a.example", "b.example", 1, 1)
			w.b.sink.wait(t, 1)
			for r := range rounds {
				first := 2 + r*each
				w.a.send(t, "a.example", "b.example", first, first+each/2-1)
				if bidi {
					w.b.send(t, "b.example", "a.example", 1+r*each, r*each+each)
				}
				w.a.net.cut()
				w.a.send(t, "a.example", "b.example", first+each/2, first+each-1)
				inOrder(t, w.b.sink.wait(t, first+each-1), 1, first+each-1)
				if bidi {
					inOrder(t, w.a.sink.wait(t, (r+1)*each), 1, (r+1)*each)
				}
			}
			w.a.rep.wait(t, links.Delivered, 1+rounds*each)
			if bidi {
				w.b.rep.wait(t, links.Delivered, rounds*each)
			}
			if n := w.a.Counters().Resumed.Load(); n == 0 {
				t.Error("no session was resumed")
			}
		})
	}
}

// TestInDoubt: without stream management, what was written and not confirmed is reported, or written again, as the peer's policy says.
func TestInDoubt(t *testing.T) {
	const n = 20
	rows := []struct {
		name   string
		policy s2s.InDoubt
	}{{"bounce", s2s.InDoubtBounce}, {"resend", s2s.InDoubtResend}}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, setup{edit: func(a, b *s2s.Config) {
				a.Peers[0].StreamManagement, b.Peers[0].StreamManagement = false, false
				a.Peers[0].InDoubt = row.policy
			}})
			w.b.sink.pong = nil // nobody confirms
			w.a.send(t, "a.example", "b.example", 1, n)
			w.b.sink.wait(t, n)
			w.a.deliver(t, release(t, "<iq type='get' id='q1' from='u@a.example/r' to='v@b.example'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"))
			w.b.sink.wait(t, n+1)
			w.a.net.cut()
			switch row.policy {
			case s2s.InDoubtBounce:
				w.a.rep.wait(t, links.InDoubt, n+1)
			case s2s.InDoubtResend:
				w.a.rep.wait(t, links.InDoubt, 1) // the request is not asked twice
				got := w.b.sink.wait(t, 2*n+1)
				inOrder(t, got[n+1:], 1, n)
			}
		})
	}
}

// TestShutdownReportsEverything: whatever is queued, in the air or on its way has exactly one report when Shutdown returns.
func TestShutdownReportsEverything(t *testing.T) {
	w := newWorld(t, setup{})
	w.a.send(t, "a.example", "b.example", 1, 10)
	w.b.sink.wait(t, 10)
	w.b.sink.hold.Store(true)
	w.a.send(t, "a.example", "b.example", 11, 20)
	w.b.sink.wait(t, 20)
	w.a.net.down.Store(true)
	w.a.send(t, "a.example", "x.b.example", 21, 25) // its stream cannot be made
	if err := w.a.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.a.rep.mu.Lock()
	defer w.a.rep.mu.Unlock()
	if len(w.a.rep.got) != 25 || len(w.a.rep.twice) > 0 {
		t.Errorf("%d reports of 25, twice: %v", len(w.a.rep.got), w.a.rep.twice)
	}
	for token := uint64(21); token <= 25; token++ {
		if d := w.a.rep.got[token]; d != links.Failed {
			t.Errorf("never written: %v", d)
		}
	}
}

// TestResumeAfterFailedHandshakes: attempts that do not get through TLS do not cost the session that waits to be resumed.
func TestResumeAfterFailedHandshakes(t *testing.T) {
	for _, direct := range []bool{false, true} {
		w := newWorld(t, setup{direct: direct})
		w.a.send(t, "a.example", "b.example", 1, 1)
		w.b.sink.wait(t, 1)
		w.b.sink.hold.Store(true)
		w.a.send(t, "a.example", "b.example", 2, 20)
		w.b.sink.wait(t, 20)
		ln, err := net.Listen("tcp", "127.0.0.1:0") // whoever comes here is hung up on
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan struct{}, 100)
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
				failed <- struct{}{}
			}
		}()
		w.a.pointAt(t, uint16(ln.Addr().(*net.TCPAddr).Port), direct) //nolint:gosec // a port
		w.a.net.cut()
		<-failed
		<-failed
		w.a.pointAt(t, w.b.port(direct), direct)
		_ = ln.Close()
		w.b.sink.hold.Store(false)
		w.b.sink.settleHeld()
		w.a.rep.wait(t, links.Delivered, 20)
		inOrder(t, w.b.sink.wait(t, 20), 1, 20)
	}
}
