package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"sallyport/internal/resolve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// zone answers from a table of "name TYPE" to records in presentation format, and counts the questions.
type zone struct {
	mu      sync.Mutex
	asked   []string
	records map[string][]string
	odd     func(w dns.ResponseWriter, q *dns.Msg) bool // true: answered
}

func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	key := strings.TrimSuffix(q.Question[0].Name, ".") + " " + dns.TypeToString[q.Question[0].Qtype]
	z.mu.Lock()
	z.asked = append(z.asked, key)
	z.mu.Unlock()
	if z.odd != nil && z.odd(w, q) {
		return
	}
	m := new(dns.Msg)
	m.SetReply(q)
	texts, ok := z.records[key]
	if !ok {
		m.Rcode = dns.RcodeNameError
	}
	for _, text := range texts {
		if text == "SERVFAIL" {
			m.Rcode = dns.RcodeServerFailure
			continue
		}
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		m.Truncate(1232)
	}
	_ = w.WriteMsg(m)
}

// serve starts the zone on UDP and TCP of one loopback port.
func serve(t *testing.T, z *zone) netip.AddrPort {
	t.Helper()
	tcp, udp, err := onePort()
	for range 20 { // the port of one may be somebody's of the other
		if err == nil {
			break
		}
		tcp, udp, err = onePort()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{Listener: tcp, Handler: z}, {PacketConn: udp, Handler: z}} {
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		done := make(chan error, 1)
		go func() { done <- s.ActivateAndServe() }()
		<-up
		t.Cleanup(func() { _ = s.Shutdown(); <-done })
	}
	return netip.MustParseAddrPort(tcp.Addr().String())
}

func onePort() (net.Listener, net.PacketConn, error) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		return nil, nil, errors.Join(err, tcp.Close())
	}
	return tcp, udp, nil
}

func resolver(t *testing.T, z *zone, edit func(*resolve.Config)) *resolve.Resolver {
	t.Helper()
	cfg := resolve.Config{Servers: []netip.AddrPort{serve(t, z)}, Timeout: 20 * time.Second, Total: time.Minute} // for who answers
	if edit != nil {
		edit(&cfg)
	}
	return resolve.New(cfg)
}

func names(targets []resolve.Target) string {
	var b strings.Builder
	for _, t := range targets {
		mode := "starttls"
		if t.Direct {
			mode = "direct"
		}
		fmt.Fprintf(&b, "%v/%s ", t, mode)
	}
	return strings.TrimSpace(b.String())
}

const (
	plain = "_xmpp-server._tcp.d.example"
	tls   = "_xmpps-server._tcp.d.example"
)

// TestLookup is xmpp-checklists §2 and bad input G09 as far as it concerns SRV records.
func TestLookup(t *testing.T) {
	rows := []struct {
		name    string
		records map[string][]string
		special bool
		want    string
		err     error
	}{
		{"both kinds merged by priority", map[string][]string{
			plain + " SRV": {plain + ". 60 IN SRV 1 0 5269 a.example."}, tls + " SRV": {tls + ". 60 IN SRV 2 0 5270 b.example."},
		}, false, "a.example:5269/starttls b.example:5270/direct", nil},
		{"direct first when it says so", map[string][]string{
			plain + " SRV": {plain + ". 60 IN SRV 5 0 5269 a.example."}, tls + " SRV": {tls + ". 60 IN SRV 2 0 443 b.example."},
		}, false, "b.example:443/direct a.example:5269/starttls", nil},
		{"none: the domain itself", nil, false, "d.example:5269/starttls", nil},
		{"starttls denied", map[string][]string{plain + " SRV": {plain + ". 60 IN SRV 0 0 0 ."}}, false, "", resolve.ErrNotFound},
		{
			"both denied",
			map[string][]string{plain + " SRV": {plain + ". 60 IN SRV 0 0 0 ."}, tls + " SRV": {tls + ". 60 IN SRV 0 0 0 ."}},
			false, "", resolve.ErrNotFound,
		},
		{"direct denied, the other there", map[string][]string{
			plain + " SRV": {plain + ". 60 IN SRV 1 0 5269 a.example."}, tls + " SRV": {tls + ". 60 IN SRV 0 0 0 ."},
		}, false, "a.example:5269/starttls", nil},
		{"direct denied, the other absent", map[string][]string{tls + " SRV": {tls + ". 60 IN SRV 0 0 0 ."}}, false, "d.example:5269/starttls", nil},
		{"starttls denied, direct there", map[string][]string{
			plain + " SRV": {plain + ". 60 IN SRV 0 0 0 ."}, tls + " SRV": {tls + ". 60 IN SRV 1 0 5270 b.example."},
		}, false, "b.example:5270/direct", nil},
		{"alias", map[string][]string{plain + " SRV": {
			plain + ". 60 IN CNAME srv.other.example.", "srv.other.example. 60 IN SRV 1 0 5269 a.example.",
		}}, false, "a.example:5269/starttls", nil},
		{
			"loop of aliases",
			map[string][]string{plain + " SRV": {plain + ". 60 IN CNAME x.example.", "x.example. 60 IN CNAME " + plain + "."}},
			false, "", resolve.ErrTemporary,
		},
		{
			"answer for another name",
			map[string][]string{plain + " SRV": {"_xmpp-server._tcp.evil.example. 60 IN SRV 1 0 5269 evil.example."}},
			false, "d.example:5269/starttls", nil,
		},
		{"port of mail", map[string][]string{plain + " SRV": {plain + ". 60 IN SRV 1 0 25 a.example."}}, false, "", resolve.ErrSpecial},
		{"port of mail, allowed", map[string][]string{plain + " SRV": {plain + ". 60 IN SRV 1 0 25 a.example."}}, true, "a.example:25/starttls", nil},
		{"port zero, allowed", map[string][]string{plain + " SRV": {plain + ". 60 IN SRV 1 0 0 a.example."}}, true, "", resolve.ErrSpecial},
		{"server failure is no permission to guess", map[string][]string{plain + " SRV": {"SERVFAIL"}}, false, "", resolve.ErrTemporary},
		{"server failure of one kind", map[string][]string{
			plain + " SRV": {plain + ". 60 IN SRV 1 0 5269 a.example."}, tls + " SRV": {"SERVFAIL"},
		}, false, "a.example:5269/starttls", nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := resolver(t, &zone{records: row.records}, func(c *resolve.Config) { c.AllowSpecial = row.special })
			got, err := r.Lookup(t.Context(), "d.example")
			if names(got) != row.want || !errors.Is(err, row.err) {
				t.Errorf("got %q, %v; want %q, %v", names(got), err, row.want, row.err)
			}
		})
	}
}

func TestLookupInternational(t *testing.T) {
	z := &zone{records: map[string][]string{
		"_xmpp-server._tcp.xn--bcher-kva.example SRV": {"_xmpp-server._tcp.xn--bcher-kva.example. 60 IN SRV 1 0 5269 a.example."},
	}}
	if got, err := resolver(t, z, nil).Lookup(t.Context(), "bücher.example"); names(got) != "a.example:5269/starttls" {
		t.Errorf("got %q, %v", names(got), err)
	}
}

// TestG09 is the rest of bad input G09: floods, silence and garbage end in an error or in few targets, in bounded time.
func TestG09(t *testing.T) {
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf("%s. 60 IN SRV %d 1 5269 t%d.e.", plain, i%7, i%100)
	}
	t.Run("10,000 records", func(t *testing.T) {
		z := &zone{odd: func(w dns.ResponseWriter, q *dns.Msg) bool {
			if _, udp := w.RemoteAddr().(*net.UDPAddr); !udp || q.Question[0].Qtype != dns.TypeSRV {
				return false
			}
			m := new(dns.Msg)
			m.SetReply(q)
			m.Truncated = true
			_ = w.WriteMsg(m)
			return true
		}, records: map[string][]string{plain + " SRV": many[:1000]}} // what fits in 64 KiB
		got, err := resolver(t, z, nil).Lookup(t.Context(), "d.example")
		if err != nil || len(got) != resolve.MaxTargets {
			t.Errorf("%d targets, %v; want %d", len(got), err, resolve.MaxTargets)
		}
	})
	garbage := map[string]func(w dns.ResponseWriter, q *dns.Msg) bool{
		"silence": func(dns.ResponseWriter, *dns.Msg) bool { return true },
		"garbage": func(w dns.ResponseWriter, _ *dns.Msg) bool { _, _ = w.Write([]byte("\x00\x01garbage")); return true },
		"name over 255 bytes": func(w dns.ResponseWriter, q *dns.Msg) bool {
			m := new(dns.Msg)
			m.SetReply(q)
			b, _ := m.Pack()
			b[7] = 1 // one answer, whose name never ends
			_, _ = w.Write(append(b, []byte(strings.Repeat("\x3f"+strings.Repeat("a", 63), 8))...))
			return true
		},
		"answer to another question": func(w dns.ResponseWriter, q *dns.Msg) bool {
			m := new(dns.Msg)
			m.SetReply(q)
			m.Question[0].Name = "evil.example."
			_ = w.WriteMsg(m)
			return true
		},
	}
	for name, odd := range garbage {
		t.Run(name, func(t *testing.T) {
			r := resolver(t, &zone{odd: odd}, func(c *resolve.Config) { c.Timeout, c.Total = 50*time.Millisecond, 200*time.Millisecond })
			start := time.Now()
			if got, err := r.Lookup(t.Context(), "d.example"); !errors.Is(err, resolve.ErrTemporary) {
				t.Errorf("got %q, %v", names(got), err)
			}
			if d := time.Since(start); d > time.Minute {
				t.Errorf("took %v", d)
			}
		})
	}
	t.Run("no domain", func(t *testing.T) {
		z := &zone{}
		r := resolver(t, z, nil)
		for _, d := range []string{"127.0.0.1", "[::1]", "", strings.Repeat("a.", 200) + "example"} {
			if got, err := r.Lookup(t.Context(), d); err == nil {
				t.Errorf("%.20q gave %q", d, names(got))
			}
		}
	})
}

// TestAddresses covers special addresses (G09), the order of families and static targets (G10).
func TestAddresses(t *testing.T) {
	records := map[string][]string{
		"two.example A":      {"two.example. 60 IN A 192.0.2.1", "two.example. 60 IN A 192.0.2.2"},
		"two.example AAAA":   {"two.example. 60 IN AAAA 2001:db8::1"},
		"loop.example A":     {"loop.example. 60 IN A 127.0.0.1"},
		"local.example AAAA": {"local.example. 60 IN AAAA fe80::1", "local.example. 60 IN AAAA ::ffff:127.0.0.1", "local.example. 60 IN AAAA 64:ff9b::7f00:1"},
		"mixed.example A":    {"mixed.example. 60 IN A 169.254.169.254", "mixed.example. 60 IN A 10.0.0.1", "mixed.example. 60 IN A 224.0.0.1"},
		"zero.example A":     {"zero.example. 60 IN A 0.0.0.0", "zero.example. 60 IN A 255.255.255.255"},
	}
	rows := []struct {
		name    string
		target  resolve.Target
		special bool
		want    string
		err     error
		asked   int
	}{
		{"families alternate", resolve.Target{Host: "two.example", Port: 5269}, false, "[2001:db8::1]:5269 192.0.2.1:5269 192.0.2.2:5269", nil, 2},
		{"loopback", resolve.Target{Host: "loop.example", Port: 5269}, false, "", resolve.ErrSpecial, 2},
		{"loopback, allowed", resolve.Target{Host: "loop.example", Port: 5269}, true, "127.0.0.1:5269", nil, 2},
		{"link-local, mapped, translated", resolve.Target{Host: "local.example", Port: 5269}, false, "", resolve.ErrSpecial, 2},
		{"only the ordinary one", resolve.Target{Host: "mixed.example", Port: 5269}, false, "10.0.0.1:5269", nil, 2},
		{"this network, broadcast", resolve.Target{Host: "zero.example", Port: 5269}, false, "", resolve.ErrSpecial, 2},
		{"no address", resolve.Target{Host: "none.example", Port: 5269}, false, "", resolve.ErrNotFound, 2},
		{"G10: static address", resolve.Target{Host: "127.0.0.1", Port: 25, Static: true}, false, "127.0.0.1:25", nil, 0},
		{"address out of DNS", resolve.Target{Host: "127.0.0.1", Port: 5269}, false, "", resolve.ErrSpecial, 0},
		{"static name", resolve.Target{Host: "loop.example", Port: 5269, Static: true}, false, "127.0.0.1:5269", nil, 2},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			z := &zone{records: records}
			got, err := resolver(t, z, func(c *resolve.Config) { c.AllowSpecial = row.special }).Addresses(t.Context(), row.target)
			var texts []string
			for _, a := range got {
				texts = append(texts, a.String())
			}
			if strings.Join(texts, " ") != row.want || !errors.Is(err, row.err) {
				t.Errorf("got %q, %v; want %q, %v", texts, err, row.want, row.err)
			}
			if z.mu.Lock(); len(z.asked) != row.asked {
				t.Errorf("asked %q, want %d questions", z.asked, row.asked)
			}
			z.mu.Unlock()
		})
	}
}

func TestSecondServerHelps(t *testing.T) {
	good := &zone{records: map[string][]string{plain + " SRV": {plain + ". 60 IN SRV 1 0 5269 a.example."}}}
	r := resolver(t, &zone{odd: func(dns.ResponseWriter, *dns.Msg) bool { return true }}, func(c *resolve.Config) {
		c.Servers = append(c.Servers, serve(t, good))
		c.Timeout = time.Second // which the good one must keep
	})
	if got, err := r.Lookup(t.Context(), "d.example"); names(got) != "a.example:5269/starttls" {
		t.Errorf("got %q, %v", names(got), err)
	}
}

func TestNoServerNoQuestion(t *testing.T) {
	r := resolve.New(resolve.Config{Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("somebody was asked")
		return nil, net.ErrClosed
	}})
	if _, err := r.Lookup(t.Context(), "d.example"); !errors.Is(err, resolve.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestInterleave(t *testing.T) {
	var in []netip.Addr
	for _, s := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "::ffff:192.0.2.3", "2001:db8::2"} {
		in = append(in, netip.MustParseAddr(s))
	}
	want := []string{"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "192.0.2.3"}
	var got []string
	for _, a := range resolve.Interleave(in) {
		got = append(got, a.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
