package spool

import "fmt"

// Class is the precedence of an entry, and the lane it travels in. The zero value is the lowest.
type Class uint8

// The classes, as military precedence has them (ACP 121).
const (
	Routine Class = iota
	Priority
	Immediate
	Flash
	numClasses
)

// NumClasses is how many there are.
const NumClasses = int(numClasses)

// String returns the word used in configuration, records and the command line.
func (c Class) String() string {
	switch c {
	case Routine:
		return "routine"
	case Priority:
		return "priority"
	case Immediate:
		return "immediate"
	case Flash:
		return "flash"
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// ParseClass is the inverse of Class.String.
func ParseClass(word string) (Class, error) {
	for c := range numClasses {
		if c.String() == word {
			return c, nil
		}
	}
	return Routine, fmt.Errorf("no precedence %q: routine, priority, immediate or flash", word)
}

// Outcome is how an entry ended. The zero value is no end.
type Outcome uint8

// The outcomes of the sum law: accepted = queued + all of these.
const (
	NoOutcome  Outcome = iota
	Delivered          // confirmed by the peer
	Bounced            // not delivered, its sender is told
	Refused            // judged again and refused
	Expired            // outlived its time
	Superseded         // made needless by a newer entry
	InDoubt            // written to a peer and not confirmed
	Damaged            // could not be read back from the disk
	numOutcomes
)

// String returns the word used in records and metrics.
func (o Outcome) String() string {
	switch o {
	case NoOutcome:
		return "none"
	case Delivered:
		return "delivered"
	case Bounced:
		return "bounced"
	case Refused:
		return "refused"
	case Expired:
		return "expired"
	case Superseded:
		return "superseded"
	case InDoubt:
		return "in-doubt"
	case Damaged:
		return "damaged"
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// ParseOutcome is the inverse of Outcome.String.
func ParseOutcome(word string) (Outcome, error) {
	for o := range numOutcomes {
		if o.String() == word {
			return o, nil
		}
	}
	return NoOutcome, fmt.Errorf("no outcome %q", word)
}
