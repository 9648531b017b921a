package thin

import (
	"slices"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links/fanout"
)

// maxRooms bounds the groups that wait; beyond, the oldest leaves.
const maxRooms = 1024

// Merger makes one of the copies that a room sends to its occupants. Owned by one goroutine.
//
// Order: nothing of a room overtakes anything of the same room. A stanza of the room that is no copy of what waits sends that first.
type Merger struct {
	window time.Duration
	rooms  map[jid.JID]*group
	order  []*group // oldest first; that is also the order of their deadlines
}

// group is one message and the copies of it.
type group struct {
	room  jid.JID
	sum   [32]byte
	until time.Time
	first Out
	has   map[jid.JID]bool
	bytes int
}

// NewMerger makes an empty one; a window of 0 merges nothing.
func NewMerger(window time.Duration) *Merger {
	return &Merger{window: window, rooms: map[jid.JID]*group{}}
}

// Put takes one stanza and appends what came out.
func (m *Merger) Put(dst []Out, now time.Time, token uint64, s stanza.Stanza) []Out {
	dst = m.Due(dst, now)
	if m.window <= 0 {
		return append(dst, sent(token, s))
	}
	room := s.From().Bare()
	sum, ok := fanout.Digest(s)
	g := m.rooms[room]
	if g != nil && ok && g.sum == sum && g.takes(s.To()) {
		g.has[s.To()] = true
		g.bytes += len(s.To().String())
		g.first.Also = append(g.first.Also, Copy{token, s.To()})
		saved := size(s.Element(), s.ContentNS()) - len("<t></t>") - len(s.To().String())
		return append(dst, Out{Token: token, Fate: Merged, Stanza: s, Reason: CopyMerged, Bytes: max(saved, 0)})
	}
	if g != nil {
		dst = m.leave(dst, g)
	}
	if !ok {
		return append(dst, sent(token, s))
	}
	if len(m.order) >= maxRooms {
		dst = m.leave(dst, m.order[0])
	}
	g = &group{room: room, sum: sum, until: now.Add(m.window), first: sent(token, s), has: map[jid.JID]bool{s.To(): true}}
	m.rooms[room] = g
	m.order = append(m.order, g)
	return dst
}

func (g *group) takes(to jid.JID) bool {
	return !g.has[to] && len(g.first.Also) < fanout.MaxRecipients && g.bytes+len(to.String()) <= fanout.MaxBytes
}

// leave appends a group and forgets it.
func (m *Merger) leave(dst []Out, g *group) []Out {
	delete(m.rooms, g.room)
	m.order = slices.DeleteFunc(m.order, func(o *group) bool { return o == g })
	return append(dst, g.first)
}

// Due appends the groups whose window has closed.
func (m *Merger) Due(dst []Out, now time.Time) []Out {
	for len(m.order) > 0 && !now.Before(m.order[0].until) {
		dst = m.leave(dst, m.order[0])
	}
	return dst
}

// Next is when Due has something to do; the zero time is never.
func (m *Merger) Next() time.Time {
	if len(m.order) == 0 {
		return time.Time{}
	}
	return m.order[0].until
}

// Flush appends everything that waits.
func (m *Merger) Flush(dst []Out) []Out {
	for len(m.order) > 0 {
		dst = m.leave(dst, m.order[0])
	}
	return dst
}
