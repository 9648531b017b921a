package dts

import (
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

const (
	castIDs    = 4096
	maxRepeats = 15
)

// cast is a non-ARQ C_PDU on its way.
type cast struct {
	req      Request
	deadline time.Time
	begun    bool
	id       uint16
	ends     time.Time // of its reception window
	offset   int
	copies   int // keyed completely
}

// casts sends non-ARQ data, normal (0) and expedited (1), each with IDs of its own.
type casts struct {
	waiting [2][]*cast // by precedence, then by age
	next    [2]uint16
	windows [2][]time.Time // of the IDs used last, oldest first
}

func kind(m Mode) int {
	if m == ExpeditedNonARQ {
		return 1
	}
	return 0
}

func (c *casts) push(n *cast, most int) bool {
	k := kind(n.req.Mode)
	list := c.waiting[k]
	if len(list) >= most {
		return false
	}
	at := len(list)
	for at > 0 && !list[at-1].begun && list[at-1].req.Priority < n.req.Priority {
		at--
	}
	list = append(list, nil)
	copy(list[at+1:], list[at:])
	list[at] = n
	c.waiting[k] = list
	return true
}

func (c *casts) urge() (s5066.Priority, bool, bool) {
	if len(c.waiting[1]) > 0 {
		return 15, true, true
	}
	if len(c.waiting[0]) > 0 {
		return c.waiting[0][0].req.Priority, false, true
	}
	return 0, false, false
}

// addUrgent adds what waits in type 8 for the node or group of the first, and names it.
func (c *casts) addUrgent(m *Machine, b *builder) (to s5066.Address) {
	for len(c.waiting[1]) > 0 {
		n := c.waiting[1][0]
		if to.Valid() && n.req.Remote != to {
			return to
		}
		to = n.req.Remote
		if !c.key(m, b, n) {
			return to
		}
	}
	return to
}

// addNormal adds what waits in type 7 above a precedence.
func (c *casts) addNormal(m *Machine, b *builder, above int) {
	for len(c.waiting[0]) > 0 && int(c.waiting[0][0].req.Priority) > above {
		if !c.key(m, b, c.waiting[0][0]) {
			return
		}
	}
}

// key adds the frames of a C_PDU that fit, and reports whether it is done with.
func (c *casts) key(m *Machine, b *builder, n *cast) bool {
	k := kind(n.req.Mode)
	begun := n.begun || c.begin(m, b, n)
	size := min(m.cfg.SegmentSize, m.largest(b.limit))
	for begun && n.copies <= n.req.Repeats {
		end := min(n.offset+size, len(n.req.CPDU))
		p := dpdu.PDU{
			Type: dpdu.NonARQ, To: n.req.Remote, From: m.cfg.Own, Segment: n.req.CPDU[n.offset:end],
			NonARQ: dpdu.Datagram{ID: n.id, InOrder: !n.req.Unordered, Size: uint16(len(n.req.CPDU)), Offset: uint16(n.offset)},
		}
		if k == 1 {
			p.Type = dpdu.ExpeditedNonARQ
		}
		at := m.now.Add(m.timing.Lead + m.timing.bits(b.bytes+p.Size()))
		if at.After(n.ends) {
			break // its window is over; IDs may be used again
		}
		if !b.fits(p.Size()) {
			return false
		}
		b.add(p)
		b.ends[len(b.ends)-1] = n.ends
		if n.offset = end; end == len(n.req.CPDU) {
			n.offset = 0
			n.copies++
		}
	}
	c.waiting[k] = c.waiting[k][1:]
	if n.copies > 0 {
		m.tell(Broadcast{ID: n.req.ID, Remote: n.req.Remote})
	} else {
		m.tell(Rejected{ID: n.req.ID, Remote: n.req.Remote, Reason: Superseded})
	}
	return true
}

// begin gives a C_PDU its ID and its window, unless no ID is free: as long as all copies take, with the turns of others between if they do not fit into this train.
func (c *casts) begin(m *Machine, b *builder, n *cast) bool {
	k := kind(n.req.Mode)
	for len(c.windows[k]) > 0 && !m.now.Before(c.windows[k][0]) {
		c.windows[k] = c.windows[k][1:]
	}
	if len(c.windows[k]) >= castIDs-1 {
		return false
	}
	segments := (len(n.req.CPDU) + m.cfg.SegmentSize - 1) / m.cfg.SegmentSize
	bytes := (n.req.Repeats + 1) * (len(n.req.CPDU) + segments*(overhead+6))
	span := m.timing.Lead + m.timing.bits(b.bytes+bytes) + m.timing.Block + m.timing.Latency + time.Second
	if !b.fits(bytes) {
		turns := span/b.limit + 1
		span += turns * (dpdu.MaxTransmission + m.reply() + 2*m.timing.Slot())
	}
	span = min(span, dpdu.Span(65535))
	n.begun, n.id, n.ends = true, c.next[k], m.now.Add(span)
	c.next[k] = (c.next[k] + 1) % castIDs
	c.windows[k] = append(c.windows[k], n.ends)
	return true
}

// Withdraw takes back a non-ARQ C_PDU of which nothing has been keyed, without an event. False if there is none with that ID.
func (m *Machine) Withdraw(id uint64) bool {
	c := &m.casts
	for k, list := range c.waiting {
		for i, n := range list {
			if n.req.ID == id && !n.begun {
				c.waiting[k] = append(list[:i:i], list[i+1:]...)
				return true
			}
		}
	}
	return false
}

// expire takes out what was not begun in time.
func (c *casts) expire(m *Machine) {
	for k := range c.waiting {
		keep := c.waiting[k][:0]
		for _, n := range c.waiting[k] {
			if n.begun || m.now.Before(n.deadline) {
				keep = append(keep, n)
				continue
			}
			m.tell(Rejected{ID: n.req.ID, Remote: n.req.Remote, Reason: Expired})
		}
		clear(c.waiting[k][len(keep):])
		c.waiting[k] = keep
	}
}

func (c *casts) deadline() (first time.Time, ok bool) {
	for k := range c.waiting {
		for _, n := range c.waiting[k] {
			if !n.begun {
				first, ok = earlier(first, ok, n.deadline)
			}
		}
	}
	return first, ok
}
