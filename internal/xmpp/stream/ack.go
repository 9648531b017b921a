package stream

import (
	"strconv"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// ackRequested answers at once with what is settled (XEP-0198 §4); a flood ends the stream (D19).
func (m *core) ackRequested() {
	if m.timers.flood.hit(m.now) {
		m.self.peerFact(FactOverflow, "acknowledgement requests")
		m.streamError(stanza.StreamPolicyViolation, "too many acknowledgement requests", nil)
		return
	}
	if !m.managed {
		m.failed("unexpected-request")
		return
	}
	m.writeBytes(appendAck(nil, m.session.in.tell(true)))
}

func (m *core) acked(e *xmlstream.Element) {
	if !m.managed {
		m.self.peerFact(FactUnexpected, "acknowledgement without stream management")
		if m.timers.flood.hit(m.now) {
			m.streamError(stanza.StreamPolicyViolation, "too many acknowledgements", nil)
		}
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
func (m *core) tooHigh(err error) {
	e := el(nsManage, "handled-count-too-high")
	if t, ok := err.(*TooHighError); ok {
		e = el(nsManage, "handled-count-too-high",
			"h", strconv.FormatUint(uint64(t.H), 10), "send-count", strconv.FormatUint(uint64(t.Sent), 10))
	}
	m.self.peerFact(FactMalformed, "handled count too high")
	m.streamError(stanza.StreamUndefinedCondition, "handled count too high", e)
}

// askAck writes <r/> and waits for <a/>.
func (m *core) askAck() {
	m.noteAsked(m.now)
	m.writeBytes(m.AppendAckRequest(nil))
}

func (m *core) noteAsked(now time.Time) {
	m.timers.asked, m.timers.sinceAsk, m.timers.unasked = now, 0, zeroTime
}

// AppendAckRequest appends <r/>; only after a SendResult with AskAck.
func (m *core) AppendAckRequest(dst []byte) []byte {
	return append(dst, "<r xmlns='"+nsManage+"'/>"...)
}

// failed refuses enable or resume, always in the same words (D15, D19).
func (m *core) failed(cond string) {
	m.write(with(el(nsManage, "failed"), el(xmlstream.NSStanzas, cond)))
}

func appendAck(dst []byte, h uint32) []byte {
	dst = append(dst, "<a xmlns='"+nsManage+"' h='"...)
	dst = strconv.AppendUint(dst, uint64(h), 10)
	return append(dst, "'/>"...)
}

// ReadPaused reports that too many arrivals are unsettled: stop reading.
func (m *core) ReadPaused() bool { return m.session.Unsettled() >= m.manage.MaxUnsettled }

// overrun: the edge went on reading although ReadPaused said no.
func (m *core) overrun() bool { return m.session.Unsettled() >= 2*m.manage.MaxUnsettled }

// shouldAsk asks when wanted and no earlier question is open.
func (m *core) shouldAsk(now time.Time, wanted bool) bool {
	if !wanted || !m.managed || !m.timers.asked.IsZero() {
		return false
	}
	m.noteAsked(now)
	return true
}

func (m *core) arrive(a Arrival) Arrival {
	a.Session, a.Seq = m.session, m.session.Arrived()
	return a
}

// askAt is when <r/> is due for stanzas sent since the last one.
func (m *core) askAt() time.Time {
	if !m.managed || m.timers.sinceAsk == 0 || !m.timers.asked.IsZero() {
		return time.Time{}
	}
	return m.timers.unasked.Add(m.timing.AskAfter)
}

// deadAt is when an unanswered <r/> means that the peer is gone. While we do
// not read ourselves, an answer cannot be missed.
func (m *core) deadAt() time.Time {
	t := &m.timers
	if t.asked.IsZero() || m.ReadPaused() {
		return time.Time{}
	}
	since := t.asked
	if t.lastIn.After(since) {
		since = t.lastIn
	}
	return since.Add(m.timing.AckTimeout)
}

// keepaliveAt is when the connection has been silent on our side for too long,
// for us or for the peer's announced idle time (XEP-0478).
func (m *core) keepaliveAt(announced int) time.Time {
	every := m.timing.Keepalive
	if idle := time.Duration(announced) * time.Second; idle > 0 && idle/2 < every {
		every = max(idle/2, time.Second)
	}
	return m.timers.lastOut.Add(every)
}

// Busy tells that the reader lives but is held up by those who take the
// stanzas: silence of the peer is then ours, not a dead peer's.
func (m *core) Busy(now time.Time) { m.timers.lastIn = now }

// keepalive writes <r/> where it gets an answer, else a space (RFC 6120 §4.6.1).
func (m *core) keepalive() {
	if m.managed && m.timers.asked.IsZero() {
		m.askAck()
		return
	}
	if m.framing == WebSocket { // RFC 7395 §3.8: control frames, never white space
		m.timers.lastOut = m.now
		m.emit(Ping{})
		return
	}
	m.writeBytes([]byte{' '})
}
