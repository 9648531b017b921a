package dts

import (
	"errors"
	"time"

	"sallyport/s5066"
)

// Mode is how a C_PDU crosses. The zero value is none, and refused.
type Mode uint8

// The modes, each its own D_PDU type.
const (
	ModeNone        Mode = iota
	ARQ                  // type 0 and 2, selective repeat
	ExpeditedARQ         // type 4, one at a time
	NonARQ               // type 7
	ExpeditedNonARQ      // type 8
)

// String is the mode as operators read it.
func (m Mode) String() string {
	names := [...]string{"none", "ARQ", "expedited ARQ", "non-ARQ", "expedited non-ARQ"}
	if int(m) < len(names) {
		return names[m]
	}
	return "undefined"
}

func (m Mode) arq() bool { return m == ARQ || m == ExpeditedARQ }

// Request is a C_PDU to send. The machine keeps CPDU: do not change it afterwards.
type Request struct {
	ID        uint64 // comes back in Confirmed, Rejected and Broadcast
	Remote    s5066.Address
	Mode      Mode
	Priority  s5066.Priority
	CPDU      []byte
	Lifetime  time.Duration // 0 and what exceeds it: Config.MaxLifetime
	Unordered bool          // hand up as soon as complete
	Repeats   int           // non-ARQ: copies beyond the first, at most 15
}

// Errors of Send. Nothing was taken.
var (
	ErrRequest      = errors.New("request cannot be sent")
	ErrNotConnected = errors.New("no link to the remote node")
	ErrFull         = errors.New("queue is full")
)

// Budget limits one transmission beyond Config.MaxTransmit; the zero value does not.
type Budget struct {
	Duration time.Duration // on the air, without the lead
}

// Want says that the machine has something to transmit.
type Want struct {
	NotBefore time.Time      // nobody else speaks, as far as frames tell
	Priority  s5066.Priority // of the most urgent
	Reply     bool           // somebody waits for it: this node was spoken to last
	Expedited bool           // expedited data or management
}
