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

// The services of a domain: RFC 6120 §3.2.1 and XEP-0368.
const (
	serviceStartTLS = "_xmpp-server._tcp."
	serviceDirect   = "_xmpps-server._tcp."
)

// Service is one SRV record (RFC 2782).
type Service struct {
	Direct           bool // TLS from the first byte (XEP-0368)
	Priority, Weight uint16
	Host             string
	Port             uint16
}

// Publish says where the XMPP server of domain is, and the address of that host.
func (n *Names) Publish(domain string, at netip.AddrPort) { n.publish(domain, at, false) }

// PublishDirectTLS does so for direct TLS.
func (n *Names) PublishDirectTLS(domain string, at netip.AddrPort) { n.publish(domain, at, true) }

func (n *Names) publish(domain string, at netip.AddrPort, direct bool) {
	host := "host." + domain
	if n.LiteralTargets {
		host = at.Addr().String()
	}
	n.PublishService(domain, Service{Direct: direct, Weight: 1, Host: host, Port: at.Port()})
	n.PublishHost(host, at.Addr())
}

// PublishService adds records to those of a domain.
func (n *Names) PublishService(domain string, services ...Service) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range services {
		owner := dns.CanonicalName(serviceStartTLS + domain)
		if s.Direct {
			owner = dns.CanonicalName(serviceDirect + domain)
		}
		n.records[owner] = append(n.records[owner], &dns.SRV{
			Hdr:      dns.RR_Header{Name: owner, Rrtype: dns.TypeSRV, Class: dns.ClassINET},
			Priority: s.Priority, Weight: s.Weight, Port: s.Port, Target: dns.Fqdn(s.Host),
		})
	}
}

// PublishHost replaces the addresses of a host.
func (n *Names) PublishHost(host string, addrs ...netip.Addr) {
	owner := dns.CanonicalName(host)
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.records, owner)
	for _, a := range addrs {
		header := dns.RR_Header{Name: owner, Rrtype: dns.TypeA, Class: dns.ClassINET}
		if a.Is4() {
			n.records[owner] = append(n.records[owner], &dns.A{Hdr: header, A: a.AsSlice()})
			continue
		}
		header.Rrtype = dns.TypeAAAA
		n.records[owner] = append(n.records[owner], &dns.AAAA{Hdr: header, AAAA: a.AsSlice()})
	}
}

// Withdraw forgets a domain.
func (n *Names) Withdraw(domain string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, owner := range []string{serviceStartTLS, serviceDirect, "host."} {
		delete(n.records, dns.CanonicalName(owner+domain))
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
