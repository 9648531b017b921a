package stream

import (
	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Input is one fact told to a [Machine].
type Input interface{ input() }

// Certificate is the peer's certificate, already verified by the edge.
type Certificate interface {
	// Proves reports whether the certificate is acceptable for the domain now
	// (chain, time, revocation, policy). It is asked at each use (XEP-0344).
	Proves(domain jid.JID) bool
}

// TLSFacts is what the handshake brought. Version and Cipher are crypto/tls numbers, for the record only.
type TLSFacts struct {
	Version, Cipher uint16
	Peer            Certificate // nil: none presented, or not acceptable for anybody

	// Bindings are the names of this channel (RFC 9266, RFC 5929), for the mechanisms with -PLUS.
	Bindings []sasl.Binding
	// Accounts are the addresses in an acceptable certificate of a client (XmppAddr, RFC 6120 §13.7.1.4).
	Accounts []jid.JID
}

// Start is the first input: the connection is up.
type Start struct {
	TLS *TLSFacts // nil on a STARTTLS port; the facts of a direct-TLS port (XEP-0368)
}

// Secured: the handshake that StartTLS asked for is done.
type Secured struct{ TLS TLSFacts }

// SecureFailed: that handshake failed.
type SecureFailed struct{ Cause string }

// Received is one event of the decoder. Buffered is Decoder.Buffered() after
// it: clear bytes behind <starttls/> or <proceed/> are an injection (E01, E02).
type Received struct {
	Event    xmlstream.Event
	Buffered int
}

// Malformed: the decoder refused the bytes.
type Malformed struct{ Err *xmlstream.Error }

// Lost: the socket ended or failed without the peer's close tag.
type Lost struct{ Cause string }

// Tick: Deadline has come. Early and late ticks are harmless.
type Tick struct{}

// Close asks for an orderly close; with a condition, for a stream error. The edge gets Closed later.
type Close struct {
	Condition stanza.StreamCondition // zero: no error
	Text      string
}

// ShutDown says that the server ends, to a [Client]: it hears system-shutdown once what was taken from it is settled, or after a moment. What
// it says before its own close tag is still delivered. The edge gets Closed later.
type ShutDown struct{}

// Prove asks for one more pair by dialback on this stream.
type Prove struct{ Local, Remote jid.JID }

// Verify asks the authoritative server on this stream whether a key is its own (XEP-0220 step 2).
type Verify struct {
	Local, Remote jid.JID
	ID, Key       string
}

// Verified answers VerifyKey.
type Verified struct {
	Local, Remote jid.JID
	ID            string
	Outcome       Outcome
}

// SessionFound answers ResumeWanted; nil when there is none.
type SessionFound struct {
	ID      string
	Session *Session
}

// AckDue: Session.Settled returned true.
type AckDue struct{}

func (Start) input()        {}
func (Secured) input()      {}
func (SecureFailed) input() {}
func (Received) input()     {}
func (Malformed) input()    {}
func (Lost) input()         {}
func (Tick) input()         {}
func (Close) input()        {}
func (ShutDown) input()     {}
func (Prove) input()        {}
func (Verify) input()       {}
func (Verified) input()     {}
func (SessionFound) input() {}
func (AckDue) input()       {}

// Outcome is what became of a dialback verification (XEP-0220 §2.3, errors §2.4).
type Outcome uint8

const (
	NoOutcome   Outcome = iota // zero: treated as Unreachable
	KeyValid                   // the authoritative server said valid
	KeyInvalid                 // it said invalid: somebody pretends
	KeyError                   // it answered with an error, or does not know the domain
	Unreachable                // no connection to it (DNS, TCP, TLS)
	NoAnswer                   // it closed or did not answer in time
	BelowPolicy                // its stream does not meet our policy
)

var outcomeNames = [...]string{"none", "valid", "invalid", "error", "unreachable", "no-answer", "below-policy"}

func (o Outcome) String() string { return enumName(outcomeNames[:], uint8(o)) }

func enumName(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "unknown"
}
