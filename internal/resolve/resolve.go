package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"sallyport/internal/xmpp/jid"
)

// Config says whom to ask and what to believe.
type Config struct {
	// Servers are asked in order. Without any, only static targets with addresses work.
	Servers []netip.AddrPort
	// Timeout is for one exchange with one server, Total for everything one call does. Zero: 2 s and 10 s.
	Timeout, Total time.Duration
	// AllowSpecial also believes in special addresses and ports; the test bench lives on loopback.
	AllowSpecial bool
	// Intn draws uniformly from [0, n), for SRV weights. Nil takes always 0, which is legal and dull.
	Intn func(n int) int
	// Dial opens connections to the servers; nil is the operating system's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Resolver finds targets and addresses. Safe for concurrent use; it keeps no state between calls.
type Resolver struct{ cfg Config }

// New fills in the defaults.
func New(cfg Config) *Resolver {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 2 * time.Second
	}
	if cfg.Total <= 0 {
		cfg.Total = 10 * time.Second
	}
	if cfg.Intn == nil {
		cfg.Intn = func(int) int { return 0 }
	}
	if cfg.Dial == nil {
		cfg.Dial = dialer
	}
	return &Resolver{cfg: cfg}
}

// The services of both kinds of record.
const (
	serviceStartTLS = "_xmpp-server._tcp."
	serviceDirect   = "_xmpps-server._tcp."
)

// offer is what one kind of record says.
type offer struct {
	records []record
	denied  bool // target ".": not offered (RFC 2782)
	special bool // records were dropped for their port
	err     error
}

// Lookup returns the targets of a canonical domain in the order to try them. Errors wrap ErrNotFound, ErrTemporary or ErrSpecial.
func (r *Resolver) Lookup(ctx context.Context, domain string) ([]Target, error) {
	if len(r.cfg.Servers) == 0 {
		return nil, fmt.Errorf("%w: no resolver is configured", ErrNotFound)
	}
	ascii, err := jid.ASCIIDomain(domain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	if _, err := netip.ParseAddr(strings.Trim(ascii, "[]")); err == nil {
		return nil, fmt.Errorf("%w: an address is no domain", ErrNotFound)
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Total)
	defer cancel()
	var direct, start offer
	var wg sync.WaitGroup
	wg.Go(func() { direct = r.offer(ctx, serviceDirect+ascii, true) })
	wg.Go(func() { start = r.offer(ctx, serviceStartTLS+ascii, false) })
	wg.Wait()
	return r.merge(ascii, direct, start)
}

// merge applies xmpp-checklists §2: both lists are one; "." of one kind leaves the other; a fallback to the domain itself exists only
// where there is no SRV record at all.
func (r *Resolver) merge(ascii string, direct, start offer) ([]Target, error) {
	if all := append(direct.records, start.records...); len(all) > 0 {
		return order(all, r.cfg.Intn), nil
	}
	switch {
	case start.denied:
		return nil, fmt.Errorf("%w: SRV says that the service is not offered", ErrNotFound)
	case start.err != nil:
		return nil, start.err
	case direct.err != nil:
		return nil, direct.err
	case start.special || direct.special:
		return nil, fmt.Errorf("%w: every SRV record names a port of another service", ErrSpecial)
	}
	return []Target{{Host: ascii, Port: DefaultPort}}, nil
}

func (r *Resolver) offer(ctx context.Context, name string, direct bool) (o offer) {
	answers, err := r.ask(ctx, name, dns.TypeSRV)
	if err != nil {
		return offer{err: err}
	}
	for _, rr := range answers {
		srv, ok := rr.(*dns.SRV)
		if !ok {
			continue
		}
		host := strings.ToLower(strings.TrimSuffix(srv.Target, "."))
		switch {
		case host == "":
			o.denied = true
		case srv.Port == 0 || !r.cfg.AllowSpecial && specialPort(srv.Port):
			o.special = true
		default:
			o.records = append(o.records, record{srv.Priority, srv.Weight, Target{Host: host, Port: srv.Port, Direct: direct}})
		}
	}
	return o
}

// Addresses returns where to dial a target, in the order of RFC 8305 §4.
func (r *Resolver) Addresses(ctx context.Context, t Target) ([]netip.AddrPort, error) {
	found, err := r.addresses(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []netip.AddrPort
	for _, a := range Interleave(found) {
		if t.Static || r.cfg.AllowSpecial || !special(a) {
			out = append(out, netip.AddrPortFrom(a, t.Port))
		}
	}
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("%w: host %q has no address", ErrNotFound, t.Host)
	case len(out) == 0:
		return nil, fmt.Errorf("%w: host %q", ErrSpecial, t.Host)
	}
	return out[:min(len(out), MaxAddresses)], nil
}

func (r *Resolver) addresses(ctx context.Context, t Target) ([]netip.Addr, error) {
	if a, ok := t.address(); ok {
		return []netip.Addr{a}, nil
	}
	if len(r.cfg.Servers) == 0 {
		return nil, fmt.Errorf("%w: host %q, and no resolver is configured", ErrNotFound, t.Host)
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Total)
	defer cancel()
	var six, four []netip.Addr
	var err6, err4 error
	var wg sync.WaitGroup
	wg.Go(func() { six, err6 = r.family(ctx, t.Host, dns.TypeAAAA) })
	wg.Go(func() { four, err4 = r.family(ctx, t.Host, dns.TypeA) })
	wg.Wait()
	if found := append(six, four...); len(found) > 0 {
		return found, nil
	}
	return nil, errors.Join(err6, err4)
}

func (r *Resolver) family(ctx context.Context, host string, kind uint16) ([]netip.Addr, error) {
	answers, err := r.ask(ctx, host, kind)
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	for _, rr := range answers {
		var a netip.Addr
		switch v := rr.(type) {
		case *dns.A:
			a, _ = netip.AddrFromSlice(v.A)
		case *dns.AAAA:
			a, _ = netip.AddrFromSlice(v.AAAA)
		}
		if a.IsValid() && len(found) < MaxAddresses {
			found = append(found, a.Unmap())
		}
	}
	return found, nil
}
