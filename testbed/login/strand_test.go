package login_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
)

// patience is for a busy machine; it matters only where something fails.
const patience = time.Minute

const open = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='" + imserver.Domain + "' version='1.0'>"

// running is the program itself, with these people.
func running(t *testing.T, more string, users ...string) *imserver.Home {
	t.Helper()
	block, err := peers.ClaimBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = block.Close() })
	h, err := imserver.New(imserver.Wishes{Dir: t.TempDir(), Addr: block.Addr(1), Users: users, More: more})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			said, err := os.ReadFile(h.Log())
			t.Logf("the server said: %s %v", said[max(0, len(said)-5000):], err)
		}
	})
	if err := h.Run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// strand is a client that says bytes, and knows what its channel can be bound by.
type strand struct {
	t        *testing.T
	from     net.Addr
	conn     net.Conn
	state    tls.ConnectionState
	text     string // heard and not yet asked for
	features string // last told
}

// sources gives each strand an address of its own, as failures of one slow down the next (bad-inputs F14).
var sources atomic.Uint32

func source() net.Addr {
	n := sources.Add(1)
	return &net.TCPAddr{IP: net.IPv4(127, 3, byte(n>>8), byte(n))}
}

// connects begins a stream inside TLS, which begins at once or by STARTTLS, and hears what is offered.
func connects(t *testing.T, h *imserver.Home, direct bool, cfg *tls.Config) *strand {
	t.Helper()
	return connectsFrom(t, source(), h, direct, cfg)
}

func connectsFrom(t *testing.T, from net.Addr, h *imserver.Home, direct bool, cfg *tls.Config) *strand {
	t.Helper()
	s := &strand{t: t, from: from}
	at := h.Clients
	if direct {
		at = h.Direct
	}
	s.dial(at)
	if !direct {
		s.say(open)
		if said := s.until("</stream:features>"); !strings.Contains(said, "<required/>") || strings.Contains(said, "<mechanism") {
			t.Errorf("in clear it offers %s", said)
		}
		s.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		s.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	}
	s.shake(h, cfg)
	s.begin()
	return s
}

func (s *strand) dial(at netip.AddrPort) {
	s.t.Helper()
	conn, err := (&net.Dialer{LocalAddr: s.from, Timeout: patience}).Dial("tcp", at.String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	s.conn = conn
}

func (s *strand) shake(h *imserver.Home, cfg *tls.Config) {
	s.t.Helper()
	authority, err := os.ReadFile(h.CA)
	if err != nil {
		s.t.Fatal(err)
	}
	cfg = cfg.Clone()
	cfg.RootCAs, cfg.ServerName, cfg.NextProtos = x509.NewCertPool(), imserver.Domain, []string{"xmpp-client"}
	cfg.RootCAs.AppendCertsFromPEM(authority)
	secured := tls.Client(s.conn, cfg)
	if err := secured.Handshake(); err != nil {
		s.t.Fatal(err)
	}
	s.conn, s.state = secured, secured.ConnectionState()
}

func (s *strand) begin() {
	s.t.Helper()
	s.say(open)
	s.features = s.until("</stream:features>")
}

func (s *strand) say(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.conn, text); err != nil {
		s.t.Fatal(err)
	}
}

// until reads up to one of the words.
func (s *strand) until(words ...string) string {
	s.t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(patience)) // a connection that is gone says so at the read
	buf := make([]byte, 16<<10)
	for {
		end := -1
		for _, w := range words {
			if at := strings.Index(s.text, w); at >= 0 && (end < 0 || at+len(w) < end) {
				end = at + len(w)
			}
		}
		if end >= 0 {
			said := s.text[:end]
			s.text = s.text[end:]
			return said
		}
		n, err := s.conn.Read(buf)
		s.text += string(buf[:n])
		if err != nil {
			s.t.Fatalf("%v before %q: %.2000s", err, words, s.text)
		}
	}
}

// ends reads to the end of the connection.
func (s *strand) ends() string {
	s.t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(patience))
	rest, err := io.ReadAll(s.conn) // one that was cut off is over, too
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.t.Errorf("still connected: %.2000s", rest)
	}
	return s.text + string(rest)
}

// bound is the data of a channel binding (RFC 9266, RFC 5929).
func (s *strand) bound(binding string) []byte {
	s.t.Helper()
	switch binding {
	case "tls-exporter":
		data, err := s.state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
		if err != nil {
			s.t.Fatal(err)
		}
		return data
	case "tls-server-end-point": // certificates of init are signed with SHA-256
		sum := sha256.Sum256(s.state.PeerCertificates[0].Raw)
		return sum[:]
	case "tls-unique":
		return s.state.TLSUnique
	}
	s.t.Fatalf("no binding %q", binding)
	return nil
}

var (
	mechanism = regexp.MustCompile(`<mechanism>([^<]+)</mechanism>`)
	binding   = regexp.MustCompile(`<channel-binding type='([^']+)'/>`)
)

// offered are the mechanisms of RFC 6120 §6, and the types of channel binding (XEP-0440), as they were told.
func (s *strand) offered() (mechanisms, bindings []string) {
	list, _, _ := strings.Cut(s.features, "</mechanisms>")
	return all(mechanism, list), all(binding, s.features)
}

func all(what *regexp.Regexp, in string) (found []string) {
	for _, m := range what.FindAllStringSubmatch(in, -1) {
		found = append(found, m[1])
	}
	return found
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func (s *strand) decode(text string) string {
	s.t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	return string(b)
}
