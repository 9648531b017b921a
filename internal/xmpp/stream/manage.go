package stream

import (
	"strconv"
	"strings"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// manageElement sorts the elements of stream management (XEP-0198).
func (m *Machine) manageElement(e *xmlstream.Element) {
	switch e.Local() {
	case "r":
		m.ackRequested()
	case "a":
		m.acked(e)
	case "enable":
		m.enable(e)
	case "resume":
		m.resumeRequest(e)
	case "enabled":
		m.enabled(e)
	case "resumed":
		m.resumed(e)
	case "failed":
		m.manageFailed(e)
	default:
		m.unsupported(e)
	}
}

// ---- acknowledgements, both roles

// ackRequested answers at once with what is settled (XEP-0198 §4); a flood ends the stream (D19).
func (m *Machine) ackRequested() {
	if m.timers.flood.hit(m.now) {
		m.peerFact(FactOverflow, "acknowledgement requests")
		m.streamError(stanza.StreamPolicyViolation, "too many acknowledgement requests", nil)
		return
	}
	if !m.managed {
		m.failed("unexpected-request")
		return
	}
	m.writeBytes(appendAck(nil, m.session.in.tell(true)))
}

// ackDue: what the peer asked for is settled by now, or many are.
func (m *Machine) ackDue() {
	switch {
	case m.old != nil:
		m.receiptsDone()
	case m.managed && m.session.in.stale():
		m.writeBytes(appendAck(nil, m.session.in.tell(false)))
	}
}

func (m *Machine) acked(e *xmlstream.Element) {
	if !m.managed {
		m.peerFact(FactUnexpected, "acknowledgement without stream management")
		return
	}
	h, ok := counter(e)
	if !ok { // D16
		m.streamError(stanza.StreamBadFormat, "acknowledgement without a number", nil)
		return
	}
	items, err := m.session.Acked(h)
	if err != nil {
		m.tooHigh(err)
		return
	}
	m.timers.asked = zeroTime
	if n, _ := m.session.Unacked(); n == 0 {
		m.timers.sinceAsk = 0
	}
	if len(items) > 0 {
		m.emit(Acked{Items: items})
	}
}

// tooHigh: the peer acknowledged what was never sent (XEP-0198 §4, D16).
func (m *Machine) tooHigh(err error) {
	e := el(nsManage, "handled-count-too-high")
	if t, ok := err.(*TooHighError); ok {
		e = el(nsManage, "handled-count-too-high",
			"h", strconv.FormatUint(uint64(t.H), 10), "send-count", strconv.FormatUint(uint64(t.Sent), 10))
	}
	m.peerFact(FactMalformed, "handled count too high")
	m.streamError(stanza.StreamUndefinedCondition, "handled count too high", e)
}

// askAck writes <r/> and waits for <a/>.
func (m *Machine) askAck() {
	m.noteAsked(m.now)
	m.writeBytes(m.AppendAckRequest(nil))
}

func (m *Machine) noteAsked(now time.Time) {
	m.timers.asked, m.timers.sinceAsk, m.timers.unasked = now, 0, zeroTime
}

// AppendAckRequest appends <r/>; only after a SendResult with AskAck.
func (m *Machine) AppendAckRequest(dst []byte) []byte {
	return append(dst, "<r xmlns='"+nsManage+"'/>"...)
}

func appendAck(dst []byte, h uint32) []byte {
	dst = append(dst, "<a xmlns='"+nsManage+"' h='"...)
	dst = strconv.AppendUint(dst, uint64(h), 10)
	return append(dst, "'/>"...)
}

// failed refuses enable or resume, always in the same words (D15, D19).
func (m *Machine) failed(cond string) {
	m.write(with(el(nsManage, "failed"), el(xmlstream.NSStanzas, cond)))
}

// ---- enabling

// sendEnable asks for management; our outbound counter starts here.
func (m *Machine) sendEnable() {
	m.phase = phaseManaging
	m.timers.managing = m.now.Add(m.cfg.Timing.Dialback)
	attrs := []string{}
	if m.cfg.Manage.ResumeFor > 0 {
		attrs = append(attrs, "resume", "true", "max", seconds(m.cfg.Manage.ResumeFor))
	}
	m.write(el(nsManage, "enable", attrs...))
	m.session.StartOutbound()
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// enable is the responder's part: after any proven pair, once per stream.
func (m *Machine) enable(e *xmlstream.Element) {
	owner := m.in.firstProven()
	if m.role != Responder || owner == nil || !m.policy.Manage || m.managed || m.resume.used {
		m.failed("unexpected-request")
		return
	}
	limit := m.cfg.Manage.ResumeFor
	if v, ok := e.Attr("max"); ok {
		n, ok := number(v)
		if !ok {
			m.streamError(stanza.StreamBadFormat, "enable with a bad maximum", nil)
			return
		}
		limit = min(limit, time.Duration(n)*time.Second)
	}
	s := m.session
	reply := el(nsManage, "enabled")
	if want, _ := e.Attr("resume"); isTrue(want) && limit > 0 {
		id, err := newID(m.cfg.Rand)
		if err != nil {
			m.streamError(stanza.StreamInternalServerError, "no randomness", nil)
			return
		}
		s.id, s.maxWait, s.owner, s.byCert = id, limit, owner.Pair, owner.remoteProven
		reply = el(nsManage, "enabled", "id", id, "resume", "true", "max", seconds(limit))
	}
	s.StartInbound()
	m.write(reply)
	s.StartOutbound()
	m.managed = true
}

// enabled is the initiator's part: from here on we count what comes in.
func (m *Machine) enabled(e *xmlstream.Element) {
	if m.phase != phaseManaging || m.resume.sent {
		m.unsupported(e)
		return
	}
	s := m.session
	id, _ := e.Attr("id")
	want, _ := e.Attr("resume")
	if isTrue(want) && id != "" && len(id) <= MaxIDBytes && m.cfg.Manage.ResumeFor > 0 {
		s.id, s.maxWait = strings.Clone(id), m.cfg.Manage.ResumeFor
		s.owner, s.byCert = Pair{m.local, m.remote}, m.proves(m.remote)
		if v, ok := e.Attr("max"); ok {
			if n, ok := number(v); ok {
				s.maxWait = min(s.maxWait, time.Duration(n)*time.Second)
			}
		}
	}
	s.StartInbound()
	m.managed = true
	m.timers.managing = zeroTime
	m.open()
}

// manageFailed: no management, or no resumption; the stream goes on without.
func (m *Machine) manageFailed(e *xmlstream.Element) {
	if m.phase != phaseManaging {
		m.peerFact(FactUnexpected, "failed")
		return
	}
	m.timers.managing = zeroTime
	if m.resume.sent {
		m.resumeFailed(e)
		return
	}
	m.session = NewSession(m.cfg.Manage) // nothing was sent on the old one
	m.open()
}

// managingTimedOut: a peer that never answers gets no stanzas.
func (m *Machine) managingTimedOut() {
	m.streamError(stanza.StreamConnectionTimeout, "no answer to stream management", nil)
}
