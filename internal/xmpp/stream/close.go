package stream

import (
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// close is the edge's wish to end the stream.
func (m *Machine) close(in Close) {
	if in.Condition == stanza.NoStreamCondition {
		m.closeStream(Closed{Cause: Finished, Detail: in.Text})
		return
	}
	m.writeStreamError(in.Condition, in.Text, nil)
	m.closeStream(Closed{Cause: OurError, Condition: in.Condition, Detail: in.Text})
}

// streamError tells the peer a condition and ends the stream (RFC 6120 §4.9).
// why is for our log only.
func (m *Machine) streamError(c stanza.StreamCondition, why string, app *xmlstream.Element) {
	if m.phase == phaseClosing || m.phase == phaseClosed {
		return
	}
	m.writeStreamError(c, "", app)
	m.closeStream(Closed{Cause: OurError, Condition: c, Detail: why, Bytes: m.bytes})
}

// canWrite: not before the connection is up and not while TLS is shaking hands.
func (m *Machine) canWrite() bool { return m.phase != phaseNew && m.phase != phaseTLS }

// writeStreamError sends our header first where that is still missing (RFC 6120 §4.9.1.2).
func (m *Machine) writeStreamError(c stanza.StreamCondition, text string, app *xmlstream.Element) {
	if !m.canWrite() {
		return
	}
	if !m.headerSent {
		m.writeHeader()
	}
	data, err := appendElement(m.appendLastAck(nil), stanza.StreamError(c, text, app)) // nothing may stand behind an error
	if err == nil && m.phase != phaseClosed {
		m.writeBytes(data)
	}
}

// errorClose is how long a peer may take to read our stream error: with what the edge needs to hang up, less than the 5 s
// in which the connection must be gone.
const errorClose = 3 * time.Second

// closeStream sends our close tag and waits a bounded time for the peer's (RFC 6120 §4.4).
func (m *Machine) closeStream(end Closed) {
	if m.phase == phaseClosing || m.phase == phaseClosed {
		return
	}
	if !m.canWrite() || !m.headerSent {
		m.finish(end)
		return
	}
	m.writeEnd()
	m.phase = phaseClosing
	wait := m.cfg.Timing.Close
	if end.Cause == OurError { // nothing that comes counts any more; it is only to be told before the end of the connection
		wait = min(wait, errorClose)
	}
	m.timers.closing = m.now.Add(wait)
	m.end = end
}

// writeEnd says the last word: <a/> where it would tell something new (XEP-0198 §4), and the close tag.
func (m *Machine) writeEnd() {
	m.writeBytes(xmlstream.AppendEnd(m.appendLastAck(nil)))
}

// appendLastAck appends an acknowledgement of what has not been acknowledged yet.
func (m *Machine) appendLastAck(dst []byte) []byte {
	if !m.managed || !m.session.in.stale() {
		return dst
	}
	return appendAck(dst, m.session.in.tell(false))
}

// peerClosed: the peer said its last word first.
func (m *Machine) peerClosed() {
	m.writeEnd()
	m.finish(Closed{Cause: ClosedByPeer, Clean: true})
}

// peerError ends the stream after the peer's stream error. Its text goes to the
// log only, cleaned and cut (D10); see-other-host is reported, not followed (D11).
func (m *Machine) peerError(e *xmlstream.Element) {
	end := Closed{Cause: PeerError, Condition: stanza.StreamUndefinedCondition}
	for c := range e.Children() {
		if c.Space() != xmlstream.NSStreams {
			continue
		}
		if c.Local() == "text" {
			end.Detail = clean(c.Text())
			continue
		}
		if cond, ok := stanza.ParseStreamCondition(c.Local()); ok {
			end.Condition = cond
		}
		if end.Condition == stanza.StreamSeeOtherHost {
			end.SeeOther = clean(c.Text())
			m.peerFact(FactSeeOther, end.SeeOther)
		}
	}
	if m.headerSent {
		m.writeEnd()
	}
	m.finish(end)
}

// malformed: the decoder can read no further, so no close tag is waited for.
func (m *Machine) malformed(err *xmlstream.Error) {
	cond, detail := stanza.StreamBadFormat, "undecodable"
	if err != nil {
		detail, m.bytes = clean(err.Detail), err.Bytes
		if c, ok := stanza.ParseStreamCondition(err.Condition); ok {
			cond = c
		}
	}
	m.peerFact(FactMalformed, detail)
	m.streamError(cond, detail, nil)
	m.finish(m.end)
}

// lost: the connection is gone; nothing more can be said.
func (m *Machine) lost(cause Cause, why string) {
	m.finish(Closed{Cause: cause, Detail: clean(why)})
}

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
	switch {
	case m.old != nil && m.role == Responder:
		m.emit(SessionReturned{Session: m.old})
	case m.old != nil:
		end.Resume = m.old
	case m.managed && end.Cause == ConnLost && m.session.Resumable():
		m.session.in.await()
		end.Resume = m.session
	case m.managed:
		end.Unconfirmed = m.session.TakeUnacked()
	}
	m.old = nil
	m.emit(end)
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

// Detach ends a stream whose session is being resumed elsewhere: it returns
// the session (nil if it cannot be resumed) and the outputs that close this
// stream with <conflict/>. Nothing waits for the peer: it has left already.
func (m *Machine) Detach(now time.Time) (*Session, []Output) {
	if !m.Established() || !m.managed || !m.session.Resumable() {
		return nil, nil
	}
	s := m.session
	s.in.await()
	m.now, m.outs = now, nil
	m.managed, m.session = false, NewSession(m.cfg.Manage)
	m.streamError(stanza.StreamConflict, "session resumed on another stream", nil)
	m.finish(m.end)
	return s, m.takeOutputs()
}
