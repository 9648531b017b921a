package hostile_test

import (
	"errors"
	"net"
	"strconv"
	"testing"
	"time"
)

// patience is how long anything may take that is not a time limit of the product. It matters only where something fails.
const patience = 60 * time.Second

// eventually asks again and again until the answer is yes.
func eventually(t testing.TB, limit time.Duration, what string, ok func() bool) bool {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for {
		if ok() {
			return true
		}
		select {
		case <-again.C:
		case <-deadline.C:
			if ok() {
				return true
			}
			t.Errorf("not within %v: %s", limit, what)
			return false
		}
	}
}

func deadline(d time.Duration) time.Time { return time.Now().Add(d) }

var errStillThere = errors.New("somebody still listens")

func dialOnce(address string) (net.Conn, error) { return net.DialTimeout("tcp", address, patience) }

func itoa(n int) string { return strconv.Itoa(n) }
