package tlsid_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"testing"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
)

func keysOf(t *testing.T, fallback bool, leaves ...*tlsidtest.Leaf) *tlsid.Keys {
	t.Helper()
	var pairs []tlsid.KeyPair
	for i, l := range leaves {
		c, k, err := l.WritePEM(t.TempDir(), "own")
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, tlsid.KeyPair{CertFile: c, KeyFile: k, Default: fallback && i == 0})
	}
	keys, err := tlsid.LoadKeys(pairs)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// shake runs one handshake in memory and returns what both sides saw.
func shake(t *testing.T, server, client *tls.Config) (s, c tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	deadline := time.Now().Add(time.Minute)
	_ = a.SetDeadline(deadline)
	_ = b.SetDeadline(deadline)
	done := make(chan error, 1)
	srv, cli := tls.Server(a, server), tls.Client(b, client)
	go func() {
		err := srv.Handshake()
		if err == nil {
			_, err = srv.Write([]byte{1})
		} else {
			_ = a.Close()
		}
		done <- err
	}()
	if clientErr = cli.Handshake(); clientErr == nil {
		_, clientErr = cli.Read(make([]byte, 1)) // a TLS 1.3 client hears of the server's verdict late
	} else {
		_ = b.Close()
	}
	serverErr = <-done
	return srv.ConnectionState(), cli.ConnectionState(), serverErr, clientErr
}

func TestHandshakeNeverFailsForTheCertificate(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	ours := keysOf(t, false, must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"a.example"}})))
	theirs := keysOf(t, false, must.leaf(tlsidtest.SelfSigned(tlsidtest.Options{DNS: []string{"b.example"}})))
	client, err := tlsid.ClientConfig(tlsid.Options{Keys: theirs, Domain: "b.example", Remote: "a.example"})
	if err != nil {
		t.Fatal(err)
	}
	s, c, serverErr, clientErr := shake(t, tlsid.ServerConfig(tlsid.Options{Keys: ours}), client)
	if serverErr != nil || clientErr != nil {
		t.Fatalf("server %v, client %v", serverErr, clientErr)
	}
	policy := tlsid.Policy{Trust: tlsid.NewTrust(root.Cert)}
	if v := policy.Verify(tlsid.FromState(&s, tlsid.Initiator), time.Now()); v.Reason != tlsid.SelfSigned {
		t.Errorf("the client's certificate: %v", v.Reason)
	}
	if v := policy.Verify(tlsid.FromState(&c, tlsid.Responder), time.Now()); !v.Proves("a.example") {
		t.Errorf("the server's certificate: %v", v.Reason)
	}
	veto := tlsid.ServerConfig(tlsid.Options{Keys: ours, Judge: func(*tls.ConnectionState) error { return errors.New("no") }})
	if _, _, serverErr, clientErr = shake(t, veto, client); serverErr == nil || clientErr == nil {
		t.Error("a veto must end the handshake")
	}
}

// TestE04 and E12, E13: versions, suites, tickets, names and protocols at the door.
func TestE04E12E13(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	leaf := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"a.example"}}))
	strict, withDefault := keysOf(t, false, leaf), keysOf(t, true, leaf)
	plain := func(edit func(*tls.Config)) *tls.Config {
		c := &tls.Config{InsecureSkipVerify: true, ServerName: "a.example", ClientSessionCache: tls.NewLRUClientSessionCache(4)}
		if edit != nil {
			edit(c)
		}
		return c
	}
	rows := []struct {
		name   string
		server tlsid.Options
		client *tls.Config
		alert  tls.AlertError // 0: must succeed
	}{
		{"usual", tlsid.Options{Keys: strict}, plain(nil), 0},
		{"TLS 1.1", tlsid.Options{Keys: strict}, plain(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), 70},
		{
			"TLS 1.2 under a floor of 1.3",
			tlsid.Options{Keys: strict, MinTLS: tls.VersionTLS13},
			plain(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), 70,
		},
		{"CBC only", tlsid.Options{Keys: strict}, plain(func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}), 40},
		{"wrong protocol on direct TLS", tlsid.Options{Keys: strict, Direct: true}, plain(func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }), 120},
		{"right protocol on direct TLS", tlsid.Options{Keys: strict, Direct: true}, plain(func(c *tls.Config) { c.NextProtos = []string{tlsid.ALPN} }), 0},
		{"no name, no default", tlsid.Options{Keys: strict}, plain(func(c *tls.Config) { c.ServerName = "" }), 112},
		{"unknown name, no default", tlsid.Options{Keys: strict}, plain(func(c *tls.Config) { c.ServerName = "other.example" }), 112},
		{"unknown name, default", tlsid.Options{Keys: withDefault}, plain(func(c *tls.Config) { c.ServerName = "other.example" }), 0},
		{"no name, clear header", tlsid.Options{Keys: strict, Domain: "a.example"}, plain(func(c *tls.Config) { c.ServerName = "" }), 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for range 2 { // the second would resume, if anything did
				s, _, serverErr, clientErr := shake(t, tlsid.ServerConfig(row.server), row.client)
				if row.alert == 0 {
					if serverErr != nil || clientErr != nil || s.DidResume {
						t.Fatalf("server %v, client %v, resumed %v", serverErr, clientErr, s.DidResume)
					}
					continue
				}
				// a plain error for an alert that the peer sent; crypto/tls wraps it in a net.OpError
				var op *net.OpError
				if serverErr == nil || !errors.As(clientErr, &op) || op.Err.Error() != row.alert.Error() {
					t.Errorf("client heard %v, want %v", clientErr, row.alert)
				}
			}
		})
	}
}

// TestE11Handshake: a monstrous key is refused by our bounds even where crypto/tls would let it through.
func TestE11Handshake(t *testing.T) {
	// A made-up modulus: nobody needs the key for the bound to hold.
	leaf := must.leaf(tlsidtest.SelfSigned(tlsidtest.Options{DNS: []string{"b.example"}}))
	big := *leaf.Cert
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pub := key.PublicKey
	pub.N = pub.N.Lsh(pub.N, 16384-2048)
	big.PublicKey = &pub
	in := presented(leaf)
	in.Chain = []*x509.Certificate{&big}
	policy := tlsid.Policy{Pins: []tlsid.Pin{tlsid.KeyPin(leaf.Cert)}}
	if v := policy.Verify(in, time.Now()); v.Reason != tlsid.KeyTooLarge {
		t.Errorf("16384 bits: %v", v.Reason)
	}
}
