package simulation

import (
	"slices"

	"sallyport/gateway/spool"
	"sallyport/internal/xmpp/jid"
)

// message is one thing that was said, and all that is known of it. Slices are by recipient.
type message struct {
	say
	id       int
	to       []jid.JID
	released bool // by the policy of its own site
	accepted [3]bool
	repeated bool // its client learned only by repeating that it had been taken
	ended    [2][3]spool.Outcome
	// maybe is how it may have ended without anybody having heard of it: the process ended before.
	maybe   [2][3]spool.Outcome
	arrived [3]int
	numbers []spool.Number // under which it was handed to a link
}

// which recipient that is.
func (m *message) which(w *world, to jid.JID) int {
	i := slices.Index(m.to, to)
	if i < 0 {
		w.violate("%s came for %v, who is not one of its recipients", m.name(), to)
	}
	return i
}

// end notes how it ended at a site, durably.
func (m *message) end(w *world, site, which int, how spool.Outcome) {
	if old := m.ended[site][which]; old != spool.NoOutcome && !(w.mayDouble(m) && (site != m.site || m.topic == room)) {
		w.violate("%s for %d ended twice at site %d, as %s and as %s", m.name(), which, site, old, how)
	}
	m.ended[site][which] = how
}

// fate is how it ended at a site, or may have.
func (m *message) fate(site, which int) spool.Outcome {
	if m.ended[site][which] != spool.NoOutcome {
		return m.ended[site][which]
	}
	return m.maybe[site][which]
}

// refusedAt notes that the policy of the other end refuses it to one of them.
func (m *message) refusedAt(s *site, to jid.JID) {
	if m.topic != question {
		s.w.violate("site %d refuses %s", s.i, m.name())
	}
	m.maybe[s.i][m.which(s.w, to)] = spool.Refused
}

// crossed notes under which number it is handed to a link.
func (m *message) crossed(s *site, e *spool.Entry) {
	s.w.say("%d sends %s as %d to %v and %d more", s.i, m.name(), e.Number, e.To, len(e.Also))
	if !slices.Contains(m.numbers, e.Number) {
		m.numbers = append(m.numbers, e.Number)
	}
}

// all are the recipients of an entry.
func all(e *spool.Entry) []jid.JID { return append([]jid.JID{e.To}, e.Also...) }

// settled is what a spool says of an entry that has ended for good.
func (s *site) settled(e spool.Entry, how spool.Outcome) {
	m := s.w.ids[e.Conversation]
	s.w.say("%d: %s (entry %d for %s) ended: %s", s.i, m.name(), e.Number, e.Peer, how)
	for _, to := range all(&e) {
		m.end(s.w, s.i, m.which(s.w, to), how)
	}
	if e.Peer == far && how != spool.Delivered && s.custody() {
		s.refresh()
		delete(s.held, uint64(e.Number))
		outs, _ := s.sched.Ended(s.w.now, uint64(e.Number))
		s.handle(outs, false)
		s.handle(s.sched.Free(s.w.now, uint8(e.Class), uint64(e.Number)), false)
	}
}

// maybe notes that an entry is about to end, which is not on disk yet.
func (w *world) maybe(s *site, n spool.Number, how spool.Outcome) {
	for _, e := range s.spool.Entries("", n, 1) {
		if e.Number != n {
			continue
		}
		m := w.ids[e.Conversation]
		for _, to := range all(&e) {
			m.maybe[s.i][m.which(w, to)] = how
		}
	}
}

// recovered checks that everything a gateway had accepted is there after a restart.
func (w *world) recovered(s *site) {
	there := map[[2]int]bool{}
	for _, e := range s.spool.Entries("", 0, 1<<20) {
		m := w.ids[e.Conversation]
		for _, to := range all(&e) {
			i := m.which(w, to)
			key := [2]int{m.id, i}
			if there[key] && m.topic != room {
				w.violate("site %d: %s is in the spool twice", s.i, m.name())
			}
			if m.ended[s.i][i] != spool.NoOutcome && m.topic != room {
				w.violate("site %d: %s had ended (%s) and is back", s.i, m.name(), m.ended[s.i][i])
			}
			there[key] = true
			m.maybe[s.i][i] = spool.NoOutcome
		}
	}
	for _, m := range w.ids {
		for i := range m.to {
			lost := m.site == s.i && m.accepted[i] && m.fate(s.i, i) == spool.NoOutcome && !there[[2]int{m.id, i}]
			if lost && !m.repeated && m.life == 0 && m.topic != presence {
				w.violate("site %d: %s was accepted and is gone", s.i, m.name())
			}
		}
	}
}

// arrived checks what comes out at the domain in memory.
func (w *world) arrived(s *site, e *spool.Entry) {
	m := w.ids[e.Conversation]
	if !m.released || m.site == s.i {
		w.violate("%s came out at site %d, and was not released for it", m.name(), s.i)
	}
	for _, to := range all(e) {
		i := m.which(w, to)
		if m.arrived[i]++; m.arrived[i] > 1 && !w.mayDouble(m) {
			w.violate("%s was delivered twice to %v", m.name(), to)
		}
	}
	w.say("%d gets %s", s.i, m.name())
	if last := s.last[m.class]; s.custody() && uint64(m.id) < last && m.topic != room { //nolint:gosec // small
		w.violate("order: %s of class %d came after m%d", m.name(), m.class, last)
	}
	s.last[m.class] = max(s.last[m.class], uint64(m.id)) //nolint:gosec // small
}

// mayDouble reports whether a message may arrive twice: copies for a room are offered again by their client when the gateway ended before it
// said that it has them, and RCOP knows a repetition by a number that both ends forget with their process.
func (w *world) mayDouble(m *message) bool {
	here, there := w.killed[m.site], w.killed[1-m.site]
	gateway := func(k [3]bool) bool { return k[theGateway] || k[thePower] }
	return m.topic == room && gateway(here) || !w.sites[0].custody() && (gateway(there) || gateway(here))
}

// judge checks the whole account when everything has come to rest.
func (w *world) judge() {
	for _, m := range w.ids {
		for i := range m.to {
			w.account(m, i)
		}
		if n := len(m.numbers); n > 1 && m.topic == room && !w.killed[m.site][theGateway] && !w.killed[m.site][thePower] {
			w.violate("%s crossed as %d consignments", m.name(), n)
		}
	}
}

// account checks one message for one recipient.
func (w *world) account(m *message, i int) {
	here, there := m.fate(m.site, i), m.fate(1-m.site, i)
	if !m.accepted[i] && here != spool.Refused {
		w.violate("%s was never taken", m.name())
	}
	switch {
	case here == spool.Refused && m.released, here == spool.Refused && m.arrived[i] > 0:
		w.violate("%s was refused at home, and went on: %+v", m.name(), m)
	case here == spool.NoOutcome && !m.repeated && m.life == 0 && m.topic != presence:
		w.violate("%s has not ended: %+v", m.name(), m)
	case here == spool.Delivered && w.sites[0].custody():
		w.delivered(m, i, there)
	case here == spool.Delivered:
		w.confirmed(m, i, there)
	case here == spool.InDoubt && w.sites[0].custody(), here == spool.Bounced, here == spool.Damaged:
		w.violate("%s ended as %s: %+v", m.name(), here, m)
	case here == spool.Superseded && m.topic != presence:
		w.violate("%s was superseded", m.name())
	case here == spool.Expired && m.life == 0:
		w.violate("%s expired, and has no end", m.name())
	}
	if here == spool.Delivered && there != spool.NoOutcome {
		here = there
	}
	w.count(here)
}

// delivered checks what was confirmed under custody: it is in the books of the other end.
func (w *world) delivered(m *message, i int, there spool.Outcome) {
	killed := w.killed[1-m.site]
	ok := false
	switch there {
	case spool.Delivered:
		ok = m.arrived[i] >= 1
	case spool.Refused:
		ok = m.arrived[i] == 0 && m.topic == question
	case spool.InDoubt: // it was being written to the domain behind when the gateway was killed
		ok = killed[theGateway] || killed[thePower]
	case spool.NoOutcome, spool.Bounced, spool.Expired, spool.Superseded, spool.Damaged:
	}
	if !ok {
		w.violate("%s: confirmed, %s at the other end, delivered %d times: %+v", m.name(), there, m.arrived[i], m)
	}
}

// confirmed checks what was confirmed without custody: the other gateway had it in its memory.
func (w *world) confirmed(m *message, i int, there spool.Outcome) {
	if there == spool.Delivered && m.arrived[i] >= 1 || there == spool.Refused && m.topic == question {
		return
	}
	if k := w.killed[1-m.site]; k == [3]bool{} && !w.set.Third {
		w.violate("%s: confirmed, %s at the other end, delivered %d times: %+v", m.name(), there, m.arrived[i], m)
	}
	w.Lost++
}
