package crew_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"sallyport/internal/crew"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// No task waits for another one, however many there are, and all are done once.
func TestAllRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew.Crew
		defer c.Close()
		for round := range 3 {
			var began atomic.Int32
			const tasks = 3 * crew.MaxIdle
			var done sync.WaitGroup
			hold := make(chan struct{})
			for range tasks {
				done.Add(1)
				c.Go(func() {
					defer done.Done()
					began.Add(1)
					<-hold
				})
			}
			synctest.Wait()
			if n := began.Load(); n != tasks {
				t.Errorf("round %d: %d of %d run", round, n, tasks)
			}
			close(hold)
			done.Wait()
		}
	})
}

// After Close tasks run as well, and nobody stays.
func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew.Crew
		var ran atomic.Int32
		at := make(chan struct{})
		c.Go(func() {
			<-at
			ran.Add(1)
		})
		c.Go(func() { ran.Add(1) })
		synctest.Wait()
		c.Close()
		close(at)
		c.Go(func() { ran.Add(1) })
		synctest.Wait()
		if ran.Load() != 3 {
			t.Errorf("%d of 3 ran", ran.Load())
		}
	})
}
