package spool

import (
	"cmp"
	"slices"
	"time"
)

// Totals is the sum law: Accepted = Queued + all the outcomes. What was recovered counts as accepted.
type Totals struct {
	Accepted, Queued int64
	Ended            [numOutcomes]int64
}

// Balance is accepted minus everything else; zero unless something was lost or doubled.
func (t *Totals) Balance() int64 {
	n := t.Accepted - t.Queued
	for _, e := range t.Ended {
		n -= e
	}
	return n
}

// Totals returns the sums.
func (q *Queue) Totals() Totals { return q.totals }

// PeerBacklog is what one lane of a peer holds.
type PeerBacklog struct {
	Peer     string
	Class    Class
	Entries  int // with those under way and in doubt
	Underway int
	InDoubt  int
	Bytes    int64
	Oldest   time.Time // when the first was accepted
}

// Backlog returns every lane that is not empty, by peer and then the highest class first.
func (q *Queue) Backlog() (all []PeerBacklog) {
	for k, l := range q.lanes {
		if l.len == 0 {
			continue
		}
		b := PeerBacklog{Peer: k.peer, Class: k.class, Underway: l.underway}
		for it := l.first; it != nil; it = it.next {
			if !it.durable {
				continue
			}
			b.Entries++
			b.Bytes += int64(it.weight)
			if it.state == doubtful {
				b.InDoubt++
			}
			if b.Oldest.IsZero() || it.Accepted.Before(b.Oldest) {
				b.Oldest = it.Accepted
			}
		}
		if b.Entries > 0 {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b PeerBacklog) int {
		return cmp.Or(cmp.Compare(a.Peer, b.Peer), cmp.Compare(b.Class, a.Class))
	})
	return all
}

// Entries returns up to limit durable entries of a peer ("" for all) in the order of their lanes, from a number on. Stored
// bytes that are on disk only are not there.
func (q *Queue) Entries(peer string, from Number, limit int) (list []Entry) {
	for _, it := range q.items {
		if it.durable && it.Number >= from && (peer == "" || it.Peer == peer) {
			list = append(list, it.Entry)
		}
	}
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	return list[:min(limit, len(list))]
}
