package stream

import (
	"time"

	"sallyport/internal/xmpp/stanza"
)

// settleWithin is how long the end of the server waits for what a client has sent to be settled, so that it is told so.
const settleWithin = time.Second

// shutDown ends the stream because the server does (RFC 6120 §4.9.3.20). A client that wants acknowledgements is first told of everything
// that was taken from it, or it would say that again to whom it reaches next; nothing more is read until then.
func (m *Client) shutDown() {
	if !m.managed || m.phase != phaseOpen || !m.timers.ending.IsZero() {
		m.sayShutDown()
		return
	}
	m.session.in.await()
	if m.session.Unsettled() == 0 {
		m.sayShutDown()
		return
	}
	m.timers.ending = m.now.Add(min(settleWithin, m.timing.Close))
}

// isEnding: the stream ends as soon as everything is settled.
func (m *Client) isEnding() bool { return m.phase == phaseOpen && !m.timers.ending.IsZero() }

// sayShutDown says the last word. Unlike an error of the client's, this one leaves what it says before its own close tag as good as it was.
func (m *Client) sayShutDown() {
	m.writeStreamError(stanza.StreamSystemShutdown, "", nil)
	m.closeStream(Closed{Cause: Finished, Condition: stanza.StreamSystemShutdown})
}
