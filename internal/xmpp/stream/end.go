package stream

import (
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// errorClose is how long a peer may take to read our stream error: with what the edge needs to hang up, less than the 5 s
// in which the connection must be gone.
const errorClose = 3 * time.Second

// close is the edge's wish to end the stream.
func (m *core) close(in Close) {
	if in.Condition == stanza.NoStreamCondition {
		m.closeStream(Closed{Cause: Finished, Detail: in.Text})
		return
	}
	m.writeStreamError(in.Condition, in.Text, nil)
	m.closeStream(Closed{Cause: OurError, Condition: in.Condition, Detail: in.Text})
}

// streamError tells the peer a condition and ends the stream (RFC 6120 §4.9).
// why is for our log only.
func (m *core) streamError(c stanza.StreamCondition, why string, app *xmlstream.Element) {
	if m.phase == phaseClosing || m.phase == phaseClosed {
		return
	}
	m.writeStreamError(c, "", app)
	m.closeStream(Closed{Cause: OurError, Condition: c, Detail: why, Bytes: m.bytes})
}

// canWrite: not before the connection is up and not while TLS is shaking hands.
func (m *core) canWrite() bool { return m.phase != phaseNew && m.phase != phaseTLS }

// writeStreamError sends our header first where that is still missing (RFC 6120 §4.9.1.2).
func (m *core) writeStreamError(c stanza.StreamCondition, text string, app *xmlstream.Element) {
	if !m.canWrite() {
		return
	}
	if !m.headerSent {
		m.self.writeHeader()
	}
	data, err := m.appendElement(nil, stanza.StreamError(c, text, app))
	if err == nil && m.phase != phaseClosed {
		m.writeLastAck() // nothing may stand behind an error
		m.writeBytes(data)
	}
}

// closeStream sends our close tag and waits a bounded time for the peer's (RFC 6120 §4.4).
func (m *core) closeStream(end Closed) {
	if m.phase == phaseClosing || m.phase == phaseClosed {
		return
	}
	if !m.canWrite() || !m.headerSent {
		m.self.finish(end)
		return
	}
	m.writeEnd()
	m.phase = phaseClosing
	wait := m.timing.Close
	if end.Cause == OurError { // nothing that comes counts any more; it is only to be told before the end of the connection
		wait = min(wait, errorClose)
	}
	m.timers.closing = m.now.Add(wait)
	m.end = end
}

// writeEnd says the last word: <a/> where it would tell something new (XEP-0198 §4), and the close tag.
func (m *core) writeEnd() {
	m.writeLastAck()
	m.writeBytes(m.framing.appendEnd(nil))
}

// writeLastAck acknowledges what has not been acknowledged yet.
func (m *core) writeLastAck() {
	if m.managed && m.session.in.stale() {
		m.writeBytes(appendAck(nil, m.session.in.tell(false)))
	}
}

// peerClosed: the peer said its last word first.
func (m *core) peerClosed() {
	m.writeEnd()
	m.self.finish(Closed{Cause: ClosedByPeer, Clean: true})
}

// peerError ends the stream after the peer's stream error. Its text goes to the
// log only, cleaned and cut (D10); see-other-host is reported, not followed (D11).
func (m *core) peerError(e *xmlstream.Element) {
	end := Closed{Cause: PeerError, Condition: stanza.StreamUndefinedCondition}
	for c := range e.Children() {
		if c.Space() != xmlstream.NSStreams {
			continue
		}
		if c.Local() == "text" {
			end.Detail = Clean(c.Text())
			continue
		}
		if cond, ok := stanza.ParseStreamCondition(c.Local()); ok {
			end.Condition = cond
		}
		if end.Condition == stanza.StreamSeeOtherHost {
			end.SeeOther = Clean(c.Text())
			m.self.peerFact(FactSeeOther, end.SeeOther)
		}
	}
	if m.headerSent {
		m.writeEnd()
	}
	m.self.finish(end)
}

// malformed: the decoder can read no further, so no close tag is waited for.
func (m *core) malformed(err *xmlstream.Error) {
	cond, detail := stanza.StreamBadFormat, "undecodable"
	if err != nil {
		detail, m.bytes = Clean(err.Detail), err.Bytes
		if c, ok := stanza.ParseStreamCondition(err.Condition); ok {
			cond = c
		}
	}
	m.self.peerFact(FactMalformed, detail)
	m.streamError(cond, detail, nil)
	m.self.finish(m.end)
}

// lost: the connection is gone; nothing more can be said.
func (m *core) lost(cause Cause, why string) {
	m.self.finish(Closed{Cause: cause, Detail: Clean(why)})
}

// leave hands out the session, or what it can no longer confirm, with the last word.
func (m *core) leave(end Closed) {
	switch {
	case end.Resume != nil:
	case m.old != nil:
		m.emit(SessionReturned{Session: m.old})
	case m.managed && end.Cause == ConnLost && m.session.Resumable():
		m.session.in.await()
		end.Resume = m.session
	case m.managed:
		end.Unconfirmed = m.session.TakeUnacked()
	}
	m.old = nil
	m.emit(end)
}
