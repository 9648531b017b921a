package spool

import "time"

// state is where an item is. The zero value is handed out by nobody.
type state uint8

const (
	pending  state = iota // not durable yet
	waiting               // may be handed out
	underway              // handed out, fate unknown
	doubtful              // recovered with a "sending" frame: somebody has to decide
	fading                // superseded by an entry that is pending
)

// item is an entry in the queue.
type item struct {
	Entry
	state   state
	before  state // what it was before it began to fade
	durable bool
	joining int       // recipients at the end of Also that are not durable yet
	overdue bool      // its time is over and it is not in the heap
	old     bool      // recovered, so that it may have been handed out in an earlier life
	expires time.Time // when, by the clock of this process
	heapAt  int
	turn    uint64 // order of hand-outs
	unread  int    // times that the disk did not give it back
	leaving bool   // it ended without having been delivered, and that is not yet on disk

	until  time.Time // it takes copies in until then; zero for what does not, or no longer
	voices []uint64  // conversations that it counts in: its own, and of those who joined

	lane       *lane
	next, prev *item // in the lane, by number

	place  place // where the log has it
	weight int   // bytes, against the budgets
	cached bool  // Stored is in memory
}

// laneKey is one lane of one peer.
type laneKey struct {
	peer  string
	class Class
}

// lane is a list by number. cursor is the first item that may be waiting, pending or fading: all before it are under way
// or in doubt.
type lane struct {
	first, last, cursor *item
	len                 int
	underway            int
	lastUnderway        Number // highest number under way, while there is any
	link                string // that has them

	// What ended here without having been delivered while that is not on disk: how many, and the first of them. Nothing behind it goes
	// out: after a crash it is here again, and a far side that has what came after it would be taken to have it too.
	leaving      int
	firstLeaving Number
}

// leave notes that an item ended without having been delivered.
func (l *lane) leave(it *item) {
	if it.leaving {
		return
	}
	it.leaving = true
	if l.leaving == 0 || it.Number < l.firstLeaving {
		l.firstLeaving = it.Number
	}
	l.leaving++
}

// left notes that the end of an item is on disk; false when nobody waited for that.
func (l *lane) left(it *item) bool {
	if !it.leaving {
		return false
	}
	it.leaving = false
	l.leaving--
	return l.leaving == 0
}

// insert puts the item where its number belongs; new ones belong to the end.
func (l *lane) insert(it *item) {
	after := l.last
	for after != nil && after.Number > it.Number {
		after = after.prev
	}
	it.lane, it.prev = l, after
	if after == nil {
		it.next, l.first = l.first, it
	} else {
		it.next, after.next = after.next, it
	}
	if it.next == nil {
		l.last = it
	} else {
		it.next.prev = it
	}
	l.len++
	if l.cursor == nil || l.cursor.Number > it.Number {
		l.cursor = it
	}
}

func (l *lane) remove(it *item) {
	if l.cursor == it {
		l.cursor = it.next
	}
	if it.prev == nil {
		l.first = it.next
	} else {
		it.prev.next = it.next
	}
	if it.next == nil {
		l.last = it.prev
	} else {
		it.next.prev = it.prev
	}
	it.next, it.prev, it.lane = nil, nil, nil
	l.len--
}

// head is the first waiting item, nil when there is none that may go on this link now.
//
// A lane is on one link at a time, and nothing goes out while a later number is under way: the receiver takes whatever
// is not above its mark for a repetition.
func (l *lane) head(link string) *item {
	it := l.front()
	if it == nil || it.joining > 0 || l.underway > 0 && (l.link != link || it.Number < l.lastUnderway) ||
		l.leaving > 0 && it.Number > l.firstLeaving {
		return nil
	}
	return it
}

// front is the first waiting item, nil when there is none or one before it is not durable yet.
func (l *lane) front() *item {
	it := l.cursor
	for it != nil && it.state != waiting {
		if it.state == pending || it.state == fading {
			return nil // its fate is known with the next commit; the cursor stays
		}
		it = it.next
	}
	l.cursor = it
	return it
}

func (l *lane) takeOut(it *item, link string) {
	it.state = underway
	l.underway++
	l.link, l.lastUnderway = link, max(l.lastUnderway, it.Number)
}

// settle notes that an item is no longer under way.
func (l *lane) settle() {
	l.underway--
	if l.underway == 0 {
		l.lastUnderway, l.link = 0, ""
	}
}

// back moves the cursor back to an item that waits again.
func (l *lane) back(it *item) {
	if l.cursor == nil || it.Number < l.cursor.Number {
		l.cursor = it
	}
}

// dues is a heap of items by the time they expire.
type dues []*item

func (h dues) Len() int           { return len(h) }
func (h dues) Less(i, j int) bool { return h[i].expires.Before(h[j].expires) }
func (h dues) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapAt, h[j].heapAt = i, j
}

// Push is for container/heap.
func (h *dues) Push(x any) {
	it := x.(*item)
	it.heapAt = len(*h)
	*h = append(*h, it)
}

// Pop is for container/heap.
func (h *dues) Pop() any {
	old := *h
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	it.heapAt = notInHeap
	return it
}

const notInHeap = -1
