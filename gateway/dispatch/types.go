package dispatch

import (
	"fmt"
	"time"

	"sallyport/links"
)

// MaxLinks is how many links may reach one neighbour.
const MaxLinks = 16

// Set is a set of links of one peer, by their place in Options.Links. The zero value is none of them.
type Set uint16

// All is every link there can be.
const All Set = 1<<MaxLinks - 1

// Of returns the set of those links.
func Of(at ...int) (s Set) {
	for _, i := range at {
		s |= 1 << i
	}
	return s
}

// Has reports whether link i is in the set.
func (s Set) Has(i int) bool { return i >= 0 && i < MaxLinks && s&(1<<i) != 0 }

// Link is what the scheduler knows of a link for good.
type Link struct {
	Name string
	// Priority: the lower is the better. Of equal ones the first is.
	Priority int
	Profile  links.Profile
	// InboundOnly links are never sent on.
	InboundOnly bool
}

// Options are those of one peer. Links are never renumbered while items are queued.
type Options struct {
	Links []Link
	// Custody: the neighbour is one of our own gateways, on every link.
	Custody bool
	// Resend: without custody, what is in doubt is sent again instead of given up.
	Resend bool
	// Hold is how long a better link must have been up before a lane changes to it; 0 means 30 seconds.
	Hold time.Duration
	// PoisonAfter is how many stream losses running take out the item at their head; 0 means 3.
	PoisonAfter int
}

const (
	defaultHold   = 30 * time.Second
	defaultPoison = 3
)

// Item is one stanza that waits for the peer.
type Item struct {
	// Number is that of the spool: unique, growing.
	Number uint64
	// Order is the place in its conversation: the number it had at first. 0 means Number.
	Order uint64
	Lane  uint8 // below links.Lanes
	Bytes int
	// Links it may travel over.
	Links Set
	// Conversation is the same for all that has to stay in order within its lane.
	Conversation uint64
	// Also are the conversations of its other recipients. The owner does not change them.
	Also    []uint64
	Expires time.Time // zero: never
	// Sent: it may have been on a wire in an earlier life.
	Sent bool
}

// Action is what is to be done. The zero value is nothing.
type Action uint8

// The actions. Those from Delivered to Poison end the item: the scheduler forgets it. All of these but Delivered hold its lane until Free.
const (
	Nothing    Action = iota
	Announce          // make "sending" durable for Number, then call Announced
	Send              // hand Number to Link, under Turn; exactly one Report follows
	Requeue           // Number was handed to a link and waits again
	Delivered         // the neighbour has it
	InDoubt           // written, never confirmed
	Expired           // its time is over
	TooBig            // larger than the neighbour takes
	Unroutable        // the neighbour says that there is no such domain
	Poison            // it stood at the head of stream losses running
	SetAside          // store Number where it holds nothing up, durably, then call Moved
	Recall            // bring Number back from there, under a new number, then call Recalled
	Cut               // Link owes reports beyond its time: break its carrier
	Close             // Link has carried nothing for its idle time
	numActions
)

var actionWords = [numActions]string{
	"nothing", "announce", "send", "requeue", "delivered", "in-doubt", "expired", "too-big", "unroutable", "poison",
	"set-aside", "recall", "cut", "close",
}

// String returns a word for logs and tests.
func (a Action) String() string {
	if a < numActions {
		return actionWords[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// Ends reports whether the action ends the item.
func (a Action) Ends() bool { return a >= Delivered && a <= Poison }

// Output is one thing to do.
type Output struct {
	Action Action
	Number uint64
	Link   int    // of Send, Cut, Close
	Turn   uint64 // of Send
}

// Fault says more about a report.
type Fault uint8

// The faults. The zero value blames the link.
const (
	OfLink        Fault = iota
	Unwritten           // with Returned: it never got to the wire
	Unheard             // with Returned and InDoubt: the neighbour was not there to answer
	ItemTooBig          // with Failed
	ItemNoRoute         // with Failed
	ItemIsRefused       // with Failed: the link does not take it at all
)
