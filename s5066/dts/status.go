package dts

import (
	"time"

	"sallyport/s5066"
)

// Status is what an operator sees of the machine.
type Status struct {
	Speaker  s5066.Address // who was heard last, and until when its transmission was announced
	Busy     time.Time
	Awaiting s5066.Address // whose answer is awaited
	Casts    int           // non-ARQ C_PDUs waiting
	Partial  int           // non-ARQ C_PDUs being put together, and those whose repetitions may still come
	Ignored  uint64        // non-ARQ frames that cannot be
	Remotes  []RemoteStatus
}

// RemoteStatus is what an operator sees of one other node.
type RemoteStatus struct {
	Address     s5066.Address
	Connected   bool
	State       State
	Queued      int // C_PDUs without a frame, expedited ones included
	UnderWay    int // frames in the window
	SegmentSize int // bytes, of the next C_PDU
	Loss        float64
	Silent      int // transmissions in a row that nothing answered
	Heard       time.Time
	Figures     Figures
}

// Status gives a copy.
func (m *Machine) Status() Status {
	s := Status{
		Speaker: m.turn.speaker, Busy: m.turn.busy, Awaiting: m.turn.await, Partial: len(m.parts.all), Ignored: m.ignored,
		Casts: len(m.casts.waiting[0]) + len(m.casts.waiting[1]),
	}
	for _, r := range m.remotes {
		s.Remotes = append(s.Remotes, RemoteStatus{
			Address: r.addr, Connected: r.connected, State: m.state(r), Queued: r.queue.count + len(r.exp.queue),
			UnderWay: r.tx.used(), SegmentSize: r.size.sizes[r.size.at], Loss: r.size.total, Silent: r.silent, Heard: r.heard, Figures: r.figures,
		})
	}
	return s
}
