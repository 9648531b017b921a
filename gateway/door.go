package gateway

import (
	"math"
	"sync/atomic"
)

// door counts who is inside, until it is shut and they have left. Who is inside may enter again. Every stanza of a client goes through it, so
// it is one number.
type door struct {
	inside *atomic.Int64 // from shut up, once nobody gets in any more
	empty  chan struct{} // told when the last one has left then
}

// shut is below what inside can be while the door is open.
const shut = math.MinInt64

func newDoor(inside *atomic.Int64) door { return door{inside: inside, empty: make(chan struct{}, 1)} }

// enter reports whether there is a way in; who is in leaves.
func (d *door) enter() bool {
	if d.inside.Add(1) > 0 {
		return true
	}
	d.leave()
	return false
}

func (d *door) leave() {
	if d.inside.Add(-1) == shut {
		select {
		case d.empty <- struct{}{}:
		default:
		}
	}
}

// close lets nobody in any more, and waits for those who are inside. It is called once.
func (d *door) close() {
	if d.inside.Add(shut) != shut {
		<-d.empty
	}
}
