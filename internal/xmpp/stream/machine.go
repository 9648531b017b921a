package stream

import (
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
)

// Role is which side of the connection we are.
type Role uint8

const (
	NoRole Role = iota
	Initiator
	Responder
)

func (r Role) String() string { return enumName([]string{"none", "initiator", "responder"}, uint8(r)) }

// Verdict is the answer to Send.
type Verdict uint8

const (
	SendNever  Verdict = iota // zero: the pair cannot be sent on this stream now; see Carries
	SendNow                   // write it now; the item is tracked if stream management is on
	SendFull                  // no room in the window: wait for Acked
	SendTooBig                // larger than the peer's max-bytes: policy-violation, no 'by' (XEP-0478)
	SendClosed                // the stream is closing or closed
)

var verdictNames = [...]string{"never", "now", "full", "too-big", "closed"}

func (v Verdict) String() string { return enumName(verdictNames[:], uint8(v)) }

// SendResult tells what to do with an item. Tracked: it will come out in
// Acked or Unconfirmed exactly once. AskAck: call AppendAckRequest after it.
type SendResult struct {
	Verdict Verdict
	Tracked bool
	AskAck  bool
}

// Carry is whether a pair fits on this stream.
type Carry uint8

const (
	CarryNo    Carry = iota // never on this stream
	CarryProve              // after Step(now, Prove{…}) was answered by Authorised
	CarryWait               // a proof is under way
	CarryNow
)

func (c Carry) String() string { return enumName([]string{"no", "prove", "wait", "now"}, uint8(c)) }

// NewInitiator returns the machine of an outbound stream.
func NewInitiator(cfg Config) *Machine { return newMachine(Initiator, cfg) }

// NewResponder returns the machine of an inbound stream.
func NewResponder(cfg Config) *Machine { return newMachine(Responder, cfg) }

// Step takes one input and returns the orders that follow from it.
func (m *Machine) Step(now time.Time, in Input) []Output { panic("todo") }

// Deadline is when the machine wants a Tick; zero: never.
func (m *Machine) Deadline() time.Time { panic("todo") }

// Receive takes one first-level element on the steady path. True: it is a
// stanza of a proven pair, counted, to be handed up. False: nothing happened,
// give the event to Step. It allocates nothing.
func (m *Machine) Receive(now time.Time, el *xmlstream.Element, bytes int) (Arrival, bool) {
	panic("todo")
}

// Send asks whether an item may be written now and tracks it. Item.Element
// may be nil unless stream management is on. It allocates nothing once the window has its size.
func (m *Machine) Send(now time.Time, it Item) SendResult { panic("todo") }

// AppendAckRequest appends <r/>; only after a SendResult with AskAck.
func (m *Machine) AppendAckRequest(dst []byte) []byte { panic("todo") }

// Carries says whether stanzas from local to remote may go out on this stream.
func (m *Machine) Carries(local, remote jid.JID) Carry { panic("todo") }

// ReadPaused reports that too many arrivals are unsettled: stop reading.
func (m *Machine) ReadPaused() bool { panic("todo") }

// Session holds the counters of this stream, managed or not; its Settled takes the receipts.
func (m *Machine) Session() *Session { panic("todo") }

// Detach ends a stream whose session is being resumed elsewhere: it returns
// the session (nil if it cannot be resumed) and the outputs that close this
// stream with <conflict/>.
func (m *Machine) Detach(now time.Time) (*Session, []Output) { panic("todo") }

// Established reports whether Ready was given and the stream is not closing.
func (m *Machine) Established() bool { panic("todo") }

// ID is the stream id, empty before the headers.
func (m *Machine) ID() string { panic("todo") }

// Bidi reports whether XEP-0288 is on.
func (m *Machine) Bidi() bool { panic("todo") }

// Machine is one stream. Owned by one goroutine or one mutex.
type Machine struct{ role Role }

func newMachine(r Role, cfg Config) *Machine { return &Machine{role: r} }
