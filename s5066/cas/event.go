package cas

import "sallyport/s5066"

// Event is what a Machine tells: one of the types below.
type Event interface{ event() }

// Say is link control to be sent in expedited non-ARQ service. Tell Sent with its ID once it has been keyed, or cannot be.
type Say struct {
	ID     uint64
	Remote s5066.Address
	CPDU   []byte
}

// Unsay says that a Say has lost its meaning: it must not be keyed any more, if that can still be helped.
type Unsay struct{ ID uint64 }

// Made says that there is a link: the data transfer sublayer begins with fresh windows. Again: there was one, and the other node has lost its
// memory of it.
type Made struct {
	Remote    s5066.Address
	Exclusive bool
	Called    bool // the other node made it
	Again     bool
}

// Failed says that there will be no link.
type Failed struct {
	Remote    s5066.Address
	Exclusive bool
	Silent    bool // there was no answer; else Reason says why
	Reason    RejectReason
}

// Broken says that a link has ended. Until the next Made nothing of it counts.
type Broken struct {
	Remote    s5066.Address
	Exclusive bool
	Remotely  bool // the other node broke it
	Silent    bool // nobody said so: no answer to BREAK, or no data behind an acceptance
	Reason    BreakReason
}

// Kept says that a link which was to be finished lives on, with all that is under way on it.
type Kept struct {
	Remote s5066.Address
	Called bool
}

// Refused says that a request of another node was refused.
type Refused struct {
	Remote s5066.Address
	Listed bool // the node is permitted
	Reason RejectReason
}

func (Say) event()     {}
func (Unsay) event()   {}
func (Made) event()    {}
func (Failed) event()  {}
func (Broken) event()  {}
func (Kept) event()    {}
func (Refused) event() {}
