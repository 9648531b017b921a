package gateway_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"sallyport/gateway"
)

// TestDoor: who is inside is waited for and may enter again before, and nobody else gets in.
func TestDoor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, closed := gateway.NewDoor(), make(chan struct{})
		for range 2 {
			if !d.Enter() {
				t.Fatal("shut from the beginning")
			}
		}
		go func() {
			d.Close()
			close(closed)
		}()
		synctest.Wait()
		if d.Enter() {
			t.Error("somebody got in")
		}
		d.Leave()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("closed with somebody inside")
		default:
		}
		d.Leave()
		<-closed
		if d.Enter() {
			t.Error("somebody got in when it was closed")
		}
	})
}

func TestDoorOfMany(t *testing.T) {
	t.Parallel()
	for range 50 {
		d := gateway.NewDoor()
		var inside atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for d.Enter() {
					inside.Add(1)
					inside.Add(-1)
					d.Leave()
				}
			})
		}
		d.Close()
		if n := inside.Load(); n != 0 {
			t.Errorf("%d inside", n)
		}
		all.Wait()
	}
}

func TestDoorOfNobody(t *testing.T) {
	t.Parallel()
	d := gateway.NewDoor()
	d.Close()
	if d.Enter() {
		t.Error("somebody got in")
	}
}
