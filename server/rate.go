package server

import (
	"net/netip"
	"sync"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

const (
	// paceBurst is how many seconds' worth of stanzas may come at once.
	paceBurst = 10
	// maxPaced bounds how many addresses are counted. Beyond, those that have not sent lately are forgotten; if there are none, all.
	maxPaced = 100_000
	// pacedIPv6 is what one customer has of IPv6.
	pacedIPv6 = 64
)

// pace counts what may come so often in a second. The zero value is full. Whoever owns it has it under a lock.
type pace struct {
	left float64
	at   time.Time
}

// take takes one; no rate is no limit.
func (p *pace) take(now time.Time, perSecond int) bool {
	if perSecond <= 0 {
		return true
	}
	most := float64(perSecond * paceBurst)
	if p.at.IsZero() {
		p.left = most
	} else {
		p.left = min(most, p.left+float64(perSecond)*max(0, now.Sub(p.at).Seconds()))
	}
	p.at = now
	if p.left < 1 {
		return false
	}
	p.left--
	return true
}

// paces are those of addresses. It is safe for concurrent use.
type paces struct {
	mu sync.Mutex
	of map[netip.Prefix]*pace
}

func (p *paces) take(now time.Time, from netip.Addr, perSecond int) bool {
	if perSecond <= 0 || !from.IsValid() {
		return true
	}
	bits := from.BitLen()
	if from.Is6() {
		bits = pacedIPv6
	}
	key, err := from.WithZone("").Prefix(bits)
	if err != nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.of = make(map[netip.Prefix]*pace)
	}
	one := p.of[key]
	if one == nil {
		if len(p.of) >= maxPaced {
			p.evict(now)
		}
		one = &pace{}
		p.of[key] = one
	}
	return one.take(now, perSecond)
}

func (p *paces) evict(now time.Time) {
	for key, one := range p.of {
		if now.Sub(one.at) > paceBurst*time.Second { // full again
			delete(p.of, key)
		}
	}
	if len(p.of) >= maxPaced {
		clear(p.of)
	}
}

// tooFast refuses a stanza of who sends too many: his client, his account or his address (bad-inputs H11). Who does not heed that is
// disconnected.
func (s *Server) tooFast(m *sent, now time.Time) bool {
	l, r := s.limits.Load(), m.by
	if l.PerSecond <= 0 && l.AccountPerSecond <= 0 && l.AddressPerSecond <= 0 {
		return false
	}
	r.user.mu.Lock()
	ok := r.pace.take(now, l.PerSecond) && r.user.pace.take(now, l.AccountPerSecond)
	r.user.mu.Unlock()
	if from, known := r.session.(interface{ Remote() netip.Addr }); ok && known {
		ok = s.addresses.take(now, from.Remote(), l.AddressPerSecond)
	}
	over := r.paced(ok, paceBurst*max(l.PerSecond, l.AccountPerSecond, l.AddressPerSecond))
	switch {
	case ok:
		return false
	case over: // it is not acknowledged: nobody has taken it
		r.session.Close(stream.Close{Condition: stanza.StreamPolicyViolation, Text: "too many stanzas"})
	case m.arrival.Problem != stream.NoProblem:
		m.settle()
	default:
		s.refuse(m, stanza.PolicyViolation, stanza.ErrorOptions{Type: stanza.Wait, Text: "Too many stanzas. Wait before you send more."})
	}
	return true
}

// paced counts what was refused in a row. True: it is more than so many.
func (r *resource) paced(ok bool, most int) bool {
	r.user.mu.Lock()
	defer r.user.mu.Unlock()
	if ok {
		r.refused = 0
		return false
	}
	r.refused++
	return r.refused > most
}
