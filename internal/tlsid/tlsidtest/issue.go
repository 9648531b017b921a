package tlsidtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Options describe a certificate. The zero value of each field is the usual thing.
type Options struct {
	DNS  []string // dNSName
	SRV  []string // SRVName, for example "_xmpp-server.a.example"
	XMPP []string // XmppAddr
	IP   []net.IP

	Subject             pkix.Name
	Usages              []x509.ExtKeyUsage // default: serverAuth and clientAuth
	NoUsages            bool               // no extended key usage at all
	KeyUsage            x509.KeyUsage      // default: digitalSignature
	NotBefore, NotAfter time.Time
	CriticalSAN         bool
	RawSAN              []byte // replaces the SAN built from the names
	Signature           x509.SignatureAlgorithm
	RSABits             int           // default: an ECDSA P-256 key
	Key                 crypto.Signer // default: a new one
	Extra               []pkix.Extension
}

// Issue makes a certificate signed by ca. A nil ca makes a self-signed one.
func (ca *CA) Issue(o Options) (*Leaf, error) {
	key, err := o.key()
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	san, err := o.san()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: o.Subject, KeyUsage: o.KeyUsage, ExtKeyUsage: o.Usages,
		SignatureAlgorithm: o.Signature, BasicConstraintsValid: true, ExtraExtensions: o.Extra,
	}
	t.NotBefore, t.NotAfter = validity(o.NotBefore, o.NotAfter)
	if t.KeyUsage == 0 {
		t.KeyUsage = x509.KeyUsageDigitalSignature
	}
	if t.ExtKeyUsage == nil && !o.NoUsages {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	if san != nil {
		t.ExtraExtensions = append(t.ExtraExtensions,
			pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: o.CriticalSAN, Value: san})
	}
	cert, err := sign(t, key.Public(), ca, key)
	if err != nil {
		return nil, err
	}
	l := &Leaf{Cert: cert, Key: key, Chain: []*x509.Certificate{cert}}
	for up := ca; up != nil && up.Parent != nil; up = up.Parent {
		l.Chain = append(l.Chain, up.Cert)
	}
	return l, nil
}

// SelfSigned makes a certificate that nobody else vouches for.
func SelfSigned(o Options) (*Leaf, error) { return (*CA)(nil).Issue(o) }

func (o *Options) key() (crypto.Signer, error) {
	switch {
	case o.Key != nil:
		return o.Key, nil
	case o.RSABits > 0:
		return rsa.GenerateKey(rand.Reader, o.RSABits)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// san builds subjectAltName by hand because crypto/x509 knows no otherName.
func (o *Options) san() ([]byte, error) {
	if o.RawSAN != nil {
		return o.RawSAN, nil
	}
	if len(o.DNS)+len(o.SRV)+len(o.XMPP)+len(o.IP) == 0 {
		return nil, nil
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, s := range o.XMPP {
			otherName(b, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5}, cbasn1.UTF8String, s)
		}
		for _, s := range o.SRV {
			otherName(b, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7}, cbasn1.IA5String, s)
		}
		for _, s := range o.DNS {
			b.AddASN1(cbasn1.Tag(2).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
		}
		for _, ip := range o.IP {
			b.AddASN1(cbasn1.Tag(7).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(ip) })
		}
	})
	return b.Bytes()
}

func otherName(b *cryptobyte.Builder, id asn1.ObjectIdentifier, tag cbasn1.Tag, value string) {
	b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id)
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(value)) })
		})
	})
}
