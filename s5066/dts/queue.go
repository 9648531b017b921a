package dts

import (
	"time"

	"sallyport/s5066"
)

// outgoing is an ARQ C_PDU on its way.
type outgoing struct {
	req      Request
	deadline time.Time
	size     int  // of its segments at most, chosen with the first
	offset   int  // bytes that have been given numbers
	open     int  // frames above the window's lower edge
	gone     bool // rejected: what is left of it is dropped
	doubt    bool // on a link before this one the peer may have had all of it
	sure     bool // on this link it has not
}

// numbered reports whether every byte has a frame. Frames are keyed when they get their number.
func (o *outgoing) numbered() bool { return o.offset == len(o.req.CPDU) }

// queue holds C_PDUs that have no frame yet, by precedence, first come first served within one.
type queue struct {
	by    [16][]*outgoing
	count int
}

func (q *queue) push(o *outgoing) {
	q.by[o.req.Priority] = append(q.by[o.req.Priority], o)
	q.count++
}

// pushFront puts back what had been taken, before all others of its precedence.
func (q *queue) pushFront(o *outgoing) {
	q.by[o.req.Priority] = append([]*outgoing{o}, q.by[o.req.Priority]...)
	q.count++
}

// head is the most urgent, nil when there is none.
func (q *queue) head() *outgoing {
	for p := len(q.by) - 1; p >= 0; p-- {
		if len(q.by[p]) > 0 {
			return q.by[p][0]
		}
	}
	return nil
}

func (q *queue) pop() *outgoing {
	o := q.head()
	if o == nil {
		return nil
	}
	rest := q.by[o.req.Priority]
	rest[0] = nil
	q.by[o.req.Priority] = rest[1:]
	q.count--
	return o
}

// ordered is the highest precedence of what waits to be handed up in order, -1 without any.
func (q *queue) ordered() int {
	for p := len(q.by) - 1; p >= 0; p-- {
		for _, o := range q.by[p] {
			if !o.req.Unordered {
				return p
			}
		}
	}
	return -1
}

// expire takes out what has outlived its time.
func (q *queue) expire(now time.Time) (gone []*outgoing) {
	for p := range q.by {
		keep := q.by[p][:0]
		for _, o := range q.by[p] {
			if now.Before(o.deadline) {
				keep = append(keep, o)
			} else {
				gone = append(gone, o)
			}
		}
		clear(q.by[p][len(keep):])
		q.by[p] = keep
	}
	q.count -= len(gone)
	return gone
}

// rewind begins a C_PDU again on a new link.
func (o *outgoing) rewind() {
	o.doubt = o.doubt || o.numbered() && !o.sure
	o.sure = false
	o.offset, o.open = 0, 0
}

func (q *queue) deadline() (first time.Time, ok bool) {
	for p := range q.by {
		for _, o := range q.by[p] {
			first, ok = earlier(first, ok, o.deadline)
		}
	}
	return first, ok
}

func (q *queue) drain() (all []*outgoing) {
	for o := q.pop(); o != nil; o = q.pop() {
		all = append(all, o)
	}
	return all
}

func earlier(a time.Time, have bool, b time.Time) (time.Time, bool) {
	if !have || b.Before(a) {
		return b, true
	}
	return a, true
}

func rejected(o *outgoing, remote s5066.Address, why Reason) Rejected {
	return Rejected{ID: o.req.ID, Remote: remote, Reason: why, InDoubt: o.doubt || o.numbered()}
}
