package spool

import "time"

// latestKey and copyKey are where a newcomer looks for what it supersedes or joins.
type latestKey struct {
	peer string
	key  Key
}

type copyKey struct {
	lane laneKey
	key  Key
}

// fate is what becomes of a newcomer.
type fate uint8

const (
	joinsQueue fate = iota // waits in its lane
	passesAway             // fleeting, and others are before it
	merges                 // into a waiting entry
)

// judge says what becomes of a newcomer, and with what: the entry it supersedes, or is merged into.
func (q *Queue) judge(e *Entry, now time.Time) (fate, *item) {
	if e.Fleeting && q.peers[e.Peer] != nil && q.peers[e.Peer].entries > q.peers[e.Peer].underway {
		return passesAway, nil
	}
	if e.Latest != (Key{}) {
		return joinsQueue, q.latest[latestKey{e.Peer, e.Latest}]
	}
	if e.Copy == (Key{}) || q.limits.MergeWindow <= 0 || e.To.IsZero() || len(e.Also) > 0 || len(e.Ends) > 0 {
		return joinsQueue, nil
	}
	into := q.copies[copyKey{laneKey{e.Peer, e.Class}, e.Copy}]
	if into == nil || len(into.Also) >= MaxRecipients || now.Sub(into.Accepted) > q.limits.MergeWindow ||
		into.Local != e.Local || into.Remote != e.Remote {
		return joinsQueue, nil
	}
	return merges, into
}

// index makes an item known to newcomers.
func (q *Queue) index(it *item) {
	if it.Latest != (Key{}) {
		k := latestKey{it.Peer, it.Latest}
		if have := q.latest[k]; have == nil || have.Number < it.Number {
			q.latest[k] = it
		}
	}
	if it.Copy != (Key{}) && it.Latest == (Key{}) && !it.To.IsZero() {
		q.copies[copyKey{laneKey{it.Peer, it.Class}, it.Copy}] = it
	}
}

func (q *Queue) unindex(it *item) {
	if k := (latestKey{it.Peer, it.Latest}); it.Latest != (Key{}) && q.latest[k] == it {
		delete(q.latest, k)
	}
	if k := (copyKey{laneKey{it.Peer, it.Class}, it.Copy}); it.Copy != (Key{}) && q.copies[k] == it {
		delete(q.copies, k)
	}
}

// fade holds an item back while the entry that ends it becomes durable. Until then it keeps its place in the lane, and the
// lane waits: should it have to come back, nothing later may have gone before it.
func (q *Queue) fade(it *item) {
	q.land(it)
	it.before = it.state
	if it.before == underway {
		it.before = doubtful // whether it arrived is for whoever ends it to say
	}
	it.state = fading
	it.lane.back(it)
	q.unindex(it)
}

// brighten undoes fade, for when what was to end it could not be stored.
func (q *Queue) brighten(it *item) {
	it.state = it.before
	q.index(it)
	q.again(it)
}

// join adds a recipient to an item; until joined, the item is not handed out.
func (q *Queue) join(it *item, e *Entry) {
	it.Also = append(it.Also, e.To)
	it.joining++
}

// joined notes that the oldest join that was not durable now is.
func (q *Queue) joined(it *item) {
	it.joining--
	q.totals.Accepted++
	q.totals.Queued++
	q.again(it)
}

// leave undoes the latest join that is not durable.
func (q *Queue) leave(it *item) {
	it.Also = it.Also[:len(it.Also)-1]
	it.joining--
	q.again(it)
}
