package spool

import (
	"cmp"
	"slices"
)

// marks are how far each peer's numbered entries have come in. Two numbers a lane: what was taken, and what of it is
// durable. Owned by the spool's lock.
type marks map[string]map[uint64]*laneMarks // peer, epoch

type laneMarks [numClasses]struct{ taken, durable uint64 }

// check says whether the mark is above all that was taken. An epoch other than the one the peer is known by has to be
// announced before: a late arrival from a life that is over could otherwise not be told from a new one.
func (t marks) check(m *Mark) error {
	epochs := t[m.Peer]
	l := epochs[m.Epoch]
	switch {
	case l == nil && len(epochs) > 0:
		return ErrEpoch
	case l != nil && m.Number <= l[m.Lane].taken:
		return ErrRepeated
	}
	return nil
}

func (t marks) lanes(peer string, epoch uint64) *laneMarks {
	epochs := t[peer]
	if epochs == nil {
		epochs = map[uint64]*laneMarks{}
		t[peer] = epochs
	}
	l := epochs[epoch]
	if l == nil {
		l = &laneMarks{}
		epochs[epoch] = l
	}
	return l
}

// take notes that what the mark belongs to is on its way to the disk.
func (t marks) take(m *Mark) { t.lanes(m.Peer, m.Epoch)[m.Lane].taken = m.Number }

// commit notes that it is there.
func (t marks) commit(m *Mark) {
	l := &t.lanes(m.Peer, m.Epoch)[m.Lane]
	l.durable = max(l.durable, m.Number)
	l.taken = max(l.taken, l.durable)
}

// retract forgets everything that was taken and is not durable.
func (t marks) retract() {
	for _, epochs := range t {
		for _, l := range epochs {
			for i := range l {
				l[i].taken = l[i].durable
			}
		}
	}
}

// known says that the peer is known by this epoch and no other.
func (t marks) known(peer string, epoch uint64) bool {
	_, ok := t[peer][epoch]
	return ok && len(t[peer]) == 1
}

// keep forgets all epochs of a peer but one. fresh says that the peer was known by another epoch only.
func (t marks) keep(peer string, epoch uint64) (fresh bool) {
	epochs := t[peer]
	_, known := epochs[epoch]
	for e := range epochs {
		if e != epoch {
			delete(epochs, e)
			fresh = !known
		}
	}
	t.lanes(peer, epoch)
	return fresh
}

// of returns the durable marks of a peer, or of all peers, by peer, epoch and lane.
func (t marks) of(peer string, all bool) (list []Mark) {
	for name, epochs := range t {
		if !all && name != peer {
			continue
		}
		for epoch, l := range epochs {
			for lane, n := range l {
				if n.durable > 0 {
					list = append(list, Mark{name, epoch, uint8(lane), n.durable})
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b Mark) int {
		return cmp.Or(cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Lane, b.Lane))
	})
	return list
}
