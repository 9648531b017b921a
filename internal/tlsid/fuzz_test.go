package tlsid_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
)

// FuzzNames: whatever stands in a subjectAltName, reading ends, and no presented name holds an octet that could fool a log or a C string.
func FuzzNames(f *testing.F) {
	for _, o := range []tlsidtest.Options{
		{DNS: []string{"a.example", "*.b.example"}}, {XMPP: []string{"bücher.example"}}, {SRV: []string{"_xmpp-server.a.example"}},
	} {
		l := must.leaf(tlsidtest.SelfSigned(o))
		for _, e := range l.Cert.Extensions {
			if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
				f.Add(e.Value)
			}
		}
	}
	f.Fuzz(func(t *testing.T, san []byte) {
		cert := &x509.Certificate{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: san}}}
		names, err := tlsid.ParseNames(cert)
		if err != nil {
			return
		}
		for _, d := range names.DNS {
			if strings.ContainsAny(d, "\x00 \n@/") || d != strings.ToLower(d) {
				t.Errorf("presented name %q", d)
			}
		}
		names.Match("a.example")
	})
}
