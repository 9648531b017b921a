package dts_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
)

var (
	nodeA = s5066.Unicast(0x1020305)
	nodeB = s5066.Unicast(0x1020304)
	epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func shortTiming(rate int) dts.Timing {
	return dts.Timing{
		Rate: rate, Block: 120 * time.Millisecond, Lead: 600 * time.Millisecond, Tail: 100 * time.Millisecond,
		Latency: 250 * time.Millisecond, Turnaround: 300 * time.Millisecond,
	}
}

// station is one node on the line: its machine, and what happened to what it sent.
type station struct {
	addr      s5066.Address
	m         *dts.Machine
	rx        dpdu.Receiver
	keyedTill time.Time
	delivered [][]byte
	events    []dts.Event
	fates     map[uint64][]string
	aired     time.Duration // data and tail
	airedData int           // bytes
	trains    int
	rates     []int
	timing    dts.Timing
}

// happening is something that the line does at a time.
type happening struct {
	at    time.Time
	order int
	do    func()
}

// line is a half-duplex channel in virtual time: whoever keys while somebody else is on the air destroys both, frames are lost,
// damaged, repeated and cut off by chance.
type line struct {
	t         testing.TB
	now       time.Time
	timing    dts.Timing
	random    *rand.Rand
	loss      float64 // of frames, independently
	cut       float64 // of transmissions, broken off somewhere
	repeat    float64 // of frames, heard twice
	stations  []*station
	agenda    []happening
	orders    int
	onAir     int
	clash     bool
	duplex    bool
	lossAt    map[int]float64 // instead of loss, by rate
	onEvent   func(*station, dts.Event)
	overlaps  int
	hook      func(from *station, p dpdu.PDU)
	heardHook func(*station, dpdu.PDU)
	trace     func(from *station, train dts.Train)
}

func newLine(t testing.TB, seed uint64, timing dts.Timing, change func(*dts.Config)) *line {
	t.Helper()
	l := &line{t: t, now: epoch, timing: timing, random: rand.New(rand.NewPCG(seed, 7))}
	for i, a := range []s5066.Address{nodeA, nodeB} {
		c := dts.DefaultConfig(a)
		c.Seed = seed*2 + uint64(i)
		if change != nil {
			change(&c)
		}
		m, err := dts.New(c, timing)
		if err != nil {
			t.Fatal(err)
		}
		l.stations = append(l.stations, &station{addr: a, m: m, fates: make(map[uint64][]string), timing: timing})
	}
	a, b := l.stations[0], l.stations[1]
	l.connect(a, b)
	l.connect(b, a)
	return l
}

func (l *line) connect(s, to *station) {
	ev, err := s.m.Connect(l.now, to.addr)
	if err != nil {
		l.t.Fatal(err)
	}
	l.took(s, ev)
}

func (l *line) after(d time.Duration, do func()) {
	l.orders++
	l.agenda = append(l.agenda, happening{l.now.Add(d), l.orders, do})
}

func (l *line) took(s *station, events []dts.Event) {
	s.events = append(s.events, events...)
	for _, e := range events {
		if l.onEvent != nil {
			l.onEvent(s, e)
		}
		switch e := e.(type) {
		case dts.Delivered:
			s.delivered = append(s.delivered, e.CPDU)
		case dts.Confirmed:
			s.fates[e.ID] = append(s.fates[e.ID], "confirmed")
		case dts.Rejected:
			s.fates[e.ID] = append(s.fates[e.ID], fmt.Sprintf("rejected %s doubt=%t", e.Reason, e.InDoubt))
		}
	}
}

// run goes on until nothing more happens, or the time is over.
func (l *line) run(limit time.Duration) {
	end := l.now.Add(limit)
	for steps := 0; l.now.Before(end); steps++ {
		if steps > 200_000 {
			l.t.Fatalf("no progress: still %v", l.now.Sub(epoch))
		}
		l.key()
		next, some := end, false
		for _, h := range l.agenda {
			if !h.at.After(next) {
				next, some = h.at, true
			}
		}
		for _, s := range l.stations {
			if at, ok := s.m.Deadline(); ok && at.Before(next) {
				next, some = at, true
			}
		}
		if !some {
			return
		}
		if next.After(l.now) {
			l.now = next
		}
		l.happen()
		for _, s := range l.stations {
			if at, ok := s.m.Deadline(); ok && !at.After(l.now) {
				l.took(s, s.m.Tick(l.now))
			}
		}
	}
}

func (l *line) happen() {
	due := slices.DeleteFunc(slices.Clone(l.agenda), func(h happening) bool { return h.at.After(l.now) })
	l.agenda = slices.DeleteFunc(l.agenda, func(h happening) bool { return !h.at.After(l.now) })
	slices.SortFunc(due, func(a, b happening) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order))
	})
	for _, h := range due {
		h.do()
	}
}

// key lets every station begin that may.
func (l *line) key() {
	for _, s := range l.stations {
		w, ok := s.m.Want(l.now)
		if !ok || w.NotBefore.After(l.now) || s.keyedTill.After(l.now) {
			continue
		}
		train, ev := s.m.Train(l.now, dts.Budget{})
		l.took(s, ev)
		if len(train.PDUs) == 0 {
			continue
		}
		l.transmit(s, train)
	}
}

func (l *line) transmit(s *station, train dts.Train) {
	if train.Air > dpdu.MaxTransmission {
		l.t.Fatalf("transmission of %v", train.Air)
	}
	if l.trace != nil {
		l.trace(s, train)
	}
	l.sound(s, train)
	s.trains++
	s.aired += train.Air
	s.airedData += train.Bytes
	if l.onAir++; l.onAir > 1 && !l.duplex {
		l.clash = true
		l.overlaps++
	}
	loss := l.loss
	if l.lossAt != nil {
		loss = l.lossAt[s.timing.Rate]
	}
	lost := make([]bool, len(train.PDUs))
	whole := len(train.PDUs)
	if l.random.Float64() < l.cut {
		whole = l.random.IntN(whole + 1)
	}
	for i := range lost {
		lost[i] = i > whole || l.random.Float64() < loss
	}
	deaf := make(map[*station]bool)
	for _, other := range l.stations {
		deaf[other] = other == s || other.keyedTill.After(l.now) && !l.duplex || other.timing.Rate != s.timing.Rate
	}
	end := l.timing.Lead + train.Air
	s.keyedTill = l.now.Add(end)
	sense := l.timing.Lead / 2
	clashed := false
	for _, other := range l.stations {
		if !deaf[other] {
			l.after(sense, func() { l.took(other, other.m.Carrier(l.now, true)) })
		}
	}
	l.after(end, func() {
		clashed = clashed || l.clash
		if l.onAir--; l.onAir == 0 {
			l.clash = false
		}
		l.took(s, s.m.Keyed(l.now))
		for _, other := range l.stations {
			if !deaf[other] {
				l.took(other, other.m.Carrier(l.now, false))
			}
		}
	})
	at := l.timing.Lead + l.timing.Latency
	for i, p := range train.PDUs {
		at += time.Duration(p.Size()) * 8 * time.Second / time.Duration(s.timing.Rate)
		l.after(at, func() {
			if l.hook != nil {
				l.hook(s, p)
			}
			if lost[i] || l.clash || clashed {
				return
			}
			l.arrive(s, p, deaf, i == whole)
		})
	}
	l.after(end+l.timing.Latency, func() {
		for _, other := range l.stations {
			if !deaf[other] {
				l.hear(other, other.rx.End())
			}
		}
	})
}

// sound checks that all frames of a train tell the same end.
func (l *line) sound(s *station, train dts.Train) {
	l.t.Helper()
	before := 0
	for i, p := range train.PDUs {
		left := train.Air - time.Duration(before)*8*time.Second/time.Duration(s.timing.Rate)
		if want := dpdu.EOT(left); p.EOT != want && !l.duplex {
			l.t.Fatalf("frame %d of %d: EOT %d with %v left", i, len(train.PDUs), p.EOT, left)
		}
		before += p.Size()
	}
	if before != train.Bytes {
		l.t.Fatalf("%d bytes keyed, %d told", before, train.Bytes)
	}
}

// setRate gives a station another rate; who has another one does not understand it.
func (l *line) setRate(s *station, rate int) {
	s.timing.Rate = rate
	if err := s.m.SetTiming(s.timing); err != nil {
		l.t.Fatal(err)
	}
}

// arrive gives a frame's bytes to everybody who listens, perhaps only the beginning, perhaps twice.
func (l *line) arrive(s *station, p dpdu.PDU, deaf map[*station]bool, broken bool) {
	raw, err := dpdu.Append(nil, p)
	if err != nil {
		l.t.Fatalf("unsendable %+v: %v", p, err)
	}
	if broken {
		raw = raw[:l.random.IntN(len(raw))]
	} else if l.random.Float64() < l.repeat {
		raw = append(raw, raw...)
	}
	for _, other := range l.stations {
		if other != s && !deaf[other] {
			l.hear(other, other.rx.Feed(raw))
		}
	}
}

func (l *line) hear(s *station, frames []dpdu.PDU) {
	for _, p := range frames {
		if l.heardHook != nil {
			l.heardHook(s, p)
		}
		l.took(s, s.m.Heard(l.now, p))
	}
}

// numbered is a C_PDU that can be told from all others.
func numbered(n uint32, size int) []byte {
	b := make([]byte, max(size, 4))
	for i := range b {
		b[i] = byte(n) + byte(i)
	}
	binary.BigEndian.PutUint32(b, n)
	return b
}

func numberOf(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

func (l *line) send(s *station, r dts.Request) {
	l.t.Helper()
	if err := s.m.Send(l.now, r); err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) want(s *station, want [][]byte) {
	l.t.Helper()
	if len(s.delivered) != len(want) {
		l.t.Fatalf("%s: %d C_PDUs delivered, want %d", s.addr, len(s.delivered), len(want))
	}
	for i := range want {
		if !bytes.Equal(s.delivered[i], want[i]) {
			l.t.Fatalf("%s: C_PDU %d is number %d of %d bytes, want %d of %d", s.addr, i, numberOf(s.delivered[i]), len(s.delivered[i]), numberOf(want[i]), len(want[i]))
		}
	}
}
