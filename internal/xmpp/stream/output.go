package stream

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Output is one order to the edge. A slice of outputs is carried out in order.
type Output interface{ output() }

// Write: these bytes go to the peer. Data is not used again by the machine.
type Write struct{ Data []byte }

// Ping: send a ping of the framing below (WebSocket only); the peer is alive when anything comes.
type Ping struct{}

// StartTLS: flush what was written, then shake hands.
type StartTLS struct {
	Server bool    // we are the TLS server (responder)
	Local  jid.JID // whose certificate to show; a server picks by SNI first
	Remote jid.JID // whom we expect; zero when the peer did not say
}

// RestartDecoder: a new stream header is expected, in both the decoder's limits and its memory.
type RestartDecoder struct{ Limits xmlstream.Limits }

// SetLimits: the decoder gets other limits (the first pair was proven).
type SetLimits struct{ Limits xmlstream.Limits }

// Direction of a proven pair as seen from us.
type Direction uint8

const (
	NoDirection Direction = iota
	Inbound               // the remote domain may send to the local one
	Outbound              // the local domain may send to the remote one
)

func (d Direction) String() string { return enumName([]string{"none", "in", "out"}, uint8(d)) }

// Method is how a pair was proven.
type Method uint8

const (
	NoMethod              Method = iota
	ByExternal                   // SASL EXTERNAL
	ByCertificateDialback        // dialback request, certificate names the domain (XEP-0344)
	ByDialback                   // the authoritative server confirmed the key
	ByServerCertificate          // reverse direction of an initiator's bidi stream: the responder's certificate names the remote
	ByResolution                 // the same, but only DNS says who the responder is (policy allowed dialback)
)

var methodNames = [...]string{"none", "external", "certificate-dialback", "dialback", "server-certificate", "resolution"}

func (m Method) String() string { return enumName(methodNames[:], uint8(m)) }

// ByCertificate reports whether a certificate proved the remote domain.
func (m Method) ByCertificate() bool {
	return m == ByExternal || m == ByCertificateDialback || m == ByServerCertificate
}

// Pair is two domains.
type Pair struct{ Local, Remote jid.JID }

// Ready: negotiation is over. It comes once, before the first Authorised
// (or alone for Config.Purpose ForVerify).
type Ready struct {
	ID       string // stream id
	TLS      *TLSFacts
	Bidi     bool
	Managed  bool // stream management is on (a responder may get it later)
	Resumed  bool
	MaxBytes int // largest element the peer takes; 0: not said
	Idle     int // seconds after which the peer closes idle streams; 0: not said
}

// Authorised: a pair was proven in one direction. Local sends to Remote when
// Outbound, the reverse when Inbound.
type Authorised struct {
	Pair
	Direction Direction
	Method    Method // of the proof of the sending side towards the other
	// RemoteProven: a certificate named Remote (always so for inbound methods by certificate).
	RemoteProven bool
}

// Rejected: the peer refused Prove (or the first pair), or did not answer.
// Queued stanzas of the pair are to be answered with Condition.
type Rejected struct {
	Pair
	Invalid   bool             // type='invalid': expect the peer to close
	Condition stanza.Condition // for the senders of queued stanzas
	Said      stanza.Condition // what the peer said, if an error; zero otherwise
}

// Problem is why an arrival must be answered or recorded instead of processed.
type Problem uint8

const (
	NoProblem Problem = iota
	BadStanza         // Malformed says how (H03, H08); the pair is proven
	Oversize          // larger than our limit; Malformed holds addresses and id, the body was discarded
	NotHosted         // 'to' is not ours: item-not-found, never relayed (H01)
)

var problemNames = [...]string{"none", "malformed", "oversize", "not-hosted"}

func (p Problem) String() string { return enumName(problemNames[:], uint8(p)) }

// Arrival is one stanza of a proven pair. It counts for XEP-0198 whatever its
// problem: every Arrival must be settled once.
type Arrival struct {
	Stanza    stanza.Stanza     // zero when Problem is BadStanza or Oversize
	Malformed *stanza.Malformed // set when Problem is BadStanza or Oversize
	Problem   Problem
	Pair      Pair // with NotHosted or an unusable 'to', Local is that of the proven pair: only from there it can be answered
	Method    Method
	Bytes     int

	// Undirected: a client gave no 'to'; the stanza is for its own server (RFC 6120 §10.3), and 'to' is its own account.
	Undirected bool

	Session *Session // whose Settled(Seq) takes the receipt
	Seq     uint64
}

// Deliver hands up an Arrival.
type Deliver struct{ Arrival }

// VerifyKey: have this key checked by Remote's authoritative server; answer with Verified within Timing.Dialback.
type VerifyKey struct {
	Pair
	ID, Key string
}

// KeyAnswer answers an input Verify.
type KeyAnswer struct {
	Pair
	ID      string
	Outcome Outcome
}

// ResumeWanted: the authenticated peer wants this session back; answer with SessionFound.
type ResumeWanted struct{ ID string }

// Acked: the peer took responsibility for these items, oldest first. Valid until the next call.
type Acked struct{ Items []Item }

// Unconfirmed: these items were written, or were to be written again, and will
// never be confirmed on this stream, which goes on.
type Unconfirmed struct{ Items []Item }

// Resumed: the old session goes on; Resent items were written again.
type Resumed struct{ Resent int }

// SessionReturned gives back a session that this stream could not resume: park it again, untouched.
type SessionReturned struct{ Session *Session }

// Cause is why a stream ended.
type Cause uint8

const (
	NoCause       Cause = iota
	Finished            // both sides closed in order
	ClosedByPeer        // the peer closed first, in order
	PeerError           // the peer sent a stream error: Condition
	OurError            // we sent a stream error: Condition
	ConnLost            // socket lost, or the peer fell silent
	TLSFailed           // handshake failed or was refused
	AuthFailed          // no method that both sides accept succeeded
	CloseTimedOut       // the peer did not answer our close tag
)

var causeNames = [...]string{"none", "finished", "closed-by-peer", "peer-error", "our-error", "lost", "tls-failed", "auth-failed", "close-timeout"}

func (c Cause) String() string { return enumName(causeNames[:], uint8(c)) }

// Closed is the last output of a machine. Flush, then close the connection.
type Closed struct {
	Cause     Cause
	Condition stanza.StreamCondition // of a stream error, ours or theirs
	Detail    string                 // for the log: one line, at most MaxLogBytes, control characters escaped (D10)
	Bytes     int                    // with OurError: of the element that was refused, up to the byte that decided it
	SeeOther  string                 // host[:port] of see-other-host, cleaned; not to be followed unless configured (D11)
	// Clean: both close tags were exchanged, so written stanzas were read by
	// the peer although they were not acknowledged one by one.
	Clean bool
	// Resume is the session when the loss can be repaired; then Unconfirmed is nil.
	Resume *Session
	// Unconfirmed are tracked items without acknowledgement.
	Unconfirmed []Item
	// Pending are the Prove requests (and the first pair) that never got an answer.
	Pending []Pair
}

// FactKind is a closed list of things worth an audit or log line.
type FactKind uint8

const (
	NoFact FactKind = iota
	FactUnsolicited
	FactSelfSpoof
	FactSpoof
	FactMalformed
	FactInjection
	FactDowngrade
	FactAuthFailed
	FactPolicy
	FactUnknownHost
	FactInvalidFrom
	FactOverflow
	FactUnexpected
	FactResume
	FactSeeOther
)

var factNames = [...]string{
	"none", "unsolicited-dialback", "self-spoof", "spoof", "malformed", "starttls-injection", "downgrade", "auth-failed", "policy",
	"unknown-host", "invalid-from", "overflow", "unexpected-element", "resume-refused", "see-other-host",
}

func (k FactKind) String() string { return enumName(factNames[:], uint8(k)) }

// Fact is an event for audit and log. Detail never holds content, keys or unescaped peer text.
type Fact struct {
	Kind FactKind
	Pair
	Detail string
}

func (Write) output()           {}
func (Ping) output()            {}
func (StartTLS) output()        {}
func (RestartDecoder) output()  {}
func (SetLimits) output()       {}
func (Ready) output()           {}
func (Authorised) output()      {}
func (Rejected) output()        {}
func (Deliver) output()         {}
func (VerifyKey) output()       {}
func (KeyAnswer) output()       {}
func (ResumeWanted) output()    {}
func (Acked) output()           {}
func (Unconfirmed) output()     {}
func (Resumed) output()         {}
func (SessionReturned) output() {}
func (Closed) output()          {}
func (Fact) output()            {}
