package dts

import (
	"time"

	"sallyport/s5066"
)

// Who shares the channel: so many stations are remembered, for so long.
const (
	maxNeighbours = 16
	forgotten     = 10 * time.Minute
)

// neighbour is a station that was heard, whoever it spoke to.
type neighbour struct {
	addr s5066.Address
	at   time.Time
}

// neighbours are those heard lately, the latest last.
type neighbours []neighbour

func (n *neighbours) heard(now time.Time, a s5066.Address) {
	keep := (*n)[:0]
	for _, v := range *n {
		if v.addr != a && now.Sub(v.at) < forgotten {
			keep = append(keep, v)
		}
	}
	if len(keep) >= maxNeighbours {
		keep = append(keep[:0], keep[1:]...)
	}
	*n = append(keep, neighbour{a, now})
}

// but reports whether anybody else was heard lately.
func (n neighbours) but(now time.Time, a s5066.Address) bool {
	for _, v := range n {
		if v.addr != a && now.Sub(v.at) < forgotten {
			return true
		}
	}
	return false
}

// Crowded reports whether more than one other station was heard lately: then nobody can be sure to be the only one who waits for the channel.
func (m *Machine) Crowded(now time.Time) bool {
	m.now = later(m.now, now)
	return len(m.near) > 1 && m.near.but(m.now, m.near[len(m.near)-1].addr)
}

// Awaits reports whether the last that was keyed waits for an answer: until it has come or not, Backoff says who is next.
func (m *Machine) Awaits() bool { return m.turn.await.Valid() }

// Backoff is how long a node waits before it speaks again to one that has not answered, the vain-th time in a row: a whole number of slots, so
// that who waits longer hears the other begin. Most likely both keyed at once; where they are alone, the lower address goes first, within
// windows of 1, 2, 4 and 8 slots that lie before those of the higher one. Where others may have been in it too, all draw from windows of 4 to
// 32 slots.
func (m *Machine) Backoff(now time.Time, to s5066.Address, vain int) time.Duration {
	m.now = later(m.now, now)
	grown := 1 << min(max(vain, 1)-1, 3)
	if m.near.but(m.now, to) {
		return time.Duration(m.random.IntN(4*grown)) * m.timing.Slot()
	}
	slots := m.random.IntN(grown)
	if m.cfg.Own.Word() > to.Word() {
		// They need not have ended at the same moment: one slot between the windows is left free.
		slots += grown + 1
	}
	return time.Duration(slots) * m.timing.Slot()
}
