package stream

import (
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// core is what a stream between servers and the stream of a client have in
// common: the outputs of a step, the end of a stream, acknowledgements, timers.
// Its owner is the machine around it, which it calls as self.
type core struct {
	self      self
	timing    Timing
	manage    ManageConfig
	contentNS string // of what is written: jabber:server, jabber:client
	framing   Framing
	shown     func(*xmlstream.Element) *xmlstream.Element // what of a stanza is written; nil: all of it

	phase phase
	now   time.Time
	outs  []Output
	bytes int // of the element that this step is about, 0 without one

	id         string
	headerSent bool
	tls        *TLSFacts
	ready      bool

	session *Session // counters of this stream
	managed bool     // stream management is on

	old    *Session // initiator: to be resumed; responder: found, waiting for its receipts
	resume resumeState

	timers timers
	end    Closed // what Closed will say once the peer's close tag is there
}

// self is the part of a machine that core needs.
type self interface {
	writeHeader()
	finish(Closed)
	peerFact(FactKind, string)
	MayResume(*Session) bool       // whether this stream is proven well enough for the session
	keeps(Item) bool               // whether an item may be written again on this stream
	again(Item) *xmlstream.Element // what of one is written again
	receiptsDone()                 // nothing may be unsettled any more: go on with the resumption
	resumeFailure(cond string)     // tell the peer that there is no such session
}

func (m *core) takeOutputs() []Output {
	outs := m.outs
	m.outs = nil
	return outs
}

func (m *core) emit(o Output) { m.outs = append(m.outs, o) }

// write sends one element.
func (m *core) write(e *xmlstream.Element) {
	data, err := m.appendElement(nil, e)
	if err != nil { // an element of ours cannot be written: a defect, not the peer's doing
		m.streamError(stanza.StreamInternalServerError, "unwritable element", nil)
		return
	}
	m.writeBytes(data)
}

func (m *core) writeBytes(data []byte) {
	m.timers.lastOut = m.now
	m.emit(Write{Data: data})
}

// ID is the stream id, empty before the headers.
func (m *core) ID() string { return m.id }

// Managed reports whether stream management is on.
func (m *core) Managed() bool { return m.managed }

// Session holds the counters of this stream, managed or not. It changes once at
// most, when a stream resumes an older session: receipts go to Arrival.Session.
func (m *core) Session() *Session { return m.session }

func (m *core) handshake(o StartTLS) {
	m.phase = phaseTLS
	m.timers.handshake = m.now.Add(m.timing.Handshake)
	m.emit(o)
}

// injection drops the connection at once, without another word.
func (m *core) injection(why string) {
	m.self.peerFact(FactInjection, why)
	m.self.finish(Closed{Cause: TLSFailed, Detail: why})
}

// Established reports whether Ready was given and the stream is not closing.
func (m *core) Established() bool {
	return m.ready && m.phase != phaseClosing && m.phase != phaseClosed
}
