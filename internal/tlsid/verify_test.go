package tlsid_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math"
	"net"
	"testing"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
)

var must = struct {
	ca   func(*tlsidtest.CA, error) *tlsidtest.CA
	leaf func(*tlsidtest.Leaf, error) *tlsidtest.Leaf
}{tlsidtest.Must[*tlsidtest.CA], tlsidtest.Must[*tlsidtest.Leaf]}

func presented(l *tlsidtest.Leaf) tlsid.Presented {
	return tlsid.Presented{Chain: l.Chain, Role: tlsid.Initiator, TLS: tls.VersionTLS13}
}

// TestE08 is bad input E08: no authentication by a certificate that is not good, and a word for why.
func TestE08(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	other := must.ca(tlsidtest.NewCA("other"))
	expiredCA := must.ca(root.Intermediate(tlsidtest.CAOptions{
		Name: "old", NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour),
	}))
	dns := []string{"b.example"}
	now := time.Now()
	rows := []struct {
		name  string
		issue *tlsidtest.CA
		opts  tlsidtest.Options
		want  tlsid.Reason
	}{
		{"good", root, tlsidtest.Options{DNS: dns}, tlsid.OK},
		{"good without extended key usage", root, tlsidtest.Options{DNS: dns, NoUsages: true}, tlsid.OK},
		{"expired", root, tlsidtest.Options{DNS: dns, NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)}, tlsid.Expired},
		{"not yet valid", root, tlsidtest.Options{DNS: dns, NotBefore: now.Add(time.Hour)}, tlsid.NotYetValid},
		{"expired authority", expiredCA, tlsidtest.Options{DNS: dns}, tlsid.Expired},
		{"wrong key usage", root, tlsidtest.Options{DNS: dns, KeyUsage: x509.KeyUsageCRLSign}, tlsid.WrongUsage},
		{
			"wrong extended key usage", root,
			tlsidtest.Options{DNS: dns, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}},
			tlsid.WrongUsage,
		},
		{"unknown authority", other, tlsidtest.Options{DNS: dns}, tlsid.UnknownCA},
		{"self-signed", nil, tlsidtest.Options{DNS: dns}, tlsid.SelfSigned},
		{"weak key", root, tlsidtest.Options{DNS: dns, RSABits: 1024}, tlsid.WeakKey},
		{"unknown critical extension", root, tlsidtest.Options{
			DNS:   dns,
			Extra: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}},
		}, tlsid.UnknownExtension},
		{"malformed names", root, tlsidtest.Options{RawSAN: []byte{0x30, 0x06, 0xA0, 0x04, 0x06, 0x02, 0x2A, 0x03}}, tlsid.MalformedNames},
	}
	policy := tlsid.Policy{Trust: tlsid.NewTrust(root.Cert)}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			v := policy.Verify(presented(must.leaf(row.issue.Issue(row.opts))), now)
			if v.Reason != row.want {
				t.Errorf("reason %v (%v), want %v", v.Reason, v.Cause, row.want)
			}
			if v.Proves("b.example") != (row.want == tlsid.OK) {
				t.Errorf("proves the domain with reason %v", v.Reason)
			}
		})
	}
}

func TestE08SHA1(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	leaf := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"b.example"}}))
	sha1 := *leaf.Cert
	sha1.SignatureAlgorithm = x509.ECDSAWithSHA1
	in := presented(leaf)
	in.Chain = []*x509.Certificate{&sha1}
	policy := tlsid.Policy{Trust: tlsid.NewTrust(root.Cert)}
	if v := policy.Verify(in, time.Now()); v.Reason != tlsid.WeakSignature {
		t.Errorf("SHA-1 signature: %v", v.Reason)
	}
}

// TestE09 is bad input E09 and the wildcard rules of RFC 9525 §6.3.
func TestE09(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	policy := tlsid.Policy{Trust: tlsid.NewTrust(root.Cert)}
	rows := []struct {
		name   string
		opts   tlsidtest.Options
		domain string
		want   tlsid.Kind
	}{
		{"exact", tlsidtest.Options{DNS: []string{"good.example"}}, "good.example", tlsid.DNSID},
		{"upper case", tlsidtest.Options{DNS: []string{"GOOD.Example"}}, "good.example", tlsid.DNSID},
		{"one label", tlsidtest.Options{DNS: []string{"*.good.example"}}, "a.good.example", tlsid.DNSID},
		{"wildcard is not its parent", tlsidtest.Options{DNS: []string{"*.good.example"}}, "good.example", tlsid.NoKind},
		{"two labels", tlsidtest.Options{DNS: []string{"*.example"}}, "a.b.example", tlsid.NoKind},
		{"two labels below", tlsidtest.Options{DNS: []string{"*.good.example"}}, "a.b.good.example", tlsid.NoKind},
		{"top level", tlsidtest.Options{DNS: []string{"*.com"}}, "good.com", tlsid.NoKind},
		{"star alone", tlsidtest.Options{DNS: []string{"*"}}, "good.example", tlsid.NoKind},
		{"part of a label", tlsidtest.Options{DNS: []string{"go*.example"}}, "good.example", tlsid.NoKind},
		{"star in the middle", tlsidtest.Options{DNS: []string{"a.*.example"}}, "a.good.example", tlsid.NoKind},
		{"NUL", tlsidtest.Options{DNS: []string{"good.example\x00.evil.example"}}, "good.example", tlsid.NoKind},
		{"common name only", tlsidtest.Options{Subject: pkix.Name{CommonName: "good.example"}}, "good.example", tlsid.NoKind},
		{
			"common name beside",
			tlsidtest.Options{Subject: pkix.Name{CommonName: "good.example"}, DNS: []string{"other.example"}},
			"good.example", tlsid.NoKind,
		},
		{"address", tlsidtest.Options{IP: []net.IP{{127, 0, 0, 1}}}, "127.0.0.1", tlsid.NoKind},
		{"XmppAddr", tlsidtest.Options{XMPP: []string{"good.example"}}, "good.example", tlsid.XMPPAddr},
		{"XmppAddr in capitals", tlsidtest.Options{XMPP: []string{"GOOD.example"}}, "good.example", tlsid.XMPPAddr},
		{"XmppAddr international", tlsidtest.Options{XMPP: []string{"bücher.example"}}, "bücher.example", tlsid.XMPPAddr},
		{"dNSName international", tlsidtest.Options{DNS: []string{"xn--bcher-kva.example"}}, "bücher.example", tlsid.DNSID},
		{"XmppAddr of another", tlsidtest.Options{XMPP: []string{"other.example"}}, "good.example", tlsid.NoKind},
		{"XmppAddr of a user", tlsidtest.Options{XMPP: []string{"u@good.example"}}, "good.example", tlsid.NoKind},
		{"XmppAddr with resource", tlsidtest.Options{XMPP: []string{"good.example/r"}}, "good.example", tlsid.NoKind},
		{"XmppAddr wildcard", tlsidtest.Options{XMPP: []string{"*.good.example"}}, "a.good.example", tlsid.NoKind},
		{"SRVName", tlsidtest.Options{SRV: []string{"_xmpp-server.good.example"}}, "good.example", tlsid.SRVID},
		{"SRVName wildcard", tlsidtest.Options{SRV: []string{"_xmpp-server.*.good.example"}}, "a.good.example", tlsid.SRVID},
		{"SRVName of clients", tlsidtest.Options{SRV: []string{"_xmpp-client.good.example"}}, "good.example", tlsid.NoKind},
		{"critical, otherName only", tlsidtest.Options{XMPP: []string{"good.example"}, CriticalSAN: true}, "good.example", tlsid.XMPPAddr},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			v := policy.Verify(presented(must.leaf(root.Issue(row.opts))), time.Now())
			if !v.OK() {
				t.Fatalf("chain: %v (%v)", v.Reason, v.Cause)
			}
			got, reason := v.Match(row.domain)
			if got != row.want {
				t.Errorf("%q matched by %v, want %v", row.domain, got, row.want)
			}
			if (reason == tlsid.OK) != (row.want != tlsid.NoKind) {
				t.Errorf("reason %v", reason)
			}
		})
	}
}

// TestE10 is bad input E10: nothing in a distinguished name is an identity.
func TestE10(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	policy := tlsid.Policy{Trust: tlsid.NewTrust(root.Cert)}
	subject := pkix.Name{OrganizationalUnit: []string{"CN=admin.example,"}, CommonName: "mallory.example"}
	for _, opts := range []tlsidtest.Options{{Subject: subject}, {Subject: subject, DNS: []string{"m.example"}}} {
		v := policy.Verify(presented(must.leaf(root.Issue(opts))), time.Now())
		for _, domain := range []string{"admin.example", "mallory.example", "CN=admin.example,"} {
			if v.Proves(domain) {
				t.Errorf("%v proves %q", opts, domain)
			}
		}
		if v.Proves("m.example") != (len(opts.DNS) == 1) {
			t.Errorf("the name in subjectAltName: %v", opts)
		}
	}
}

// TestLeafOnly appends the victim's public certificate to an otherwise good chain (xmpp-checklists §3.4).
func TestLeafOnly(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	victim := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"victim.example"}, XMPP: []string{"victim.example"}}))
	mallory := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"mallory.example"}}))
	mallory.Chain = append(mallory.Chain, victim.Cert)
	policy := tlsid.Policy{Trust: tlsid.NewTrust(root.Cert)}
	v := policy.Verify(presented(mallory), time.Now())
	if !v.Proves("mallory.example") {
		t.Errorf("own name: %v", v.Reason)
	}
	if v.Proves("victim.example") {
		t.Error("a name of an appended certificate was believed")
	}
	pinned := tlsid.Policy{Pins: []tlsid.Pin{tlsid.KeyPin(victim.Cert)}}
	if v := pinned.Verify(presented(mallory), time.Now()); v.Reason != tlsid.PinMismatch {
		t.Errorf("a pin of an appended certificate: %v", v.Reason)
	}
}

// TestE11 is bad input E11: bounds before cost.
func TestE11(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	policy := tlsid.Policy{Trust: tlsid.NewTrust(root.Cert)}
	up := root
	for i := range 8 {
		up = must.ca(up.Intermediate(tlsidtest.CAOptions{Name: fmt.Sprint("level ", i)}))
	}
	long := must.leaf(up.Issue(tlsidtest.Options{DNS: []string{"b.example"}}))
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("n%d.example", i)
	}
	constrained := must.ca(root.Intermediate(tlsidtest.CAOptions{Name: "constrained", PermittedDNS: many}))
	rows := []struct {
		name string
		leaf *tlsidtest.Leaf
		want tlsid.Reason
	}{
		{"chain", long, tlsid.ChainTooLong},
		{"names", must.leaf(root.Issue(tlsidtest.Options{DNS: many})), tlsid.TooManyNames},
		{"constraints", must.leaf(constrained.Issue(tlsidtest.Options{DNS: many[:100]})), tlsid.TooManyNames},
	}
	for _, row := range rows {
		best := time.Duration(math.MaxInt64)
		for i := 0; i < 20 && best > 100*time.Millisecond; i++ { // others only ever add to it
			start := time.Now()
			v := policy.Verify(presented(row.leaf), time.Now())
			if v.Reason != row.want {
				t.Errorf("%s: %v, want %v", row.name, v.Reason, row.want)
			}
			best = min(best, time.Since(start))
		}
		if best > 100*time.Millisecond {
			t.Errorf("%s took %v, budget 100 ms", row.name, best)
		}
	}
}

func TestUsageSwitch(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	server := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"b.example"}, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}))
	client := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"b.example"}, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}))
	rows := []struct {
		name    string
		leaf    *tlsidtest.Leaf
		usage   tlsid.Usage
		role    tlsid.Role
		want    tlsid.Reason
		unusual bool
	}{
		{"server as initiator", server, tlsid.Either, tlsid.Initiator, tlsid.OK, true},
		{"server as responder", server, tlsid.Either, tlsid.Responder, tlsid.OK, false},
		{"client as responder", client, tlsid.Either, tlsid.Responder, tlsid.OK, true},
		{"strict server as initiator", server, tlsid.Strict, tlsid.Initiator, tlsid.WrongUsage, false},
		{"strict server as responder", server, tlsid.Strict, tlsid.Responder, tlsid.OK, false},
		{"strict client as initiator", client, tlsid.Strict, tlsid.Initiator, tlsid.OK, false},
		{"client only, server as responder", server, tlsid.ClientOnly, tlsid.Responder, tlsid.WrongUsage, false},
		{"server only, server as initiator", server, tlsid.ServerOnly, tlsid.Initiator, tlsid.OK, false},
		{"no role", server, tlsid.Either, tlsid.NoRole, tlsid.NoCertificate, false},
	}
	for _, row := range rows {
		policy := tlsid.Policy{Trust: tlsid.NewTrust(root.Cert), Usage: row.usage}
		v := policy.Verify(tlsid.Presented{Chain: row.leaf.Chain, Role: row.role, TLS: tls.VersionTLS12}, time.Now())
		if v.Reason != row.want || v.UnusualUsage != row.unusual {
			t.Errorf("%s: %v unusual=%v, want %v %v", row.name, v.Reason, v.UnusualUsage, row.want, row.unusual)
		}
	}
}

func TestZeroDenies(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	leaf := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"b.example"}}))
	var none *tlsid.Verified
	var zero tlsid.Policy
	empty := tlsid.Policy{Trust: &tlsid.Trust{}}
	tooOld := tlsid.Policy{Trust: tlsid.NewTrust(root.Cert), MinTLS: tls.VersionTLS13}
	in12 := presented(leaf)
	in12.TLS = tls.VersionTLS12
	rows := []struct {
		name string
		v    *tlsid.Verified
		want tlsid.Reason
	}{
		{"nil", none, tlsid.NotChecked},
		{"zero Verified", &tlsid.Verified{}, tlsid.NotChecked},
		{"zero Policy", zero.Verify(presented(leaf), time.Now()), tlsid.UnknownCA},
		{"zero Trust", empty.Verify(presented(leaf), time.Now()), tlsid.UnknownCA},
		{"nothing presented", tooOld.Verify(tlsid.Presented{Role: tlsid.Initiator, TLS: tls.VersionTLS13}, time.Now()), tlsid.NoCertificate},
		{"TLS 1.2 under a floor of 1.3", tooOld.Verify(in12, time.Now()), tlsid.ProtocolTooOld},
	}
	for _, row := range rows {
		if _, reason := row.v.Match("b.example"); reason != row.want {
			t.Errorf("%s: %v, want %v", row.name, reason, row.want)
		}
	}
}

// TestConstrainedAuthority: an authority that may only name one domain must not reach others through otherName.
func TestConstrainedAuthority(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	sub := must.ca(root.Intermediate(tlsidtest.CAOptions{Name: "sub", PermittedDNS: []string{"good.example"}}))
	policy := tlsid.Policy{Trust: tlsid.NewTrust(root.Cert)}
	leaf := must.leaf(sub.Issue(tlsidtest.Options{
		DNS: []string{"good.example"}, XMPP: []string{"victim.example"},
		SRV: []string{"_xmpp-server.victim.example"},
	}))
	v := policy.Verify(presented(leaf), time.Now())
	if !v.Proves("good.example") || v.Proves("victim.example") {
		t.Errorf("good %v, victim %v (%v)", v.Proves("good.example"), v.Proves("victim.example"), v.Cause)
	}
	outside := must.leaf(sub.Issue(tlsidtest.Options{DNS: []string{"victim.example"}}))
	if v := policy.Verify(presented(outside), time.Now()); v.Reason != tlsid.ConstraintViolated {
		t.Errorf("outside the constraint: %v", v.Reason)
	}
}
