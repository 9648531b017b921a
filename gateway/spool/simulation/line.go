package simulation

import (
	"errors"
	"fmt"
	"time"

	"sallyport/gateway/spool"
	"sallyport/internal/xmpp/stanza"
)

type frameKind uint8

const (
	greeting frameKind = iota
	consignment
	acknowledgement
)

// frame is one element of the custody protocol.
type frame struct {
	kind   frameKind
	epoch  uint64
	class  spool.Class
	number spool.Number
	id     int
	life   time.Time
	marks  []spool.Mark
}

// line is one link between the nodes: at most one connection at a time, ordered in each direction, that breaks.
type line struct {
	w          *world
	name       int
	generation int
	whole      bool    // the connection exists
	open       [2]bool // each side believes that it does
	pipe       [2][]frame
}

func (l *line) title() string { return fmt.Sprintf("link%d/%d", l.name, l.generation) }

// connect opens a connection once both sides know that there is none.
func (l *line) connect() {
	if l.open[0] || l.open[1] || l.w.nodes[0].spool == nil || l.w.nodes[1].spool == nil {
		l.notice()
		return
	}
	l.generation++
	l.whole, l.open = true, [2]bool{true, true}
	l.w.say("link %d connects", l.name)
	for side, n := range l.w.nodes {
		l.pipe[side] = nil
		l.put(side, frame{kind: greeting, epoch: n.spool.Epoch(), marks: n.spool.Marks(n.other().title())})
	}
}

// cut breaks the connection: a part of what is under way still arrives, and each side sees it in its own time.
func (l *line) cut() {
	if !l.whole {
		return
	}
	l.w.Cuts++
	l.whole = false
	for side := range l.pipe {
		l.pipe[side] = l.pipe[side][:l.w.dice.IntN(len(l.pipe[side])+1)]
	}
	l.w.say("link %d is cut", l.name)
	if l.w.chance(60) {
		l.notice()
	}
}

// notice lets both sides see that a connection is gone.
func (l *line) notice() {
	if l.whole {
		return
	}
	for side, n := range l.w.nodes {
		l.shut(side, n)
	}
}

func (l *line) shut(side int, n *node) {
	if l.open[side] {
		l.open[side] = false
		n.lost(l)
	}
}

// drop is what is left of a connection when a process ends.
func (l *line) drop() {
	if l.whole {
		l.cut()
	}
	for side, n := range l.w.nodes {
		if n.spool == nil {
			l.open[side] = false
			l.pipe[1-side] = nil // nobody to read it
		}
	}
}

func (l *line) put(from int, f frame) {
	if !l.whole {
		return // written into a connection that is gone already
	}
	l.pipe[from] = append(l.pipe[from], f)
	if !l.w.calm && l.w.chance(3) {
		l.pipe[from] = append(l.pipe[from], f) // a datagram network doubles
	}
}

// arrive takes the next frame out of one direction.
func (l *line) arrive(from int) {
	to := l.w.nodes[1-from]
	if len(l.pipe[from]) == 0 {
		if !l.whole {
			l.notice()
		}
		return
	}
	f := l.pipe[from][0]
	l.pipe[from] = l.pipe[from][1:]
	if to.spool == nil || !l.open[to.name] {
		return
	}
	if !l.w.calm && l.w.chance(1) {
		l.w.say("link %d: a frame is corrupt", l.name)
		l.cut()
		l.shut(to.name, to)
		return
	}
	switch f.kind {
	case greeting:
		l.greeted(to, f)
	case consignment:
		l.received(to, f)
	case acknowledgement:
		l.confirmed(to, f)
	}
}

func (l *line) greeted(n *node, f frame) {
	fresh, err := n.spool.Greeted(n.other().title(), f.epoch)
	if fresh {
		l.w.violate("node %d: the other has a new epoch, and nobody lost a spool", n.name)
	}
	if err != nil {
		return
	}
	for _, m := range f.marks {
		l.confirmed(n, frame{epoch: m.Epoch, class: spool.Class(m.Lane), number: spool.Number(m.Number)})
	}
}

// confirmed is the sender hearing that the receiver has everything up to a number.
func (l *line) confirmed(n *node, f frame) {
	if f.epoch != n.spool.Epoch() {
		l.w.violate("node %d: confirmation of another epoch", n.name)
	}
	for _, e := range n.spool.Entries(n.other().title(), 0, 1000) {
		if e.Class != f.class || e.Number > f.number {
			continue
		}
		l.w.of(e).maybe[n.name] = spool.Delivered
	}
	if _, err := n.spool.Confirm(n.other().title(), f.class, f.number); errors.Is(err, spool.ErrRolledBack) {
		l.w.violate("node %d: %v", n.name, err)
	}
}

// received is the receiver's side of a consignment.
func (l *line) received(n *node, f frame) {
	m := l.w.ids[f.id]
	if m.poison {
		l.w.say("link %d breaks on message %d", l.name, m.id)
		l.cut()
		l.shut(n.name, n)
		return
	}
	mark := &spool.Mark{Peer: n.other().title(), Epoch: f.epoch, Lane: uint8(f.class), Number: uint64(f.number)}
	e := spool.Entry{
		Peer: consumer, Class: f.class, Local: here, Remote: there, Kind: stanza.Message, Stored: payload(f.id),
		Accepted: l.w.now, Expires: f.life, Mark: mark, Conversation: uint64(f.id),
	}
	generation := l.generation
	ack := func() {
		if l.open[n.name] && l.generation == generation {
			l.put(n.name, frame{kind: acknowledgement, epoch: f.epoch, class: f.class, number: f.number})
		}
	}
	sp := n.spool
	err := sp.Append(e, func(_ spool.Number, err error) {
		switch {
		case n.spool != sp:
		case err == nil:
			ack()
		default: // all carriers: a repetition on another one may rest on what was not taken here
			n.refuseCarriers()
		}
	})
	switch {
	case err == nil:
		if l.w.fault == AcknowledgedEarly {
			ack()
		}
	case errors.Is(err, spool.ErrRepeated):
		l.w.Repetitions++
		if l.w.fault == RepetitionsKept {
			e.Mark = nil
			_ = sp.Append(e, nil)
		}
		n.owe(owed{f.class, uint64(f.number), ack})
	default: // no room: it has to come again before anything after it
		l.w.say("node %d does not take message %d: %v", n.name, m.id, err)
		l.cut()
		l.shut(n.name, n)
	}
}

// owed is an acknowledgement of a repetition. It waits for the commit of the first.
type owed struct {
	class  spool.Class
	number uint64
	ack    func()
}

func (n *node) owe(o owed) {
	n.owing = append(n.owing, o)
	n.settleUp()
}

// settleUp acknowledges what is durable by now.
func (n *node) settleUp() {
	have := [spool.NumClasses]uint64{}
	for _, m := range n.spool.Marks(n.other().title()) {
		have[m.Lane] = m.Number
	}
	rest := n.owing[:0]
	for _, o := range n.owing {
		if o.number > have[o.class] {
			rest = append(rest, o)
			continue
		}
		o.ack()
	}
	n.owing = rest
}

func (n *node) refuseCarriers() {
	for _, l := range n.w.links {
		l.cut()
		l.shut(n.name, n)
	}
}

func (l *line) quiet() bool { return len(l.pipe[0]) == 0 && len(l.pipe[1]) == 0 }
