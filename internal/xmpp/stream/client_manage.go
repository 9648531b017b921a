package stream

import (
	"strings"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// lateAfter is what is as good as at once for who reads it.
const lateAfter = time.Second

// manageElement sorts the elements of stream management (XEP-0198).
func (m *Client) manageElement(e *xmlstream.Element) {
	switch e.Local() {
	case "r":
		m.ackRequested()
	case "a":
		m.acked(e)
	case "enable":
		m.enable(e)
	case "resume":
		m.resumeRequest(e)
	default:
		m.unsupported(e)
	}
}

// enable comes after a resource was bound, once (D19).
func (m *Client) enable(e *xmlstream.Element) {
	if !m.ready || !m.policy.Manage || m.managed {
		m.failed("unexpected-request")
		return
	}
	reply := m.grantManage(m.cfg.Rand, e, m.owner(), false)
	if reply == nil {
		return
	}
	m.write(reply)
	m.session.StartOutbound()
	m.managed = true
}

// resumeRequest comes after authentication and instead of a resource (XEP-0198
// §5); who is not authenticated learns nothing (D15).
func (m *Client) resumeRequest(e *xmlstream.Element) {
	if !m.auth.done || !m.policy.Manage || !m.address.IsZero() || m.resume.used {
		m.resumeFailure("unexpected-request")
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
	m.waiting = forSession
	m.emit(ResumeWanted{ID: m.resume.id})
}

// MayResume reports whether the session is of the account that authenticated here. Ask before detaching it from a
// stream that may still live.
func (m *Client) MayResume(s *Session) bool {
	return s != nil && s.Resumable() && m.auth.done && m.address.IsZero() &&
		s.owner.Local == m.domain && s.owner.Remote.IsFull() && s.owner.Remote.Bare() == m.account
}

// resumeFailure says that there is nothing to resume: alone, or with the success of XEP-0388, which then goes on.
func (m *Client) resumeFailure(cond string) {
	if m.auth.two == nil {
		m.failed(cond)
		return
	}
	m.auth.two.failed = with(el(nsManage, "failed"), el(xmlstream.NSStanzas, cond))
	m.advance()
}

// receiptsDone goes on with a resumption once everything of the lost stream is settled: only then is h all that we received.
func (m *Client) receiptsDone() {
	switch {
	case m.old == nil || m.old.Unsettled() > 0 || m.waiting != forNothing:
	case m.auth.two != nil:
		m.advance()
	default:
		m.address = m.old.owner.Remote
		m.write(m.resumedReply())
		m.resumeHere()
	}
}

// Resuming reports whether an older session is here that is not this stream's yet: what is sent meanwhile it tracks.
func (m *Client) Resuming() bool { return m.old != nil }

// Room is that of the session which tracks what is sent now.
func (m *Client) Room(n int) bool {
	if m.old != nil {
		return m.old.Room(n)
	}
	return m.session.Room(n)
}

func (m *Client) resumedReply() *xmlstream.Element {
	return el(nsManage, "resumed", "previd", m.old.id, "h", decimal(m.old.in.tell(false)))
}

// resumeHere takes the session over and writes again what the client does not have.
func (m *Client) resumeHere() {
	m.timers.managing = zeroTime
	if m.takeOver(m.resume.h) {
		m.open()
	}
}

// keeps: all of a session is for its one client, as far as that may have it today.
func (m *Client) keeps(it Item) bool {
	return m.cfg.MayHave == nil || it.Element == nil || m.cfg.MayHave(m.address, it.Element)
}

// again says when a message or presence was for the client (XEP-0203), or it would take what it missed for minutes to be of now; not
// where that is said already.
func (m *Client) again(it Item) *xmlstream.Element {
	e, at, domain := it.Element, time.UnixMilli(it.at), m.domain.String()
	if it.at == 0 || m.now.Sub(at) < lateAfter || e.Local() == stanza.IQ.String() {
		return e
	}
	nodes := make([]xmlstream.Node, 0, e.NumNodes()+1)
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		if n.Element.Is(nsDelay, "delay") {
			if by, _ := n.Element.Attr("from"); by == domain {
				return e
			}
		}
		nodes = append(nodes, n)
	}
	delay := el(nsDelay, "delay", "from", domain, "stamp", at.UTC().Format("2006-01-02T15:04:05.000Z"))
	return e.WithNodes(append(nodes, xmlstream.ElementNode(delay))...)
}

// ackDue: what the client asked for is settled by now, or many are, or a resumption waited for it.
func (m *Client) ackDue() {
	switch {
	case m.old != nil:
		m.receiptsDone()
	case m.isEnding() && m.session.Unsettled() == 0:
		m.sayShutDown()
	case m.managed && m.session.in.stale():
		m.writeBytes(appendAck(nil, m.session.in.tell(false)))
	}
}

// ---- time

// Deadline is when the machine wants a Tick; zero: never.
func (m *Client) Deadline() time.Time {
	switch m.phase {
	case phaseNew, phaseClosed:
		return time.Time{}
	case phaseClosing:
		return m.timers.closing
	}
	var next time.Time
	for _, at := range []time.Time{m.timers.negotiate, m.timers.handshake, m.timers.managing, m.timers.ending} {
		next = sooner(next, at)
	}
	if m.ready {
		next = sooner(sooner(sooner(next, m.askAt()), m.deadAt()), m.keepaliveAt(0))
	}
	return next
}

// sooner is the earlier of two times, of which zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// tick does all that is due. A client may be silent as long as it likes: whether it still lives is asked by keepalives.
func (m *Client) tick() {
	due := func(at time.Time) bool { return !at.IsZero() && !m.now.Before(at) }
	switch {
	case due(m.timers.handshake):
		m.lost(TLSFailed, "handshake took too long")
	case due(m.timers.negotiate):
		m.streamError(stanza.StreamConnectionTimeout, "no session in time", nil)
	case due(m.timers.managing):
		m.streamError(stanza.StreamConnectionTimeout, "receipts of the session never came", nil)
	case due(m.timers.ending):
		m.sayShutDown()
	case !m.ready:
	case due(m.deadAt()):
		m.lost(ConnLost, "no acknowledgement in time")
	case due(m.askAt()):
		m.askAck()
	case due(m.keepaliveAt(0)):
		m.keepalive()
	}
}
