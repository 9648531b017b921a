package peers

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/miekg/dns"
)

// dnsPort is above 1024 so that tests need no privilege; both servers can be told a port
// (see prosody.go and ejabberd.go).
const dnsPort = 5353

// Names is a name server that knows only what it was told. Everything else does not exist, so
// nothing in a test can reach a name outside. Answers may not be cached (TTL 0).
type Names struct {
	Addr netip.AddrPort
	// LiteralTargets spells the targets of SRV records as addresses, which RFC 2782 does not foresee but every
	// resolver of the C library takes; see ejabberd.go for why. Set it before anything is published.
	LiteralTargets bool

	mu      sync.Mutex
	records map[string][]dns.RR // by lower-case owner name
	asked   map[string]int
	servers []*dns.Server
	running sync.WaitGroup
}

// ListenNames starts a name server on addr, UDP and TCP.
func ListenNames(addr netip.Addr) (*Names, error) {
	n := &Names{
		Addr:    netip.AddrPortFrom(addr, dnsPort),
		records: map[string][]dns.RR{},
		asked:   map[string]int{},
	}
	for _, network := range []string{"udp", "tcp"} {
		if err := n.listen(network); err != nil {
			return nil, fmt.Errorf("name server on %s/%s: %w", n.Addr, network, err)
		}
	}
	return n, nil
}

func (n *Names) listen(network string) error {
	up := make(chan struct{})
	failed := make(chan error, 1)
	s := &dns.Server{
		Addr: n.Addr.String(), Net: network, Handler: dns.HandlerFunc(n.answer),
		NotifyStartedFunc: func() { close(up) },
	}
	n.running.Go(func() {
		if err := s.ListenAndServe(); err != nil {
			failed <- err
		}
	})
	select {
	case <-up:
		n.servers = append(n.servers, s)
		return nil
	case err := <-failed:
		_ = n.Close()
		return err
	}
}

// Publish says where the XMPP server of domain is: the SRV record of RFC 6120 §3.2.1 and the address
// of its target.
func (n *Names) Publish(domain string, at netip.AddrPort) {
	n.publish("_xmpp-server._tcp.", domain, at)
}

// PublishDirectTLS adds the SRV record of XEP-0368.
func (n *Names) PublishDirectTLS(domain string, at netip.AddrPort) {
	n.publish("_xmpps-server._tcp.", domain, at)
}

func (n *Names) publish(service, domain string, at netip.AddrPort) {
	owner, target := dns.Fqdn(service+domain), dns.Fqdn("host."+domain)
	if n.LiteralTargets {
		target = dns.Fqdn(at.Addr().String())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.records[owner] = append(n.records[owner], &dns.SRV{
		Hdr:    dns.RR_Header{Name: owner, Rrtype: dns.TypeSRV, Class: dns.ClassINET},
		Weight: 1, Port: at.Port(), Target: target,
	})
	n.records[target] = []dns.RR{&dns.A{
		Hdr: dns.RR_Header{Name: target, Rrtype: dns.TypeA, Class: dns.ClassINET},
		A:   at.Addr().AsSlice(),
	}}
}

// Withdraw forgets a domain.
func (n *Names) Withdraw(domain string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, owner := range []string{"_xmpp-server._tcp.", "_xmpps-server._tcp.", "host."} {
		delete(n.records, dns.Fqdn(owner+domain))
	}
}

// Asked is how often any record of exactly this name was asked for.
func (n *Names) Asked(name string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[dns.CanonicalName(name)]
}

func (n *Names) answer(w dns.ResponseWriter, q *dns.Msg) {
	reply := new(dns.Msg).SetReply(q)
	reply.Authoritative = true
	reply.RecursionAvailable = true
	if len(q.Question) == 1 {
		n.fill(reply, q.Question[0])
	} else {
		reply.Rcode = dns.RcodeFormatError
	}
	_ = w.WriteMsg(reply) // a resolver that went away asks again
}

func (n *Names) fill(reply *dns.Msg, q dns.Question) {
	owner := dns.CanonicalName(q.Name)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked[owner]++
	known, exists := n.records[owner]
	if !exists {
		reply.Rcode = dns.RcodeNameError
		return
	}
	for _, rr := range known {
		if rr.Header().Rrtype == q.Qtype {
			reply.Answer = append(reply.Answer, rr)
		}
	}
	reply.Answer = slices.Clip(reply.Answer)
}

// Close stops the server and waits for it.
func (n *Names) Close() error {
	var first error
	for _, s := range n.servers {
		if err := s.Shutdown(); err != nil && first == nil {
			first = err
		}
	}
	n.running.Wait()
	return first
}
