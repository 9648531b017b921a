package x2x

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
)

// EventKind says what an Event is.
type EventKind uint8

// The kinds. None is the zero value.
const (
	None      EventKind = iota
	Arrived             // a stanza, or Malformed; its receipt is Settled(Seq)
	Greeted             // the peer's greeting: Epoch and Marks
	Confirmed           // Tokens are delivered; Unproven when nobody said so, and the stream lived on
	Noticed             // Word and Detail are for the record; if a stanza was dropped, it is settled
	Ended               // the stream is over: write what is left, close the carrier
)

// The words of Noticed.
const (
	NoticeForeign   = "foreign-domain"    // a stanza from a domain that the peer does not hold (O02)
	NoticeMalformed = "malformed"         // something that cannot even be answered
	NoticeBogusAck  = "bogus-acknowledge" // of what was never sent
	NoticePeerError = "peer-error"        // the peer's stream error
	NoticeFrame     = "bad-frame"         // a compressed frame that cannot be opened (M02, M03)
)

// Event is something that came of the peer's bytes, or of time.
type Event struct {
	Kind EventKind

	Stanza    stanza.Stanza
	Malformed *stanza.Malformed
	Also      []jid.JID // other recipients
	Frame     links.Frame
	Seq       uint64
	Bytes     int

	Epoch uint64
	Marks []links.Mark

	Tokens   []uint64
	Unproven bool

	Word, Detail string

	// Of Ended: what is left unconfirmed, and what that means; Clean after an orderly close; Condition when there was an error, Ours
	// when it was we who saw it; Idle when we closed for want of traffic.
	Left        []uint64
	Disposition links.Disposition
	Clean       bool
	Ours        bool
	Idle        bool
	Condition   stanza.StreamCondition
}
