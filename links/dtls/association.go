package dtls

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/sctp"

	"sallyport/links"
	"sallyport/peering"
)

// Why an association ends.
var (
	errSilent = errors.New("dtls: the neighbour has not answered for too long")
	errLost   = errors.New("dtls: the neighbour closed the association, or it broke")
	errLate   = errors.New("dtls: not established in time")
	errForm   = errors.New("dtls: the neighbour opened a stream that nobody agreed on")
	// ErrTooBig: a message longer than Config.MaxMessage.
	ErrTooBig = errors.New("dtls: message too big")
)

// drainPace is how often an association that is being closed looks whether all is acknowledged.
const drainPace = 20 * time.Millisecond

// Association is one neighbour: DTLS, and SCTP's streams within it. Lanes are ordered and keep the bounds of messages; a loss holds up
// only the lane it hit. All methods are safe for concurrent use.
type Association struct {
	endpoint *Endpoint
	key      Key
	cid      CID
	dialled  *Peer // nil when the neighbour opened
	wire     *wire
	since    time.Time

	tuning tuning
	known  known
	dtls   *dtls.Conn
	secure *secure
	sctp   *sctp.Association
	lanes  []*lane

	control sync.Mutex // held while a challenge is on its way out
	tally   tally
	given   atomic.Uint64 // bytes of messages, to SCTP
	taken   atomic.Uint64 // and from it
	rate    rate          // under mu

	up      atomic.Bool
	heard   atomic.Int64  // unix nanoseconds of the last authentic message
	poked   atomic.Int64  // of the last heartbeat of ours
	content time.Time     // when look last found nothing that waits for an answer; look's
	doubted chan struct{} // silent for a while, with something under way
	ended   chan struct{}
	once    sync.Once
	cleared chan struct{}
	err     error // set before ended is closed

	mu      sync.Mutex
	opening bool // establish is at work, and will clear up after itself
}

func newAssociation(e *Endpoint, k Key, cid CID, p *Peer) *Association {
	a := &Association{
		endpoint: e, key: k, cid: cid, dialled: p, wire: newWire(e, k), since: time.Now(), opening: true,
		doubted: make(chan struct{}, 1), ended: make(chan struct{}), cleared: make(chan struct{}),
	}
	profile := e.mostPatient()
	if p != nil {
		profile = p.Profile
	}
	a.tuning = tune(profile, e.cfg.Limits, e.cfg.Lanes)
	a.heard.Store(a.since.UnixNano())
	return a
}

// establish makes the handshakes of DTLS and SCTP. Both sides open in SCTP (RFC 9260 §5.2.1 makes one association of it): the INIT of the one
// that accepted in DTLS follows its Finished, which saves the other a round trip before its first message. And pion begins with slow start
// only where an INIT of its own was answered.
func (a *Association) establish(ctx context.Context) error {
	var who known
	verify := func(s *dtls.State) (err error) {
		who, err = a.endpoint.cfg.judge(s, a.dialled, time.Now())
		return err
	}
	to, _ := a.endpoint.addressOf(a.key)
	var err error
	if p := a.dialled; p != nil {
		a.dtls, err = dtls.ClientWithOptions(a.wire, address(to), a.endpoint.client(p, a.cid, a.tuning, verify)...)
	} else {
		a.dtls, err = dtls.ServerWithOptions(a.wire, address(to), a.endpoint.server(a.cid, a.tuning, verify)...)
	}
	if err != nil {
		return err
	}
	a.wire.newest = a.dtls.RemoteAddr
	if err := a.dtls.HandshakeContext(ctx); err != nil {
		return err
	}
	if who.peer == nil {
		return ErrIdentity // VerifyConnection was never called: cannot be, and shall not pass
	}
	if from, ok := a.endpoint.addressOf(a.key); !ok || !who.peer.admits(from.Addr()) {
		return fmt.Errorf("%w: peer %q may not come from %v", ErrIdentity, who.peer.Name, from.Addr())
	}
	a.known = who
	a.tuning = tune(who.peer.Profile, a.endpoint.cfg.Limits, a.endpoint.cfg.Lanes)
	if err := a.associate(ctx); err != nil {
		return err
	}
	a.endpoint.established(a.key, a.tuning.pace)
	a.heard.Store(time.Now().UnixNano())
	a.mu.Lock()
	a.opening = false
	a.mu.Unlock()
	a.up.Store(true)
	return nil
}

// associate makes the SCTP association and its lanes.
func (a *Association) associate(ctx context.Context) error {
	a.secure = &secure{Conn: a.dtls, a: a}
	stop := context.AfterFunc(ctx, func() { _ = a.secure.Close() })
	defer stop()
	cfg := sctp.Config{
		NetConn: a.secure, LoggerFactory: silence(), EnableZeroChecksum: true, MTU: payloadMTU,
		MaxReceiveBufferSize: uint32(a.tuning.recvBuffer), MaxMessageSize: uint32(a.endpoint.cfg.MaxMessage), //nolint:gosec // bounded
		RTOMax: float64(a.tuning.rtoMax.Milliseconds()), MinCwnd: uint32(a.tuning.minWindow), //nolint:gosec // bounded
		CwndCAStep: uint32(a.tuning.grow), //nolint:gosec // bounded
	}
	var err error
	if a.sctp, err = sctp.Client(cfg); err != nil {
		return errors.Join(err, ctx.Err())
	}
	a.secure.whole.Store(true)
	for i := range a.endpoint.cfg.Lanes {
		l, err := newLane(a, uint16(i)) //nolint:gosec // at most maxLanes
		if err != nil {
			return err
		}
		a.lanes = append(a.lanes, l)
	}
	a.endpoint.background(a.watch)
	return nil
}

// watch waits for the end of SCTP. Streams beyond the lanes are nothing anybody agreed on; a lane comes here when the neighbour sent on
// it before we had opened ours, which is then the same.
func (a *Association) watch() {
	for {
		s, err := a.sctp.AcceptStream()
		switch {
		case err != nil:
			a.stop(errLost)
			return
		case int(s.StreamIdentifier()) >= a.endpoint.cfg.Lanes:
			a.stop(errForm)
			return
		}
	}
}

// Peer is the name of the configured peer that proved itself.
func (a *Association) Peer() string {
	if a.known.peer == nil {
		return ""
	}
	return a.known.peer.Name
}

// Proof says how it proved itself.
func (a *Association) Proof() peering.Proof { return a.known.proof }

// Opener reports whether we opened it.
func (a *Association) Opener() bool { return a.dialled != nil }

// Address is where the neighbour is now.
func (a *Association) Address() netip.AddrPort {
	to, _ := a.endpoint.addressOf(a.key)
	return to
}

// Lanes is how many there are.
func (a *Association) Lanes() int { return len(a.lanes) }

// Done is closed when the association has ended; Err says why.
func (a *Association) Done() <-chan struct{} { return a.ended }

// Err is nil until Done is closed.
func (a *Association) Err() error {
	select {
	case <-a.ended:
		return a.err
	default:
		return nil
	}
}

// Quality is what was measured since the association began: SCTP's smoothed round trip (RFC 9260 §6.3.1), the share of our data that was
// lost, and what was acknowledged and received while something was under way.
func (a *Association) Quality() links.Quality {
	a.mu.Lock()
	bits := a.rate.bitsPerSecond()
	a.mu.Unlock()
	loss, measured := a.tally.loss()
	return links.Quality{
		RoundTrip: time.Duration(a.sctp.SRTT() * float64(time.Millisecond)), Loss: loss, LossMeasured: measured, BitsPerSecond: bits, Since: a.since,
	}
}

// Traffic returns the bytes of datagrams that crossed.
func (a *Association) Traffic() (in, out uint64) { return a.wire.in.Load(), a.wire.out.Load() }

// Unconfirmed is how many bytes were sent and are not acknowledged by the neighbour's SCTP.
func (a *Association) Unconfirmed() int { return a.sctp.BufferedAmount() }

// Close ends it in order: what was sent is acknowledged first, unless ctx ends before.
func (a *Association) Close(ctx context.Context) error {
	err := a.drain(ctx)
	if err == nil {
		err = a.sctp.Shutdown(ctx)
	}
	a.stop(ErrClosed)
	return err
}

// drain waits until everything is acknowledged: pion's Shutdown passes over what has not been sent yet.
func (a *Association) drain(ctx context.Context) error {
	t := time.NewTicker(drainPace)
	defer t.Stop()
	for a.sctp.BufferedAmount() > 0 {
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-a.ended:
			return a.err
		}
	}
	return nil
}

// stop ends it from outside of establish.
func (a *Association) stop(cause error) {
	a.mu.Lock()
	opening := a.opening
	a.mu.Unlock()
	if opening {
		_ = a.wire.Close() // establish fails by this, and ends it
		return
	}
	a.end(cause)
}

// end ends it at once. It returns when nothing of it runs.
func (a *Association) end(cause error) {
	a.once.Do(func() {
		a.up.Store(false)
		a.err = cause
		close(a.ended)
		if a.sctp != nil {
			_ = a.sctp.Close()
		}
		if a.dtls != nil {
			_ = a.dtls.Close()
		}
		_ = a.wire.Close()
		a.endpoint.forget(a.key)
		close(a.cleared)
	})
	<-a.cleared
}

// look measures, and says whether a probe is due after a silence, and whether the neighbour is gone: it has not answered for as long as an
// answer may take. Caller may hold any lock.
func (a *Association) look(now time.Time) (probe, gone bool) {
	if !a.up.Load() {
		return false, false
	}
	under := a.sctp.BufferedAmount()
	through := a.given.Load() + a.taken.Load() - uint64(under) //nolint:gosec // not negative
	a.mu.Lock()
	a.rate.sample(now, through, under > 0)
	a.mu.Unlock()
	silent := now.Sub(time.Unix(0, a.heard.Load()))
	poked := time.Unix(0, a.poked.Load())
	if a.tuning.heartbeat > 0 && silent >= a.tuning.heartbeat && now.Sub(poked) >= a.tuning.heartbeat {
		a.poked.Store(now.UnixNano())
		return true, false
	}
	if under == 0 && !poked.After(time.Unix(0, a.heard.Load())) {
		a.content = now
		return false, false
	}
	silent = min(silent, now.Sub(a.content)) // before that there was nothing to answer
	if silent >= a.tuning.doubt {
		select {
		case a.doubted <- struct{}{}:
		default:
		}
	}
	return false, silent >= a.tuning.patience
}

// probe asks for a sign of life. A HEARTBEAT of SCTP would be for that, but what pion sends under this name is empty, and is not answered.
func (a *Association) probe() {
	a.control.Lock()
	defer a.control.Unlock()
	_, _ = a.dtls.Write(appendControl(nil, controlProbe, Token{}))
}

// challenge asks a new address for an answer.
func (a *Association) challenge(to netip.AddrPort, t Token) {
	a.control.Lock()
	defer a.control.Unlock()
	if !a.up.Load() {
		return
	}
	a.wire.towards(to)
	_, _ = a.dtls.Write(appendControl(nil, controlChallenge, t))
	a.wire.towards(netip.AddrPort{})
}

// controlled deals with a control message.
func (a *Association) controlled(typ byte, t Token) {
	switch typ {
	case controlChallenge:
		a.control.Lock()
		defer a.control.Unlock()
		_, _ = a.dtls.Write(appendControl(nil, controlAnswer, t))
	case controlAnswer:
		a.endpoint.answered(a.key, t)
	case controlProbe:
		a.control.Lock()
		defer a.control.Unlock()
		_, _ = a.dtls.Write(appendControl(nil, controlEcho, t))
	case controlEcho: // that it came is all
	}
}
