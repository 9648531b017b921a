package simulation

import (
	"bytes"

	"sallyport/gateway/spool"
)

// settled is what a spool says of an entry that has ended for good.
func (n *node) settled(e spool.Entry, how spool.Outcome) {
	m := n.w.of(e)
	if m.ended[n.name] != spool.NoOutcome {
		n.w.violate("node %d: message %d ended twice, as %s and as %s", n.name, m.id, m.ended[n.name], how)
	}
	m.ended[n.name] = how
}

// of is the message that an entry is for. Its content, where it comes with it, has to say the same.
func (w *world) of(e spool.Entry) *message {
	id := int(e.Conversation)
	if e.Stored != nil && !bytes.Equal(e.Stored, payload(id)) {
		w.violate("entry %d for message %d holds something else: %.20q", e.Number, id, e.Stored)
	}
	return w.ids[id]
}

// recovered checks that everything a node had accepted is there after a restart.
func (w *world) recovered(n *node, r spool.Recovered) {
	there := map[int]bool{}
	for _, e := range n.spool.Entries("", 0, 1<<20) {
		stored, err := n.spool.Stored(e.Number)
		if err != nil {
			w.violate("node %d: entry %d: %v", n.name, e.Number, err)
		}
		e.Stored = stored
		id := w.of(e).id
		if there[id] {
			w.violate("node %d: message %d is in the spool twice", n.name, id)
		}
		there[id] = true
		if m := w.ids[id]; m.ended[n.name] != spool.NoOutcome {
			w.violate("node %d: message %d had ended (%s) and is back", n.name, id, m.ended[n.name])
		}
	}
	for _, m := range w.ids {
		if m.from == n.name && m.accepted && m.ended[n.name] == spool.NoOutcome && m.maybe[n.name] == spool.NoOutcome && !there[m.id] {
			if m.repeated || m.life > 0 {
				continue // it may have ended before anybody knew that it was taken
			}
			w.violate("node %d: message %d was accepted and is gone: %+v", n.name, m.id, *m)
		}
		if there[m.id] {
			m.maybe[n.name] = spool.NoOutcome
		}
	}
}

// arrived checks what comes out at a consumer.
func (w *world) arrived(n *node, e spool.Entry) {
	m := w.of(e)
	m.arrived++
	if m.arrived > 1 {
		w.violate("message %d was delivered twice", m.id)
	}
	if m.from == n.name {
		w.violate("message %d came back to where it was said", m.id)
	}
	if last := n.last[m.from][m.class]; m.number <= last {
		w.violate("order: message %d, number %d in %s, came after number %d", m.id, m.number, m.class, last)
	}
	n.last[m.from][m.class] = m.number
}

// judge checks the whole account when everything has come to rest.
func (w *world) judge() {
	for _, m := range w.ids {
		if !m.accepted {
			w.violate("message %d was never taken", m.id)
		}
		home, away := w.fate(m, m.from), w.fate(m, 1-m.from)
		switch home {
		case spool.Delivered:
			w.account(m, away)
		case spool.Bounced, spool.Expired, spool.Superseded: // an acknowledgement may have been lost before
		case spool.NoOutcome, spool.Refused, spool.InDoubt, spool.Damaged:
			if !m.repeated && m.life == 0 {
				w.violate("message %d: ended at home as %s", m.id, home)
			}
		}
		w.count(home, away)
	}
}

func (w *world) fate(m *message, node int) spool.Outcome {
	if m.ended[node] != spool.NoOutcome {
		return m.ended[node]
	}
	return m.maybe[node]
}

// account checks a message that one node has confirmed to the other.
func (w *world) account(m *message, away spool.Outcome) {
	want := -1
	switch away {
	case spool.Delivered:
		want = 1
	case spool.Refused, spool.Expired, spool.Superseded:
		want = 0
	case spool.InDoubt:
		if m.arrived <= 1 {
			return
		}
	case spool.NoOutcome:
		if m.life > 0 {
			return // expired there, and the process ended before it said so
		}
	case spool.Bounced, spool.Damaged:
	}
	if m.arrived != want {
		w.violate("message %d: confirmed, %s at the other node, delivered %d times: %+v", m.id, away, m.arrived, *m)
	}
}

func (w *world) count(home, away spool.Outcome) {
	switch home {
	case spool.Bounced:
		w.Bounced++
	case spool.Expired:
		w.Expired++
	case spool.Superseded:
		w.Superseded++
	case spool.Delivered:
		switch away {
		case spool.Delivered:
			w.Delivered++
		case spool.InDoubt:
			w.InDoubt++
		case spool.Refused:
			w.Refused++
		case spool.Expired:
			w.Expired++
		case spool.NoOutcome, spool.Bounced, spool.Superseded, spool.Damaged:
		}
	case spool.NoOutcome, spool.Refused, spool.InDoubt, spool.Damaged:
	}
}
