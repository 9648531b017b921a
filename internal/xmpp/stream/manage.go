package stream

import (
	"io"
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

// ackDue: what the peer asked for is settled by now, or many are.
func (m *Machine) ackDue() {
	switch {
	case m.old != nil:
		m.receiptsDone()
	case m.managed && m.session.in.stale():
		m.writeBytes(appendAck(nil, m.session.in.tell(false)))
	}
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
	reply := m.grantManage(m.cfg.Rand, e, owner.Pair, owner.remoteProven)
	if reply == nil {
		return
	}
	m.write(reply)
	m.session.StartOutbound()
	m.managed = true
}

// grantManage names the session of its owner where it is to be resumable, begins to count what comes in, and
// returns <enabled/>; nil when the stream ended.
func (m *core) grantManage(random io.Reader, e *xmlstream.Element, owner Pair, byCert bool) *xmlstream.Element {
	limit := m.manage.ResumeFor
	if v, ok := e.Attr("max"); ok {
		n, ok := number(v)
		if !ok {
			m.streamError(stanza.StreamBadFormat, "enable with a bad maximum", nil)
			return nil
		}
		limit = min(limit, time.Duration(n)*time.Second)
	}
	s := m.session
	reply := el(nsManage, "enabled")
	if want, _ := e.Attr("resume"); isTrue(want) && limit > 0 {
		id, err := newID(random)
		if err != nil {
			m.streamError(stanza.StreamInternalServerError, "no randomness", nil)
			return nil
		}
		s.id, s.maxWait, s.owner, s.byCert = id, limit, owner, byCert
		reply = el(nsManage, "enabled", "id", id, "resume", "true", "max", seconds(limit))
	}
	s.StartInbound()
	return reply
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
