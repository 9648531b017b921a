package links

import "fmt"

// State is what a link is doing. The zero value carries nothing.
type State uint8

// The states.
const (
	Down       State = iota // not started, shut down, or outside its window of time
	Waiting                 // the last attempt failed; the next comes later
	Connecting              // an attempt is under way
	Listening               // the neighbour is to open, and has not
	Idle                    // no carrier for want of traffic; the first stanza opens one
	Up                      // stanzas cross
)

// String returns the word an operator reads.
func (s State) String() string {
	switch s {
	case Down:
		return "down"
	case Waiting:
		return "waiting"
	case Connecting:
		return "connecting"
	case Listening:
		return "listening"
	case Idle:
		return "idle"
	case Up:
		return "up"
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// ParseState is the inverse of State.String.
func ParseState(word string) (State, error) {
	for s := Down; s <= Up; s++ {
		if s.String() == word {
			return s, nil
		}
	}
	return Down, fmt.Errorf("links: no state %q", word)
}

// Takes reports whether it makes sense to hand stanzas to a link in this state.
func (s State) Takes() bool { return s == Up || s == Idle }

// Watcher hears when a link begins or ends to take stanzas (State.Takes). It is called by a goroutine of the link and must not block.
type Watcher interface {
	Changed(link string, up bool)
}
