package badnet

import (
	"math/rand/v2"
	"time"
)

// Weather is how bad a network is. The zero value is perfect. It holds for each direction by itself.
type Weather struct {
	Delay     time.Duration // one way
	Jitter    time.Duration // up to this much more, without overtaking unless Reorder says so
	Loss      float64       // share of packets that vanish
	Duplicate float64       // share that comes twice
	Reorder   float64       // share that is late by another Delay/4 and at least a millisecond, and is overtaken
	Rate      int64         // bits per second; 0 is unlimited
	Queue     int           // bytes that wait for the rate before more are dropped; 0 is a round trip's worth, 64 KiB at least
	Seed      uint64
}

// minQueue is the least that a queue holds when nothing else is said.
const minQueue = 64 << 10

// Path is one direction: a plain machine. Its owner tells it the time.
type Path struct {
	w        Weather
	dice     *rand.Rand
	lineFree time.Time
	last     time.Time // when the last packet in order arrives
	Stats    Stats
}

// Stats counts packets, and the bytes of those that were sent.
type Stats struct {
	Sent, Bytes, Lost, Overflow, Doubled, Late uint64
}

// NewPath makes a direction; which tells two of one seed apart.
func NewPath(w Weather, which uint64) *Path {
	if w.Queue == 0 {
		w.Queue = max(int(float64(w.Rate)/8*2*w.Delay.Seconds()), minQueue)
	}
	return &Path{w: w, dice: rand.New(rand.NewPCG(w.Seed, which))} //nolint:gosec // dice of a test network
}

// Packet decides when a packet arrives: never, once or twice.
func (p *Path) Packet(now time.Time, bytes int) (arrivals []time.Time) {
	p.Stats.Sent++
	p.Stats.Bytes += uint64(bytes) //nolint:gosec // a length
	leaves := now
	if p.w.Rate > 0 {
		if p.lineFree.Before(now) {
			p.lineFree = now
		}
		if waiting := p.lineFree.Sub(now).Seconds() * float64(p.w.Rate) / 8; waiting > float64(p.w.Queue) {
			p.Stats.Overflow++
			return nil
		}
		p.lineFree = p.lineFree.Add(time.Duration(float64(bytes) * 8 / float64(p.w.Rate) * float64(time.Second)))
		leaves = p.lineFree
	}
	// Each packet draws the same number of dice, so that a change of one share does not change the others.
	lost, twice, late, jitter := p.dice.Float64(), p.dice.Float64(), p.dice.Float64(), p.dice.Float64()
	if lost < p.w.Loss {
		p.Stats.Lost++
		return nil
	}
	at := leaves.Add(p.w.Delay + time.Duration(jitter*float64(p.w.Jitter)))
	if late < p.w.Reorder {
		p.Stats.Late++
		at = at.Add(max(p.w.Delay/4, time.Millisecond))
	} else {
		if at.Before(p.last) {
			at = p.last
		}
		p.last = at
	}
	arrivals = append(arrivals, at)
	if twice < p.w.Duplicate {
		p.Stats.Doubled++
		arrivals = append(arrivals, at)
	}
	return arrivals
}
