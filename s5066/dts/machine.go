package dts

import (
	"fmt"
	"math/rand/v2"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

// Machine is the data transfer sublayer of one node, for all the nodes it speaks with. New makes it. It is not safe for
// concurrent use: one goroutine owns it.
type Machine struct {
	cfg    Config
	timing Timing
	random *rand.Rand
}

// New makes a machine without links.
func New(cfg Config, timing Timing) (*Machine, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("make a data transfer machine: %w", err)
	}
	if err := timing.validate(); err != nil {
		return nil, fmt.Errorf("make a data transfer machine: %w", err)
	}
	return &Machine{cfg: cfg, timing: timing}, nil
}

// SetTiming says that the modem now has another rate, interleaver or turnaround.
func (m *Machine) SetTiming(t Timing) error { return nil }

// Connect says that a link with the remote node was made, or made again.
func (m *Machine) Connect(now time.Time, remote s5066.Address) ([]Event, error) { return nil, nil }

// Disconnect says that the link with the remote node has ended. What waited for it is rejected.
func (m *Machine) Disconnect(now time.Time, remote s5066.Address) []Event { return nil }

// Send takes a C_PDU. Its end is a Confirmed, Rejected or Broadcast.
func (m *Machine) Send(now time.Time, r Request) error { return nil }

// Manage sends a management message that is acknowledged; its end is ManagementDone.
func (m *Machine) Manage(now time.Time, remote s5066.Address, eow dpdu.EOW, extended string) error {
	return nil
}

// FullReset begins a full reset with the remote node.
func (m *Machine) FullReset(now time.Time, remote s5066.Address) error { return nil }

// Heard takes a frame that the modem has given out, whose last byte came now.
func (m *Machine) Heard(now time.Time, p dpdu.PDU) []Event { return nil }

// Carrier says that the modem hears somebody, or nobody any more.
func (m *Machine) Carrier(now time.Time, on bool) []Event { return nil }

// Want says whether there is something to transmit, and from when on.
func (m *Machine) Want(now time.Time) (Want, bool) { return Want{}, false }

// Train gives what is keyed now; without PDUs there is nothing.
func (m *Machine) Train(now time.Time, b Budget) (Train, []Event) { return Train{}, nil }

// Keyed says that the transmission of the last train has ended now.
func (m *Machine) Keyed(now time.Time) []Event { return nil }

// Deadline is when Tick wants to be called, and false for never.
func (m *Machine) Deadline() (time.Time, bool) { return time.Time{}, false }

// Tick says how late it is.
func (m *Machine) Tick(now time.Time) []Event { return nil }
