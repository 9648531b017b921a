package spool

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
)

// Limits of one entry.
const (
	MaxStored     = 8 << 20
	MaxPeerName   = 256
	MaxRecipients = 1024
	MaxEnds       = 64
	// maxNumber leaves room, so that no damage can make the next number wrap.
	maxNumber = 1 << 62
)

// Number is an entry's own number: monotonic in one spool for the life of an epoch, 0 is none. Gaps are normal.
type Number uint64

// Key names what a newer entry can make needless, or what can be merged. The zero value is none.
type Key [16]byte

// KeyOf makes a key of its parts, for instance ("presence", from, to). The same parts give the same key for ever.
func KeyOf(parts ...string) (k Key) {
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	copy(k[:], h.Sum(nil))
	return k
}

// Mark says that everything a peer sent in one lane of one epoch, up to a number, was taken.
type Mark struct {
	Peer   string
	Epoch  uint64
	Lane   uint8
	Number uint64
}

// End is the end of another entry, written in the same frame as the entry that brings it about.
type End struct {
	Number Number
	How    Outcome
}

// Entry is one stanza for one peer.
type Entry struct {
	Number Number // given by Append
	Peer   string
	Class  Class
	// Local and Remote are the pair of domains; To is the recipient, where copies for several may be merged.
	Local, Remote, To jid.JID
	Kind              stanza.Kind
	// Conversation is the same for all that has to stay in order, for links with several streams.
	Conversation uint64
	Stored       peering.Stored
	Bytes        int // on the wire; 0 means as many as are stored
	Accepted     time.Time
	Expires      time.Time // zero is never
	// Mark is what taking this entry means to the peer it came from, when that peer numbers what it sends.
	Mark *Mark

	// Latest: a newer entry with the same key supersedes this one while it waits (presence of a (from, to)).
	Latest Key
	// Fleeting: worth nothing unless it can leave at once; superseded when anything for the peer is already waiting.
	Fleeting bool
	// Copy: an entry for another recipient that is otherwise the same is merged into this one while it waits.
	Copy Key
	// Also are the other recipients merged into this entry.
	Also []jid.JID
	// Voices are the conversations of Also, for a newcomer that must not overtake it. They are not kept: when a spool is opened again
	// nothing in it takes copies in.
	Voices []uint64
	// Ends are entries that end with this one becoming durable: what it bounces, what it supersedes.
	Ends []End

	// Sending says that a write to a neighbour was announced and what became of it is not known.
	Sending bool
	// Attempts counts how often it was handed out.
	Attempts int
}

// Weight is how many (stanza, destination) the entry stands for in the sum law.
func (e *Entry) Weight() int64 { return int64(1 + len(e.Also)) }

// check says what keeps the entry from being stored.
func (e *Entry) check() error {
	switch {
	case e.Peer == "" || len(e.Peer) > MaxPeerName:
		return fmt.Errorf("%w: peer name of %d bytes", ErrEntry, len(e.Peer))
	case e.Class >= numClasses:
		return fmt.Errorf("%w: %s", ErrEntry, e.Class)
	case e.Kind.String() == "":
		return fmt.Errorf("%w: no stanza", ErrEntry)
	case len(e.Stored) == 0 || len(e.Stored) > MaxStored:
		return fmt.Errorf("%w: %d stored bytes", ErrEntry, len(e.Stored))
	case e.Bytes < 0 || e.Bytes > maxWireBytes:
		return fmt.Errorf("%w: %d bytes", ErrEntry, e.Bytes)
	case len(e.Also) > MaxRecipients || len(e.Ends) > MaxEnds:
		return fmt.Errorf("%w: %d recipients, %d ends", ErrEntry, len(e.Also), len(e.Ends))
	case e.Mark != nil:
		return e.Mark.check()
	}
	return nil
}

func (m *Mark) check() error {
	if m.Peer == "" || len(m.Peer) > MaxPeerName || m.Lane >= uint8(numClasses) || m.Number == 0 || m.Number > maxNumber {
		return fmt.Errorf("%w: mark %d in lane %d of %q", ErrEntry, m.Number, m.Lane, m.Peer)
	}
	return nil
}
