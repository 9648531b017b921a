package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"sallyport/internal/xmpp/jid"
	"sallyport/links"
)

// Who takes room in the server's queue never finds more than there is, and nobody waits for ever for what others give back.
func TestRoomForUsers(t *testing.T) {
	t.Parallel()
	const stanzas, bytes, workers, each = 3, 100, 8, 2000
	l := newLocal(nil, stanzas, bytes)
	var held, size atomic.Int64
	var all sync.WaitGroup
	for w := range workers {
		random := rand.New(rand.NewPCG(1, uint64(w)))
		all.Go(func() {
			for range each {
				n := random.IntN(60) + 1
				if err := l.Reserve(t.Context(), jid.JID{}, jid.JID{}, n); err != nil {
					t.Error(err)
					return
				}
				if h, s := held.Add(1), size.Add(int64(n)); h > stanzas || s > bytes {
					t.Errorf("%d stanzas of %d bytes have room", h, s)
				}
				size.Add(int64(-n))
				held.Add(-1)
				l.Unreserve(n)
			}
		})
	}
	all.Wait()
}

func TestRoomWaitsAndEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLocal(nil, 1, 10)
		reserve := func(bytes int) error { return l.Reserve(t.Context(), jid.JID{}, jid.JID{}, bytes) }
		if err := reserve(1000); err != nil {
			t.Fatalf("one stanza, however large, has room where there is nothing else: %v", err)
		}
		if err := reserve(1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("what nobody makes room for: %v", err)
		}
		waited := make(chan error)
		go func() { waited <- reserve(1) }()
		synctest.Wait()
		l.Unreserve(1000)
		if err := <-waited; err != nil {
			t.Errorf("after room was given back: %v", err)
		}
		go func() { waited <- reserve(1) }()
		synctest.Wait()
		l.close()
		if err := <-waited; !errors.Is(err, links.ErrClosed) {
			t.Errorf("at the end: %v", err)
		}
	})
}
