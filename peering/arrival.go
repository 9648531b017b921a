package peering

import (
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/labels"
)

// Method is how a neighbour proved a domain on a stream. The numbers stand in records: new ones come last.
type Method uint8

const (
	NoMethod      Method = iota // nothing proven: refused by every floor
	Dialback                    // XEP-0220, as good as DNS
	External                    // SASL EXTERNAL or a certificate that names the domain
	Local                       // ourselves
	SourceAddress               // a configured address it connects from: as good as the network below
	SharedKey                   // a key that only it and we hold
)

func (m Method) String() string {
	switch m {
	case NoMethod:
		return "none"
	case Dialback:
		return "dialback"
	case External:
		return "external"
	case Local:
		return "local"
	case SourceAddress:
		return "source-address"
	case SharedKey:
		return "shared-key"
	}
	return "unknown"
}

// Proof is what is known of the stream an arrival came in on.
type Proof struct {
	Method Method
	TLS    uint16 // crypto/tls version number; 0 = clear text
	Pinned bool   // the peer's key is one of those pinned in its definition
}

// Arrival is one stanza as a link received it, with everything a judgement may depend on.
type Arrival struct {
	Stanza stanza.Stanza
	Link   string  // name of the link it came in on
	Peer   string  // peer that was authenticated on that link
	Domain jid.JID // domain that peer proved for this stanza's from
	Proof  Proof
	// LocalDomain is the domain of ours the stream was for; an error about something
	// without a readable to comes from it.
	LocalDomain jid.JID
	Time        time.Time // the only clock a judgement knows
	Node        string    // node that received it
	Serial      uint64    // number given by that node; unique with Node
	Bytes       int       // size on the wire
	Facts       Facts
}

// Facts is what the gateway looked up before judging. Audit keeps them.
type Facts struct {
	Sender    ClearanceFact // clearance of the sending user, where known
	Recipient ClearanceFact // clearance of the receiving user or room, where known
	Awaited   AwaitedIQ     // for iq result and error: the request that waits for it
	Asked     bool          // for presence subscribed/unsubscribed: a request went the other way
	// OwnWords: the server of this node makes the stanza now, in whoever's name. Never of what came in on a link, and not recorded.
	OwnWords bool
	Excluded Exclusion // by a list of a domain of this node
	FreshID  string    // id to issue anew, unique for the destination; "" = none given
	Levels   []uint32  // tokens in the buckets of Policy.Buckets, by number; absent is empty
}

// ClearanceFact is what is known of the clearances of somebody, where it came from and how old it is. The zero value is
// that nothing is known. A source without a clearance is somebody who is known to have none: cleared for nothing.
type ClearanceFact struct {
	Clearances labels.ClearanceSet
	Source     string
	Age        time.Duration
}

func (f *ClearanceFact) known() bool { return f.Source != "" || !f.Clearances.IsEmpty() }

// AwaitedIQ is what the conversation table says of a response.
type AwaitedIQ struct {
	Found      bool
	OriginalID string // id the requester used; "" = same as on the response
}

// Effects is what must change in the world if the verdict is carried out. The one owner
// of the domain pair applies them after the audit record is durable.
type Effects struct {
	Await      bool      // remember the iq request Released carries
	OriginalID string    // with Await: id to restore on the answer
	Answered   bool      // the awaited request is answered
	Ask        bool      // a subscription request crossed
	Answer     bool      // a subscription answer crossed: forget the request
	NTake      int       // how many of Take count
	Take       [4]uint16 // buckets to take one token from, by number in Policy.Buckets
	From, To   jid.JID   // the addresses the entries are kept under, as sent out
}
