package s2s

import (
	"net/netip"

	"sallyport/internal/xmpp/jid"
)

// Event is something an operator or the audit log should know of a stream. It never holds content.
type Event struct {
	Kind          string // closed list: the words of stream.FactKind, and those below
	Link, Side    string
	Peer          string // empty where nobody is known yet
	Local, Remote jid.JID
	Address       netip.AddrPort
	Reason        string // the word for why: a tlsid.Reason, a stream condition
	Detail        string // one line, escaped, bounded
	Bytes         int    // of the input that ended a stream
}

// The kinds beyond those of stream.FactKind.
const (
	EventUp          = "stream-up"
	EventDown        = "stream-down"
	EventCertificate = "certificate-refused"
	EventProofGone   = "proof-gone"
	EventUnreachable = "unreachable"
	EventSourceLimit = "source-limit"
	EventReload      = "reload"
)

// Observer hears events. It is called with locks held: it must not block and must not call the Link.
type Observer interface{ Observe(Event) }

type nobody struct{}

func (nobody) Observe(Event) {}
