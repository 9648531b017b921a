package c2s_test

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/stream"
)

const iterations = 4096

var salt = []byte("salt of everybody")

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func keys(password string) (client, stored, server []byte) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		panic(err)
	}
	client = mac(salted, "Client Key")
	sum := sha256.Sum256(client)
	return client, sum[:], mac(salted, "Server Key")
}

func secretOf(password string) sasl.Secret {
	_, stored, server := keys(password)
	return sasl.Secret{Salt: salt, Iterations: iterations, StoredKey: stored, ServerKey: server}
}

func (h *house) Tokens(_ context.Context, q stream.LookUp) ([]sasl.Token, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if q.Agent != "agent" {
		return nil, nil
	}
	return h.tokens, nil
}

func (h *house) Used(_ context.Context, a stream.Authenticated) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, fmt.Sprintf("used %s %s %v", a.Token, a.Agent, a.Void))
	return nil
}

func base(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

var textOf = regexp.MustCompile(`<(?:challenge|success|additional-data)[^>]*>([^<]*)<`)

// scram logs in by SCRAM-SHA-256 with a GS2 header, and data of the channel where it names a type.
func (c *client) scram(mechanism, gs2, data string) string {
	c.t.Helper()
	c.say(hello)
	c.until("</stream:features>")
	c.say(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='` + mechanism + `'>` + base(gs2+"n=juliet,r=client-nonce") + `</auth>`)
	said := c.until(">") + c.until(">")
	found := textOf.FindStringSubmatch(said)
	if found == nil {
		return said
	}
	first, _ := base64.StdEncoding.DecodeString(found[1])
	nonce, _, _ := strings.Cut(strings.TrimPrefix(string(first), "r="), ",")
	key, stored, server := keys("open")
	without := "c=" + base(gs2+data) + ",r=" + nonce
	auth := "n=juliet,r=client-nonce," + string(first) + "," + without
	proof := mac(stored, auth)
	for i := range proof {
		proof[i] ^= key[i]
	}
	c.say(`<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>` + base(without+",p="+base64.StdEncoding.EncodeToString(proof)) + `</response>`)
	said = c.until(">") + c.until(">")
	if found := textOf.FindStringSubmatch(said); found != nil && found[1] != base("v="+base64.StdEncoding.EncodeToString(mac(server, auth))) {
		c.t.Errorf("the server proves nothing: %s", said)
	}
	return said
}

// Both bindings name this channel; those of another one are refused (F08).
func TestChannelBinding(t *testing.T) {
	b := newBed(t)
	exporter := func(conn *tls.Conn) string {
		state := conn.ConnectionState()
		data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	endPoint := func(conn *tls.Conn) string {
		sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
		return string(sum[:])
	}
	other := b.dial().conn.(*tls.Conn)
	for _, tc := range []struct {
		name, mechanism, gs2 string
		version              uint16
		data                 func(*tls.Conn) string
		said                 string
	}{
		{"exporter", "SCRAM-SHA-256-PLUS", "p=tls-exporter,,", tls.VersionTLS13, exporter, "<success"},
		{"exporter on TLS 1.2", "SCRAM-SHA-256-PLUS", "p=tls-exporter,,", tls.VersionTLS12, exporter, "<success"},
		{"end point", "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", tls.VersionTLS13, endPoint, "<success"},
		{"none", "SCRAM-SHA-256", "n,,", tls.VersionTLS13, func(*tls.Conn) string { return "" }, "<success"},
		{"exporter of another", "SCRAM-SHA-256-PLUS", "p=tls-exporter,,", tls.VersionTLS13, func(*tls.Conn) string { return exporter(other) }, "<not-authorized"},
		{"end point as exporter", "SCRAM-SHA-256-PLUS", "p=tls-exporter,,", tls.VersionTLS13, endPoint, "<not-authorized"},
		{"unique on TLS 1.3", "SCRAM-SHA-256-PLUS", "p=tls-unique,,", tls.VersionTLS13, exporter, "<not-authorized"},
		{"believes in none", "SCRAM-SHA-256", "y,,", tls.VersionTLS13, func(*tls.Conn) string { return "" }, "<not-authorized"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := b.tls()
			cfg.MinVersion, cfg.MaxVersion = tc.version, tc.version
			c := b.dialWith(cfg, "127.0.0.1")
			if said := c.scram(tc.mechanism, tc.gs2, tc.data(c.conn.(*tls.Conn))); !strings.Contains(said, tc.said) {
				t.Errorf("got %s, want %s", said, tc.said)
			}
		})
	}
}

func external(authzid string) string {
	text := "="
	if authzid != "" {
		text = base(authzid)
	}
	return `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>` + text + `</auth>`
}

// A client's certificate logs in by its addresses, and by nothing else of it (F16, E10).
func TestExternal(t *testing.T) {
	b := newBed(t)
	stranger := tlsidtest.Must(tlsidtest.NewCA("somebody else"))
	for _, tc := range []struct {
		name    string
		ca      *tlsidtest.CA
		names   tlsidtest.Options
		authzid string
		said    string
	}{
		{"one address", b.ca, tlsidtest.Options{XMPP: []string{"juliet@im.example"}}, "", "<success"},
		{"named", b.ca, tlsidtest.Options{XMPP: []string{"juliet@im.example"}}, "juliet@im.example", "<success"},
		{"named otherwise written", b.ca, tlsidtest.Options{XMPP: []string{"Juliet@IM.example"}}, "juliet@im.example", "<success"},
		{"somebody else", b.ca, tlsidtest.Options{XMPP: []string{"juliet@im.example"}}, "romeo@im.example", "<invalid-authzid"},
		{"two addresses, none named", b.ca, tlsidtest.Options{XMPP: []string{"juliet@im.example", "nurse@im.example"}}, "", "<invalid-authzid"},
		{"two addresses, one named", b.ca, tlsidtest.Options{XMPP: []string{"juliet@im.example", "nurse@im.example"}}, "nurse@im.example", "<success"},
		{"of another domain", b.ca, tlsidtest.Options{XMPP: []string{"juliet@b.example"}}, "", "<not-authorized"},
		{"a domain", b.ca, tlsidtest.Options{XMPP: []string{"im.example"}, DNS: []string{"im.example"}}, "", "<not-authorized"},
		{"with a resource", b.ca, tlsidtest.Options{XMPP: []string{"juliet@im.example/desk"}}, "", "<not-authorized"},
		{"no name but the subject", b.ca, tlsidtest.Options{}, "juliet@im.example", "<not-authorized"},
		{"unknown authority", stranger, tlsidtest.Options{XMPP: []string{"juliet@im.example"}}, "", "<not-authorized"},
		{"expired", b.ca, tlsidtest.Options{XMPP: []string{"juliet@im.example"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}, "", "<not-authorized"},
		{"no certificate", nil, tlsidtest.Options{}, "", "<not-authorized"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := b.tls()
			if tc.ca != nil {
				tc.names.Subject.CommonName = "juliet@im.example"
				cfg.Certificates = []tls.Certificate{tlsidtest.Must(tc.ca.Issue(tc.names)).TLS()}
			}
			c := b.dialWith(cfg, "127.0.0.1")
			c.say(hello)
			if said := c.until("</stream:features>"); tc.said == "<not-authorized" && strings.Contains(said, "EXTERNAL") {
				t.Errorf("offered %s", said)
			}
			c.say(external(tc.authzid))
			if said := c.until("/>"); !strings.Contains(said, tc.said) {
				t.Errorf("got %s, want %s", said, tc.said)
			}
		})
	}
}

// A token logs in once more; what it voids is told before its successor is asked for (XEP-0484 §3.5).
func TestToken(t *testing.T) {
	b := newBed(t)
	b.house.tokens = []sasl.Token{{ID: "7", Value: "secret token"}}
	c := b.dial()
	state := c.conn.(*tls.Conn).ConnectionState()
	data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	c.say(hello)
	if said := c.until("</stream:features>"); !strings.Contains(said, "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-EXPR<") {
		t.Errorf("offered %s", said)
	}
	c.say(`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-EXPR'><initial-response>` +
		base("juliet\x00"+string(mac([]byte("secret token"), "Initiator"+string(data)))) +
		`</initial-response><user-agent id='agent'/><fast xmlns='urn:xmpp:fast:0'/></authenticate>`)
	said := c.until("</success>")
	if !strings.Contains(said, base(string(mac([]byte("secret token"), "Responder"+string(data))))) || !strings.Contains(said, "token='token for HT-SHA-256-EXPR'") {
		t.Errorf("got %s", said)
	}
	b.house.wait(t, "used 7 agent false")
}

// wrong fails to log in n times and reports how long that took.
func (c *client) wrong(n int) time.Duration {
	c.t.Helper()
	began := time.Now()
	c.say(hello)
	c.until("</stream:features>")
	for range n {
		c.say(plain("wrong"))
		c.until("</failure>")
	}
	return time.Since(began)
}

// F14: five attempts on a stream; those that follow come later and later, of an address and about an account; the real
// user gets in.
func TestBrake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		c := d.dial()
		if took := c.wrong(5); took != 0 {
			t.Errorf("the first five took %v", took)
		}
		c.until("<policy-violation")
		if took := d.dial().wrong(3); took != 700*time.Millisecond { // 100, 200, 400
			t.Errorf("the next three took %v", took)
		}
		if took := d.dial().wrong(2); took != 800*time.Millisecond+1600*time.Millisecond {
			t.Errorf("two more took %v", took)
		}
		for i := range 100 {
			if took := d.dialFrom(fmt.Sprintf("198.51.100.%d", i)).wrong(3); took > 6*time.Second {
				t.Fatalf("three about the account took %v", took)
			}
		}
		began := time.Now()
		d.dialFrom("203.0.113.1").login()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the real user waited %v", took)
		}
		began = time.Now()
		d.dialFrom("203.0.113.2").login()
		if took := time.Since(began); took > 0 {
			t.Errorf("the real user waited %v again", took)
		}
	})
}

// An address that only fails is not asked for passwords any more, until it has been silent for a while.
func TestBarred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		for range 40 {
			d.dial().wrong(5)
		}
		looked := d.house.count()
		c := d.dial()
		c.say(hello)
		c.until("</stream:features>")
		c.say(plain("open"))
		c.until("<temporary-auth-failure")
		if d.house.count() != looked {
			t.Error("the password was looked at")
		}
		d.dialFrom("192.0.2.2").login()
		time.Sleep(2 * time.Hour)
		d.dial().login()
	})
}

func (h *house) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.looked
}
