package simulation

import (
	"slices"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/modem"
)

// stranger is an address that no node permits.
var stranger = s5066.Unicast(0x1020309)

// Trick is what a third station does with a transmission that it recorded.
type Trick uint8

// The tricks. The zero value is any of them.
const (
	AnyTrick  Trick = iota
	Replay          // keys it again
	Begin           // keys the begin of it
	End             // keys the end of it
	Frames          // keys some of its frames, in any order, and more than once
	Addresses       // keys it with other addresses: of strangers, swapped, from itself, to everybody
)

const numTricks = int(Addresses)

// String says it for the story.
func (t Trick) String() string {
	return []string{"anything", "all", "the begin", "the end", "single frames", "other addresses"}[t]
}

// third is a station that means no good: it records what it hears, and keys it again, whole, in pieces, and with addresses of others. It does
// not make up frames of the two that belong here: whoever can do that is believed, unless the line is encrypted below.
type third struct {
	w     *world
	now   []byte   // of the transmission that it hears
	tapes [][]byte // transmissions that it heard
}

const (
	stationOfThird = 2
	mostTapes      = 32
)

func newThird(w *world) *third {
	t := &third{w: w}
	for range 2 + w.dice.IntN(8) {
		w.meet(w.dice.upTo(20*w.set.pace()), t.interfere)
	}
	return t
}

// heard takes an event of its modem.
func (t *third) heard(e modem.Event) {
	switch e := e.(type) {
	case modem.Data:
		t.now = append(t.now, e.Bytes...)
	case modem.Carrier:
		if !e.On && len(t.now) > 0 && len(t.tapes) < mostTapes {
			t.tapes = append(t.tapes, t.now)
			t.now = nil
		}
	}
}

// interfere keys something.
func (t *third) interfere() {
	d := t.w.dice
	if len(t.tapes) == 0 || t.w.sim.Keyed(stationOfThird) {
		return
	}
	tape := slices.Clone(t.tapes[d.IntN(len(t.tapes))])
	trick := t.w.set.Trick
	if n := Trick(1 + d.IntN(numTricks)); trick == AnyTrick { //nolint:gosec // small
		trick = n
	}
	switch trick {
	case AnyTrick, Replay:
	case Begin:
		tape = tape[:1+d.IntN(len(tape))]
	case End:
		tape = tape[d.IntN(len(tape)):]
	case Frames:
		tape = t.shuffled(tape)
	case Addresses:
		tape = t.forged(tape)
	}
	if len(tape) == 0 {
		return
	}
	t.w.Interfered++
	t.w.say("the third station keys %v of what it heard, %d bytes", trick, len(tape))
	if err := t.w.sim.Key(t.w.now, stationOfThird, t.w.set.Wave, tape, 1); err != nil {
		t.w.violate("third station: %v", err)
	}
}

func frames(tape []byte) []dpdu.PDU {
	var r dpdu.Receiver
	return append(r.Feed(tape), r.End()...)
}

func joined(list []dpdu.PDU) (out []byte) {
	for _, p := range list {
		if p.Damaged {
			continue
		}
		if b, err := dpdu.Append(out, p); err == nil {
			out = b
		}
	}
	return out
}

// shuffled is the frames of a transmission, some of them, in any order and more than once.
func (t *third) shuffled(tape []byte) []byte {
	list := frames(tape)
	var out []dpdu.PDU
	for range min(len(list)*2, 12) {
		out = append(out, list[t.w.dice.IntN(len(list))])
	}
	return joined(out)
}

// forged is the frames of a transmission, from a stranger, to one, or from whom they were sent to. Datagrams are also sent to everybody.
func (t *third) forged(tape []byte) []byte {
	list := frames(tape)
	for i := range list {
		p := &list[i]
		switch t.w.dice.IntN(4) {
		case 0:
			p.From = stranger
		case 1:
			p.To = stranger
		case 2:
			p.From, p.To = p.To, p.From
		case 3:
			if p.Type == dpdu.NonARQ || p.Type == dpdu.ExpeditedNonARQ {
				p.To = s5066.AllStations()
			} else {
				p.From = p.To
			}
		}
	}
	return joined(list)
}

// pace is about how long people think before they say something, so that the rate carries it.
func (s *Setting) pace() time.Duration {
	if s.Wave.Rate() <= 300 {
		return 90 * time.Second
	}
	return 20 * time.Second
}
