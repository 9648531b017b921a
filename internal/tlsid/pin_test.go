package tlsid_test

import (
	"testing"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
)

func TestPins(t *testing.T) {
	root := must.ca(tlsidtest.NewCA("root"))
	issued := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"b.example"}}))
	self := must.leaf(tlsidtest.SelfSigned(tlsidtest.Options{DNS: []string{"b.example"}}))
	renewed := must.leaf(tlsidtest.SelfSigned(tlsidtest.Options{DNS: []string{"b.example"}, Key: self.Key}))
	stale := must.leaf(tlsidtest.SelfSigned(tlsidtest.Options{DNS: []string{"b.example"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}))
	trust := tlsid.NewTrust(root.Cert)
	key, cert := tlsid.KeyPin(self.Cert), tlsid.CertificatePin(self.Cert)
	rows := []struct {
		name   string
		policy tlsid.Policy
		leaf   *tlsidtest.Leaf
		want   tlsid.Reason
	}{
		{"key alone", tlsid.Policy{Pins: []tlsid.Pin{key}}, self, tlsid.OK},
		{"key after renewal", tlsid.Policy{Pins: []tlsid.Pin{key}}, renewed, tlsid.OK},
		{"certificate alone", tlsid.Policy{Pins: []tlsid.Pin{cert}}, self, tlsid.OK},
		{"certificate after renewal", tlsid.Policy{Pins: []tlsid.Pin{cert}}, renewed, tlsid.PinMismatch},
		{"zero pin", tlsid.Policy{Pins: []tlsid.Pin{{}}}, self, tlsid.PinMismatch},
		{"expired", tlsid.Policy{Pins: []tlsid.Pin{tlsid.KeyPin(stale.Cert)}}, stale, tlsid.Expired},
		{"beside an anchor", tlsid.Policy{Trust: trust, Pins: []tlsid.Pin{tlsid.KeyPin(issued.Cert)}}, issued, tlsid.OK},
		{"beside an anchor, other key", tlsid.Policy{Trust: trust, Pins: []tlsid.Pin{key}}, issued, tlsid.PinMismatch},
		{"pinned without path", tlsid.Policy{Trust: trust, Pins: []tlsid.Pin{key}}, self, tlsid.SelfSigned},
	}
	for _, row := range rows {
		v := row.policy.Verify(presented(row.leaf), time.Now())
		if v.Reason != row.want {
			t.Errorf("%s: %v (%v), want %v", row.name, v.Reason, v.Cause, row.want)
		}
		if v.Proves("other.example") {
			t.Errorf("%s: a pin replaced the comparison of names", row.name)
		}
	}
}

func TestParsePin(t *testing.T) {
	self := must.leaf(tlsidtest.SelfSigned(tlsidtest.Options{DNS: []string{"b.example"}}))
	for _, p := range []tlsid.Pin{tlsid.KeyPin(self.Cert), tlsid.CertificatePin(self.Cert)} {
		if again, err := tlsid.ParsePin(p.String()); err != nil || again != p {
			t.Errorf("%v read again: %v, %v", p, again, err)
		}
	}
	for _, bad := range []string{"", "sha256:AAAA", "spki-sha256:", "spki-sha256:AAAA", "cert-sha256:zz", "spki-sha256:0011"} {
		if _, err := tlsid.ParsePin(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestReasonWords(t *testing.T) {
	for r := tlsid.NotChecked; r <= tlsid.NameMismatch; r++ {
		if again, err := tlsid.ParseReason(r.String()); err != nil || again != r {
			t.Errorf("%d %v read again: %v, %v", r, r, again, err)
		}
	}
	if _, err := tlsid.ParseReason("fine"); err == nil {
		t.Error("a word of nobody was read")
	}
}
