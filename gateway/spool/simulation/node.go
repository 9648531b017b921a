package simulation

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"sallyport/gateway/spool"
	"sallyport/internal/disk/faulty"
)

const consumer = "consumer"

// node is one gateway with its disk and its clients. spool is nil while the process is down.
type node struct {
	w      *world
	name   int
	fs     *faulty.FS
	spool  *spool.Spool
	client client
	power  int // the I/O call at which the power goes; 0 is none
	link   int // that it sends on
	owing  []owed
	// writing are entries announced to the consumer and not yet written.
	writing []spool.Entry
	// last is the number of the latest message of each sender and class at the consumer.
	last [2][spool.NumClasses]uint64
}

func newNode(w *world, name int) *node {
	n := &node{w: w, name: name, fs: faulty.New(), link: w.dice.IntN(numLinks)}
	n.client.n = n
	return n
}

func (n *node) other() *node { return n.w.nodes[1-n.name] }

func (n *node) title() string { return fmt.Sprintf("node%d", n.name) }

// Read makes a node the source of randomness of its spool.
func (n *node) Read(p []byte) (int, error) {
	var b [8]byte
	for i := 0; i < len(p); i += len(b) {
		binary.BigEndian.PutUint64(b[:], n.w.dice.Uint64())
		copy(p[i:], b[:])
	}
	return len(p), nil
}

// start starts the process, which may lose power again while it recovers.
func (n *node) start() {
	cache := int64(1 << 20)
	if n.w.Seed%2 == 0 {
		cache = -1 // everything is read back from the disk
	}
	s, r, err := spool.Open(planted{n.fs, n.w.fault}, spool.Options{
		SegmentBytes: 4096, CacheBytes: cache, Stepped: true, Random: n, Clock: func() time.Time { return n.w.now },
		Limits:  spool.Limits{PeerEntries: 60, PoisonAfter: 4},
		Settled: n.settled,
	})
	if err != nil {
		n.w.say("node %d does not start: %v", n.name, err)
		if errors.Is(err, faulty.ErrCrashed) {
			n.fs.Crash(n.w.dice.IntN)
		}
		n.heal()
		return
	}
	n.spool = s
	n.w.say("node %d starts: %d entries, %d in doubt, next %d", n.name, r.Entries, len(r.InDoubt), s.Stats().Next)
	if len(r.Damaged) > 0 {
		n.w.violate("node %d: recovery speaks of damage where there was none: %v", n.name, r.Damaged)
	}
	n.w.recovered(n, r)
	n.client.offered = [spool.NumClasses]int{}
	n.writing = nil
	for _, e := range r.InDoubt {
		n.done(e, spool.InDoubt)
	}
}

// kill is kill -9: what was written is still to be read, synced or not.
func (n *node) kill() {
	if n.spool == nil {
		return
	}
	n.w.say("node %d killed", n.name)
	n.w.Kills++
	n.down()
}

// powerCut is a loss of power.
func (n *node) powerCut() {
	if n.spool == nil {
		return
	}
	n.w.say("node %d loses power", n.name)
	n.w.PowerCuts++
	n.down()
	n.fs.Crash(n.w.dice.IntN)
	n.power = 0
}

func (n *node) down() {
	n.spool, n.owing = nil, nil
	for _, l := range n.w.links {
		l.drop()
	}
}

// powerCutSoon lets the power go at an I/O call.
func (n *node) powerCutSoon(calls int) {
	from := n.fs.Calls()
	n.power = from + calls + 1
	n.w.say("node %d will lose power after %d calls", n.name, calls)
	n.fs.SetPlan(func(op faulty.Op) faulty.Fault {
		if op.N > from+calls {
			return faulty.Fault{Err: faulty.ErrCrashed, Short: op.Bytes}
		}
		return faulty.Fault{}
	})
}

// diskFull leaves a little room, until somebody makes some.
func (n *node) diskFull() {
	list, err := n.fs.List()
	if err != nil {
		return
	}
	used := int64(1)
	for _, f := range list {
		used += f.Size
	}
	n.w.Fulls++
	n.w.say("node %d: the disk fills up", n.name)
	n.fs.SetCapacity(used + int64(n.w.dice.IntN(600)))
}

// diskFails lets one of the next calls fail.
func (n *node) diskFails(calls int) {
	n.w.say("node %d: the disk will fail", n.name)
	short := n.w.dice.IntN(300)
	n.fs.SetPlan(faulty.FailAt(n.fs.Calls()+1+calls, faulty.Fault{Err: faulty.ErrIO, Short: short}))
}

func (n *node) heal() {
	n.fs.SetPlan(nil)
	n.fs.SetCapacity(0)
	n.power = 0
}

func (n *node) commit() {
	if n.spool == nil {
		return
	}
	if !n.w.calm && n.w.chance(4) {
		n.fs.SetCapacity(0) // somebody made room
	}
	n.spool.Step()
	n.settleUp()
}

// done ends an entry.
func (n *node) done(e spool.Entry, how spool.Outcome) {
	m := n.w.of(e)
	if err := n.spool.Done(e.Number, how); err == nil {
		m.maybe[n.name] = how
	}
}

// send hands entries to the link that the node holds for its best.
func (n *node) send() {
	l := n.w.links[n.link]
	if n.spool == nil || !l.open[n.name] {
		return
	}
	n.expire()
	for range 1 + n.w.dice.IntN(4) {
		e, ok := n.spool.Next(n.other().title(), l.title(), n.w.now)
		if !ok {
			return
		}
		l.put(n.name, frame{
			kind: consignment, epoch: n.spool.Epoch(), class: e.Class, number: e.Number, id: n.w.of(e).id, life: e.Expires,
		})
	}
}

func (n *node) expire() {
	for _, e := range n.spool.Expire(n.w.now) {
		n.w.of(e).maybe[n.name] = spool.Expired
	}
}

// supersedes notes that earlier messages of the same kind may be gone now.
func (n *node) supersedes(m *message) {
	for _, old := range n.w.ids {
		if old.key && old.from == m.from && old.id < m.id && old.ended[n.name] == spool.NoOutcome &&
			old.maybe[n.name] == spool.NoOutcome {
			old.maybe[n.name] = spool.Superseded
		}
	}
}

// changeLink moves all lanes to another link; what is still on the old one may overtake or be overtaken.
func (n *node) changeLink() {
	if n.spool == nil {
		return
	}
	old := n.w.links[n.link]
	n.link = (n.link + 1) % numLinks
	n.spool.Rewind(n.other().title(), old.title())
	n.w.say("node %d changes to link %d", n.name, n.link)
}

// lost is what a node does when it sees that a link is gone.
func (n *node) lost(l *line) {
	if n.spool == nil {
		return
	}
	if e, ok := n.spool.StreamLost(n.other().title(), l.title()); ok {
		n.w.say("node %d: entry %d breaks every stream", n.name, e.Number)
		n.done(e, spool.Bounced)
	}
	n.spool.Rewind(n.other().title(), l.title())
}

// consume moves entries towards the consumer: announce, and after the commit write.
func (n *node) consume() {
	if n.spool == nil {
		return
	}
	n.write()
	if n.spool == nil || len(n.writing) > 0 {
		return
	}
	n.expire()
	var batch []spool.Entry
	var numbers []spool.Number
	for range 1 + n.w.dice.IntN(3) {
		e, ok := n.spool.Next(consumer, consumer, n.w.now)
		if !ok {
			break
		}
		batch, numbers = append(batch, e), append(numbers, e.Number)
	}
	if len(batch) == 0 {
		return
	}
	sp := n.spool
	back := func() {
		for _, e := range batch {
			_ = sp.Requeue(e.Number) // fails when the spool has stopped
		}
	}
	err := sp.Sending(numbers, func(err error) {
		switch {
		case n.spool != sp:
		case err == nil:
			n.writing = append(n.writing, batch...)
		case errors.Is(err, spool.ErrFull):
			back()
		}
	})
	if err != nil {
		back()
	}
}

// write gives announced entries to the consumer.
func (n *node) write() {
	batch := n.writing
	n.writing = nil
	if n.w.fault == OrderSwapped && len(batch) > 1 {
		batch[0], batch[1] = batch[1], batch[0]
	}
	for i, e := range batch {
		switch {
		case !n.w.calm && n.w.chance(5): // the consumer is away: nothing of the rest was written
			for _, e := range batch[i:] {
				_ = n.spool.Requeue(e.Number)
			}
			return
		case n.w.chance(3):
			n.done(e, spool.Refused)
		default:
			n.w.arrived(n, e)
			n.done(e, spool.Delivered)
		}
	}
}

func (n *node) idle() bool {
	return n.spool != nil && n.spool.Stats().Entries == 0 && len(n.client.unsaid()) == 0
}
