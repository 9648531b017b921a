package hostileclient_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/sasl"
	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/server/account"
	"sallyport/server/c2s"
	"sallyport/testbed/imserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience   = 60 * time.Second // matters only where something fails
	nsStreams  = "urn:ietf:params:xml:ns:xmpp-streams"
	nsSASL     = " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
	header     = "<?xml version='1.0'?>" + bareHeader
	tags       = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'"
	bareHeader = tags + " to='im.example'>"
	bindDesk   = "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desk</resource></bind></iq>"
	enable     = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
)

var (
	domain = jid.MustParse("im.example")
	second = jid.MustParse("second.example")
)

// house knows everybody by the password, and sends every message back; what is no stanza it answers as the server does.
type house struct {
	mu    sync.Mutex
	came  map[string]int // messages, by id
	wrong []string       // messages that came and have a mark
}

func (h *house) LookUp(_ context.Context, q stream.LookUp) (sasl.Reply, error) {
	r := sasl.Reply{Standing: sasl.Good, Right: q.Password == password}
	if q.Want == sasl.WantSecret {
		c, err := account.Derive(account.SHA256, password, []byte("salt of everybody"), account.MinIterations)
		if err != nil {
			return r, err
		}
		r.Secret = sasl.Secret{Salt: c.Salt, Iterations: c.Iterations, StoredKey: c.StoredKey, ServerKey: c.ServerKey}
	}
	return r, nil
}

func (h *house) Bind(_ context.Context, _ *c2s.Session, want stream.BindWanted) stream.Input {
	return stream.Bound{Resource: want.Resource}
}

func (h *house) Arrived(s *c2s.Session, list []stream.Arrival) {
	for i := range list {
		h.arrived(s, &list[i])
	}
}

func (h *house) arrived(s *c2s.Session, a *stream.Arrival) {
	defer s.Settled(a)
	if a.Problem != stream.NoProblem {
		if reply, ok := a.Malformed.Reply(domain, stanza.ErrorOptions{}); ok {
			s.Send(reply.Element(), 1)
		}
		return
	}
	thread := a.Stanza.Element().Child("jabber:client", "thread")
	h.took(a.Stanza.ID(), thread != nil && strings.Contains(thread.Text(), mark))
	if a.Stanza.Kind() == stanza.Message {
		s.Send(a.Stanza.WithAddresses(a.Stanza.To(), s.Address()).Element(), 1)
	}
}

// took counts a message that somebody is given; marked: it should have been refused.
func (h *house) took(id string, marked bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.came[id]++
	if marked {
		h.wrong = append(h.wrong, id)
	}
}

// refusedAll wants that nobody was given what was refused.
func (h *house) refusedAll(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.wrong) > 0 {
		t.Errorf("somebody was given what was refused: %.5v of %d", h.wrong, len(h.wrong))
	}
}

func (h *house) Event(*c2s.Session, stream.Output) {}

func (h *house) Closed(*c2s.Session, stream.Closed) {}

func (h *house) times(id string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.came[id]
}

// bed is the server and how to reach it.
type bed struct {
	house  *house
	server *c2s.Server
	roots  *x509.CertPool
	ca     *tlsidtest.CA
	direct string
	clear  string // where TLS begins by STARTTLS
	web    string
	ids    atomic.Int64
	home   *imserver.Home // the program itself; nil: its edge alone
	calm   calm

	revoked tls.Certificate // juliet's, of b.ca

	mu   sync.Mutex
	seen []c2s.Observation
}

func newBed(t *testing.T, change func(*c2s.Config)) *bed {
	t.Helper()
	ca := tlsidtest.Must(tlsidtest.NewCA("hostile clients"))
	leaf := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{"im.example"}}))
	certificate := leaf.TLS()
	b := &bed{house: &house{came: make(map[string]int)}, ca: ca, roots: x509.NewCertPool()}
	b.roots.AddCert(ca.Cert)
	dir := t.TempDir()
	b.revoke(t, dir)
	trust, err := tlsid.LoadTrust(tlsid.TrustSpec{AnchorFiles: []string{filepath.Join(dir, "people.pem")}, CRLFiles: []string{filepath.Join(dir, "people.crl")}})
	if err != nil {
		t.Fatal(err)
	}
	people := &tlsid.Policy{Trust: trust, Usage: tlsid.ClientOnly}
	choose := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }
	cfg := c2s.Config{
		Stream: stream.ClientConfig{
			Local: domain, Rand: rand.Reader, Hosted: func(d jid.JID) bool { return d == domain || d == second },
			Policy: func(jid.JID) stream.ClientPolicy {
				return stream.ClientPolicy{Mechanisms: []string{sasl.External, sasl.ScramSHA256, sasl.Plain}, SASL2: true, Manage: true, ClientState: true}
			},
		},
		TLS:      &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: choose},
		Accounts: b.house, Sessions: b.house, Clients: func() *tlsid.Policy { return people },
		Observe: func(o c2s.Observation) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.seen = append(b.seen, o)
		},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := c2s.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.server = s
	ctx, cancel := context.WithCancel(context.Background())
	hs := httptest.NewUnstartedServer(s.WebSocket(ctx, c2s.WebOptions{}))
	hs.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: choose}
	hs.StartTLS()
	b.web = hs.Listener.Addr().String()
	var serving sync.WaitGroup
	for at, serve := range map[*string]func(context.Context, net.Listener) error{&b.direct: s.ServeTLS, &b.clear: s.Serve} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*at = ln.Addr().String()
		serving.Go(func() {
			if err := serve(ctx, ln); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		serving.Wait()
		hs.Close()
		s.Close()
	})
	return b
}

// revoke writes the authority of people and its revocation list, which has a certificate of juliet.
func (b *bed) revoke(t *testing.T, dir string) {
	t.Helper()
	tlsidtest.Must(b.ca.WritePEM(dir, "people"))
	leaf := tlsidtest.Must(b.ca.Issue(tlsidtest.Options{XMPP: []string{"juliet@im.example"}}))
	list := tlsidtest.Must(b.ca.CRL(time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour), leaf.Cert))
	if err := os.WriteFile(filepath.Join(dir, "people.crl"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	b.revoked = leaf.TLS()
}

// password is everybody's.
const password = imserver.Password

// arrives is how often a message came, which may still be on its way inside the server.
func (b *bed) arrives(id string) int {
	for end := time.Now().Add(patience); b.house.times(id) == 0 && time.Now().Before(end); runtime.Gosched() {
	}
	return b.house.times(id)
}

func (b *bed) id(what string) string { return fmt.Sprintf("%s-%d", what, b.ids.Add(1)) }

// observed waits until the audit is told of somebody, which need not be before he has seen the end; of the program it is its audit log that is
// asked. Detail begins so. It gives what it was told of him, of that kind.
func (b *bed) observed(t *testing.T, from net.IP, what c2s.What, detail string) (list []c2s.Observation) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); runtime.Gosched() {
		list = b.told(t)
		list = slices.DeleteFunc(list, func(o c2s.Observation) bool { return o.What != what || !from.Equal(o.From.AsSlice()) })
		if slices.ContainsFunc(list, func(o c2s.Observation) bool { return strings.HasPrefix(o.Detail, detail) }) {
			return list
		}
	}
	t.Errorf("not observed: %s of %s, %s; but %+v", what, from, detail, list)
	return list
}

func (b *bed) told(t *testing.T) []c2s.Observation {
	t.Helper()
	if b.home != nil {
		return b.recorded(t)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.seen)
}

// addresses gives each client a source of its own, so that what is counted by source is not shared between cases.
var addresses atomic.Uint32

func freshSource() net.IP {
	n := addresses.Add(1)
	return net.IPv4(127, byte(16+n>>16&15), byte(n>>8), byte(n))
}

func base(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func auth(mechanism, text string) string {
	return "<auth" + nsSASL + " mechanism='" + mechanism + "'>" + text + "</auth>"
}

func plain(user, password string) string { return auth("PLAIN", base("\x00"+user+"\x00"+password)) }
