package x2x

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/links"
	"sallyport/peering"
)

// connect tries the targets in order until one becomes a carrier.
func (l *Link) connect() {
	l.mu.Lock()
	cfg := l.cfg
	l.settleState(time.Now())
	l.mu.Unlock()
	var c *carrier
	var problems []error
	for _, t := range cfg.Connect {
		var err error
		if c, err = l.try(&cfg, t); err == nil {
			break
		}
		problems = append(problems, fmt.Errorf("%v: %w", t, err))
	}
	now := time.Now()
	l.mu.Lock()
	l.dialing = false
	ok := c != nil
	if !ok {
		l.failed(now)
	}
	onTurn := l.turn != 0 && !ok && l.inbound == nil
	l.mu.Unlock()
	if ok && !l.attach(c) {
		_ = c.meter.Close()
		c.cancel()
		l.tale(c.attempt, func(a *links.Attempt) { a.Fail(now, "the link is shut down", "") })
		return
	}
	if ok {
		l.counters.Opened.Add(1)
		c.run()
		return
	}
	l.counters.DialFailed.Add(1)
	err := errors.Join(problems...)
	l.log.Warn("peer not reached", zap.String("peer", cfg.Peer.Name), zap.Error(err))
	l.incident(Incident{Kind: IncidentUnreachable, Detail: plainly(err)})
	if onTurn { // it was on demand, and there is demand
		l.turnOver(nil, links.Unknown, nil)
		return
	}
	l.mu.Lock()
	l.elect() // the peer may have opened meanwhile
	l.settleState(now)
	l.mu.Unlock()
	l.pokeLocked()
}

// tale changes an attempt under the lock that guards the story.
func (l *Link) tale(a *links.Attempt, f func(*links.Attempt)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(a)
}

// begin adds an attempt to the story.
func (l *Link) begin(address string, inbound bool) *links.Attempt {
	a := &links.Attempt{At: time.Now(), Address: address, Inbound: inbound}
	l.mu.Lock()
	l.story.Begin(a)
	l.mu.Unlock()
	return a
}

func (l *Link) try(cfg *Config, t resolve.Target) (*carrier, error) {
	a := l.begin(t.String(), false)
	say := func(words string) { l.tale(a, func(a *links.Attempt) { a.Say(time.Now(), words) }) }
	fail := func(what string, err error) (*carrier, error) {
		l.tale(a, func(a *links.Attempt) { a.Fail(time.Now(), what+": "+plainly(err), advice(err)) })
		return nil, err
	}
	ctx, cancel := context.WithTimeout(l.ctx, cfg.Profile.HandshakeTimeout())
	defer cancel()
	t.Static = true
	addrs, err := resolve.New(resolve.Config{}).Addresses(ctx, t)
	if err != nil {
		return fail("name not resolved", err)
	}
	say(fmt.Sprintf("resolved to %v", addrs))
	conn, at, err := resolve.Dialer{Attempt: cfg.Profile.HandshakeTimeout(), Dial: l.set.env.Dial}.Connect(ctx, addrs)
	if err != nil {
		return fail("no connection", err)
	}
	say(fmt.Sprintf("connected to %v", at))
	sc, err := l.secure(cfg, conn, a)
	if err != nil {
		_ = conn.Close()
		return fail("not secured", err)
	}
	return l.newCarrier(sc, true, a), nil
}

var errAddress = errors.New("the address is not one of the peer's")

// secure makes a dialled connection one whose other end is known.
func (l *Link) secure(cfg *Config, conn net.Conn, a *links.Attempt) (secured, error) {
	noDelay(conn)
	m := &meter{Conn: conn, in: &l.counters.BytesIn, out: &l.counters.BytesOut}
	if !cfg.from(addrPort(conn).Addr()) {
		return secured{}, errAddress
	}
	if cfg.Security == Clear {
		return secured{conn: m, meter: m, proof: peering.Proof{Method: peering.SourceAddress}}, nil
	}
	var sc secured
	tc, err := cfg.clientTLS(l.sessions, func(cs *tls.ConnectionState) error {
		sc.presented = tlsid.FromState(cs, tlsid.Responder)
		proof, reason := cfg.identify(sc.presented, time.Now())
		if sc.proof = proof; reason != tlsid.OK {
			l.counters.RefusedCertificate.Add(1)
			l.incident(Incident{Kind: IncidentCertificate, Address: addrPort(conn), Reason: reason.String()})
			return &refusal{reason}
		}
		return nil
	})
	if err != nil {
		return secured{}, err
	}
	ctx, cancel := context.WithTimeout(l.ctx, cfg.Profile.HandshakeTimeout())
	defer cancel()
	t := tls.Client(m, tc)
	if err := t.HandshakeContext(ctx); err != nil {
		return secured{}, err
	}
	l.handshaken(&sc, t, m, a)
	return sc, nil
}

func (l *Link) handshaken(sc *secured, t *tls.Conn, m *meter, a *links.Attempt) {
	cs := t.ConnectionState()
	sc.conn, sc.meter, sc.resumed = t, m, cs.DidResume
	words := tls.VersionName(cs.Version) + ", certificate accepted"
	if sc.proof.Pinned {
		words += " by its pin"
	}
	if cs.DidResume {
		l.counters.Resumed.Add(1)
		words += ", session resumed"
	}
	l.tale(a, func(a *links.Attempt) { a.Say(time.Now(), words) })
}

func noDelay(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetNoDelay(true)
	}
}

// advice says what an operator can do about a failed attempt.
func advice(err error) string {
	var r *refusal
	var alert tls.AlertError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &r) && r.reason == tlsid.PinMismatch:
		return "The peer shows another key than the pinned one: ask for its present pin over a channel you trust, and configure that."
	case errors.As(err, &r):
		return "The peer's certificate is not acceptable: check the authority, its dates and its names, or pin its key."
	case errors.Is(err, errAddress):
		return "Add the address to the peer's addresses, if it is right."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nobody listens there: start the other end, or check address and port."
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "No answer in time: check route and firewall, and whether the link's profile has the true round trip."
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error"):
		return "The other end refuses us: give it our certificate's pin or authority, and see its log."
	case errors.As(err, &record):
		return "The other end does not speak TLS on this port: is it configured for clear text?"
	case errors.Is(err, io.EOF):
		return "The other end closes at once: it may not know our address."
	case errors.Is(err, resolve.ErrNotFound):
		return "The name does not exist: check it, or configure an address."
	}
	return "See the log of the other end."
}

// adviceOf says what an operator can do about a carrier that has ended.
func adviceOf(e Event) string {
	switch {
	case e.Clean:
		return ""
	case e.Ours:
		return "The two ends are configured differently, or the peer speaks another protocol: compare the fingerprints in link status."
	case ended(e.Detail):
		return "The other end ended it: if this comes at once, it does not accept our certificate or address; see its log."
	case strings.Contains(e.Detail, "silent"):
		return "The bearer may be down, or slower than its profile says."
	}
	return ""
}

// ended says whether the words of an error are those of a connection that the other end gave up. Which of them we see is
// a matter of who is first: its alert, its end, or our next write.
func ended(detail string) bool {
	for _, words := range [...]string{"remote error", "EOF", syscall.EPIPE.Error(), syscall.ECONNRESET.Error()} {
		if strings.Contains(detail, words) {
			return true
		}
	}
	return false
}
