package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// lanes is how many classes of precedence custody has.
const lanes = 4

// window is how much an end leaves unacknowledged, and backlog how much waits in it before it says nothing new.
const (
	window  = 200
	backlog = 2000
)

// end is one end of the chain: a gateway of ours to its neighbour, which never dies. It speaks custody by code of its own, so that the
// code under test is not its own witness. What it has said it says again until it is acknowledged; what it has taken it remembers.
type end struct {
	name  string
	to    netip.AddrPort
	epoch string
	book  *book
	dice  *rand.Rand // guarded by mu

	mu      sync.Mutex
	changed *sync.Cond
	number  uint64
	queue   []outgoing     // unacknowledged, in order of number
	acked   [lanes]uint64  // the neighbour said that it has these
	peer    string         // epoch of the neighbour
	marks   [lanes]uint64  // what we have of the neighbour's
	taken   map[key]string // what stood under a number

	connections, repetitions, cuts uint64
}

type key struct {
	lane   int
	number uint64
}

type outgoing struct {
	lane   int
	number uint64
	xml    []byte
}

// carrier is one connection of an end.
type carrier struct {
	*end
	c    net.Conn
	ackd [lanes]bool // to be acknowledged; guarded by mu
	hold time.Time   // acknowledge nothing before; guarded by mu
	sent int         // of queue
	told bool        // we have greeted
	open bool        // the neighbour has
	gone bool
}

func newEnd(name string, to netip.AddrPort, b *book, seed uint64) *end {
	dice := rand.New(rand.NewPCG(seed, uint64(len(name)))) //nolint:gosec // dice of a test
	e := &end{name: name, to: to, epoch: fmt.Sprintf("%016x", dice.Uint64()|1), book: b, dice: dice, taken: map[key]string{}}
	e.changed = sync.NewCond(&e.mu)
	return e
}

// say puts a message of a conversation into the queue; false when the queue is full.
func (e *end) say(lane int, id, from, to string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) >= backlog {
		return false
	}
	e.number++
	e.queue = append(e.queue, outgoing{lane, e.number, fmt.Appendf(nil,
		"<c xmlns='urn:sallyport:custody:0' e='%s' l='%d' n='%d'><message xmlns='jabber:server' from='%s' to='%s' id='%s' type='chat'><body>%s</body></message></c>",
		e.epoch, lane, e.number, from, to, id, id)})
	e.book.said(e.name, id)
	e.changed.Broadcast()
	return true
}

// waiting counts what is not acknowledged.
func (e *end) waiting() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.queue)
}

// run connects again and again until ctx ends.
func (e *end) run(ctx context.Context) {
	const pause = 20 * time.Millisecond
	dialer := net.Dialer{Timeout: time.Second}
	for ctx.Err() == nil {
		c, err := dialer.DialContext(ctx, "tcp", e.to.String())
		if err == nil {
			e.connection(ctx, c)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// connection speaks over one connection until it ends.
func (e *end) connection(ctx context.Context, conn net.Conn) {
	c := &carrier{end: e, c: conn}
	defer context.AfterFunc(ctx, c.hangUp)()
	var writing sync.WaitGroup
	writing.Go(c.write)
	err := c.read()
	c.hangUp()
	writing.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.connections++
	var broken *violation
	if errors.As(err, &broken) {
		e.book.violated(broken.Error())
	}
}

func (c *carrier) hangUp() {
	_ = c.c.Close() // again, perhaps
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	c.changed.Broadcast()
}

// violation is something that custody forbids.
type violation struct{ what string }

func (v *violation) Error() string { return v.what }

func (c *carrier) violation(format string, args ...any) error {
	return &violation{c.name + ": " + fmt.Sprintf(format, args...)}
}

// element is anything that a neighbour says.
type element struct {
	XMLName  xml.Name
	Epoch    string   `xml:"e,attr"`
	Lane     int      `xml:"l,attr"`
	Number   uint64   `xml:"n,attr"`
	Marks    []mark   `xml:"m"`
	Messages []stanza `xml:"jabber:server message"`
}

type mark struct {
	Epoch  string `xml:"e,attr"`
	Lane   int    `xml:"l,attr"`
	Number uint64 `xml:"n,attr"`
}

type stanza struct {
	From string `xml:"from,attr"`
	Type string `xml:"type,attr"`
	ID   string `xml:"id,attr"`
	Body string `xml:"body"`
	All  string `xml:",innerxml"`
}

// read takes what the neighbour says until the connection ends.
func (c *carrier) read() error {
	d := xml.NewDecoder(c.c)
	for {
		var x element
		if err := d.Decode(&x); err != nil {
			return err
		}
		if err := c.take(&x); err != nil {
			return err
		}
	}
}

func (c *carrier) take(x *element) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x.Lane < 0 || x.Lane >= lanes {
		return c.violation("lane %d", x.Lane)
	}
	switch x.XMLName.Local {
	case "h":
		return c.greeted(x)
	case "a":
		if x.Epoch == "" || x.Epoch == c.epoch {
			return c.confirmed(x.Lane, x.Number)
		}
	case "c":
		return c.arrived(x)
	case "p":
		_, err := fmt.Fprintf(c.c, "<o xmlns='urn:sallyport:custody:0' n='%d'/>", x.Number)
		return err
	case "error":
		return fmt.Errorf("stream error")
	}
	return nil
}

// greeted holds the neighbour to its word: it is who it was, and has what it said that it has.
func (c *carrier) greeted(x *element) error {
	if c.peer != "" && c.peer != x.Epoch {
		return c.violation("the neighbour was %s and is %s: it has lost its spool", c.peer, x.Epoch)
	}
	c.peer = x.Epoch
	var have [lanes]uint64
	for _, m := range x.Marks {
		if m.Epoch == c.epoch && m.Lane >= 0 && m.Lane < lanes {
			have[m.Lane] = m.Number
		}
	}
	for lane, n := range have {
		if n < c.acked[lane] {
			return c.violation("acknowledged up to %d in lane %d and has only %d", c.acked[lane], lane, n)
		}
		if err := c.confirmed(lane, n); err != nil {
			return err
		}
	}
	c.sent, c.open = 0, true
	c.changed.Broadcast()
	return nil
}

// confirmed forgets what the neighbour has.
func (c *carrier) confirmed(lane int, n uint64) error {
	if n > c.number {
		return c.violation("has number %d of lane %d, which was never said", n, lane)
	}
	c.acked[lane] = max(c.acked[lane], n)
	keep, sent := c.queue[:0], c.sent
	for i, o := range c.queue {
		if o.lane == lane && o.number <= n {
			if i < sent {
				c.sent--
			}
			continue
		}
		keep = append(keep, o)
	}
	c.queue = keep
	c.changed.Broadcast()
	return nil
}

// arrived takes one consignment: what is above the mark is new, anything else has to be what it was before.
func (c *carrier) arrived(x *element) error {
	if x.Epoch != "" && x.Epoch != c.peer || c.peer == "" {
		return c.violation("a consignment of %q, and the neighbour is %q", x.Epoch, c.peer)
	}
	if len(x.Messages) != 1 {
		return c.violation("a consignment with %d messages", len(x.Messages))
	}
	m := &x.Messages[0]
	k := key{x.Lane, x.Number}
	if x.Number <= c.marks[x.Lane] {
		c.repetitions++
		if was, ok := c.taken[k]; !ok || was != m.ID {
			return c.violation("number %d of lane %d was %q and is %q", x.Number, x.Lane, was, m.ID)
		}
	} else {
		c.marks[x.Lane], c.taken[k] = x.Number, m.ID
		c.book.heard(c.name, m, k)
	}
	c.ackd[x.Lane] = true
	switch c.dice.IntN(1000) {
	case 0: // the line breaks before anything is said of it
		c.cuts++
		return errors.New("cut")
	case 1, 2, 3, 4, 5:
		c.hold = time.Now().Add(time.Duration(c.dice.IntN(200)) * time.Millisecond)
		time.AfterFunc(time.Until(c.hold), c.changed.Broadcast)
	}
	c.changed.Broadcast()
	return nil
}

// write says what is to be said until the connection ends.
func (c *carrier) write() {
	for {
		b := c.next()
		if b == nil {
			return
		}
		if _, err := c.c.Write(b); err != nil {
			c.hangUp()
			return
		}
	}
}

// next waits for something to say; nil at the end.
func (c *carrier) next() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b bytes.Buffer
	if !c.told {
		c.told = true
		c.greet(&b)
		return b.Bytes()
	}
	for !c.gone {
		if c.open {
			c.acknowledge(&b)
			for c.sent < min(len(c.queue), window) && b.Len() < 16<<10 {
				b.Write(c.queue[c.sent].xml)
				c.sent++
			}
			if b.Len() > 0 {
				return b.Bytes()
			}
		}
		c.changed.Wait()
	}
	return nil
}

func (c *carrier) greet(b *bytes.Buffer) {
	fmt.Fprintf(b, "<h xmlns='urn:sallyport:custody:0' e='%s' v='1'>", c.epoch)
	for lane, n := range c.marks {
		if n > 0 {
			fmt.Fprintf(b, "<m e='%s' l='%d' n='%d'/>", c.peer, lane, n)
		}
	}
	b.WriteString("</h>")
}

func (c *carrier) acknowledge(b *bytes.Buffer) {
	if time.Now().Before(c.hold) {
		return
	}
	for lane, due := range c.ackd {
		if due {
			fmt.Fprintf(b, "<a xmlns='urn:sallyport:custody:0' e='%s' l='%d' n='%d'/>", c.peer, lane, c.marks[lane])
			c.ackd[lane] = false
		}
	}
}
