package stream

import (
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// finish hands out everything that will never be answered and says Closed, once.
func (m *Machine) finish(end Closed) {
	if m.phase == phaseClosed {
		return
	}
	m.phase = phaseClosed
	for _, v := range m.verifies {
		m.emit(KeyAnswer{Pair: v.Pair, ID: v.id, Outcome: NoAnswer})
	}
	m.verifies = nil
	end.Pending = m.pending()
	if m.old != nil && m.role == Initiator {
		end.Resume, m.old = m.old, nil
	}
	m.leave(end)
}

// pending lists the pairs that somebody waits for in vain.
func (m *Machine) pending() []Pair {
	var list []Pair
	for i := range m.out.list {
		if q := &m.out.list[i]; !q.valid || !m.ready {
			list = append(list, q.Pair)
		}
	}
	first := Pair{m.local, m.remote}
	if m.role == Initiator && m.cfg.Purpose == ForStanzas && !m.ready && m.out.get(first) == nil {
		list = append(list, first)
	}
	return list
}

// stepClosing is Step after our close tag, or after the end. Only what the
// peer said before its own close tag still counts, and nothing after an error (D09).
func (m *Machine) stepClosing(now time.Time, in Input) []Output {
	m.now, m.outs = now, nil
	switch in := in.(type) {
	case Received:
		m.receivedClosing(in.Event)
	case Malformed, Lost:
		m.finish(m.end)
	case Tick:
		if m.phase == phaseClosing && !now.Before(m.timers.closing) {
			if m.end.Cause == Finished {
				m.end.Cause = CloseTimedOut
			}
			m.finish(m.end)
		}
	case Prove:
		m.emit(Rejected{Pair: domainPair(in.Local, in.Remote), Condition: stanza.RemoteServerTimeout})
	case Verify:
		m.emit(KeyAnswer{Pair: domainPair(in.Local, in.Remote), ID: in.ID, Outcome: Unreachable})
	case SessionFound:
		if in.Session != nil {
			m.emit(SessionReturned{Session: in.Session})
		}
	case Start, Secured, SecureFailed, Close, Verified, AckDue:
	}
	return m.takeOutputs()
}

func (m *Machine) receivedClosing(ev xmlstream.Event) {
	if m.phase != phaseClosing {
		return
	}
	switch {
	case ev.Kind == xmlstream.EndEvent:
		m.end.Clean = m.end.Cause == Finished
		m.finish(m.end)
	case m.end.Cause != Finished:
	case ev.Kind == xmlstream.OversizeEvent:
		m.oversize(ev.Element, ev.Bytes)
	case ev.Kind == xmlstream.ElementEvent && ev.Element.Is(nsManage, "a"):
		m.acked(ev.Element)
	case ev.Kind == xmlstream.ElementEvent && ev.Element.Space() == xmlstream.NSServer:
		m.content(ev.Element, ev.Bytes)
	}
}
