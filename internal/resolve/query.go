package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Bounds of one question.
const (
	maxCNAMEs     = 8
	udpBytes      = 1232 // what fits without fragments everywhere
	questionTries = 2    // rounds over all servers
)

// What a lookup can end with; errors wrap one of them.
var (
	// ErrNotFound: the domain says that it offers no such service, or does not exist. Retrying soon is pointless.
	ErrNotFound = errors.New("domain not found")
	// ErrTemporary: DNS gave no usable answer in time.
	ErrTemporary = errors.New("no usable answer from DNS")
	// ErrSpecial: only special addresses or ports were named.
	ErrSpecial = errors.New("only special addresses or ports")
)

// ask sends one question to the servers in turn, by UDP and, when the answer was cut, by TCP, and returns the answers that belong to
// the question. No answers and no error: the name exists without such records, or does not exist.
func (r *Resolver) ask(ctx context.Context, name string, kind uint16) ([]dns.RR, error) {
	q := new(dns.Msg)
	q.SetQuestion(dns.Fqdn(name), kind)
	q.SetEdns0(udpBytes, false)
	var last error
	for range questionTries {
		for _, server := range r.cfg.Servers {
			answer, err := r.exchange(ctx, q, server.String())
			if err == nil {
				return relevant(answer, q.Question[0])
			}
			last = err
			if ctx.Err() != nil {
				return nil, fmt.Errorf("%w: %w", ErrTemporary, ctx.Err())
			}
		}
	}
	return nil, fmt.Errorf("%w: %w", ErrTemporary, last)
}

func (r *Resolver) exchange(ctx context.Context, q *dns.Msg, server string) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	q = q.Copy()
	q.Id = dns.Id()
	for _, network := range []string{"udp", "tcp"} {
		answer, err := r.over(ctx, network, q, server)
		if err != nil {
			return nil, err
		}
		switch {
		case len(answer.Question) != 1 || !sameQuestion(answer.Question[0], q.Question[0]):
			return nil, errors.New("answer to another question")
		case answer.Truncated && network == "udp":
			continue
		case answer.Rcode == dns.RcodeSuccess || answer.Rcode == dns.RcodeNameError:
			return answer, nil
		}
		return nil, fmt.Errorf("server answered %s", dns.RcodeToString[answer.Rcode])
	}
	return nil, errors.New("answer cut short")
}

// over makes one exchange. The connection is ours, so that ctx ends it and tests can do without a network.
func (r *Resolver) over(ctx context.Context, network string, q *dns.Msg, server string) (*dns.Msg, error) {
	conn, err := r.cfg.Dial(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c := &dns.Client{Net: network, Timeout: r.cfg.Timeout, UDPSize: udpBytes}
	answer, _, err := c.ExchangeWithConnContext(ctx, q, &dns.Conn{Conn: conn, UDPSize: udpBytes})
	return answer, err
}

func sameQuestion(a, b dns.Question) bool {
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && strings.EqualFold(a.Name, b.Name)
}

// relevant keeps the records of the asked kind whose owner is the asked name or the end of its chain of aliases. Whatever else a
// server volunteers is not looked at.
func relevant(m *dns.Msg, q dns.Question) ([]dns.RR, error) {
	owner := q.Name
	for range maxCNAMEs {
		var found []dns.RR
		next := ""
		for _, rr := range m.Answer {
			h := rr.Header()
			if h.Class != dns.ClassINET || !strings.EqualFold(h.Name, owner) {
				continue
			}
			if h.Rrtype == q.Qtype {
				found = append(found, rr)
			} else if c, ok := rr.(*dns.CNAME); ok {
				next = c.Target
			}
		}
		if len(found) > 0 || next == "" {
			return found, nil
		}
		owner = next
	}
	return nil, fmt.Errorf("%w: chain of more than %d aliases", ErrTemporary, maxCNAMEs)
}

// dialer is the network of production.
func dialer(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}
