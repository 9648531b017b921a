package s2s

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// serverStream is one TCP connection with the stream on it.
type serverStream struct {
	link    *Link
	role    stream.Role
	purpose stream.Purpose
	side    string
	peer    *Peer   // as initiator; nil as responder
	key     pairKey // as initiator
	remote  netip.AddrPort
	since   time.Time
	ctx     context.Context
	cancel  context.CancelFunc
	log     *zap.Logger

	wire *wire
	conn net.Conn // wire, or TLS above it; replaced by the reader under wmu
	dec  *xmlstream.Decoder

	signalled    atomic.Bool   // a wakeup is on its way
	wakeup       chan struct{} // to the writer
	resumed      chan struct{} // to the reader: receipts came
	ackDue       atomic.Bool
	finishing    atomic.Bool   // write what waits, then close
	held         atomic.Bool   // the reader is kept waiting by our own side
	drained      chan struct{} // closed by the reader when it ends
	discardUntil time.Time     // the reader's: when an oversized element must have ended
	limits       atomic.Pointer[xmlstream.Limits]

	wmu sync.Mutex // socket writing; taken before mu

	mu       sync.Mutex
	m        *stream.Machine
	out      []byte
	spare    []byte
	order    *stream.StartTLS // for the reader
	arrivals []stream.Arrival // for the reader
	deadline time.Time
	lanes    []*lane
	turn     int // the lane that was served last
	flight   *flight
	resuming *flight
	inbound  map[stream.Pair]*proven
	last     *proven // of the newest arrival
	lastPair stream.Pair
	outbound map[stream.Pair]bool // value: a certificate names the remote
	cert     *certificate
	version  uint16 // TLS
	cipher   uint16
	ready    stream.Ready
	isReady  bool
	isProven bool
	detached bool      // its session was resumed on another stream
	counted  bool      // among Link.unproven; under Link.mu
	holdOff  time.Time // as responder: nothing is sent before, unless stream management is on; see enableGrace
	closed   *stream.Closed
	ping     ping
	verify   func(stream.KeyAnswer) // as ForVerify
	outcome  chan error             // as initiator: nil once the first pair is authorised; buffered
	dead     chan struct{}          // closed by the writer when the socket is closed
}

// lane is a queue served by a stream, with what was taken from it and has not been written. Under stream.mu.
type lane struct {
	q       *queue
	pending []queued // pending[next:]
	next    int
	stuck   bool // the window is full: wait for a confirmation
	gone    bool // the pair is not carried any longer
}

// proven is what stanzas of an inbound pair carry upward.
type proven struct {
	peer  string
	proof peering.Proof
}

// certificate is the peer's, judged anew at each use under the table of now (XEP-0344, reload). It implements stream.Certificate.
type certificate struct {
	s         *serverStream
	presented tlsid.Presented
}

// Proves implements stream.Certificate.
func (c *certificate) Proves(domain jid.JID) bool {
	_, reason := c.judge(domain)
	if reason != tlsid.OK {
		c.s.observe(Event{Kind: EventCertificate, Remote: domain, Reason: reason.String()})
	}
	return reason == tlsid.OK
}

func (c *certificate) judge(domain jid.JID) (*tlsid.Verified, tlsid.Reason) {
	p := c.s.link.table().peerOn(c.s.side, domain)
	if p == nil {
		return nil, tlsid.NotChecked
	}
	v := p.Identity.Verify(c.presented, time.Now())
	_, reason := v.Match(domain.Domain())
	return v, reason
}

// newStream makes a stream on a connection. The caller starts it with run.
func (l *Link) newStream(ctx context.Context, conn net.Conn, side string, role stream.Role) *serverStream {
	s := &serverStream{
		link: l, role: role, side: side, since: time.Now(), wire: newWire(conn, l.table().limits.WriteTimeout),
		wakeup: make(chan struct{}, 1), resumed: make(chan struct{}, 1), dead: make(chan struct{}), drained: make(chan struct{}),
		inbound: make(map[stream.Pair]*proven), outbound: make(map[stream.Pair]bool), outcome: make(chan error, 1),
	}
	s.conn = s.wire
	s.ctx, s.cancel = context.WithCancel(ctx)
	if a, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		s.remote = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	s.log = l.log.With(zap.String("side", side), zap.Stringer("role", role), zap.String("address", conn.RemoteAddr().String()))
	return s
}

// config is the machine's configuration, shared by both roles.
func (s *serverStream) config(t *table) stream.Config {
	sd := t.sides[s.side]
	cfg := stream.Config{
		Purpose: s.purpose, Rand: s.link.env.Rand, Secret: t.secret, OfferTLS: t.cfg.Keys != nil, Timing: t.timingFor(s.peer), Manage: t.cfg.Manage,
		Hosted: func(d jid.JID) bool { return s.link.table().hosts(s.side, d) },
		Relays: func(remote, from jid.JID) bool { return s.link.table().relays(s.side, remote, from) },
		Policy: func(_, remote jid.JID) stream.Policy { return s.link.table().policy(s.side, remote, s.version) },
	}
	if sd != nil {
		cfg.Local, cfg.Elements = sd.DefaultDomain, sd.elements
	}
	if s.peer != nil {
		cfg.Local, cfg.Remote, cfg.Elements = s.key.local, s.key.remote, t.limitsFor(s.peer)
	}
	return cfg
}

// setup gives the stream its machine. resume is the flight of a lost session, or nil.
func (s *serverStream) setup(resume *flight) {
	t := s.link.table()
	cfg := s.config(t)
	if resume != nil {
		cfg.Resume, s.resuming = resume.session, resume
		resume.owner.Store(s) // the last receipt of the lost stream is what the machine waits for
	}
	if s.role == stream.Initiator {
		s.m = stream.NewInitiator(cfg)
	} else {
		s.m = stream.NewResponder(cfg)
	}
	s.dec = xmlstream.NewDecoder(xmlstream.Options{Limits: cfg.FirstLimits(), ContentNS: xmlstream.NSServer})
	s.adopt()
}

// adopt makes the flight the one of the machine's session. What was written on this stream before a session took it over stays in the
// air beside what the session brings. Caller holds mu, or nobody else knows the stream yet.
func (s *serverStream) adopt() {
	session, before := s.m.Session(), s.flight
	switch {
	case before != nil && before.session == session:
		return
	case s.resuming != nil && s.resuming.session == session:
		s.flight, s.resuming = s.resuming, nil
	default:
		s.flight = newFlight(session)
	}
	s.flight.owner.Store(s)
	if before != nil {
		before.moveTo(s.flight)
	}
}

// run drives the stream until its connection is closed. direct says that TLS comes first (XEP-0368).
func (s *serverStream) run(direct bool) {
	defer s.cancel()
	stop := context.AfterFunc(s.ctx, func() { _ = s.wire.Conn.Close() })
	defer stop()
	var start stream.Start
	if direct {
		facts, err := s.handshake(s.role == stream.Responder, s.key.local, s.key.remote, true)
		if err != nil {
			s.link.counters.TLSFailed.Add(1)
			s.observe(Event{Kind: EventDown, Reason: "tls-failed", Detail: clean(err.Error())})
			s.fail(err)
			_ = s.wire.Conn.Close()
			close(s.dead)
			return
		}
		start.TLS = &facts
	}
	var wg sync.WaitGroup
	wg.Go(s.write)
	s.step(start)
	s.read()
	close(s.drained)
	wg.Wait()
}

// handshake makes TLS on the wire and puts it into place. Under STARTTLS the caller has seen to it that everything before was flushed.
func (s *serverStream) handshake(server bool, local, remote jid.JID, direct bool) (stream.TLSFacts, error) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	t := s.link.table()
	o := tlsid.Options{Keys: t.cfg.Keys, Domain: local.Domain(), Remote: remote.Domain(), Direct: direct}
	if p := t.peerOn(s.side, remote); p != nil {
		o.MinTLS = p.Identity.MinTLS
	}
	var conn *tls.Conn
	peerRole := tlsid.Responder
	if server {
		conn, peerRole = tls.Server(s.wire, tlsid.ServerConfig(o)), tlsid.Initiator
	} else {
		cfg, err := tlsid.ClientConfig(o)
		if err != nil {
			return stream.TLSFacts{}, err
		}
		conn = tls.Client(s.wire, cfg)
	}
	ctx, cancel := context.WithTimeout(s.ctx, t.limits.Handshake)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return stream.TLSFacts{}, err
	}
	cs := conn.ConnectionState()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.version, s.cipher = conn, cs.Version, cs.CipherSuite
	facts := stream.TLSFacts{Version: cs.Version, Cipher: cs.CipherSuite}
	if len(cs.PeerCertificates) > 0 {
		s.cert = &certificate{s: s, presented: tlsid.FromState(&cs, peerRole)}
		facts.Peer = s.cert
	}
	return facts, nil
}

// wake makes the writer look.
func (s *serverStream) wake() {
	if s.signalled.CompareAndSwap(false, true) {
		s.wakeup <- struct{}{}
	}
}

// fail tells whoever waits for the outcome of an initiator.
func (s *serverStream) fail(err error) {
	select {
	case s.outcome <- err:
	default:
	}
}

func (s *serverStream) observe(e Event) {
	e.Link, e.Side, e.Address = s.link.name, s.side, s.remote
	if p := s.link.table().peerOn(s.side, e.Remote); p != nil {
		e.Peer = p.Name
	}
	s.link.env.Observer.Observe(e)
}
