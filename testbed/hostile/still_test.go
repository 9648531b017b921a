package hostile_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// The measure of a disk that stands still: one byte of ours is not on it for so long. What the node writes because of an attack, some
// records at a time, does not do that; others on the machine do.
const (
	stillness = time.Second
	diskEvery = 100 * time.Millisecond
)

// disk notes when that of a folder stands still. Then nobody is served who has to be recorded first, attacked or not.
type disk struct {
	file *os.File
	stop chan struct{}
	wg   sync.WaitGroup

	mu    sync.Mutex
	still [][2]time.Time // from, to
}

// watchDisk watches until the test ends.
func watchDisk(t testing.TB, dir string) *disk {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "still"))
	if err != nil {
		t.Fatal(err)
	}
	d := &disk{file: file, stop: make(chan struct{})}
	d.wg.Go(d.watch)
	t.Cleanup(func() {
		close(d.stop)
		d.wg.Wait()
		_ = file.Close()
	})
	return d
}

func (d *disk) watch() {
	tick := time.NewTicker(diskEvery)
	defer tick.Stop()
	for {
		select {
		case <-d.stop:
			return
		case <-tick.C:
		}
		began := time.Now()
		if _, err := d.file.WriteAt([]byte{1}, 0); err != nil {
			return // it excuses nothing
		}
		if err := d.file.Sync(); err != nil {
			return
		}
		if ended := time.Now(); ended.Sub(began) >= stillness {
			d.mu.Lock()
			d.still = append(d.still, [2]time.Time{began, ended})
			d.mu.Unlock()
		}
	}
}

// within is for how long of a time it stood still.
func (d *disk) within(from, to time.Time) (sum time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.still {
		if s[0].Before(from) {
			s[0] = from
		}
		if s[1].After(to) {
			s[1] = to
		}
		sum += max(s[1].Sub(s[0]), 0)
	}
	return sum
}

// TestStillDisk: what is counted of a disk that stood still, and that a disk that works is not held to.
func TestStillDisk(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	d := &disk{still: [][2]time.Time{{at(10), at(14)}, {at(20), at(21)}}}
	for _, c := range []struct{ from, to, want int }{{0, 9, 0}, {0, 30, 5}, {11, 12, 1}, {12, 20, 2}, {13, 30, 2}, {15, 19, 0}, {22, 30, 0}} {
		if got := d.within(at(c.from), at(c.to)); got != time.Duration(c.want)*time.Second {
			t.Errorf("from %d to %d: %v, want %d s", c.from, c.to, got, c.want)
		}
	}
	f := &flow{disk: d, arrived: 2, sent: []time.Time{at(11), at(20)}, delays: []time.Duration{4 * time.Second, 3 * time.Second}}
	if got := f.percentile(0, 1); got != 2*time.Second {
		t.Errorf("the slowest took %v, want 2 s beside the disk", got)
	}
}
