package radio_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/capture"
	"sallyport/s5066/channel"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
	"sallyport/s5066/modem"
)

// terminal is a data transfer machine with its modem on a simulated channel.
type terminal struct {
	number    int
	m         *dts.Machine
	rx        dpdu.Receiver
	busy      bool // an order is with the modem
	delivered int
	confirmed int
}

// exchange lets data transfer machines talk over a channel in virtual time, and records what each keys.
type exchange struct {
	t         *testing.T
	now       time.Time
	sim       *channel.Sim
	wave      modem.Waveform
	terminals []*terminal
	id        uint32
	keyed     []byte // records
	frames    map[dpdu.Type]int
}

func newExchange(t *testing.T, rate int, path channel.Path, seed uint64) *exchange {
	t.Helper()
	wave, err := modem.ForRate(rate, modem.Short)
	if err != nil {
		t.Fatal(err)
	}
	sim, err := channel.New(channel.Config{Stations: 2, Radio: modem.DefaultRadio(), Paths: channel.Everybody(path), Seed: seed}, noon)
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange{t: t, now: noon, sim: sim, wave: wave, frames: map[dpdu.Type]int{}}
	timing := modem.Timing{Waveform: wave, Radio: modem.DefaultRadio()}
	for i, own := range []s5066.Address{ship, shore} {
		c := dts.DefaultConfig(own)
		c.Seed, c.MaxTransmit = seed+uint64(i), 20*time.Second
		m, err := dts.New(c, dts.Timing{
			Rate: rate, Block: wave.Block(), Lead: timing.Lead(), Tail: timing.Radio.KeyDown,
			Latency: wave.Block() + timing.Radio.Decode, Turnaround: 200 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		x.terminals = append(x.terminals, &terminal{number: i, m: m})
	}
	for i, other := range []s5066.Address{shore, ship} {
		if _, err := x.terminals[i].m.Connect(noon, other); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func (x *exchange) took(s *terminal, events []dts.Event) {
	for _, e := range events {
		switch e.(type) {
		case dts.Delivered:
			s.delivered++
		case dts.Confirmed:
			s.confirmed++
		}
	}
}

// key lets each terminal begin that may.
func (x *exchange) key() {
	for _, s := range x.terminals {
		w, ok := s.m.Want(x.now)
		if !ok || s.busy || w.NotBefore.After(x.now) || x.sim.Carrier(s.number).On {
			continue
		}
		train, events := s.m.Train(x.now, dts.Budget{})
		x.took(s, events)
		var line []byte
		for _, p := range train.PDUs {
			var err error
			if line, err = dpdu.Append(line, p); err != nil {
				x.t.Fatal(err)
			}
			x.frames[p.Type]++
		}
		if len(line) == 0 {
			continue
		}
		var cut capture.Frames
		x.keyed = cut.Append(x.keyed, x.now, line)
		x.id++
		if err := x.sim.Key(x.now, s.number, x.wave, line, x.id); err != nil {
			x.t.Fatal(err)
		}
		s.busy = true
	}
}

func (x *exchange) deliver(d channel.Delivery) {
	s := x.terminals[d.Station]
	switch e := d.Event.(type) {
	case modem.Sent, modem.Lost:
		s.busy = false
		x.took(s, s.m.Keyed(d.At))
	case modem.Carrier:
		x.took(s, s.m.Carrier(d.At, e.On))
		if !e.On {
			x.heard(s, d.At, s.rx.End())
		}
	case modem.Data:
		x.heard(s, d.At, s.rx.Feed(e.Bytes))
	}
}

func (x *exchange) heard(s *terminal, at time.Time, frames []dpdu.PDU) {
	for _, p := range frames {
		x.took(s, s.m.Heard(at, p))
	}
}

// run goes on until everything is quiet or the time is over.
func (x *exchange) run(limit time.Duration) {
	end := x.now.Add(limit)
	for steps := 0; x.now.Before(end) && steps < 100_000; steps++ {
		x.key()
		due := []deadline{x.sim.Deadline}
		for _, s := range x.terminals {
			due = append(due, s.m.Deadline)
		}
		x.now = next(x.now, end, due)
		for _, d := range x.sim.Tick(x.now) {
			x.deliver(d)
		}
		for _, s := range x.terminals {
			if at, ok := s.m.Deadline(); ok && !at.After(x.now) {
				x.took(s, s.m.Tick(x.now))
			}
		}
	}
}

// TestMachinesOverTheChannel: everything two data transfer machines key while they exchange data over a bad channel is decoded without fault.
func TestMachinesOverTheChannel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		rate int
		path channel.Path
	}{
		{"2400 clean", 2400, channel.Path{Profile: channel.Presets()[0]}},
		{"300 with a fifth of frames lost", 300, channel.Path{Profile: channel.FrameLoss(0.2, 222)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, c.rate, c.path, 7)
			a, b := x.terminals[0], x.terminals[1]
			send := func(s *terminal, id uint64, q dts.Request) {
				t.Helper()
				q.ID = id
				if err := s.m.Send(x.now, q); err != nil {
					t.Fatal(err)
				}
			}
			for i := range uint64(12) {
				send(a, i, dts.Request{Remote: shore, Mode: dts.ARQ, CPDU: make([]byte, 20+100*i)})
				send(b, i, dts.Request{Remote: ship, Mode: dts.ARQ, CPDU: make([]byte, 50)})
			}
			send(a, 100, dts.Request{Remote: shore, Mode: dts.ExpeditedARQ, CPDU: make([]byte, 30)})
			send(a, 101, dts.Request{Remote: s5066.AllStations(), Mode: dts.NonARQ, CPDU: make([]byte, 500), Repeats: 1})
			send(b, 102, dts.Request{Remote: ship, Mode: dts.ExpeditedNonARQ, CPDU: []byte{0x10}})
			if err := a.m.Manage(x.now, shore, dpdu.MakeEOW(dpdu.Capabilities, 0xB0), ""); err != nil {
				t.Fatal(err)
			}
			x.run(6 * time.Hour)
			if a.confirmed != 13 || b.confirmed != 12 {
				t.Errorf("%d and %d C_PDUs confirmed: %v %v", a.confirmed, b.confirmed, a.m.Status(), b.m.Status())
			}
			if err := b.m.FullReset(x.now, ship); err != nil {
				t.Fatal(err)
			}
			x.run(time.Hour)
			for _, kind := range []dpdu.Type{
				dpdu.DataOnly, dpdu.AckOnly, dpdu.Resync, dpdu.ExpeditedData, dpdu.ExpeditedAck, dpdu.Management, dpdu.NonARQ, dpdu.ExpeditedNonARQ,
			} {
				if x.frames[kind] == 0 {
					t.Errorf("no %s was keyed: %v", kind, x.frames)
				}
			}
			x.judge(filepath.Join(t.TempDir(), "air.pcap"))
		})
	}
}

// judge lets tshark decode what was keyed.
func (x *exchange) judge(name string) {
	x.t.Helper()
	if err := os.WriteFile(name, append(capture.AppendHeader(nil, capture.LinkDPDU), x.keyed...), 0o600); err != nil {
		x.t.Fatal(err)
	}
	flawless(x.t, name)
	want := map[string]int{}
	for kind, n := range x.frames {
		want[strconv.Itoa(int(kind))] = n
	}
	counted(x.t, name, "s5066dts.type", want)
}
