package sis

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/s5066"
)

// BindOptions say how a client binds. The zero value of each but SAP, Rank and Service
// stands for its default.
type BindOptions struct {
	SAP     s5066.SAP
	Rank    s5066.Rank
	Service s5066.ServiceType // the default of each request
	// Wait is how long the node may take to answer the bind, 30 s by default.
	Wait time.Duration
	// KeepAlive is the silence after which the node is asked whether it is there: 5 minutes by
	// default, at least 120 s, negative for never. Only a node that has answered before is
	// given up for not answering, since some never do.
	KeepAlive time.Duration
	// InFlight is how many requests may wait for their confirmation, 256 by default.
	InFlight int
	// Network is for Dial alone.
	Network Network
}

func (o BindOptions) withDefaults() BindOptions {
	if o.Wait <= 0 {
		o.Wait = 30 * time.Second
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = 5 * time.Minute
	}
	if o.KeepAlive > 0 {
		o.KeepAlive = max(o.KeepAlive, KeepAliveInterval)
	}
	if o.InFlight <= 0 {
		o.InFlight = 256
	}
	o.Network = o.Network.withDefaults()
	return o
}

// Client is a client's end of the conversation over one connection, as a plain type: what the
// node sent goes in by Bytes and Closed, Events tells what it means and Output what to write.
// A Client binds once; after Ended make another. Not safe for concurrent use.
type Client struct {
	opts    BindOptions
	dec     Decoder
	out     []byte
	events  []ClientEvent
	state   clientState
	mtu     int
	off     bool // the node said S_DATA_FLOW_OFF
	waiting []waiting
	bindBy  time.Time
	partial time.Time
	alive   keepAlive
	answers bool // the node has answered an S_KEEP_ALIVE
	invalid int
}

type clientState uint8

const (
	clientEnded clientState = iota
	clientBinding
	clientBound
)

// NewClient makes a client that has just been connected; its bind is in Output. An error wraps
// ErrField.
func NewClient(now time.Time, opts BindOptions) (*Client, error) {
	opts = opts.withDefaults()
	c := &Client{opts: opts, state: clientBinding, bindBy: now.Add(opts.Wait), alive: keepAlive{heard: now}}
	out, err := AppendPrimitive(nil, BindRequest{opts.SAP, opts.Rank, opts.Service})
	if err != nil {
		return nil, err
	}
	c.out = out
	return c, nil
}

// Bytes takes what the node sent. Drain Events after each call: they are bounded by the bytes.
func (c *Client) Bytes(now time.Time, b []byte) {
	if c.state == clientEnded {
		return
	}
	c.alive.hear(now)
	c.dec.Push(b)
	for c.state != clientEnded {
		p, err := c.dec.Next()
		switch {
		case p != nil:
			c.partial = time.Time{}
			c.handle(now, p)
		case errors.Is(err, ErrShort):
			if !c.dec.Partial() {
				c.partial = time.Time{}
			} else if c.partial.IsZero() {
				c.partial = now
			}
			return
		default:
			c.partial = time.Time{}
			c.fault(err)
		}
	}
}

// Closed says that the connection has ended.
func (c *Client) Closed(time.Time) { c.end(ErrGone) }

// Unbind gives the SAP back and ends the conversation: write what Output has left, then close.
func (c *Client) Unbind(time.Time) {
	if c.state == clientBound {
		c.queue(UnbindRequest{})
	}
	c.end(ErrUnbindRequest)
}

// Ready reports whether the client is bound and the node takes data.
func (c *Client) Ready() bool { return c.state == clientBound && !c.off }

// MTU is the largest U_PDU in bytes, 0 before the bind is accepted.
func (c *Client) MTU() int { return c.mtu }

// Events returns what has happened since the last call, in order.
func (c *Client) Events() []ClientEvent {
	e := c.events
	c.events = nil
	return e
}

// Output returns the next bytes to write, at most 64 KiB, and whether the connection is to be closed
// once they are written and there are none left.
func (c *Client) Output() (b []byte, closing bool) {
	n := min(len(c.out), outputChunk)
	b = slices.Clone(c.out[:n])
	c.out = c.out[n:]
	if len(c.out) == 0 {
		c.out = nil
	}
	return b, c.state == clientEnded && len(c.out) == 0
}

// Deadline is when Tick wants to be called next.
func (c *Client) Deadline() (time.Time, bool) {
	var next time.Time
	for _, t := range c.timers() {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next, !next.IsZero()
}

// timers are when something is due: the bind's answer, the rest of a primitive, an answer to
// S_KEEP_ALIVE, an S_KEEP_ALIVE, the first request that is given up. Zero ones are not running.
func (c *Client) timers() [5]time.Time {
	var t [5]time.Time
	switch c.state {
	case clientEnded:
		return t
	case clientBinding:
		t[0] = c.bindBy
	case clientBound:
		if c.answers {
			t[2] = c.alive.answerBy()
		}
		if c.opts.KeepAlive > 0 && t[2].IsZero() {
			t[3] = c.alive.askAt(c.opts.KeepAlive)
		}
		for _, w := range c.waiting {
			if t[4].IsZero() || w.until.Before(t[4]) {
				t[4] = w.until
			}
		}
	}
	if !c.partial.IsZero() {
		t[1] = c.partial.Add(PartialTimeout)
	}
	return t
}

// Tick does what is due.
func (c *Client) Tick(now time.Time) {
	t := c.timers()
	due := func(i int) bool { return !t[i].IsZero() && !now.Before(t[i]) }
	switch {
	case due(0):
		c.end(ErrNoBind)
	case due(1):
		c.end(ErrPartial)
	case due(2):
		c.end(ErrNoKeepAlive)
	}
	if due(3) && c.state == clientBound {
		c.alive.ask(now)
		c.queue(KeepAlive{})
	}
	if due(4) && c.state == clientBound {
		c.giveUp(func(w waiting) bool { return !now.Before(w.until) })
	}
}

// handle does what a primitive of the node says.
func (c *Client) handle(now time.Time, p Primitive) {
	switch p := p.(type) {
	case KeepAlive:
		c.keepAlive(now)
	case BindAccepted:
		c.accepted(p)
	case BindRejected:
		if c.state != clientBinding {
			c.fault(fmt.Errorf("%w: %s", ErrUnexpected, p.Type()))
			return
		}
		c.end(&BindError{p.Reason})
	case UnbindIndication:
		c.end(&UnbindError{p.Reason})
	case UnidataIndication:
		if !p.Source.IsUnicast() {
			c.fault(fmt.Errorf("%w: from %s to %s", ErrArguments, p.Source, p.Destination))
			return
		}
		c.tell(Received{p})
	case UnidataConfirm:
		c.confirmed(p)
	case UnidataRejected:
		c.rejected(p)
	case DataFlow:
		c.off = !p.On
		c.tell(Flow(p))
	case SubnetAvailability:
		c.tell(Availability{p})
	case Management:
		if !p.Indication {
			c.fault(fmt.Errorf("%w: %s", ErrUnexpected, p.Type()))
			return
		}
		c.tell(ManagementNews{p})
	case HardLinkEstablished, HardLinkRejected, HardLinkTerminated, HardLinkIndication:
		c.tell(HardLinkNews{p})
	default: // what only clients send
		c.fault(fmt.Errorf("%w: %s", ErrUnexpected, p.Type()))
	}
}

func (c *Client) accepted(p BindAccepted) {
	if c.state != clientBinding || p.SAP != c.opts.SAP {
		c.fault(fmt.Errorf("%w: %s for SAP %d", ErrUnexpected, p.Type(), p.SAP))
		return
	}
	c.state, c.mtu = clientBound, min(int(p.MTU), MaxUPDU)
	c.tell(Accepted{c.mtu})
}

func (c *Client) keepAlive(now time.Time) {
	asked := c.alive.waiting
	if c.alive.receive(now) {
		c.queue(KeepAlive{})
		return
	}
	c.answers = c.answers || asked
}

// fault counts what a node sent and should not have; the tenth ends the conversation. Types of
// later editions do not count.
func (c *Client) fault(cause error) {
	c.tell(Fault{Cause: cause})
	if errors.Is(cause, ErrType) {
		return
	}
	if c.invalid++; c.invalid >= MaxInvalid {
		c.end(ErrInvalid)
	}
}

func (c *Client) tell(e ClientEvent) { c.events = append(c.events, e) }

// end is the end of the conversation; nothing will be told of what is waiting.
func (c *Client) end(err error) {
	if c.state == clientEnded {
		return
	}
	c.state, c.dec = clientEnded, Decoder{}
	c.giveUp(func(waiting) bool { return true })
	c.tell(Ended{err})
}

// queue queues a primitive that is known to fit.
func (c *Client) queue(p Primitive) {
	if out, err := AppendPrimitive(c.out, p); err == nil {
		c.out = out
	}
}
