package dts

import "time"

// State is what a node is doing with one remote (C.15).
type State uint8

// The states; which frames may be keyed in them is in train.go.
const (
	Idle State = iota
	DataState
	ExpeditedState
	ManagementState
)

// String is the state as operators read it.
func (s State) String() string {
	return [...]string{"idle", "data", "expedited", "management"}[s&3]
}

// state follows from what is to be done, so it cannot get stuck: IDLE is nothing queued, nothing under way, nothing owed.
func (m *Machine) state(r *remote) State {
	switch {
	case r.man.busy():
		return ManagementState
	case r.exp.busy(m.now):
		return ExpeditedState
	case r.connected && (r.queue.count > 0 || r.tx.used() > 0 || r.tx.part != nil || r.ackOwed || r.sync.busy() || r.rx.inside):
		return DataState
	}
	return Idle
}

// roundTrips is the time of turns of both ends: for what is not worth waiting for any longer.
func (m *Machine) roundTrips(n int) time.Duration {
	return time.Duration(n) * (m.timing.Reply() + m.timing.Lead)
}
