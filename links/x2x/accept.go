package x2x

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/accept"
	"sallyport/internal/tlsid"
	"sallyport/links"
	"sallyport/peering"
)

// accept serves one listener until it is closed.
func (s *Set) accept(at netip.AddrPort, ln net.Listener) {
	failed := func(err error) { s.env.Log.Error("accept", zap.Stringer("address", at), zap.Error(err)) }
	_ = accept.Each(s.ctx, ln.Accept, failed, func(conn net.Conn) { // a listener is closed where the configuration has it no more
		s.wg.Go(func() { s.take(at, conn) })
	})
}

// candidate is a link that a connection may belong to, as it is configured now.
type candidate struct {
	link *Link
	cfg  Config
}

// candidates are the links that listen there for that address.
func (s *Set) candidates(at netip.AddrPort, from netip.Addr) []candidate {
	var out []candidate
	for _, l := range s.Links() {
		l.mu.Lock()
		if slices.Contains(l.cfg.Listen, at) && l.cfg.from(from) && l.started {
			out = append(out, candidate{l, l.cfg})
		}
		l.mu.Unlock()
	}
	return out
}

// take finds out whose a connection is before anything is read from it as XMPP (O01).
func (s *Set) take(at netip.AddrPort, conn net.Conn) {
	source := addrPort(conn)
	refuse := func(kind, reason string) {
		s.env.Observer.Incident(Incident{Kind: kind, Address: source, Reason: reason})
		_ = conn.Close()
	}
	all := s.candidates(at, source.Addr())
	switch {
	case len(all) == 0:
		refuse(IncidentSource, "")
		return
	case all[0].cfg.Security == Clear && len(all) > 1:
		refuse(IncidentSource, "the address belongs to several links")
		return
	case !s.admit(source.Addr()):
		refuse(IncidentLimit, "")
		return
	}
	noDelay(conn)
	c, sc, err := s.handshake(all, conn)
	s.leave(source.Addr())
	if err != nil {
		var r *refusal
		if errors.As(err, &r) {
			for _, c := range all {
				c.link.counters.RefusedCertificate.Add(1)
			}
			refuse(IncidentCertificate, r.reason.String())
			return
		}
		refuse(IncidentHandshake, plainly(err))
		return
	}
	l := c.link
	a := l.begin(source.String(), true)
	l.tale(a, func(a *links.Attempt) { a.Say(time.Now(), "accepted from "+source.String()) })
	if t, ok := sc.conn.(*tls.Conn); ok {
		l.handshaken(&sc, t, sc.meter, a)
	}
	x := l.newCarrier(sc, false, a)
	if !l.adopt(x) {
		_ = conn.Close()
		x.cancel()
		return
	}
	l.counters.Accepted.Add(1)
	x.run()
	l.wg.Done()
}

// adopt is attach for a carrier that runs outside of the link's own goroutines; the link waits for it.
func (l *Link) adopt(c *carrier) bool {
	l.mu.Lock()
	if l.closed || !l.started {
		l.mu.Unlock()
		return false
	}
	l.wg.Add(1)
	l.mu.Unlock()
	if !l.attach(c) {
		l.wg.Done()
		return false
	}
	return true
}

// handshake makes TLS where that is configured, and says whose the connection is.
func (s *Set) handshake(all []candidate, conn net.Conn) (candidate, secured, error) {
	first := all[0]
	m := &meter{Conn: conn, in: &first.link.counters.BytesIn, out: &first.link.counters.BytesOut}
	if first.cfg.Security == Clear {
		return first, secured{conn: m, meter: m, proof: peering.Proof{Method: peering.SourceAddress}}, nil
	}
	var chosen candidate
	var sc secured
	tickets, err := s.ticketKeys(time.Now())
	if err != nil {
		return chosen, sc, err
	}
	tc := first.cfg.serverTLS(tickets, func(cs *tls.ConnectionState) error {
		sc.presented = tlsid.FromState(cs, tlsid.Initiator)
		worst := tlsid.NoCertificate
		for _, c := range all {
			proof, reason := c.cfg.identify(sc.presented, time.Now())
			if reason == tlsid.OK {
				chosen, sc.proof = c, proof
				return nil
			}
			worst = reason
		}
		return &refusal{worst}
	})
	patience := first.cfg.Profile.HandshakeTimeout()
	for _, c := range all {
		patience = max(patience, c.cfg.Profile.HandshakeTimeout())
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	t := tls.Server(m, tc)
	if err := t.HandshakeContext(ctx); err != nil {
		return chosen, sc, err
	}
	sc.conn, sc.meter = t, m
	return chosen, sc, nil
}

// admit bounds the connections that are nobody's yet.
func (s *Set) admit(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.waiting >= maxPending || s.pending[a] >= maxPerAddress {
		return false
	}
	s.pending[a]++
	s.waiting++
	return true
}

func (s *Set) leave(a netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting--
	if s.pending[a]--; s.pending[a] <= 0 {
		delete(s.pending, a)
	}
}
