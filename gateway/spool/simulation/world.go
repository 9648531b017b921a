package simulation

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"sallyport/gateway/spool"
)

// Size of a world.
const (
	eventsPerWorld = 250
	drainRounds    = 400
	numLinks       = 2
	traceLines     = 60
)

// Result is what a world came to.
type Result struct {
	Seed      uint64
	Violation string // empty when everything held
	Trace     []string
	Hash      uint64 // of all events: the same seed gives the same hash

	Said, Delivered, InDoubt, Expired, Superseded, Bounced, Refused int
	Repetitions, Kills, PowerCuts, Cuts, Stops, Fulls               int
}

// world is one run.
type world struct {
	Result
	dice  *rand.Rand
	fault Fault
	now   time.Time
	nodes [2]*node
	links [numLinks]*line
	ids   []*message
	calm  bool // no more faults: drain
	hash  hashOf
}

type hashOf interface {
	Write(p []byte) (int, error)
	Sum64() uint64
}

// message is one thing that a client said, and all that is known of it.
type message struct {
	id       int
	from     int // node
	class    spool.Class
	number   uint64 // of the client, in the class
	key      bool   // one of those of which the latest counts
	poison   bool   // breaks every stream it is on
	life     time.Duration
	accepted bool
	arrived  int // times at the consumer
	// ended is how it ended at each node, maybe how it may have ended without anybody having heard of it.
	ended, maybe [2]spool.Outcome
	repeated     bool // the client learned only by repeating that it had been taken
}

// broken is the panic of a violation inside the world; Run turns it into a Result.
type broken string

// Run lives through one world.
func Run(seed uint64, fault Fault) (r Result) {
	w := &world{
		dice: rand.New(rand.NewPCG(seed, 0x5a11)), fault: fault, hash: fnv.New64a(),
		now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	}
	w.Seed = seed
	defer func() {
		switch v := recover().(type) {
		case nil:
		case broken:
			w.Violation = string(v)
		default:
			panic(v)
		}
		w.Hash = w.hash.Sum64()
		r = w.Result
	}()
	for i := range w.nodes {
		w.nodes[i] = newNode(w, i)
		w.nodes[i].start()
	}
	for i := range w.links {
		w.links[i] = &line{w: w, name: i}
	}
	for range eventsPerWorld {
		w.event()
	}
	w.drain()
	w.judge()
	return w.Result
}

// say notes an event.
func (w *world) say(format string, args ...any) {
	line := w.now.Format("15:04:05.000 ") + fmt.Sprintf(format, args...)
	_, _ = w.hash.Write([]byte(line))
	if len(w.Trace) >= traceLines {
		w.Trace = append(w.Trace[:0], w.Trace[1:]...)
	}
	w.Trace = append(w.Trace, line)
}

func (w *world) violate(format string, args ...any) { panic(broken(fmt.Sprintf(format, args...))) }

func (w *world) chance(percent int) bool { return w.dice.IntN(100) < percent }

// event lets one thing happen.
func (w *world) event() {
	w.now = w.now.Add(time.Duration(w.dice.IntN(400)) * time.Millisecond)
	n := w.nodes[w.dice.IntN(2)]
	l := w.links[w.dice.IntN(numLinks)]
	switch d := w.dice.IntN(1000); {
	case d < 180:
		n.client.speak(1 + w.dice.IntN(4))
	case d < 360:
		n.commit()
	case d < 500:
		n.send()
	case d < 760:
		l.arrive(w.dice.IntN(2))
	case d < 880:
		n.consume()
	case d < 930:
		l.connect()
	case d < 950:
		l.cut()
	case d < 965:
		n.changeLink()
	case d < 972:
		n.kill()
	case d < 979:
		n.powerCut()
	case d < 985:
		n.powerCutSoon(w.dice.IntN(12))
	case d < 989:
		n.diskFull()
	case d < 992:
		n.diskFails(w.dice.IntN(6))
	default:
		w.now = w.now.Add(time.Duration(w.dice.IntN(40)) * time.Second)
	}
	w.look()
}

// look checks what holds at every moment, and lets processes whose spool has stopped end.
func (w *world) look() {
	for _, n := range w.nodes {
		if n.spool == nil {
			n.start()
			continue
		}
		if st := n.spool.Stats(); st.Totals.Balance() != 0 || st.Totals.Queued < 0 {
			w.violate("node %d: the sum law does not hold: %+v", n.name, st.Totals)
		}
		switch err := n.spool.Err(); {
		case n.power > 0 && n.fs.Calls() >= n.power:
			n.powerCut()
		case err != nil:
			w.Stops++
			w.say("node %d stops: %v", n.name, err)
			n.kill()
		}
	}
}

// drain ends all faults and lets everything come to rest.
func (w *world) drain() {
	w.calm = true
	w.say("calm")
	for _, n := range w.nodes {
		n.heal()
	}
	for range drainRounds {
		w.now = w.now.Add(2 * time.Second)
		quiet := true
		for _, n := range w.nodes {
			n.client.speak(0)
			n.commit()
			n.commit()
			n.send()
			n.consume()
			n.commit()
			n.consume()
			quiet = quiet && n.idle()
		}
		for _, l := range w.links {
			l.connect()
			for range 20 {
				l.arrive(0)
				l.arrive(1)
			}
			quiet = quiet && l.quiet()
		}
		w.look()
		if quiet {
			return
		}
	}
	w.violate("it does not drain: %s", w.backlog())
}

func (w *world) backlog() string {
	var b strings.Builder
	for _, n := range w.nodes {
		fmt.Fprintf(&b, "node %d: %+v, %d unsaid; ", n.name, n.spool.Backlog(), len(n.client.unsaid()))
	}
	return b.String()
}

// Add adds the counts of another world.
func (r *Result) Add(o *Result) {
	r.Said += o.Said
	r.Delivered += o.Delivered
	r.InDoubt += o.InDoubt
	r.Expired += o.Expired
	r.Superseded += o.Superseded
	r.Bounced += o.Bounced
	r.Refused += o.Refused
	r.Repetitions += o.Repetitions
	r.Kills += o.Kills
	r.PowerCuts += o.PowerCuts
	r.Cuts += o.Cuts
	r.Stops += o.Stops
	r.Fulls += o.Fulls
}
