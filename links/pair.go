package links

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
)

// pairQueueBytes is how much an End holds for the other one before Reserve blocks.
const pairQueueBytes = 4 << 20

// Lossy says how bad the network between the two ends of a Pair is. The zero value is perfect.
type Lossy struct {
	Rate  int64         // bytes per second; 0 is unlimited
	Delay time.Duration // one way
	Drop  float64       // share of stanzas that vanish, 0 to 1
	Seed  uint64        // of the dice for Drop
}

// End is one end of an in-memory link: an Outlet towards the other end, and a source of Inbound for a Sink.
// Set the exported fields before the first use.
type End struct {
	Link, Side, Peer string        // as they appear in Inbound, and the link name a Released must carry
	Proof            peering.Proof // as it appears in Inbound

	net   Lossy
	other *End

	mu       sync.Mutex
	dice     *rand.Rand
	held     int           // bytes reserved towards other and not yet taken by it
	room     chan struct{} // closed and replaced whenever held shrinks
	inbox    []parcel      // what other sent to us
	arrived  chan struct{}
	lineFree time.Time
}

// parcel is a consignment on the wire.
type parcel struct {
	c     Consignment
	bytes int
	at    time.Time
	lost  bool
}

// Pair returns two ends of one link, for tests: time is the time package's, so that testing/synctest drives it.
func Pair(l Lossy) (a, b *End) {
	a, b = newEnd(l), newEnd(l)
	a.other, b.other = b, a
	b.dice = rand.New(rand.NewPCG(l.Seed, 2)) //nolint:gosec // dice of a test network
	return a, b
}

func newEnd(l Lossy) *End {
	return &End{
		Link: "pair", net: l, room: make(chan struct{}), arrived: make(chan struct{}, 1),
		dice: rand.New(rand.NewPCG(l.Seed, 1)), //nolint:gosec // dice of a test network
	}
}

// Reserve implements Outlet.
func (e *End) Reserve(ctx context.Context, _, _ jid.JID, bytes int) error {
	if bytes > pairQueueBytes {
		return ErrTooBig
	}
	for {
		e.mu.Lock()
		if e.held+bytes <= pairQueueBytes {
			e.held += bytes
			e.mu.Unlock()
			return nil
		}
		room := e.room
		e.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Deliver implements Outlet.
func (e *End) Deliver(c Consignment) {
	if err := c.Released.Check(e.Link, c.Released.Remote()); err != nil {
		c.Reporter.Report(c.Token, Failed, err)
		return
	}
	e.mu.Lock()
	p := parcel{c: c, bytes: e.size(c), lost: e.dice.Float64() < e.net.Drop}
	p.at = e.transmitted(p.bytes).Add(e.net.Delay)
	e.mu.Unlock()
	e.other.push(p)
}

// size is what a parcel weighs on the line. The true size is the canonical writer's business; this is for rate and room only.
func (e *End) size(c Consignment) int {
	b, err := appendStanza(nil, c.Released)
	if err != nil {
		return 0
	}
	return len(b)
}

// transmitted returns when the last byte of a parcel has left, the line being busy one parcel at a time.
func (e *End) transmitted(bytes int) time.Time {
	now := time.Now()
	if e.net.Rate <= 0 {
		return now
	}
	if e.lineFree.Before(now) {
		e.lineFree = now
	}
	e.lineFree = e.lineFree.Add(time.Duration(int64(bytes) * int64(time.Second) / e.net.Rate))
	return e.lineFree
}

func (e *End) push(p parcel) {
	e.mu.Lock()
	e.inbox = append(e.inbox, p)
	e.mu.Unlock()
	select {
	case e.arrived <- struct{}{}:
	default:
	}
}

// Run hands what arrives to the sink until ctx ends. What is still on the wire then is reported InDoubt.
func (e *End) Run(ctx context.Context, sink Sink) {
	defer e.abandon()
	for {
		e.mu.Lock()
		batch := e.inbox
		e.inbox = nil
		e.mu.Unlock()
		for i, p := range batch {
			if !sleepUntil(ctx, p.at) {
				e.mu.Lock()
				e.inbox = append(batch[i:], e.inbox...)
				e.mu.Unlock()
				return
			}
			e.receive(ctx, sink, p)
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-e.arrived:
		case <-ctx.Done():
			return
		}
	}
}

func (e *End) receive(ctx context.Context, sink Sink, p parcel) {
	e.other.release(p.bytes)
	r := p.c.Released
	if p.lost {
		p.c.Reporter.Report(p.c.Token, InDoubt, ErrLost)
		return
	}
	s, err := stanza.From(r.Element())
	if err != nil {
		p.c.Reporter.Report(p.c.Token, Failed, err)
		return
	}
	sink.Accept(ctx, Inbound{
		Stanza: s, Bytes: p.bytes, Link: e.Link, Side: e.Side, Peer: e.Peer, Proof: e.Proof,
		Domain: r.Local(), LocalDomain: r.Remote(), Time: time.Now(), Receipt: confirm(p.c),
	})
}

// confirm is the acknowledgement of a pair: settled at one end is delivered at the other.
type confirm Consignment

// Settled implements Receipt.
func (c confirm) Settled(uint64) { c.Reporter.Report(c.Token, Delivered, nil) }

func (e *End) release(bytes int) {
	e.mu.Lock()
	e.held = max(e.held-bytes, 0)
	close(e.room)
	e.room = make(chan struct{})
	e.mu.Unlock()
}

func (e *End) abandon() {
	e.mu.Lock()
	batch := e.inbox
	e.inbox = nil
	e.mu.Unlock()
	for _, p := range batch {
		p.c.Reporter.Report(p.c.Token, InDoubt, ErrLost)
	}
}

func sleepUntil(ctx context.Context, t time.Time) bool {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
