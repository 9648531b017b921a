package x2x

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/peering"
)

const (
	readBytes  = 16 << 10
	batchBytes = 64 << 10
	minBatch   = 1400
	lingerTime = time.Second // for the peer to read our last words
)

// carrier is one connection with the stream on it.
type carrier struct {
	link      *Link
	conn      net.Conn // TLS, or meter
	meter     *meter
	opener    bool
	remote    netip.AddrPort
	since     time.Time
	attempt   *links.Attempt // under Link.mu
	proof     peering.Proof
	presented tlsid.Presented
	resumed   bool
	local     jid.JID // our default domain
	peerName  jid.JID // and the peer's
	ctx       context.Context
	cancel    context.CancelFunc

	wakeup  chan struct{}
	roomy   chan struct{} // receipts came: the reader may go on
	dead    chan struct{} // closed when everything of the carrier is over
	drained chan struct{} // closed when the reader is
	held    atomic.Int64  // since when our own side holds the reader, Unix nanoseconds; 0: not
	why     atomic.Pointer[string]

	fed, belowIn  uint64 // of the stream, and below it: the reader's
	sent, belowed uint64 // the same, of the writer

	smu      sync.Mutex
	receipts []uint64

	mu      sync.Mutex
	s       *Stream
	next    uint64 // token
	flight  map[uint64]links.Consignment
	spare   []byte
	plain   uint64
	saved   int64
	over    bool
	closeq  bool // close is wanted
	refused []refused
}

var _ links.Receipt = (*carrier)(nil)

// meter counts the bytes of a socket.
type meter struct {
	net.Conn
	in, out *atomic.Uint64
	reads   atomic.Uint64
	sent    atomic.Uint64
}

// Read implements net.Conn.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.in.Add(uint64(n))    //nolint:gosec // a length
	m.reads.Add(uint64(n)) //nolint:gosec // a length
	return n, err
}

// Write implements net.Conn.
func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.out.Add(uint64(n))  //nolint:gosec // a length
	m.sent.Add(uint64(n)) //nolint:gosec // a length
	return n, err
}

// secured is a connection whose other end is known.
type secured struct {
	conn      net.Conn
	meter     *meter
	proof     peering.Proof
	presented tlsid.Presented
	resumed   bool
}

func (l *Link) newCarrier(sc secured, opener bool, a *links.Attempt) *carrier {
	l.mu.Lock()
	cfg := l.cfg
	l.mu.Unlock()
	c := &carrier{
		link: l, conn: sc.conn, meter: sc.meter, opener: opener, since: time.Now(), attempt: a, proof: sc.proof, presented: sc.presented,
		resumed: sc.resumed, local: cfg.DefaultDomain, wakeup: make(chan struct{}, 1), roomy: make(chan struct{}, 1),
		dead: make(chan struct{}), drained: make(chan struct{}), flight: make(map[uint64]links.Consignment),
	}
	c.peerName, _ = jid.ParseDomain(cfg.certificateName())
	c.ctx, c.cancel = context.WithCancel(l.ctx)
	c.remote = addrPort(sc.conn)
	sf := StreamConfig{
		Mode: cfg.Mode, Opener: opener, Profile: cfg.Profile, Limits: cfg.limits(), Window: cfg.Window, Compression: cfg.Compression,
		Remote: cfg.remote, Local: cfg.Hosts, Usage: &l.usage,
	}
	if cfg.Mode == Custody {
		sf.Epoch, sf.Marks = l.set.env.Custodian.Epoch(), l.set.env.Custodian.Marks(cfg.Peer.Name)
		if i, ok := l.set.env.Custodian.(links.Issuer); ok {
			sf.Issued = i.Issued
		}
	}
	c.s = NewStream(sf)
	return c
}

func addrPort(conn net.Conn) netip.AddrPort {
	a, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// run drives the carrier until it is over.
func (c *carrier) run() {
	defer close(c.dead)
	defer c.cancel()
	stop := context.AfterFunc(c.ctx, func() { _ = c.meter.Conn.Close() })
	defer stop()
	c.mu.Lock()
	c.s.Start(time.Now())
	c.mu.Unlock()
	c.link.incident(Incident{Kind: IncidentUp, Address: c.remote, Detail: c.describe()})
	c.below(time.Now(), true, &c.belowIn, c.meter.reads.Load(), 0) // the handshake
	c.below(time.Now(), false, &c.belowed, c.meter.sent.Load(), 0)
	var wg sync.WaitGroup
	wg.Go(c.write)
	c.wake()
	c.read()
	close(c.drained)
	wg.Wait()
}

// read is the reader.
func (c *carrier) read() {
	buf := make([]byte, readBytes)
	for {
		n, err := c.conn.Read(buf)
		now := time.Now()
		c.mu.Lock()
		if n > 0 {
			c.s.Feed(now, buf[:n])
		}
		c.mu.Unlock()
		c.fed += uint64(n) //nolint:gosec // a length
		c.below(now, true, &c.belowIn, c.meter.reads.Load(), c.fed)
		for c.step(now) {
		}
		if err != nil {
			c.lost(err)
			return
		}
		if !c.waitForRoom() {
			return
		}
	}
}

// step takes one event of the stream; false when there is none. The reader's events come one at a time, so that an arrival that is held
// up holds up what is behind it.
func (c *carrier) step(now time.Time) bool {
	c.mu.Lock()
	e := c.s.Next(now)
	left := c.collect(&e)
	pending := c.s.Pending() > 0 || e.Kind == Ended
	c.mu.Unlock()
	if pending {
		c.wake()
	}
	c.handle(now, e, left)
	return e.Kind != None
}

// collect turns the tokens of an event into their consignments. Caller holds mu.
func (c *carrier) collect(e *Event) []links.Consignment {
	var out []links.Consignment
	for _, list := range [][]uint64{e.Tokens, e.Left} {
		for _, t := range list {
			out = append(out, c.flight[t])
			delete(c.flight, t)
		}
	}
	if e.Kind == Ended {
		c.over = true
	}
	return out
}

// handle carries out one event. Nothing is locked.
func (c *carrier) handle(now time.Time, e Event, consignments []links.Consignment) {
	l := c.link
	switch e.Kind {
	case None:
	case Arrived:
		c.arrive(now, &e)
	case Greeted:
		l.set.env.Custodian.Greeted(l.name, l.peerName(), e.Epoch, e.Marks)
	case Confirmed:
		var cause error
		if e.Unproven {
			cause = links.ErrUnconfirmed
		}
		for _, x := range consignments {
			l.report(x, links.Delivered, cause)
		}
		c.wake() // there is room in the window
	case Noticed:
		switch e.Word {
		case NoticeForeign:
			l.counters.Foreign.Add(1)
		case NoticeMalformed:
			l.counters.Malformed.Add(1)
		case NoticeFrame:
			l.counters.BadFrames.Add(1)
		}
		l.incident(Incident{Kind: e.Word, Address: c.remote, Detail: e.Detail, Bytes: e.Bytes})
	case Ended:
		if why := c.why.Load(); why != nil {
			e.Detail = *why
		}
		l.incident(Incident{Kind: IncidentDown, Address: c.remote, Reason: e.Condition.String(), Detail: e.Detail})
		l.detach(c, e, consignments)
		c.wake()
	}
}

func (c *carrier) arrive(now time.Time, e *Event) {
	l := c.link
	l.counters.StanzasIn.Add(1)
	in := links.Inbound{
		Stanza: e.Stanza, Malformed: e.Malformed, Bytes: e.Bytes, Link: l.name, Side: l.side(), Peer: l.peerName(), Proof: c.proof, Time: now,
		Receipt: c, Seq: e.Seq, Also: e.Also, Frame: e.Frame, Domain: c.peerName, LocalDomain: c.local,
	}
	switch {
	case e.Malformed == nil:
		in.Domain, in.LocalDomain = e.Stanza.From().DomainJID(), e.Stanza.To().DomainJID()
	case !e.Malformed.From.IsZero():
		in.Domain = e.Malformed.From.DomainJID()
		if !e.Malformed.To.IsZero() && l.hosts(e.Malformed.To.DomainJID()) {
			in.LocalDomain = e.Malformed.To.DomainJID()
		}
	}
	c.held.Store(now.UnixNano())
	l.set.sink.Accept(c.ctx, in)
	c.held.Store(0)
}

// Settled implements links.Receipt.
func (c *carrier) Settled(seq uint64) {
	c.smu.Lock()
	c.receipts = append(c.receipts, seq)
	c.smu.Unlock()
	c.wake()
}

// waitForRoom holds the reader while too much is unsettled; false when the carrier is over.
func (c *carrier) waitForRoom() bool {
	for {
		c.mu.Lock()
		paused, over := c.s.Paused(), c.over
		c.mu.Unlock()
		if !paused || over { // when it is over, what comes is thrown away, so that the peer can read our last words

			c.held.Store(0)
			return true
		}
		c.held.CompareAndSwap(0, time.Now().UnixNano())
		select {
		case <-c.roomy:
		case <-c.ctx.Done():
		}
		if c.ctx.Err() != nil {
			c.lost(c.ctx.Err())
			return false
		}
	}
}

func (c *carrier) lost(err error) {
	c.mu.Lock()
	c.s.Lost("the connection broke: " + plainly(err))
	c.mu.Unlock()
	for c.step(time.Now()) {
	}
}

// abandon ends the carrier at once.
func (c *carrier) abandon(why string) {
	c.why.CompareAndSwap(nil, &why)
	c.cancel()
}

// close ends it in order: what is queued for it has gone to the socket before.
func (c *carrier) close() {
	c.mu.Lock()
	c.closeq = true
	c.mu.Unlock()
	c.wake()
}

func (c *carrier) wake() {
	select {
	case c.wakeup <- struct{}{}:
	default:
	}
}

// describe says what carries, for an operator.
func (c *carrier) describe() string {
	text := "TCP in clear"
	if c.proof.TLS != 0 {
		text = tls.VersionName(c.proof.TLS)
		if c.proof.Pinned {
			text += ", pinned key"
		}
		if c.resumed {
			text += ", resumed"
		}
	}
	if c.opener {
		return text + ", opened by us"
	}
	return text + ", opened by the peer"
}

func (l *Link) peerName() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cfg.Peer.Name
}

func (l *Link) side() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cfg.Side
}

func (l *Link) hosts(d jid.JID) bool {
	l.mu.Lock()
	f := l.cfg.Hosts
	l.mu.Unlock()
	return f(d)
}
