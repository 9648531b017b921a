package gateway_test

import (
	"testing"
	"time"
)

// TestNothingOvertakesWhatFoundNoRoom: whenever the disk of the far side has room again, what comes then does not go before what waits
// for it: a mark that overtakes would turn what it jumped over into a repetition.
func TestNothingOvertakesWhatFoundNoRoom(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		var sent []string
		for i := range 25 {
			e.ship.spool.SetCapacity(1)
			sent = append(sent, e.send(3)...)
			e.settle(time.Duration(i) * 70 * time.Millisecond)
			e.ship.spool.SetCapacity(0)
			for range 30 {
				sent = append(sent, e.send(1)...)
				e.settle(50 * time.Millisecond)
			}
			e.settle(10 * time.Second)
		}
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), sent)
	})
}
