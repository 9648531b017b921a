package cost

import (
	"slices"
	"time"

	"sallyport/links"
)

// Class is what one lane costs.
type Class struct {
	Stanzas  int64         `json:"stanzas"`  // recorded
	Recorded int64         `json:"recorded"` // their bytes
	Sent     int64         `json:"sent"`     // after thinning
	Thinned  int64         `json:"thinned"`  // bytes after thinning
	Line     int64         `json:"line"`     // bytes on the line: compressed, framed
	Air      time.Duration `json:"air"`      // that they occupy the line
	Half     time.Duration `json:"half"`     // half of them have arrived after this
	Most     time.Duration `json:"most"`     // 99 of 100
	Longest  time.Duration `json:"longest"`
	waits    []time.Duration
}

// Report is a prediction.
type Report struct {
	From    time.Time          `json:"from"`
	To      time.Time          `json:"to"`
	Drained time.Time          `json:"drained"` // when the last byte has left
	Classes [links.Lanes]Class `json:"classes"` // by lane
	Total   Class              `json:"total"`
	Acks    int64              `json:"acks"` // bytes of acknowledgements, in no class
	AckAir  time.Duration      `json:"ackAir"`
	Bytes   [2]int64           `json:"bytes"` // out, in
	Air     [2]time.Duration   `json:"air"`
	Turns   int64              `json:"turns"`   // of a half-duplex line
	TurnAir time.Duration      `json:"turnAir"` // what they take
	Queue   int64              `json:"queue"`   // longest queue in bytes
	Use     float64            `json:"use"`     // share of the time recorded that the busier way is occupied; 0 where rate is no concern
}

func (r *Report) see(at time.Time) {
	if r.From.IsZero() {
		r.From = at
	}
	r.To = at
}

// close works out what follows.
func (r *Report) close(p *links.Profile) {
	t := &r.Total
	for i := range r.Classes {
		c := &r.Classes[i]
		t.Stanzas, t.Recorded, t.Sent = t.Stanzas+c.Stanzas, t.Recorded+c.Recorded, t.Sent+c.Sent
		t.Thinned, t.Line, t.Air = t.Thinned+c.Thinned, t.Line+c.Line, t.Air+c.Air
		t.waits = append(t.waits, c.waits...)
		c.rank()
	}
	t.rank()
	r.TurnAir = time.Duration(r.Turns) * (p.RoundTrip / 2)
	if span := r.span(p); span > 0 {
		busy := max(r.Air[0], r.Air[1])
		if p.HalfDuplex {
			busy = r.Air[0] + r.Air[1] + r.TurnAir
		}
		r.Use = busy.Seconds() / span.Seconds()
	}
}

func (c *Class) rank() {
	if len(c.waits) == 0 {
		return
	}
	slices.Sort(c.waits)
	at := func(share float64) time.Duration { return c.waits[int(share*float64(len(c.waits)-1))] }
	c.Half, c.Most, c.Longest = at(0.5), at(0.99), c.waits[len(c.waits)-1]
	c.waits = nil
}

// minSpan is the shortest time that a share is told of.
const minSpan = time.Minute

// span is how long of the recorded time the line may be used.
func (r *Report) span(p *links.Profile) time.Duration {
	whole := max(r.To.Sub(r.From), minSpan)
	if len(p.Windows) == 0 || p.BitsPerSecond <= 0 {
		return whole
	}
	var open time.Duration
	for at, end := r.From, r.From.Add(whole); at.Before(end); {
		is, again := p.Open(at)
		if again.IsZero() || again.After(end) || !again.After(at) {
			again = end
		}
		if is {
			open += again.Sub(at)
		}
		at = again
	}
	return open
}
