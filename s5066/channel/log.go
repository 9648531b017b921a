package channel

import (
	"slices"
	"time"

	"sallyport/s5066/modem"
)

// Transmission is what the log says of one.
type Transmission struct {
	Number   int // from 1, in the order of keying
	Station  int
	ID       uint32
	Waveform modem.Waveform
	Bytes    int
	Data     []byte // only with LogConfig.Data
	Key      time.Time
	Air      time.Time // begin of the preamble
	First    time.Time // begin of the first block
	AirEnd   time.Time
	Sent     time.Time
	Aborted  bool
	Heard    []Reception // by stations that have a path from the sender
}

// Reception is what became of a transmission at one station.
type Reception struct {
	Station int
	Outcome Outcome
	Bytes   int    // how many came out, damaged ones included, from the first on
	Damaged []Span // of these, in order
}

// Span is a range of bytes of a transmission, To not included.
type Span struct{ From, To int }

// Outcome is what became of a reception.
type Outcome uint8

// The outcomes there are.
const (
	Pending  Outcome = iota
	Received         // every byte as it was sent
	Damaged          // all came out, some not as they were sent
	Missed           // the preamble was not recognised: nothing
	Collided         // with another transmission or jamming
	Deaf             // the station was keyed
	Cut              // by an outage
	Broken           // the sender aborted
	outcomes
)

var outcomeNames = [outcomes]string{"pending", "received", "damaged", "missed", "collided", "deaf", "cut", "broken"}

func (o Outcome) String() string {
	if o < outcomes {
		return outcomeNames[o]
	}
	return "unknown"
}

// maxSpans bounds how finely damage is told. When there are more, those next to each other become one, ever wider.
const maxSpans = 1024

// mark notes damaged bytes; they come in order.
func (r *reception) mark(from, to int) {
	if n := len(r.Damaged); n > 0 && from-r.Damaged[n-1].To <= r.grain {
		r.Damaged[n-1].To = to
		return
	}
	r.Damaged = append(r.Damaged, Span{from, to})
	for len(r.Damaged) > maxSpans {
		r.grain = 2*r.grain + 1
		all := r.Damaged
		r.Damaged = all[:0]
		for _, s := range all {
			if n := len(r.Damaged); n > 0 && s.From-r.Damaged[n-1].To <= r.grain {
				r.Damaged[n-1].To = s.To
				continue
			}
			r.Damaged = append(r.Damaged, s)
		}
	}
}

// Log returns the transmissions that are remembered, in the order of keying, as they stand now.
func (s *Sim) Log() []Transmission {
	all := make([]Transmission, 0, len(s.log))
	for _, tx := range s.log {
		t := tx.Transmission
		for _, r := range tx.receptions {
			c := r.Reception
			c.Damaged = slices.Clone(c.Damaged)
			t.Heard = append(t.Heard, c)
		}
		all = append(all, t)
	}
	return all
}

// Stats counts since the begin; the log may be shorter.
type Stats struct {
	Transmissions, Refused, Aborted int
	Bytes                           int64
	OnAir                           time.Duration // the sum of all transmissions, preambles included
	Receptions                      [outcomes]int // by Outcome; Pending stays 0
}

// Stats returns the counts.
func (s *Sim) Stats() Stats { return s.stats }
