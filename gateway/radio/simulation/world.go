package simulation

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"sallyport/links/compact"
	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
	"sallyport/s5066/node"
)

// Bounds of a world.
const (
	calmTime   = 60 * 24 * time.Hour // that it may take to come to rest once all faults have ended
	maxSteps   = 50_000
	traceLines = 80
)

// Lab is what worlds use one after the other: codecs remember nothing of one stanza when they code the next, and making one takes longer than a
// world. One goroutine owns it.
type Lab struct {
	// Record is shown every primitive and frame of the node of a site, unless it is nil (node.Config.Capture).
	Record func(site int, c node.Captured)

	codecs [2]*compact.Codec
}

// NewLab makes one.
func NewLab() (*Lab, error) {
	l := &Lab{}
	for i := range l.codecs {
		var err error
		if l.codecs[i], err = compact.NewCodec(compact.Config{}); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// world is one run. One goroutine owns it.
type world struct {
	Result
	lab    *Lab
	set    Setting
	dice   dice
	now    time.Time
	sim    *channel.Sim
	sites  [2]*site
	third  *third
	agenda []appointment
	ids    []*message
	calm   bool // all faults are over
	quiet  time.Time
	hash   interface {
		io.Writer
		Sum64() uint64
	}
	killed [2][3]bool // by site and victim
	tell   io.Writer  // all lines go there as well, unless nil
}

// appointment is something that happens at a time.
type appointment struct {
	at time.Time
	f  func()
}

// broken is the panic of a violation inside the world; Run turns it into a Result.
type broken string

// Run lives through one world. Its story is written to tell, line by line, unless that is nil; the end of it is in the Result anyway.
func (l *Lab) Run(s Setting, tell io.Writer) (r Result) {
	w := &world{lab: l, set: s, dice: dice{rand.New(rand.NewPCG(s.Seed, 0x5A11))}, now: begin, hash: fnv.New64a(), tell: tell} //nolint:gosec // dice of a simulation
	w.Seed, w.Setting = s.Seed, s.String()
	if s.SAP == 0 {
		w.set.SAP = s5066.SAPRCOP
	}
	defer func() {
		switch v := recover().(type) {
		case nil:
		case broken:
			w.Violation = string(v)
		default:
			panic(fmt.Sprintf("%s: %v", s.String(), v))
		}
		w.total()
		w.Collisions = w.sim.Stats().Receptions[channel.Collided]
		w.Hash, w.Took = w.hash.Sum64(), w.quiet.Sub(begin)
		r = w.Result
	}()
	w.note("mode "+s.Mode.String(), 1)
	w.note(fmt.Sprintf("rate %d", s.Wave.Rate()), 1)
	w.create()
	w.live()
	w.judge()
	return w.Result
}

// total adds what nodes have counted in their last life.
func (w *world) total() {
	for _, s := range w.sites {
		if s != nil && s.node != nil {
			st := s.node.Status(w.now)
			w.note("frames damaged", int(st.Receiver.Damaged)) //nolint:gosec // not so many
		}
	}
}

func (w *world) create() {
	stations := 2
	if w.set.Third {
		stations = 3
	}
	config := channel.Config{
		Stations: stations, Radio: modem.DefaultRadio(), Paths: channel.Everybody(channel.Path{Profile: w.set.Profile}), Seed: w.set.Seed, Log: channel.LogConfig{Entries: 8},
	}
	for _, o := range w.set.Outages {
		config.Windows = append(config.Windows, channel.Window{From: begin.Add(o.from), To: begin.Add(o.to), Kind: channel.Outage})
		w.Outages++
	}
	var err error
	if w.sim, err = channel.New(config, w.now); err != nil {
		w.violate("%v", err)
	}
	for i := range w.sites {
		w.sites[i] = newSite(w, i)
		w.sites[i].startNode()
		w.sites[i].start()
	}
	if w.set.Third {
		w.third = newThird(w)
	}
	for _, x := range w.set.Says {
		w.meet(x.at, func() { w.sites[x.site].client.says(x) })
	}
	for _, x := range w.set.Silence {
		w.Silences++
		w.meet(x.from, func() { w.sites[x.site].silence(x.node, true) })
		w.meet(x.to, func() { w.sites[x.site].silence(x.node, false) })
	}
}

// meet makes an appointment, counted from the beginning.
func (w *world) meet(after time.Duration, f func()) { w.appoint(begin.Add(after), f) }

func (w *world) appoint(at time.Time, f func()) {
	i, _ := slices.BinarySearchFunc(w.agenda, at, func(a appointment, t time.Time) int {
		if a.at.After(t) {
			return 1
		}
		return -1 // behind all of the same time
	})
	w.agenda = slices.Insert(w.agenda, i, appointment{at, f})
}

// live lets everything happen until all faults are over and everything has come to rest.
func (w *world) live() {
	still := 0
	for {
		w.settle()
		w.look()
		if len(w.agenda) == 0 && !w.calm {
			w.calm = true
			w.quiet = w.now
			w.say("calm")
		}
		if w.calm && w.atRest() {
			w.quiet = w.now
			return
		}
		next, ok := w.deadline()
		switch {
		case !ok:
			w.violate("nothing will ever happen, and it has not come to rest: %s", w.backlog())
		case w.calm && next.Sub(w.quiet) > calmTime:
			w.violate("it does not come to rest: %s", w.backlog())
		case next.After(w.now):
			w.now, still = next, 0
		default:
			if still++; still > 2000 {
				w.violate("time stands still: %s", w.backlog())
			}
		}
		if w.Steps++; w.Steps > maxSteps {
			w.violate("too many steps: %s", w.backlog())
		}
		w.step()
	}
}

// step lets everything happen that is due.
func (w *world) step() {
	for len(w.agenda) > 0 && !w.agenda[0].at.After(w.now) {
		f := w.agenda[0].f
		w.agenda = w.agenda[1:]
		f()
	}
	for _, x := range w.set.Kills {
		if x.step == w.Steps {
			w.sites[x.site].kill(x)
		}
	}
	for _, d := range w.sim.Tick(w.now) {
		w.heard(d)
	}
	for _, s := range w.sites {
		s.tick()
	}
}

// heard gives an event of the channel to whom it is for.
func (w *world) heard(d channel.Delivery) {
	if d.Station >= len(w.sites) {
		w.third.heard(d.Event)
		return
	}
	if n := w.sites[d.Station].node; n != nil {
		n.Modem(w.now, d.Event)
	}
}

// settle passes on what all have for each other, until nobody has anything.
func (w *world) settle() {
	for rounds := 0; ; rounds++ {
		again := false
		for _, s := range w.sites {
			again = s.settle() || again
		}
		if !again {
			return
		}
		if rounds > 10_000 {
			w.violate("they talk without end")
		}
	}
}

// deadline is when something happens next.
func (w *world) deadline() (first time.Time, some bool) {
	at := func(t time.Time, ok bool) {
		if ok && !t.IsZero() && (!some || t.Before(first)) {
			first, some = t, true
		}
	}
	if len(w.agenda) > 0 {
		at(w.agenda[0].at, true)
	}
	at(w.sim.Deadline())
	for _, s := range w.sites {
		s.deadlines(at)
	}
	return first, some
}

// look checks what holds at every moment.
func (w *world) look() {
	for _, s := range w.sites {
		if s.spool == nil {
			continue
		}
		if st := s.spool.Stats(); st.Totals.Balance() != 0 || st.Totals.Queued < 0 {
			w.violate("site %d: the sum law does not hold: %+v", s.i, st.Totals)
		} else if st.Err != nil {
			w.violate("site %d: the spool has stopped: %v", s.i, st.Err)
		}
	}
}

// atRest reports whether nothing is left to be done.
func (w *world) atRest() bool {
	for _, s := range w.sites {
		if s.spool == nil || s.node == nil || len(s.client.unsaid) > 0 || s.spool.Stats().Entries > 0 || !s.commit.IsZero() {
			return false
		}
	}
	return true
}

func (w *world) backlog() (out string) {
	for _, s := range w.sites {
		out += fmt.Sprintf("\nsite %d:", s.i)
		if s.spool != nil {
			out += fmt.Sprintf(" %+v, %d unsaid, link %+v", s.spool.Backlog(), len(s.client.unsaid), s.link.Status())
		}
		if s.node != nil {
			out += fmt.Sprintf("\nnode %+v", s.node.Status(w.now))
		}
	}
	return out
}

// say notes an event.
func (w *world) say(format string, args ...any) {
	line := fmt.Sprintf("%10.3f ", w.now.Sub(begin).Seconds()) + fmt.Sprintf(format, args...)
	_, _ = w.hash.Write([]byte(line))
	if len(w.Trace) >= traceLines {
		w.Trace = append(w.Trace[:0], w.Trace[1:]...)
	}
	w.Trace = append(w.Trace, line)
	if w.tell != nil {
		fmt.Fprintln(w.tell, line)
	}
}

func (w *world) violate(format string, args ...any) { panic(broken(fmt.Sprintf(format, args...))) }
