package login_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/server/c2s"
)

// edgeEnv makes this test binary an edge of its own, so that its memory is nobody else's.
const edgeEnv = "SALLYPORT_LOGIN_EDGE"

// Budgets of an idle session with TLS and stream management: what it keeps resident.
const (
	idleSessions = 1_000
	idleBudget   = 40 << 10
)

func TestMain(m *testing.M) {
	if os.Getenv(edgeEnv) != "" {
		if err := edge(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// edge serves direct TLS with the configuration of a real node, says its port, and on every line it reads its resident bytes.
func edge() error {
	ca := tlsidtest.Must(tlsidtest.NewCA("edge"))
	leaf := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{domain.Domain()}}))
	certificate := leaf.TLS()
	shake := tlsid.ServerConfig(tlsid.Options{})
	shake.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }
	s, err := c2s.New(c2s.Config{Stream: edgeStream(sasl.ScramSHA256, sasl.Plain), TLS: shake, Accounts: home{}, Sessions: home{}})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.ServeTLS(ctx, ln) }()
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		debug.FreeOSMemory()
		n, err := resident()
		if err != nil {
			return err
		}
		fmt.Println(n, runtime.NumGoroutine())
	}
	cancel()
	return <-done
}

// resident is how much memory this process has, in bytes.
func resident() (int, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			return kib << 10, err
		}
	}
	return 0, io.ErrUnexpectedEOF
}

// process is a running edge.
type process struct {
	t    testing.TB
	in   io.Writer
	out  *bufio.Reader
	port string
}

func startEdge(t testing.TB) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), edgeEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // it ends by that
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	p := &process{t: t, in: in, out: bufio.NewReader(out)}
	p.port = p.line()
	return p
}

func (p *process) line() string {
	p.t.Helper()
	text, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

// weigh asks the edge for its memory and its goroutines.
func (p *process) weigh() (resident, goroutines int) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Sscan(p.line(), &resident, &goroutines); err != nil {
		p.t.Fatal(err)
	}
	return resident, goroutines
}

// idle logs somebody in who then says nothing.
func (p *process) idle(resource string) net.Conn {
	p.t.Helper()
	conn, err := tls.Dial("tcp", "127.0.0.1:"+p.port, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"xmpp-client"}}) //nolint:gosec // our own child
	if err != nil {
		p.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(90 * time.Second))
	const header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='im.example' version='1.0'>"
	for _, step := range [][2]string{
		{header, "</stream:features>"},
		{"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + base64.StdEncoding.EncodeToString([]byte("\x00juliet\x00r0m30")) + "</auth>", "<success"},
		{header, "</stream:features>"},
		{"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + resource + "</resource></bind></iq>", "</iq>"},
		{"<enable xmlns='urn:xmpp:sm:3' resume='true'/>", "<enabled"},
		{"<message to='romeo@im.example'><body>" + strings.Repeat("a few words ", 20) + "</body></message>", "</message>"},
	} {
		if _, err := io.WriteString(conn, step[0]); err != nil {
			p.t.Fatal(err)
		}
		buf, said := make([]byte, 4096), ""
		for !strings.Contains(said, step[1]) {
			n, err := conn.Read(buf)
			if said += string(buf[:n]); err != nil {
				p.t.Fatalf("%v in %s", err, said)
			}
		}
	}
	return conn
}

// An idle session keeps no more than its budget resident, and one goroutine. The first hundred are not counted: they fill pools.
func TestIdleMemory(t *testing.T) {
	p := startEdge(t)
	var held []net.Conn
	defer func() {
		for _, c := range held {
			_ = c.Close()
		}
	}()
	login := func(n int) {
		for range n {
			held = append(held, p.idle(strconv.Itoa(len(held))))
		}
	}
	login(100)
	before, few := p.weigh()
	login(idleSessions)
	after, many := p.weigh()
	each := (after - before) / idleSessions
	t.Logf("%d bytes and %.2f goroutines for each idle session", each, float64(many-few)/idleSessions)
	if each > idleBudget {
		t.Errorf("an idle session keeps %d bytes, budget %d", each, idleBudget)
	}
	if many-few > idleSessions+10 {
		t.Errorf("%d goroutines for %d idle sessions", many-few, idleSessions)
	}
}
