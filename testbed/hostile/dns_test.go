package hostile_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// liar is a name server that answers as badly as a domain below names.example asks for. It is the only resolver of the
// outside.
type liar struct {
	addr    string
	servers []*dns.Server
	wg      sync.WaitGroup
	trap    uint16 // where its addresses lead

	mu    sync.Mutex
	asked map[string]int
}

func newLiar(t testing.TB) *liar {
	t.Helper()
	var tcp net.Listener
	udp, err := net.ListenPacket("udp", freshSource().String()+":0") // an address of its own: nobody has the same port for TCP
	if err == nil {
		tcp, err = net.Listen("tcp", udp.LocalAddr().String())
	}
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{addr: udp.LocalAddr().String(), asked: map[string]int{}}
	for _, s := range []*dns.Server{{PacketConn: udp}, {Listener: tcp}} {
		s.Handler = dns.HandlerFunc(l.answer)
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		l.wg.Go(func() { _ = s.ActivateAndServe() })
		<-up
		l.servers = append(l.servers, s)
	}
	return l
}

func (l *liar) close() {
	for _, s := range l.servers {
		_ = s.Shutdown()
	}
	l.wg.Wait()
}

// times is how often names with that end were asked for.
func (l *liar) times(end string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, times := range l.asked {
		if strings.HasSuffix(name, end) {
			n += times
		}
	}
	return n
}

func (l *liar) answer(w dns.ResponseWriter, q *dns.Msg) {
	name := strings.ToLower(q.Question[0].Name)
	l.mu.Lock()
	l.asked[name]++
	trap := l.trap
	l.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	m.Compress = true
	kind, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(name, "_xmpp-server._tcp."), "_xmpps-server._tcp."), "-")
	srv := func(owner, target string, port uint16) {
		m.Answer = append(m.Answer, &dns.SRV{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeSRV, Class: dns.ClassINET}, Port: port, Target: target})
	}
	a := func(ip net.IP) {
		m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: ip})
	}
	cname := func(owner, target string) {
		m.Answer = append(m.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: target})
	}
	isSRV := q.Question[0].Qtype == dns.TypeSRV
	switch {
	case kind == "loop":
		cname(q.Question[0].Name, "loop-2.names.example.")
		cname("loop-2.names.example.", q.Question[0].Name)
	case kind == "garbage":
		_, _ = w.Write(garbage(m))
		return
	case kind == "elsewhere":
		m.Question[0].Name = "other.names.example."
		srv("other.names.example.", "loopback-h.names.example.", trap)
	case kind == "owner" && isSRV:
		srv("other.names.example.", "loopback-h.names.example.", trap)
	case kind == "dot" && isSRV:
		srv(q.Question[0].Name, ".", 0)
	case kind == "many" && isSRV:
		if w.LocalAddr().Network() == "udp" {
			m.Truncated = true
			break
		}
		for i := range 2_000 { // as many as fit one message of 64 KiB
			srv(q.Question[0].Name, fmt.Sprintf("h%d-many.", i), trap)
		}
	case kind == "port" && isSRV:
		srv(q.Question[0].Name, "loopback-h.names.example.", 25)
	case isSRV && (kind == "loopback" || kind == "linklocal"):
		srv(q.Question[0].Name, kind+"-h.names.example.", trap)
	case q.Question[0].Qtype == dns.TypeA && kind == "linklocal":
		a(net.IPv4(169, 254, 1, 1))
	case q.Question[0].Qtype == dns.TypeA && (kind == "loopback" || strings.HasSuffix(name, "-many.")):
		a(net.IPv4(127, 0, 0, 1))
	default:
		m.Rcode = dns.RcodeNameError
	}
	_ = w.WriteMsg(m)
}

// garbage is an answer with a name that points at itself, and one longer than any name may be.
func garbage(m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		return nil
	}
	b[7] = 2 // two answers, that are not
	b = append(b, 0xC0, byte(len(b)), 0, 33, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0x14, 0x95)
	for range 5 {
		b = append(append(b, 63), strings.Repeat("x", 63)...)
	}
	return append(b, 0)
}

// dnsRows are G09 and G10.
func dnsRows() []row {
	rows := []row{}
	for _, c := range []struct{ name, kind string }{
		{"G09_not_offered", "dot"},
		{"G09_many_records", "many"},
		{"G09_alias_loop", "loop"},
		{"G09_loopback", "loopback"},
		{"G09_link_local", "linklocal"},
		{"G09_port_25", "port"},
		{"G09_garbage_and_long_names", "garbage"},
		{"G09_answer_for_another_name", "elsewhere"},
		{"G09_record_of_another_name", "owner"},
	} {
		rows = append(rows, row{c.name, func(t *testing.T, w *world) { w.misled(t, c.kind) }})
	}
	return append(rows, row{"G10_static_before_dns", func(t *testing.T, w *world) {
		// Every domain with a route was reached and written to in the rows before; nobody asked DNS for one.
		for _, name := range []string{"evil.example.", "trap.example.", "dial.example.", "b.example.", "c.example.", "d.example."} {
			if n := w.liar.times(name); n > 0 {
				t.Errorf("DNS was asked %d times for names below %s", n, name)
			}
		}
	}})
}

// misled wants nobody called, at most 16 targets tried, and the sender told soon (resolve gives up after 10 seconds).
func (w *world) misled(t *testing.T, kind string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	called := make(chan error, 1)
	go func() {
		c, err := ln.Accept()
		if err == nil {
			_ = c.Close()
		}
		called <- err
	}()
	w.liar.mu.Lock()
	w.liar.trap = uint16(ln.Addr().(*net.TCPAddr).Port)
	w.liar.mu.Unlock()
	domain, id := w.id(kind)+".names.example", w.id("to-names")
	targets, began := w.liar.times("-many."), time.Now()
	w.insider(t, domain, id)
	e := w.b.await(t, id)
	if took := time.Since(began); took > closeLimit {
		t.Errorf("took %v", took)
	}
	if e != nil {
		if cond, _, _ := errorOf(e); cond != "remote-server-not-found" && cond != "remote-server-timeout" {
			t.Errorf("the sender was told %q", cond)
		}
	}
	if n := w.liar.times("-many.") - targets; n > 2*16 || n == 0 && kind == "many" { // for both families
		t.Errorf("%d targets were looked up", n)
	}
	_ = ln.Close()
	if err := <-called; err == nil {
		t.Error("an address was called that DNS must not name")
	}
}
