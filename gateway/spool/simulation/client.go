package simulation

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/gateway/spool"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// client numbers what it says in each class, and repeats it until the node has taken it.
type client struct {
	n       *node
	said    [spool.NumClasses][]*message // not known to be taken, in order
	offered [spool.NumClasses]int        // so many of them were given to this life of the node
	numbers [spool.NumClasses]uint64
}

var (
	here  = jid.MustParse("here.example")
	there = jid.MustParse("there.example")
)

const clientEpoch = 7

// speak says something new and offers everything that the node does not have.
func (c *client) speak(count int) {
	w := c.n.w
	for range count {
		class := spool.Class(0)
		if w.chance(20) {
			class = spool.Class(w.dice.IntN(spool.NumClasses))
		}
		c.numbers[class]++
		m := &message{id: len(w.ids), from: c.n.name, class: class, number: c.numbers[class]}
		m.key, m.poison = w.chance(8), w.dice.IntN(400) == 0
		if w.chance(10) {
			m.life = time.Duration(5+w.dice.IntN(30)) * time.Second
		}
		w.ids = append(w.ids, m)
		w.Said++
		c.said[class] = append(c.said[class], m)
	}
	for class := range c.said {
		c.offer(class)
	}
}

func (c *client) offer(class int) {
	for c.n.spool != nil && c.offered[class] < len(c.said[class]) {
		m := c.said[class][c.offered[class]]
		err := c.n.spool.Append(c.entry(m), func(_ spool.Number, err error) { c.told(m, err) })
		switch {
		case err == nil:
			c.offered[class]++
			if m.key {
				c.n.supersedes(m)
			}
		case errors.Is(err, spool.ErrRepeated):
			m.repeated = true
			c.taken(m)
		default:
			c.n.w.say("client %d: message %d not taken: %v", c.n.name, m.id, err)
			return
		}
	}
}

func (c *client) entry(m *message) spool.Entry {
	e := spool.Entry{
		Peer: c.n.other().title(), Class: m.class, Local: here, Remote: there, Kind: stanza.Message,
		Stored: payload(m.id), Conversation: uint64(m.id), Accepted: c.n.w.now,
		Mark: &spool.Mark{Peer: "clients", Epoch: clientEpoch, Lane: uint8(m.class), Number: m.number},
	}
	if m.key {
		e.Latest = spool.KeyOf("presence", strconv.Itoa(m.from))
	}
	if m.life > 0 {
		e.Expires = e.Accepted.Add(m.life)
	}
	return e
}

// payload is what travels for a message; the length follows from the id, so that all sizes come.
func payload(id int) []byte {
	return fmt.Appendf(nil, "%d %s", id, strings.Repeat("x", 20+id*37%400))
}

func (c *client) told(m *message, err error) {
	switch {
	case err == nil:
		c.taken(m)
	case errors.Is(err, spool.ErrFull):
		c.offered = [spool.NumClasses]int{} // all that came later was not taken either
	default: // the node has stopped: nobody knows
	}
}

// taken takes the message, and all before it in the class, off the list.
func (c *client) taken(m *message) {
	m.accepted = true
	class := int(m.class)
	for len(c.said[class]) > 0 && c.said[class][0].number <= m.number {
		if first := c.said[class][0]; first != m && !first.accepted {
			c.n.w.violate("message %d was taken and %d before it was not", m.id, first.id)
		}
		c.said[class] = c.said[class][1:]
		c.offered[class] = max(c.offered[class]-1, 0)
	}
}

func (c *client) unsaid() (all []*message) {
	for _, list := range c.said {
		all = append(all, list...)
	}
	return all
}
