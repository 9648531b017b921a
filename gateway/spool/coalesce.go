package spool

import (
	"slices"
	"time"
)

// latestKey and copyKey are where a newcomer looks for what it supersedes or joins.
type latestKey struct {
	peer string
	key  Key
}

type copyKey struct {
	lane laneKey
	key  Key
}

// talkKey is one conversation within a lane, and talk what the lane holds of it: how many (entry, recipient), and the highest
// number any of them had. The number does not fall when an entry ends, so that what follows from it is only ever too careful.
type talkKey struct {
	lane         laneKey
	conversation uint64
}

type talk struct {
	count int
	last  Number
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
	if !q.mayJoin(e) {
		return joinsQueue, nil
	}
	into := q.copies[copyKey{laneKey{e.Peer, e.Class}, e.Copy}]
	if into == nil || !into.open(now) || into.Local != e.Local || into.Remote != e.Remote || q.overtakes(e, into) {
		return joinsQueue, nil
	}
	return merges, into
}

// mayJoin says whether an entry is one copy of several.
func (q *Queue) mayJoin(e *Entry) bool {
	return q.limits.MergeWindow > 0 && e.Copy != (Key{}) && e.Latest == (Key{}) && !e.To.IsZero() && len(e.Also) == 0 && len(e.Ends) == 0
}

// overtakes says whether a newcomer, put into an earlier entry, would go before something of its own conversation, or be
// there a second time for the same recipient.
func (q *Queue) overtakes(e *Entry, into *item) bool {
	t := q.talks[talkKey{laneKey{e.Peer, e.Class}, e.Conversation}]
	switch {
	case t == nil || t.last < into.Number:
		return false
	case t.last > into.Number:
		return true
	}
	return into.To == e.To || slices.Contains(into.Also, e.To)
}

// open says whether an item still takes copies in. While it does it is not handed out, nor is anything behind it in its
// lane.
func (it *item) open(now time.Time) bool {
	return now.Before(it.until) && len(it.Also) < MaxRecipients
}

// HeldUntil returns when the next entry for a peer may go that is held back for copies to join it, zero when none is.
func (q *Queue) HeldUntil(peer string, now time.Time) (at time.Time) {
	for class := range numClasses {
		l := q.lanes[laneKey{peer, class}]
		if l == nil {
			continue
		}
		if it := l.front(); it != nil && it.open(now) && (at.IsZero() || it.until.Before(at)) {
			at = it.until
		}
	}
	return at
}

// speak counts an entry, or a recipient who joined it, among its conversation.
func (q *Queue) speak(it *item, conversation uint64) {
	k := talkKey{laneKey{it.Peer, it.Class}, conversation}
	t := q.talks[k]
	if t == nil {
		t = &talk{}
		q.talks[k] = t
	}
	t.count++
	t.last = max(t.last, it.Number)
}

// hush undoes speak.
func (q *Queue) hush(it *item, conversation uint64) {
	k := talkKey{laneKey{it.Peer, it.Class}, conversation}
	if t := q.talks[k]; t != nil {
		if t.count--; t.count == 0 {
			delete(q.talks, k)
		}
	}
}

// index makes an item known to newcomers.
func (q *Queue) index(it *item) {
	if it.Latest != (Key{}) {
		k := latestKey{it.Peer, it.Latest}
		if have := q.latest[k]; have == nil || have.Number < it.Number {
			q.latest[k] = it
		}
	}
	if !it.until.IsZero() {
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
	it.voices = append(it.voices, e.Conversation)
	q.speak(it, e.Conversation)
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
	last := len(it.voices) - 1
	q.hush(it, it.voices[last])
	it.Also, it.voices = it.Also[:len(it.Also)-1], it.voices[:last]
	it.joining--
	q.again(it)
}
