package links

import "time"

// Quality is what was measured of a link; zero fields were not measured.
type Quality struct {
	RoundTrip     time.Duration // smoothed, from something asked to its answer
	Loss          float64       // share of what was sent that was lost below
	LossMeasured  bool          // Loss is one, also where it is 0
	BitsPerSecond int64         // what went through while there was something to send
	Since         time.Time     // when measuring began: with the present carrier
}

// Observe takes one more round trip into the average (RFC 6298 §2: an eighth of each new one).
func (q *Quality) Observe(roundTrip time.Duration) {
	if q.RoundTrip == 0 {
		q.RoundTrip = roundTrip
		return
	}
	q.RoundTrip += (roundTrip - q.RoundTrip) / 8
}

// Status is one link to one peer as an operator sees it.
type Status struct {
	Name, Kind, Peer string
	Side             string
	State            State
	Since            time.Time // when the state was entered
	Retry            time.Time // next attempt, when Waiting
	Carrier          string    // what carries: "TLS 1.3, resumed, opened by us"; empty when nothing does
	Profile          Profile
	Quality          Quality
	Backlog          Backlog
	Traffic          Traffic
	// Usage is what fills the link, and Folded the bytes that thinning kept off it.
	Usage  []Use
	Folded uint64
	// Fingerprint is of what both ends must have configured alike; operators compare it.
	Fingerprint string
	// Warnings are what the operator should know of the configuration.
	Warnings []string
	// Story is the latest attempts, oldest first.
	Story []Attempt
}

// Backlog is what a link holds itself; what waits in a spool is the spool's to tell.
type Backlog struct {
	Stanzas, Bytes                int       // not yet written
	Oldest                        time.Time // of these; zero when there are none
	Unconfirmed, UnconfirmedBytes int       // written
	Unsettled                     int       // received, and not yet acknowledged by us
}

// Traffic counts since the link was made.
type Traffic struct {
	StanzasIn, StanzasOut uint64
	BytesIn, BytesOut     uint64 // on the carrier, below TLS where there is any
	Plain                 uint64 // bytes given to the compressor
	Saved                 int64  // what compression saved of these
	Repetitions           uint64 // stanzas that came again
	Refused               uint64 // stanzas that the link itself refused
}
