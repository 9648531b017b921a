package disk

import (
	"errors"
	"os"
	"time"
)

// Ring is what a file that is often synced writes with; for tests of what it does when it can do no more.
type Ring struct{ r *ring }

// NewRing fails on kernels without.
func NewRing() (Ring, error) {
	r, err := newRing()
	return Ring{r}, err
}

// WriteSync writes at an offset.
func (r Ring) WriteSync(f *os.File, p []byte, at int64) (n int, notBegun bool, err error) {
	n, err = r.r.writeSync(f.Fd(), p, at)
	return n, errors.Is(err, errNotBegun), err
}

// NoPoller makes waiting by the poller fail.
func (r Ring) NoPoller() error { return r.r.file.SetReadDeadline(time.Unix(1, 0)) }

// Close closes it.
func (r Ring) Close() error { return r.r.Close() }

// BreakRing takes the kernel's part away from under a file; false when it has none.
func BreakRing(f File) bool {
	a := f.(*appendFile)
	if a.ring == nil {
		return false
	}
	_ = a.ring.file.Close()
	a.ring.file, a.ring.fd = nil, -1
	return true
}

// SleepShort sleeps with an alarm.
func SleepShort(d time.Duration) error {
	a, err := newAlarm()
	if err != nil {
		return err
	}
	return errors.Join(a.sleep(d), a.Close())
}
