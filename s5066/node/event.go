package node

import (
	"time"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// Event is something for a log, or for whoever watches the node.
type Event struct {
	Time   time.Time
	Kind   EventKind
	Remote s5066.Address // where it is about one
	Client sis.ClientID  // where it is about one
	Text   string        // more about it; without payload
	Err    error
}

// EventKind says what happened.
type EventKind uint8

// The kinds there are.
const (
	_           EventKind = iota
	LinkUp                // a link was made
	LinkDown              // a link has ended
	LinkFailed            // a call was in vain
	LinkRefused           // a call of another node was refused
	HardLink              // something about a hard link
	ClientBound           // a client has a SAP
	ClientGone            // it has it no longer
	ClientFault           // a client did what it may not
	Discarded             // data from the air that went nowhere
	Warning               // another node complains
	ModemUp               // the modem is there
	ModemDown             // the modem is gone
	ModemLost             // a transmission was lost by the modem
	RateChanged           // another waveform is in use
	ModeChanged           // EMCON or broadcast was switched
	Management            // a management message came
	eventKinds
)

// String is the kind as operators read it.
func (k EventKind) String() string {
	names := [eventKinds]string{
		"none", "link up", "link down", "link failed", "link refused", "hard link", "client bound", "client gone", "client fault", "discarded",
		"warning", "modem up", "modem down", "transmission lost", "rate changed", "mode changed", "management",
	}
	if k < eventKinds {
		return names[k]
	}
	return "unknown"
}

// maxEvents is how many events wait for the owner; the oldest go.
const maxEvents = 1024

func (n *Node) tell(e Event) {
	e.Time = n.now
	if len(n.events) >= maxEvents {
		n.events = n.events[1:]
	}
	n.events = append(n.events, e)
	n.announce(e)
}

// Events returns what has happened since the last call.
func (n *Node) Events() []Event {
	e := n.events
	n.events = nil
	return e
}
