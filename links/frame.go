package links

import "time"

// Lanes is how many lanes there are: one for each class of precedence, the highest last.
const Lanes = 4

// Frame is the custody framing of one consignment: who sends it, and which of the sender's entries it is. The zero value is no
// framing.
type Frame struct {
	// Epoch names the life of the sender's spool; it is drawn anew only when a spool was lost. It is never zero in a frame.
	Epoch uint64
	// Lane is the class of precedence, below Lanes. Order holds within a lane.
	Lane uint8
	// Number is the spool's own number of the entry. Within a lane numbers grow; gaps are usual.
	Number uint64
	// Expires is when the stanza has no more use, to the second; zero is never.
	Expires time.Time
}

// IsZero reports whether there is no framing.
func (f Frame) IsZero() bool { return f == Frame{} }

// Valid reports whether f can stand on the wire: it has an epoch and a number, and its lane exists.
func (f Frame) Valid() bool { return f.Epoch != 0 && f.Number != 0 && f.Lane < Lanes }

// Mark says how far a lane has come: everything up to Number of that epoch is settled on the side that holds the mark.
type Mark struct {
	Epoch  uint64
	Lane   uint8
	Number uint64
}

// Mark returns the mark that stands behind f.
func (f Frame) Mark() Mark { return Mark{Epoch: f.Epoch, Lane: f.Lane, Number: f.Number} }

// Custodian is what a link with custody must know of the spool behind it, and tells it. Calls come from the link's goroutines and must
// not block for long.
type Custodian interface {
	// Epoch is that of our own spool.
	Epoch() uint64
	// Marks are the marks that we hold, durably, of the peer's lanes.
	Marks(peer string) []Mark
	// Greeted tells what the peer said first on a new carrier: its own epoch, and the marks that it holds of our lanes. What these
	// marks cover is delivered, whether or not it was sent on this carrier. It is called before anything that arrives on the carrier;
	// sending does not wait for it.
	Greeted(link, peer string, epoch uint64, marks []Mark)
}

// Issuer is what a Custodian also may be: then marks of numbers that it never issued are not believed. They mean that the spool is an
// older copy of itself. Such a carrier ends after its greeting was told, and confirms nothing.
type Issuer interface {
	// Issued is the highest number given so far.
	Issued() uint64
}

// Turns is what an Outlet with custody also is. Every loss ends a turn: first everything unconfirmed is reported Returned, then the
// next turn begins. Whoever takes entries from a queue asks for the turn before, and puts it into the consignments; those of an
// earlier turn are returned unwritten. So nothing new of a lane can overtake what has to be sent again.
type Turns interface {
	// Turn is the number of the turn, or 0 while there is none.
	Turn() uint64
}
