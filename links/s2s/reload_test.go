package s2s_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/links"
	"sallyport/links/s2s"
	"sallyport/peering"
)

// shown returns the certificate that a gate shows to a newcomer.
func shown(t *testing.T, g *gate, name string) *tls.ConnectionState {
	t.Helper()
	c := tls.Client(dialRaw(t, g, true).conn, &tls.Config{InsecureSkipVerify: true, ServerName: name})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	cs := c.ConnectionState()
	return &cs
}

// TestCertificateReload: newcomers get the new certificate, the stream that is up does not notice.
func TestCertificateReload(t *testing.T) {
	w := newWorld(t, setup{})
	w.a.send(t, "a.example", "b.example", 1, 10)
	w.b.sink.wait(t, 10)
	if !shown(t, w.b, "b.example").PeerCertificates[0].Equal(w.bCert.Cert) {
		t.Error("not the first certificate")
	}
	fresh := tlsidtest.Must(w.ca.Issue(tlsidtest.Options{DNS: []string{"b.example", "*.b.example"}}))
	w.b.reload(t, func(c *s2s.Config) { c.Keys = keys(t, fresh) })
	if !shown(t, w.b, "b.example").PeerCertificates[0].Equal(fresh.Cert) {
		t.Error("not the new certificate")
	}
	w.a.send(t, "a.example", "b.example", 11, 20)
	inOrder(t, w.b.sink.wait(t, 20), 1, 20)
	if n := w.a.Counters().Dialled.Load(); n != 1 {
		t.Errorf("%d connections: the reload cost a stream", n)
	}
}

// TestDomainsHaveTheirCertificates: one gate, several domains, each with its own.
func TestDomainsHaveTheirCertificates(t *testing.T) {
	w := newWorld(t, setup{})
	x := tlsidtest.Must(w.ca.Issue(tlsidtest.Options{DNS: []string{"x.b.example"}}))
	y := tlsidtest.Must(w.ca.Issue(tlsidtest.Options{XMPP: []string{"y.b.example"}}))
	w.b.reload(t, func(c *s2s.Config) { c.Keys = keys(t, x, y) })
	for name, want := range map[string]*tlsidtest.Leaf{"x.b.example": x, "y.b.example": y} {
		if !shown(t, w.b, name).PeerCertificates[0].Equal(want.Cert) {
			t.Errorf("%s: another certificate", name)
		}
	}
	w.a.send(t, "a.example", "x.b.example", 1, 3)
	w.a.send(t, "a.example", "y.b.example", 4, 6)
	w.b.sink.wait(t, 6)
	for _, in := range w.b.sink.wait(t, 6) {
		if in.Domain.String() != "a.example" || in.Proof.Method != peering.External {
			t.Errorf("%+v", in)
		}
	}
}

// TestRevocation: a list that names the peer closes its stream with reset and keeps it out; nothing is lost without a report.
func TestRevocation(t *testing.T) {
	w := newWorld(t, setup{})
	w.a.send(t, "a.example", "b.example", 1, 10)
	w.a.rep.wait(t, links.Delivered, 10)
	w.a.reload(t, func(c *s2s.Config) { c.Peers[0].Queue.Age = time.Second }) // only now: the first stream may take longer
	dir := t.TempDir()
	anchors, err := w.ca.WritePEM(dir, "ca")
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "ca.crl")
	crl := tlsidtest.Must(w.ca.CRL(time.Now().Add(-time.Minute), time.Now().Add(time.Hour), w.aCert.Cert))
	if err := os.WriteFile(list, crl, 0o600); err != nil {
		t.Fatal(err)
	}
	trust := tlsidtest.Must(tlsid.LoadTrust(tlsid.TrustSpec{AnchorFiles: []string{anchors}, CRLFiles: []string{list}, Revocation: tlsid.RevocationHard}))
	w.b.reload(t, func(c *s2s.Config) { c.Peers[0].Identity.Trust = trust })
	if !w.b.events.soon(s2s.EventProofGone, "revoked") {
		w.dump(t)
		t.Fatal("the living stream was not closed")
	}
	for deadline := time.Now().Add(patience); !w.a.events.find(s2s.EventDown, "reset") && time.Now().Before(deadline); {
		waitABit(w.a) // what is written before that is in doubt
	}
	taken := 10
	for n := 11; n <= 12; n++ { // refused at the door once the refusal is known, bounced at once or after their second before that
		r := released(t, "a.example", "b.example", n)
		if w.a.Reserve(t.Context(), r.Local(), r.Remote(), 200) != nil {
			continue
		}
		w.a.Deliver(links.Consignment{Released: r, Token: w.a.token.Add(1), Reporter: w.a.rep})
		taken++
	}
	w.a.rep.waitFor(t, taken)
	if got := w.a.rep.count(links.Delivered); got != 10 {
		t.Errorf("%d delivered, want the ten from before", got)
	}
	if !w.b.events.soon(s2s.EventCertificate, "revoked") {
		t.Error("no reason named for the newcomer")
	}
	if n := len(w.b.sink.wait(t, 10)); n != 10 {
		t.Errorf("%d arrivals, want the ten from before", n)
	}
}

// TestReload: a peer that is gone is cut off, a broken configuration changes nothing, listeners come and go.
func TestReload(t *testing.T) {
	w := newWorld(t, setup{})
	w.a.send(t, "a.example", "b.example", 1, 1)
	w.b.sink.wait(t, 1)
	broken := w.b.cfg
	broken.Peers = append(broken.Peers[:1:1], broken.Peers[0])
	if err := w.b.Reload(broken); err == nil {
		t.Error("two peers of one name")
	}
	renamed := w.b.cfg
	renamed.Name = "other"
	if err := w.b.Reload(renamed); err == nil {
		t.Error("another name")
	}
	w.a.send(t, "a.example", "b.example", 2, 2)
	w.b.sink.wait(t, 2)
	w.b.reload(t, func(c *s2s.Config) { c.Peers[0].Refuse = true })
	if !w.b.events.soon(s2s.EventProofGone, "no-peer") {
		t.Error("the stream of a refused peer stays")
	}
	w.b.reload(t, func(c *s2s.Config) {
		c.Sides = append([]s2s.Side(nil), c.Sides...)
		c.Sides[0].ListenDirect = nil
	})
	if n := len(w.b.Addresses("net", true)); n != 0 {
		t.Errorf("%d direct listeners left", n)
	}
}

// TestPins: only the pinned key passes, though the authority is good; dialback does not help around it.
func TestPins(t *testing.T) {
	for _, good := range []bool{true, false} {
		w := newWorld(t, setup{proofs: s2s.Proofs{External: true, Dialback: true}})
		pin := tlsid.KeyPin(w.bCert.Cert)
		if good {
			pin = tlsid.KeyPin(w.aCert.Cert)
		}
		w.b.reload(t, func(c *s2s.Config) { c.Peers[0].Identity.Pins = []tlsid.Pin{pin} })
		w.a.send(t, "a.example", "b.example", 1, 1)
		if !good {
			for deadline := time.Now().Add(patience); !w.b.events.find(s2s.EventCertificate, "pin-mismatch") && time.Now().Before(deadline); {
				waitABit(w.b)
			}
			if w.b.Counters().StanzasIn.Load() != 0 {
				t.Error("came in with another key")
			}
			continue
		}
		if in := w.b.sink.wait(t, 1)[0]; !in.Proof.Pinned {
			t.Errorf("proof %+v", in.Proof)
		}
	}
}

// TestMinTLS: the floor of a peer holds though the listener takes TLS 1.2 from others.
func TestMinTLS(t *testing.T) {
	w := newWorld(t, setup{edit: func(_, b *s2s.Config) { b.Peers[0].Identity.MinTLS = tls.VersionTLS13 }})
	r := dialRaw(t, w.b, true)
	c := tls.Client(r.conn, &tls.Config{
		InsecureSkipVerify: true, ServerName: "b.example", MaxVersion: tls.VersionTLS12,
		Certificates: []tls.Certificate{w.aCert.TLS()},
	})
	if err := c.Handshake(); err != nil {
		return // refused in the handshake already
	}
	r.conn = c
	r.say(head, "a.example", "b.example")
	r.say(external)
	r.say("<presence from='u@a.example' to='v@b.example'/>")
	r.end()
	if w.b.Counters().StanzasIn.Load() != 0 {
		t.Error("came in with TLS 1.2")
	}
}

// TestPreparedAndDropped: what was prepared and not taken changes nothing and leaves nothing open.
func TestPreparedAndDropped(t *testing.T) {
	var newest net.Listener
	w := newWorld(t, setup{env: func(a, _ *s2s.Env) {
		a.Listen = func(ctx context.Context, network, address string) (ln net.Listener, err error) {
			newest, err = (&net.ListenConfig{}).Listen(ctx, network, address)
			return newest, err
		}
	}})
	next := w.a.cfg
	next.Sides = slices.Clone(next.Sides)
	next.Sides[0].Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.2:0")}
	before := w.a.Addresses("net", false)
	_, drop, err := w.a.Prepare(next)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(newest.Addr().String(), "127.0.0.2:") {
		t.Errorf("the newest listener is at %v", newest.Addr())
	}
	drop()
	if _, err := newest.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the new listener is not closed: %v", err)
	}
	if after := w.a.Addresses("net", false); len(after) != 1 || after[0].String() != before[0].String() {
		t.Errorf("listens on %v, before on %v", after, before)
	}
}
