package stream

import (
	"strings"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// resumeState is resumption on one stream (XEP-0198 §5), either role.
type resumeState struct {
	preparing bool   // initiator: pairs of the old session are being proven again
	waiting   bool   // initiator: pairs are proven, receipts of the old session are not complete
	sent      bool   // initiator: <resume/> is out
	used      bool   // responder: a <resume/> was taken up; one at a time, none after success
	id        string // responder: what was asked for
	h         uint32
	done      bool
}

// checkOld refuses a session that does not belong to this pair.
func (m *Machine) checkOld() {
	if m.old != nil && (!m.old.Resumable() || m.old.owner != Pair{m.local, m.remote}) {
		m.dropOld()
	}
}

// prepareResume proves again every pair that has something to resend, then
// resumes. What was proven on the lost stream counts for nothing here.
func (m *Machine) prepareResume() {
	if !m.old.MayResume(Pair{m.local, m.remote}, m.proves(m.remote)) {
		m.peerFact(FactResume, "peer is less proven than before")
		m.dropOld()
		m.proven()
		return
	}
	m.phase, m.resume.preparing = phaseProving, true
	for _, p := range m.old.out.pairs() {
		if m.out.get(p) == nil && m.mayAsk(p) {
			m.ask(p)
		}
	}
	m.asked()
}

// sendResume waits until every stanza of the old session has been settled:
// only then is h both the truth and all that we received, and nothing doubles.
func (m *Machine) sendResume() {
	m.resume.preparing = false
	m.phase, m.resume.waiting = phaseManaging, true
	m.timers.managing = m.now.Add(m.cfg.Timing.Dialback)
	m.old.in.await()
	m.receiptsDone()
}

// receiptsDone goes on with a resumption, of either role, once nothing is unsettled.
func (m *Machine) receiptsDone() {
	if m.old == nil || m.old.Unsettled() > 0 {
		return
	}
	if m.role == Responder {
		m.adopt()
		return
	}
	if !m.resume.waiting {
		return
	}
	m.resume.waiting, m.resume.sent = false, true
	h := m.old.in.tell(false)
	m.write(el(nsManage, "resume", "previd", m.old.id, "h", decimal(h)))
}

// resumed: the responder has the session; both sides resend.
func (m *Machine) resumed(e *xmlstream.Element) {
	if m.phase != phaseManaging || !m.resume.sent {
		m.unsupported(e)
		return
	}
	previd, _ := e.Attr("previd")
	h, ok := counter(e)
	if !ok || previd != m.old.id {
		m.streamError(stanza.StreamBadFormat, "resumed with other values", nil)
		return
	}
	m.timers.managing = zeroTime
	if m.takeOver(h) {
		m.open()
	}
}

// resumeFailed: the session is gone there. What h still confirms is confirmed; a new session starts.
func (m *Machine) resumeFailed(e *xmlstream.Element) {
	m.resume.sent = false
	if h, ok := counter(e); ok {
		if items, err := m.old.Acked(h); err == nil && len(items) > 0 {
			m.emit(Acked{Items: append([]Item(nil), items...)})
		}
	}
	m.dropOld()
	m.proven()
}

// ---- responder

// MayResume reports whether this stream is proven well enough to take the
// session over. Ask before detaching it from a stream that may still live.
func (m *Machine) MayResume(s *Session) bool {
	if s == nil || m.role != Responder || !s.Resumable() {
		return false
	}
	q := m.in.get(s.owner)
	return q != nil && q.valid && s.MayResume(s.owner, q.remoteProven)
}

// resumeRequest asks the edge for the session; unauthenticated peers learn nothing (D15).
func (m *Machine) resumeRequest(e *xmlstream.Element) {
	if m.role != Responder || m.in.firstProven() == nil || !m.policy.Manage || m.managed || m.resume.used {
		m.failed("unexpected-request")
		return
	}
	previd, _ := e.Attr("previd")
	h, ok := counter(e)
	if !ok {
		m.streamError(stanza.StreamBadFormat, "resume without a number", nil)
		return
	}
	if previd == "" || len(previd) > MaxIDBytes {
		m.resumeRefused()
		return
	}
	m.resume.used, m.resume.id, m.resume.h = true, strings.Clone(previd), h
	m.emit(ResumeWanted{ID: m.resume.id})
}

// adopt answers <resumed/> and resends.
func (m *Machine) adopt() {
	m.timers.managing = zeroTime
	h := m.old.in.tell(false)
	m.write(el(nsManage, "resumed", "previd", m.old.id, "h", decimal(h)))
	m.takeOver(m.resume.h)
}

func (m *Machine) resumeFailure(cond string) { m.failed(cond) }

// keeps: only pairs proven on this stream are written again.
func (m *Machine) keeps(it Item) bool {
	q := m.out.get(it.Pair)
	return q != nil && q.valid
}

// again is an item as it was judged: between servers nothing is added to it.
func (m *Machine) again(it Item) *xmlstream.Element { return it.Element }
