package newnode

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"sallyport/internal/xmpp/jid"
)

// How long what is made here is good for.
const (
	authorityYears  = 10
	certificateDays = 397
)

// Paths of the certificates.
const (
	authorityCert = "certs/ca.pem"
	authorityKey  = "certs/ca.key"
	serverCert    = "certs/server.pem"
	serverKey     = "certs/server.key"
	serverRequest = "certs/server.csr"
)

// certificates makes a certificate for the domains, by an authority of our own, unless there is one.
func (w *writer) certificates(p *Plan) {
	if w.err != nil {
		return
	}
	names, err := asciiNames(p.Domains)
	if err != nil {
		w.err = err
		return
	}
	key := w.serverKey()
	if w.exists(serverCert) {
		w.done = append(w.done, Written{serverCert, "the certificate of the server", true})
	} else {
		w.issue(key, names, p.Now)
	}
	if p.Request && w.err == nil {
		w.request(key, names)
	}
}

func (w *writer) exists(path string) bool {
	_, err := os.Lstat(filepath.Join(w.dir, path))
	return err == nil
}

func asciiNames(domains []string) (out []string, err error) {
	for _, d := range domains {
		name, err := jid.ASCIIDomain(d)
		if err != nil {
			return nil, fmt.Errorf("domain %q: %w", d, err)
		}
		out = append(out, name)
	}
	return out, nil
}

// serverKey is the key that is there, or a new one.
func (w *writer) serverKey() *ecdsa.PrivateKey {
	return w.key(serverKey, "the key of the server, for nobody else's eyes")
}

func (w *writer) key(path, what string) *ecdsa.PrivateKey {
	if w.err != nil {
		return nil
	}
	if w.exists(path) {
		key, err := readKey(filepath.Join(w.dir, path))
		if err != nil { // of another kind, which is no use here and none of our business
			w.done = append(w.done, Written{path, what, true})
			return nil
		}
		w.done = append(w.done, Written{path, what, true})
		return key
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.err = err
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		w.err = err
		return nil
	}
	w.file(path, what, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	return key
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	own, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("is a key of another kind")
	}
	return own, nil
}

// issue makes a certificate for a key.
func (w *writer) issue(key *ecdsa.PrivateKey, names []string, now time.Time) {
	if w.err == nil && key == nil {
		w.err = fmt.Errorf("%s is not a key that init has made; put its certificate into %s", serverKey, serverCert)
	}
	ca, caKey := w.authority(names[0], now)
	if w.err != nil {
		return
	}
	serial, err := serialNumber()
	if err != nil {
		w.err = err
		return
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, certificateDays),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}, ca, &key.PublicKey, caKey)
	if err != nil {
		w.err = err
		return
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	w.file(serverCert, fmt.Sprintf("the certificate of the server, good until %s", now.AddDate(0, 0, certificateDays).Format("2006-01-02")), chain, 0o644)
}

// authority is the one that is there, or a new one.
func (w *writer) authority(name string, now time.Time) (*x509.Certificate, *ecdsa.PrivateKey) {
	if w.err == nil && w.exists(authorityCert) && !w.exists(authorityKey) { // it may be kept elsewhere, and a new one would fit nothing
		w.err = fmt.Errorf("%s is there without its key, %s: put that back to issue %s with it; or take %s away, for a new CA that clients have to be told to trust",
			authorityCert, authorityKey, serverCert, authorityCert)
	}
	key := w.key(authorityKey, "the key of the CA, for nobody else's eyes")
	if w.err != nil {
		return nil, nil
	}
	if key == nil {
		w.err = fmt.Errorf("%s is not a key that init has made", authorityKey)
		return nil, nil
	}
	if w.exists(authorityCert) {
		b, err := os.ReadFile(filepath.Join(w.dir, authorityCert))
		if err != nil {
			w.err = err
			return nil, nil
		}
		block, _ := pem.Decode(b)
		if block == nil {
			w.err = fmt.Errorf("%s is not PEM", authorityCert)
			return nil, nil
		}
		ca, err := x509.ParseCertificate(block.Bytes)
		if w.err = err; err != nil {
			return nil, nil
		}
		if !key.PublicKey.Equal(ca.PublicKey) {
			w.err = fmt.Errorf("%s is not the key of %s", authorityKey, authorityCert)
			return nil, nil
		}
		w.done = append(w.done, Written{authorityCert, "the CA that clients trust", true})
		return ca, key
	}
	serial, err := serialNumber()
	if err != nil {
		w.err = err
		return nil, nil
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "CA of " + name}, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(authorityYears, 0, 0), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		w.err = err
		return nil, nil
	}
	w.file(authorityCert, "a CA of your own, which clients have to be told to trust", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		w.err = err
	}
	return ca, key
}

// request makes what a CA wants to see.
func (w *writer) request(key *ecdsa.PrivateKey, names []string) {
	if key == nil {
		w.err = fmt.Errorf("%s is not a key that init has made, so that no request can be made for it", serverKey)
		return
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: names[0]}, DNSNames: names}, key)
	if err != nil {
		w.err = err
		return
	}
	w.file(serverRequest, "the request to take to a CA; put what it issues into "+serverCert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), 0o644)
}

func serialNumber() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
}
