package spool

import (
	"cmp"
	"container/heap"
	"time"
)

// Limits bound a queue. Zero means the default, never unlimited.
type Limits struct {
	Bytes, PeerBytes     int64         // stored bytes in all and per peer; 256 and 128 MiB
	Entries, PeerEntries int           // 1,000,000 and 500,000
	MergeWindow          time.Duration // how long an entry takes copies in, and is not handed out; 0 is never
	PoisonAfter          int           // stream losses running with the same head; 3
}

// routineReserve is the part of a budget, one in so many, that routine entries cannot use: it is kept for what is urgent
// when the backlog is long.
const routineReserve = 8

func (l Limits) withDefaults() Limits {
	l.Bytes = cmp.Or(l.Bytes, 256<<20)
	l.PeerBytes = cmp.Or(l.PeerBytes, min(128<<20, l.Bytes))
	l.Entries = cmp.Or(l.Entries, 1_000_000)
	l.PeerEntries = cmp.Or(l.PeerEntries, min(500_000, l.Entries))
	l.PoisonAfter = cmp.Or(l.PoisonAfter, 3)
	return l
}

// Queue is what waits for all peers: the pure core of the spool. Owned by one goroutine or one lock; the time is always
// passed in.
type Queue struct {
	limits Limits
	items  map[Number]*item
	lanes  map[laneKey]*lane
	peers  map[string]*peerQueue
	due    dues
	latest map[latestKey]*item
	copies map[copyKey]*item
	talks  map[talkKey]*talk // of this life, where copies are merged
	bytes  int64
	turns  uint64
	totals Totals
}

// peerQueue is what one peer has in the queue.
type peerQueue struct {
	bytes    int64
	entries  int
	underway int
	poison   Number // head at the latest stream loss
	losses   int    // running, with that head
}

// NewQueue returns an empty queue.
func NewQueue(l Limits) *Queue {
	return &Queue{
		limits: l.withDefaults(), items: map[Number]*item{}, lanes: map[laneKey]*lane{}, peers: map[string]*peerQueue{},
		latest: map[latestKey]*item{}, copies: map[copyKey]*item{}, talks: map[talkKey]*talk{},
	}
}

// Admit says whether there is room for one more entry; the error is a *FullError.
func (q *Queue) Admit(peer string, class Class, bytes int) error {
	full := func(what string, have, limit int64) error {
		return &FullError{What: what, Peer: peer, Have: have, Limit: limit}
	}
	share := func(limit int64) int64 {
		if class == Routine {
			return limit - limit/routineReserve
		}
		return limit
	}
	var p peerQueue
	if known := q.peers[peer]; known != nil {
		p = *known
	}
	n := int64(bytes) + entryOverhead
	switch {
	case q.bytes+n > share(q.limits.Bytes):
		return full("spool", q.bytes, q.limits.Bytes)
	case p.bytes+n > share(q.limits.PeerBytes):
		return full("peer", p.bytes, q.limits.PeerBytes)
	case int64(len(q.items)+1) > share(int64(q.limits.Entries)):
		return full("spool", int64(len(q.items)), int64(q.limits.Entries))
	case int64(p.entries+1) > share(int64(q.limits.PeerEntries)):
		return full("peer", int64(p.entries), int64(q.limits.PeerEntries))
	}
	return nil
}

// entryOverhead is what an entry costs besides its stored bytes.
const entryOverhead = 256

// add puts an item into its lane. Its number is set.
func (q *Queue) add(it *item, now time.Time) {
	it.weight = len(it.Stored) + entryOverhead
	if q.limits.MergeWindow > 0 {
		it.voices = append([]uint64{it.Conversation}, it.Voices...)
		for _, conversation := range it.voices {
			q.speak(it, conversation)
		}
	}
	if q.mayJoin(&it.Entry) {
		it.until = now.Add(q.limits.MergeWindow)
	}
	q.restore(it, now)
}

// restore is add for an item of which the weight is known.
func (q *Queue) restore(it *item, now time.Time) {
	it.heapAt = notInHeap
	q.items[it.Number] = it
	q.bytes += int64(it.weight)
	p := q.peer(it.Peer)
	p.bytes += int64(it.weight)
	p.entries++
	q.lane(it.Peer, it.Class).insert(it)
	if !it.Expires.IsZero() {
		it.expires = now.Add(it.Expires.Sub(now.Round(0))) // keeps the monotonic clock, if now has one
		heap.Push(&q.due, it)
	}
	q.index(it)
}

func (q *Queue) peer(name string) *peerQueue {
	p := q.peers[name]
	if p == nil {
		p = &peerQueue{}
		q.peers[name] = p
	}
	return p
}

func (q *Queue) lane(peer string, class Class) *lane {
	k := laneKey{peer, class}
	l := q.lanes[k]
	if l == nil {
		l = &lane{}
		q.lanes[k] = l
	}
	return l
}

// commit notes that an item is durable: it counts, and may be handed out.
func (q *Queue) commit(it *item) {
	it.durable = true
	n := it.Weight() - int64(it.joining)
	q.totals.Accepted += n
	q.totals.Queued += n
	switch it.state {
	case pending:
		it.state = waiting
		q.again(it)
	case fading:
		it.before = waiting
	case waiting, underway, doubtful: // cannot be: only what is durable gets there
	}
}

// again puts an item that may expire now back into the heap, when its time was over while it could not.
func (q *Queue) again(it *item) {
	if it.overdue {
		it.overdue = false
		heap.Push(&q.due, it)
	}
}

// Next hands out the first entry for the peer that may go on this link now, the highest class first.
func (q *Queue) Next(peer, link string, now time.Time) (Entry, bool) {
	it := q.next(peer, link, now)
	if it == nil {
		return Entry{}, false
	}
	return it.Entry, true
}

func (q *Queue) next(peer, link string, now time.Time) *item {
	for class := numClasses; class > 0; class-- {
		if it := q.NextIn(peer, class-1, link, now); it != nil {
			return it
		}
	}
	return nil
}

// NextIn hands out the first entry of one lane.
func (q *Queue) NextIn(peer string, class Class, link string, now time.Time) *item {
	l := q.lanes[laneKey{peer, class}]
	if l == nil {
		return nil
	}
	it := l.head(link)
	if it == nil || it.open(now) {
		return nil
	}
	l.takeOut(it, link)
	q.turns++
	it.turn = q.turns
	it.Attempts++
	q.peer(peer).underway++
	q.unindex(it)          // nothing supersedes what is under way,
	it.until = time.Time{} // and nobody joins, ever, what the far side may hold already
	return it
}

// Requeue lets an entry that was under way, or in doubt after a restart, wait again in its old place.
func (q *Queue) Requeue(n Number) bool {
	it := q.items[n]
	if it == nil || it.state != underway && it.state != doubtful {
		return false
	}
	q.land(it)
	it.Sending, it.state = false, waiting
	it.lane.back(it)
	q.index(it)
	q.again(it)
	return true
}

func (q *Queue) land(it *item) {
	if it.state == underway {
		it.lane.settle()
		q.peer(it.Peer).underway--
	}
}

// Rewind requeues everything of a peer that is under way on a link, for when the link is lost.
func (q *Queue) Rewind(peer, link string) (n int) {
	for _, number := range q.underway(peer, link) {
		if q.Requeue(number) {
			n++
		}
	}
	return n
}

// underway returns what is under way to a peer on a link.
func (q *Queue) underway(peer, link string) (numbers []Number) {
	for class := range numClasses {
		l := q.lanes[laneKey{peer, class}]
		if l == nil || l.underway == 0 || l.link != link {
			continue
		}
		for it := l.first; it != nil && it.Number <= l.lastUnderway; it = it.next {
			if it.state == underway {
				numbers = append(numbers, it.Number)
			}
		}
	}
	return numbers
}

// through returns what of a lane, up to a number, was handed out in this life or may have been in an earlier one.
func (q *Queue) through(peer string, class Class, last Number) (numbers []Number) {
	l := q.lanes[laneKey{peer, class}]
	if l == nil {
		return nil
	}
	for it := l.first; it != nil && it.Number <= last; it = it.next {
		if it.Attempts > 0 || it.old {
			numbers = append(numbers, it.Number)
		}
	}
	return numbers
}

// End takes an entry out. It is false for entries that are not there or not durable, or not with all their recipients.
func (q *Queue) End(n Number, how Outcome) (Entry, bool) {
	it, ok := q.finish(n, how)
	if !ok {
		return Entry{}, false
	}
	return it.Entry, true
}

func (q *Queue) finish(n Number, how Outcome) (*item, bool) {
	it := q.items[n]
	if it == nil || !it.durable || it.state == fading || it.joining > 0 || how == NoOutcome || how >= numOutcomes {
		return nil, false
	}
	q.end(it, how)
	return it, true
}

func (q *Queue) end(it *item, how Outcome) {
	q.totals.Queued -= it.Weight()
	q.totals.Ended[how] += it.Weight()
	q.drop(it)
}

// drop takes an item out without counting.
func (q *Queue) drop(it *item) {
	q.land(it)
	if it.lane != nil {
		it.lane.remove(it)
	}
	if it.heapAt != notInHeap {
		heap.Remove(&q.due, it.heapAt)
	}
	q.unindex(it)
	for _, conversation := range it.voices {
		q.hush(it, conversation)
	}
	it.voices = nil
	delete(q.items, it.Number)
	q.bytes -= int64(it.weight)
	p := q.peer(it.Peer)
	p.bytes -= int64(it.weight)
	p.entries--
}

// Expire ends everything that waits and whose time is over.
func (q *Queue) Expire(now time.Time) (expired []Entry) {
	for _, it := range q.expire(now) {
		expired = append(expired, it.Entry)
	}
	return expired
}

func (q *Queue) expire(now time.Time) (expired []*item) {
	for len(q.due) > 0 && !q.due[0].expires.After(now) {
		it := heap.Pop(&q.due).(*item)
		if it.state != waiting || it.joining > 0 {
			it.overdue = true // what is under way ends when its fate is known
			continue
		}
		q.end(it, Expired)
		expired = append(expired, it)
	}
	return expired
}

// Due returns when the next entry expires, zero for never.
func (q *Queue) Due() time.Time {
	if len(q.due) == 0 {
		return time.Time{}
	}
	return q.due[0].expires
}

// StreamLost notes that a stream to the peer broke, before the entries on it are requeued. When the same entry was the
// first under way at several losses running, it is returned: it is held to be what breaks the stream, and should be
// ended.
func (q *Queue) StreamLost(peer, link string) (poison Entry, ok bool) {
	p := q.peers[peer]
	if p == nil || p.underway == 0 {
		return Entry{}, false
	}
	var head *item
	for _, n := range q.underway(peer, link) {
		if it := q.items[n]; head == nil || it.turn < head.turn {
			head = it
		}
	}
	if head == nil {
		return Entry{}, false
	}
	if p.poison != head.Number {
		p.poison, p.losses = head.Number, 0
	}
	p.losses++
	if p.losses < q.limits.PoisonAfter {
		return Entry{}, false
	}
	return head.Entry, true
}
