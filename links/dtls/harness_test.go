package dtls_test

import (
	"bytes"
	"context"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/links"
	"sallyport/links/dtls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The two gateways of the tests, and somebody else.
var (
	shipAt     = netip.MustParseAddrPort("192.0.2.1:5269")
	shoreAt    = netip.MustParseAddrPort("198.51.100.1:5269")
	elsewhere  = netip.MustParseAddrPort("203.0.113.7:40000")
	attackerAt = netip.MustParseAddrPort("203.0.113.66:666")
)

// Virtual time begins in the year 2000.
var (
	ancient = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	distant = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
)

var secret = bytes.Repeat([]byte{7}, 32)

// pair is two endpoints on one memory network. The ship dials the shore.
type pair struct {
	t           *testing.T
	net         *memnet
	ship, shore *dtls.Endpoint
}

// settings change what newPair makes.
type settings struct {
	weather     weather
	profile     links.Profile
	ship, shore func(*dtls.Config)
	link        func(*dtls.LinkConfig) // of both
}

func byKey(p *dtls.Peer) { p.Shared = &dtls.SharedKey{Identity: "ship", Secret: secret} }

// newPair opens both, with a shared key unless the settings say otherwise. The test closes them.
func newPair(t *testing.T, s settings) *pair {
	t.Helper()
	n := newMemnet(s.weather)
	ship := dtls.Config{Local: shipAt, Peers: []dtls.Peer{{Name: "shore", Address: shoreAt, Profile: s.profile}}}
	shore := dtls.Config{Local: shoreAt, Peers: []dtls.Peer{{Name: "ship", Address: shipAt, Profile: s.profile}}}
	byKey(&ship.Peers[0])
	byKey(&shore.Peers[0])
	if s.ship != nil {
		s.ship(&ship)
	}
	if s.shore != nil {
		s.shore(&shore)
	}
	p := &pair{t: t, net: n}
	p.ship, p.shore = open(t, n, ship), open(t, n, shore)
	return p
}

func open(t *testing.T, n *memnet, c dtls.Config) *dtls.Endpoint {
	t.Helper()
	e, err := dtls.Open(t.Context(), c, dtls.Env{Bind: n.bind})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (p *pair) close() {
	if err := p.ship.Close(); err != nil {
		p.t.Error(err)
	}
	if err := p.shore.Close(); err != nil {
		p.t.Error(err)
	}
}

// connect makes an association and returns both ends.
func (p *pair) connect() (ship, shore *dtls.Association) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer stop()
	got := make(chan *dtls.Association, 1)
	go func() {
		a, err := p.shore.Accept(ctx)
		if err != nil {
			p.t.Error(err)
		}
		got <- a
	}()
	ship, err := p.ship.Dial(ctx, "shore")
	if err != nil {
		p.t.Fatal(err)
	}
	return ship, <-got
}

// certificates makes both sides go by certificate.
func certificates(t *testing.T, shipDomain, shoreDomain string) (ship, shore func(*dtls.Config)) {
	t.Helper()
	ca, err := tlsidtest.NewCAWith(tlsidtest.CAOptions{Name: "bench", NotBefore: ancient, NotAfter: distant})
	if err != nil {
		t.Fatal(err)
	}
	trust := tlsid.NewTrust(ca.Cert)
	side := func(own, other string) func(*dtls.Config) {
		keys := keysFor(t, ca, own)
		return func(c *dtls.Config) {
			c.Keys, c.Domain = keys, own
			c.Peers[0].Shared, c.Peers[0].Domains = nil, []string{other}
			c.Peers[0].Identity = tlsid.Policy{Trust: trust}
		}
	}
	return side(shipDomain, shoreDomain), side(shoreDomain, shipDomain)
}

func keysFor(t *testing.T, ca *tlsidtest.CA, domain string) *tlsid.Keys {
	t.Helper()
	leaf, err := ca.Issue(tlsidtest.Options{DNS: []string{domain}, NotBefore: ancient, NotAfter: distant})
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := leaf.WritePEM(t.TempDir(), "own")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := tlsid.LoadKeys([]tlsid.KeyPair{{CertFile: cert, KeyFile: key, Default: true}})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
