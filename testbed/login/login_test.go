package login_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/server/account"
	"sallyport/server/c2s"
)

// python is Debian's, which has slixmpp; another one earlier in the path may not.
const python = "/usr/bin/python3"

var domain = jid.MustParse("im.example")

// home knows juliet, and sends every message back to its sender.
type home struct{ t *testing.T }

func (h home) LookUp(_ context.Context, q stream.LookUp) (sasl.Reply, error) {
	r := sasl.Reply{Right: q.Password == "r0m30"}
	if q.Account.Local() == "juliet" {
		r.Standing = sasl.Good
	}
	name := strings.TrimSuffix(strings.TrimPrefix(q.Mechanism, "SCRAM-"), sasl.PlusSuffix)
	if hash, ok := account.ParseHash(name); ok {
		c, err := account.Derive(hash, "r0m30", []byte("salt of juliet"), account.MinIterations)
		if err != nil {
			return r, err
		}
		r.Secret = sasl.Secret{Salt: c.Salt, Iterations: c.Iterations, StoredKey: c.StoredKey, ServerKey: c.ServerKey}
	}
	return r, nil
}

func (h home) Bind(_ context.Context, _ *c2s.Session, want stream.BindWanted) stream.Input {
	return stream.Bound{Resource: want.Resource}
}

func (h home) Arrived(s *c2s.Session, list []stream.Arrival) {
	for i := range list {
		h.arrived(s, &list[i])
	}
}

func (h home) arrived(s *c2s.Session, a *stream.Arrival) {
	defer s.Settled(a)
	if a.Problem == stream.NoProblem && a.Stanza.Kind() == stanza.Message {
		if v := s.Send(a.Stanza.WithAddresses(a.Stanza.From(), s.Address()).Element(), 1); v != stream.SendNow {
			h.t.Errorf("send: %v", v)
		}
	}
}

func (home) Event(*c2s.Session, stream.Output) {}

func (home) Closed(*c2s.Session, stream.Closed) {}

// edgeStream is what the streams of these tests are told.
func edgeStream(mechanisms ...string) stream.ClientConfig {
	return stream.ClientConfig{
		Local: domain, Rand: rand.Reader, Hosted: func(d jid.JID) bool { return d == domain },
		Policy: func(jid.JID) stream.ClientPolicy {
			return stream.ClientPolicy{Mechanisms: mechanisms, SASL2: true, Manage: true, ClientState: true}
		},
	}
}

// serve starts a server with STARTTLS and one with direct TLS, and returns their ports.
func serve(t *testing.T, noBinding bool, mechanisms ...string) (authority string, ports map[string]string) {
	t.Helper()
	return serveFor(t, home{t}, noBinding, mechanisms...)
}

// people are those behind the edge.
type people interface {
	c2s.Accounts
	c2s.Sessions
}

func serveFor(t *testing.T, h people, noBinding bool, mechanisms ...string) (authority string, ports map[string]string) {
	t.Helper()
	ca := tlsidtest.Must(tlsidtest.NewCA("login"))
	leaf := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{domain.Domain()}}))
	certificate := tls.Certificate{Certificate: [][]byte{leaf.Cert.Raw}, PrivateKey: leaf.Key, Leaf: leaf.Cert}
	policy := edgeStream(mechanisms...)
	if noBinding {
		with := policy.Policy
		policy.Policy = func(d jid.JID) stream.ClientPolicy {
			p := with(d)
			p.NoBinding = true
			return p
		}
	}
	s, err := c2s.New(c2s.Config{
		Stream: policy,
		TLS: &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil },
		},
		Accounts: h, Sessions: h,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close) // after all that follows
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ports = make(map[string]string)
	for how, run := range map[string]func(context.Context, net.Listener) error{"starttls": s.Serve, "direct": s.ServeTLS} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[how] = strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
		done := make(chan error, 1)
		go func() { done <- run(ctx, ln) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	return tlsidtest.Must(ca.WritePEM(t.TempDir(), "ca")), ports
}

// outcome is what login.py says.
type outcome struct {
	Bound, Mechanism, Echo, From string
	Refused                      []string
}

func login(t *testing.T, port, authority, password, how, version, mechanism string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "login.py", port, "juliet@im.example/balcony", password, authority, how, version, mechanism)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v (Debian package python3-slixmpp)\n%s", err, problems.Bytes())
	}
	var o outcome
	if err := json.Unmarshal(out, &o); err != nil {
		t.Fatalf("%v in %s\n%s", err, out, problems.Bytes())
	}
	return o
}

// slixmpp logs in by every mechanism it has, gets the resource it asked for, and its own message back.
//
// COMPAT(slixmpp, 1.8): of the channel bindings it knows tls-unique alone, so that -PLUS needs TLS 1.2.
func TestSlixmpp(t *testing.T) {
	authority, ports := serve(t, false, sasl.ScramSHA512, sasl.ScramSHA256, sasl.ScramSHA1, sasl.Plain)
	for _, tc := range []struct{ how, version, mechanism string }{
		{"starttls", "1.2", "SCRAM-SHA-256-PLUS"},
		{"direct", "1.2", "SCRAM-SHA-1-PLUS"},
		{"starttls", "1.2", "SCRAM-SHA-512-PLUS"},
		{"starttls", "1.3", "PLAIN"},
	} {
		t.Run(tc.how+" "+tc.version+" "+tc.mechanism, func(t *testing.T) {
			o := login(t, ports[tc.how], authority, "r0m30", tc.how, tc.version, tc.mechanism)
			if o.Bound != "juliet@im.example/balcony" || o.Mechanism != tc.mechanism || o.Echo != "is anybody there?" || o.From != o.Bound {
				t.Errorf("got %+v", o)
			}
		})
	}
	if o := login(t, ports["starttls"], authority, "wrong", "starttls", "1.2", "SCRAM-SHA-256-PLUS"); o.Bound != "" || len(o.Refused) == 0 || o.Refused[0] != "not-authorized" {
		t.Errorf("wrong password: %+v", o)
	}
}

// On TLS 1.3 it says tls-unique as well, or y, and both are refused as the downgrade that they look like (bad-inputs
// F08). Where nothing is offered to bind by, it gets in.
func TestSlixmppTLS13(t *testing.T) {
	authority, ports := serve(t, false, sasl.ScramSHA256)
	if o := login(t, ports["direct"], authority, "r0m30", "direct", "1.3", "-"); o.Bound != "" || len(o.Refused) != 2 {
		t.Errorf("got %+v", o)
	}
	authority, ports = serve(t, true, sasl.ScramSHA256)
	if o := login(t, ports["direct"], authority, "r0m30", "direct", "1.3", "-"); o.Bound != "juliet@im.example/balcony" || o.Mechanism != sasl.ScramSHA256 {
		t.Errorf("got %+v", o)
	}
}
