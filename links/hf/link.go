package hf

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/links/x2x"
	"sallyport/s5066/sis"
)

// Bounds of a link.
const (
	maxReserve = 30 * time.Second // how long a sender is held back for a full queue
	maxInbox   = 256              // events that wait for the sink
)

// Link is a client of a STANAG 5066 node that carries stanzas to one peer. All methods are safe for concurrent use. mu guards the machine
// and all that follows it; Sink, Reporter, Custodian, Watcher and Observer are called without it.
type Link struct {
	cfg    Config
	env    Env
	sink   links.Sink
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	usage  links.Usage
	clock  func() time.Time // time.Now; that of its owner when it is Stepped
	draw   func() uint16

	failures int  // running; run's
	told     bool // the watcher knows of a turn; run's

	mu       sync.Mutex
	line     machine
	wake     chan struct{} // the pump is to look
	arrivals chan struct{} // the inbox has something
	taken    chan struct{} // closed and replaced when the inbox has room again
	inbox    []event
	reports  []event
	failing  string // why the turn is to end
	renew    bool   // and that it is to begin again at once
	flight   map[uint64]links.Consignment
	last     uint64 // token
	state    links.State
	since    time.Time
	retry    time.Time
	story    links.Story
	turn     uint64 // 0: nothing is taken
	turns    uint64
	held     bool // the node takes no data
	mute     bool // the node may not transmit
	silent   bool // we may not
	count    int  // stanzas and bytes promised or in the link's care
	bytes    int
	room     chan struct{} // closed and replaced when room is freed
	asked    map[uint64]time.Time
	uncoded  int // bytes of stanzas that are not yet in a U_PDU
	traffic  links.Traffic
	quality  links.Quality
	mtu      int
}

var (
	_ links.Outlet  = (*Link)(nil)
	_ links.Turns   = (*Link)(nil)
	_ links.Receipt = (*Link)(nil)
)

// NewLink makes a link. Nothing runs before Start.
func NewLink(cfg Config, sink links.Sink, env Env) (*Link, error) {
	return newLink(cfg, sink, env, time.Now, draw)
}

func newLink(cfg Config, sink links.Sink, env Env, clock func() time.Time, draw func() uint16) (*Link, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if sink == nil || cfg.Custody() && env.Custodian == nil {
		return nil, errors.New("hf: link without a sink, or custody without a spool")
	}
	cfg.withDefaults()
	l := &Link{
		cfg: cfg, env: env, sink: sink, wake: make(chan struct{}, 1), arrivals: make(chan struct{}, 1), taken: make(chan struct{}),
		flight: make(map[uint64]links.Consignment), since: clock(), room: make(chan struct{}), asked: make(map[uint64]time.Time), silent: cfg.Silent, clock: clock, draw: draw,
	}
	l.line = l.newMachine()
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

func (l *Link) newMachine() machine {
	var issued func() uint64
	if l.env.Custodian != nil {
		if i, ok := l.env.Custodian.(links.Issuer); ok {
			issued = i.Issued
		}
	}
	switch l.cfg.Mode {
	case Compact:
		return newCompact(&l.cfg, issued, l.draw)
	case Stream:
		return newStream(&l.cfg, issued, l.draw)
	case RCOP, NoMode: // NoMode is not valid
	}
	return newRCOP(&l.cfg, uint8(l.draw())) //nolint:gosec // any will do
}

// draw gives numbers that nobody can expect.
func draw() uint16 {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint16(b[:])
}

// Start begins to look for the node.
func (l *Link) Start() {
	l.wg.Go(l.run)
	l.wg.Go(l.hand)
}

// Shutdown ends the link; every consignment has had its report when it returns.
func (l *Link) Shutdown() {
	l.cancel()
	l.wg.Wait()
}

// SetSilent keeps the link from transmitting (EMCON), or lets it again. What comes in is taken, and acknowledged afterwards.
func (l *Link) SetSilent(silent bool) {
	l.tell(func() { l.silent = silent })
	l.poke()
}

// Renew ends the turn, so that the next one begins with what the custodian says by then.
func (l *Link) Renew() {
	if l.cfg.Custody() {
		l.tell(func() { l.renew = true })
		l.poke()
	}
}

func (l *Link) tell(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *Link) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Turn implements links.Turns.
func (l *Link) Turn() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turn
}

// Reserve implements links.Outlet.
func (l *Link) Reserve(ctx context.Context, _, remote jid.JID, bytes int) error {
	if !l.cfg.Remote(remote.DomainJID()) {
		return &links.Bounce{Condition: stanza.RemoteServerNotFound, Cause: links.ErrNoRoute}
	}
	if bytes > maxStanza {
		return links.ErrTooBig
	}
	ctx, stop := context.WithTimeout(ctx, maxReserve)
	defer stop()
	for {
		ok, room := l.take(bytes)
		if ok {
			return nil
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.ctx.Done():
			return links.ErrClosed
		}
	}
}

// take takes room for a stanza, or says what is closed when there may be some.
func (l *Link) take(bytes int) (ok bool, room <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count >= l.cfg.QueueStanzas || l.count > 0 && l.bytes+bytes > l.cfg.QueueBytes {
		return false, l.room
	}
	l.count++
	l.bytes += bytes
	return true, nil
}

// Unreserve gives back the room of a Reserve that no Deliver will follow. Promises are not numbered: each is worth their mean.
func (l *Link) Unreserve() { l.tell(l.free) }

// free gives room back. Caller holds mu.
func (l *Link) free() {
	if l.count == 0 {
		return
	}
	l.bytes -= l.bytes / l.count
	l.count--
	close(l.room)
	l.room = make(chan struct{})
}

// Deliver implements links.Outlet.
func (l *Link) Deliver(c links.Consignment) {
	if d, cause := l.deliver(c); cause != nil {
		l.tell(l.free)
		c.Reporter.Report(c.Token, d, cause)
		return
	}
	l.poke()
}

func (l *Link) deliver(c links.Consignment) (links.Disposition, error) {
	if err := c.Released.Check(l.cfg.Name, c.Released.Remote()); err != nil {
		return links.Failed, errors.Join(links.ErrRefused, err)
	}
	list, err := x2x.List(l.cfg.Name, &c)
	if err != nil {
		return links.Failed, err
	}
	it := item{element: c.Released.Element(), list: list, frame: c.Frame, lane: min(c.Lane, links.Lanes-1), expires: c.Released.Expires()}
	for i := range c.Also {
		it.also = append(it.also, c.Also[i].Stanza().To())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ctx.Err() != nil && !l.cfg.Custody():
		return links.Failed, links.ErrClosed
	case l.cfg.Custody() && !c.Frame.Valid():
		return links.Failed, links.ErrNoCustody
	case l.cfg.Custody() && (l.turn == 0 || c.Turn != l.turn):
		return links.Returned, links.ErrStaleTurn
	}
	l.last++
	it.token = l.last
	l.flight[it.token] = c
	now := l.clock()
	size := l.line.put(now, it)
	l.uncoded += size
	l.used(now, &c, size)
	l.sort()
	return links.Unknown, nil
}

// sort takes what the machine tells. Caller holds mu.
func (l *Link) sort() {
	for _, e := range l.line.events() {
		switch e.kind {
		case reported:
			l.reports = append(l.reports, e)
		case failing:
			l.failing = e.detail
		case arrived, greeted, noticed:
			l.inbox = append(l.inbox, e)
		}
	}
	if len(l.inbox) > 0 {
		select {
		case l.arrivals <- struct{}{}:
		default:
		}
	}
}

// flush reports what has ended. Only run and what it calls does that, so that the words come in order.
func (l *Link) flush() {
	type word struct {
		links.Consignment
		d     links.Disposition
		cause error
	}
	var all []word
	l.mu.Lock()
	for _, e := range l.reports {
		for _, t := range e.tokens {
			c, ok := l.flight[t]
			if !ok {
				continue
			}
			delete(l.flight, t)
			l.free()
			if e.disposition == links.Delivered {
				l.traffic.StanzasOut++
			}
			all = append(all, word{c, e.disposition, e.cause})
		}
	}
	l.reports = nil
	l.mu.Unlock()
	for _, w := range all {
		w.Reporter.Report(w.Token, w.d, w.cause)
	}
}

// Settled implements links.Receipt.
func (l *Link) Settled(seq uint64) {
	l.tell(func() {
		l.line.settled(l.clock(), seq)
		l.sort()
	})
	l.poke()
}

// noteOutcome takes what the node says of a request.
func (l *Link) noteOutcome(id uint64, o outcome) {
	now := l.clock()
	l.tell(func() {
		if at, ok := l.asked[id]; ok && o.confirmed {
			l.quality.Observe(now.Sub(at))
		}
		delete(l.asked, id)
		l.line.outcome(now, id, o)
		l.sort()
	})
	l.poke()
}

// received takes a U_PDU from the air, if it is the peer's.
func (l *Link) received(p *sis.UnidataIndication) {
	now := l.clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.traffic.BytesIn += uint64(len(p.Data))
	l.usage.Add(now, links.Use{Inbound: true, Lane: links.NoLane, Content: links.Framing, Plain: uint64(len(p.Data)), Wire: uint64(len(p.Data))})
	if p.Source != l.cfg.Address || p.SourceSAP != l.cfg.SAP {
		l.traffic.Refused++
		l.inbox = append(l.inbox, event{kind: noticed, word: NoticeSource, detail: "from " + p.Source.String() + ", SAP " + p.SourceSAP.String(), bytes: len(p.Data)})
	} else {
		l.line.heard(now, p)
	}
	l.sort()
	l.poke()
}
