package stream

import (
	"time"

	"sallyport/internal/xmpp/stanza"
)

// dropOld gives up resumption: its items come out.
func (m *core) dropOld() {
	if m.old == nil {
		return
	}
	if items := m.old.TakeUnacked(); len(items) > 0 {
		m.emit(Unconfirmed{Items: items})
	}
	m.old = nil
}

// takeOver makes the old session the one of this stream and writes again what
// the peer does not have. Written before Ready and Authorised, so that nothing
// new overtakes it.
func (m *core) takeOver(h uint32) bool {
	acked, resend, dropped, err := m.old.Rewind(h, m.self.keeps)
	if err != nil { // a peer that counts otherwise will not come to another result later
		m.dropOld()
		m.tooHigh(err)
		return false
	}
	m.session, m.old = m.old, nil
	m.managed, m.resume.done, m.resume.used = true, true, true
	if len(acked) > 0 {
		m.emit(Acked{Items: acked})
	}
	if len(dropped) > 0 { // their pair is not proven on this stream
		m.emit(Unconfirmed{Items: dropped})
	}
	for _, it := range resend {
		m.write(m.self.again(it))
	}
	if len(resend) > 0 {
		m.askAck()
	}
	m.emit(Resumed{Resent: len(resend)})
	return true
}

// sessionFound takes the edge's answer. A session that this stream may not
// have goes back, untouched.
func (m *core) sessionFound(in SessionFound) {
	wanted := m.resume.used && !m.resume.done && m.old == nil && in.ID == m.resume.id
	if !wanted {
		if in.Session != nil {
			m.emit(SessionReturned{Session: in.Session})
		}
		return
	}
	if in.Session == nil || in.Session.id != in.ID || !m.self.MayResume(in.Session) {
		if in.Session != nil {
			m.emit(SessionReturned{Session: in.Session})
		}
		m.resumeRefused()
		return
	}
	m.old = in.Session
	m.timers.managing = m.now.Add(m.timing.Dialback)
	m.old.in.await()
	m.self.receiptsDone()
}

// resumeRefused answers alike for unknown, foreign and expired sessions (D15, D20).
func (m *core) resumeRefused() {
	m.resume.used = false
	m.self.peerFact(FactResume, "no such session for this peer")
	m.self.resumeFailure("item-not-found")
}

// Detach ends a stream whose session is being resumed elsewhere: it returns
// the session (nil if it cannot be resumed) and the outputs that close this
// stream with <conflict/>. Nothing waits for the peer: it has left already.
func (m *core) Detach(now time.Time) (*Session, []Output) {
	if !m.Established() || !m.managed || !m.session.Resumable() {
		return nil, nil
	}
	s := m.session
	s.in.await()
	m.now, m.outs = now, nil
	m.managed, m.session = false, NewSession(m.manage)
	m.streamError(stanza.StreamConflict, "session resumed on another stream", nil)
	m.self.finish(m.end)
	return s, m.takeOutputs()
}
