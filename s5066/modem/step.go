package modem

import "time"

// Step is what a machine wants after an input.
type Step struct {
	Write  []byte  // for the stream
	Events []Event // for the station
	Err    error   // the stream has to end; End follows
}

// Machine is a station's end of a modem without socket and clock: Session or Implied. One goroutine owns it.
type Machine interface {
	Order(now time.Time, o Order) Step
	Receive(now time.Time, b []byte) Step
	Deadline() (time.Time, bool)
	Tick(now time.Time) Step
	// End is called once the stream is gone: what was outstanding is Lost, a carrier is off.
	End() []Event
	// Ready reports whether orders make sense already.
	Ready() bool
}

var (
	_ Machine = (*Session)(nil)
	_ Machine = (*Implied)(nil)
)

// acceptable reports whether a modem could take this order at all.
func acceptable(k Key) bool {
	return k.Waveform.Valid() && len(k.Data) > 0 && len(k.Data) <= MaxTransmission
}
