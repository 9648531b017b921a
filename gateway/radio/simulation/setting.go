package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"sallyport/links/hf"
	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
)

// Setting is everything about a world that is decided before it begins. The zero value is not one: see Draw.
type Setting struct {
	Seed    uint64
	Mode    hf.Mode
	Managed bool // a stream without custody
	Wave    modem.Waveform
	Profile channel.Profile
	Outages []span
	Silence []silence // radio silence
	Kills   []kill
	Says    []say
	Shared  bool      // both ends use the same instants, so that both key at once
	SAP     s5066.SAP // of both ends; 0 is the usual one
	Third   bool      // a third station interferes
	Fault   Fault     // planted
	Trick   Trick     // the only one that it knows; 0: all of them
}

// span is a time from the beginning of the world.
type span struct{ from, to time.Duration }

// silence is a time in which one end must not transmit: by order of its node, or of its gateway.
type silence struct {
	span
	site int
	node bool
}

// victim is what is killed.
type victim uint8

const (
	theNode    victim = iota // which keeps nothing on disk
	theGateway               // as kill -9 does
	thePower                 // of the gateway, in the middle of what its disk had to do
)

func (v victim) String() string { return []string{"node", "gateway", "power of gateway"}[v] }

// kill happens at a step of the world, so that it meets any state.
type kill struct {
	victim
	site, step int
	down       time.Duration
}

// topic is what is said.
type topic uint8

const (
	chat topic = iota
	presence
	room       // a message of a room for several at the other end
	question   // that only one of the two policies lets pass
	classified // a chat that nobody is cleared for
)

func (t topic) String() string {
	return []string{"chat", "presence", "room", "question", "classified chat"}[t]
}

// say is one thing that somebody says.
type say struct {
	topic
	site, class int
	at          time.Duration
	life        time.Duration // 0 is without end
	size        int
}

// speeds are the waveforms of the worlds, with what the worst preset may be on each.
var speeds = []struct {
	wave  string
	worst int
}{
	{"110a-75-short", 4},
	{"110a-300-short", 4},
	{"110a-1200-short", 3},
	{"110a-2400-short", 2},
	{"4539-9600-veryshort", 2},
}

// Draw decides about the world of a seed.
func Draw(seed uint64) (s Setting) {
	d := dice{rand.New(rand.NewPCG(seed, 0xAF5066))} //nolint:gosec // dice of a simulation
	s.Seed = seed
	s.Mode = []hf.Mode{hf.RCOP, hf.Stream, hf.Stream, hf.Compact, hf.Compact}[d.IntN(5)]
	s.Managed = s.Mode == hf.Stream && d.chance(30)
	speed := speeds[d.IntN(len(speeds))]
	s.Wave, _ = modem.ParseWaveform(speed.wave) // TestSpeeds
	if s.Profile = channel.FrameLoss(0.05+0.25*d.Float64(), 200); d.chance(35) {
		s.Profile = channel.Presets()[d.IntN(speed.worst+1)]
	}
	s.Shared, s.Third = d.chance(30), d.chance(20)
	pace := s.pace()
	s.speak(d, pace)
	for d.chance(25) && len(s.Outages) < 3 {
		s.Outages = append(s.Outages, d.span(10*pace))
	}
	for d.chance(25) && len(s.Silence) < 3 {
		s.Silence = append(s.Silence, silence{d.span(10 * pace), d.IntN(2), d.chance(50)})
	}
	for d.chance(50) && len(s.Kills) < 4 {
		s.Kills = append(s.Kills, kill{victim(d.IntN(3)), d.IntN(2), 1 + d.IntN(1<<(3+d.IntN(8))), d.upTo(4 * pace)}) //nolint:gosec // one of three
	}
	return s
}

// speak draws what is said.
func (s *Setting) speak(d dice, pace time.Duration) {
	at := d.upTo(pace)
	for range 3 + d.IntN(8) {
		if d.chance(70) {
			at += d.upTo(pace)
		}
		one := say{site: d.IntN(2), at: at, size: d.IntN(120)}
		switch n := d.IntN(100); {
		case n < 55:
		case n < 75:
			one.topic = presence
		case n < 93:
			one.topic = room
		case n < 96:
			one.topic = classified
		default:
			one.topic = question
		}
		if d.chance(35) {
			one.class = d.IntN(4)
		}
		if d.chance(4) && s.Wave.Rate() >= 1200 { // several U_PDUs
			one.size = d.IntN(2500)
		}
		if d.chance(12) {
			one.life = pace/2 + d.upTo(6*pace)
		}
		s.Says = append(s.Says, one)
		if s.Shared {
			one.site = 1 - one.site
			s.Says = append(s.Says, one)
		}
	}
}

// String is for the head of a story.
func (s *Setting) String() string {
	var b strings.Builder
	mode := s.Mode.String()
	if s.Managed {
		mode = "managed stream"
	}
	name := s.Profile.Name
	if name == "" {
		name = fmt.Sprintf("%+v", s.Profile)
	}
	fmt.Fprintf(&b, "seed %d: %s over %v, %s, %d are said", s.Seed, mode, s.Wave, name, len(s.Says))
	for _, x := range s.Outages {
		fmt.Fprintf(&b, "; outage %v-%v", x.from, x.to)
	}
	for _, x := range s.Silence {
		fmt.Fprintf(&b, "; %d silent %v-%v", x.site, x.from, x.to)
	}
	for _, x := range s.Kills {
		fmt.Fprintf(&b, "; %v %d killed at step %d for %v", x.victim, x.site, x.step, x.down)
	}
	if s.Third {
		b.WriteString("; a third station interferes")
	}
	return b.String()
}

// dice are random numbers with the questions of this package.
type dice struct{ *rand.Rand }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

func (d dice) upTo(t time.Duration) time.Duration { return time.Duration(d.Int64N(int64(t))) }

func (d dice) span(most time.Duration) span {
	from := d.upTo(most)
	return span{from, from + d.upTo(most)}
}
