package tlsid

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"sallyport/internal/xmpp/jid"
)

// KeyPair names the files of one certificate of ours.
type KeyPair struct {
	CertFile string   // PEM, leaf first, then intermediates
	KeyFile  string   // PEM; must not be readable by group or others
	Domains  []string // canonical domains it is used for, beyond those it names
	Default  bool     // used where no other fits
}

// Keys are our certificates, chosen by domain. Immutable; the zero value has none.
type Keys struct {
	entries  []ownCertificate
	byDomain map[string]*ownCertificate
	fallback *ownCertificate
}

type ownCertificate struct {
	tls   tls.Certificate
	names Names
	file  string
}

// KeyFact describes one of our certificates to an operator.
type KeyFact struct {
	File      string
	Names     Names
	NotBefore time.Time
	NotAfter  time.Time
	Default   bool
}

// LoadKeys reads key pairs. It reports every problem, not only the first.
func LoadKeys(pairs []KeyPair) (*Keys, error) {
	k := &Keys{entries: make([]ownCertificate, 0, len(pairs)), byDomain: make(map[string]*ownCertificate)}
	var problems []error
	for _, p := range pairs {
		if err := k.load(p); err != nil {
			problems = append(problems, err)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return k, nil
}

func (k *Keys) load(p KeyPair) error {
	if err := checkKeyMode(p.KeyFile); err != nil {
		return err
	}
	cert, err := tls.LoadX509KeyPair(p.CertFile, p.KeyFile)
	if err != nil {
		return fmt.Errorf("certificate %q with key %q: %w", p.CertFile, p.KeyFile, err)
	}
	if cert.Leaf == nil {
		if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return fmt.Errorf("certificate %q: %w", p.CertFile, err)
		}
	}
	names, err := ParseNames(cert.Leaf)
	if err != nil {
		return fmt.Errorf("certificate %q: %w", p.CertFile, err)
	}
	k.entries = append(k.entries, ownCertificate{tls: cert, names: names, file: p.CertFile})
	own := &k.entries[len(k.entries)-1]
	for _, d := range p.Domains {
		if k.byDomain[d] != nil {
			return fmt.Errorf("certificate %q: domain %q already has %q", p.CertFile, d, k.byDomain[d].file)
		}
		k.byDomain[d] = own
	}
	if p.Default {
		if k.fallback != nil {
			return fmt.Errorf("certificate %q: %q is the default already", p.CertFile, k.fallback.file)
		}
		k.fallback = own
	}
	return nil
}

// checkKeyMode refuses a private key that others can read (bad input P15).
func checkKeyMode(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("private key: %w", err)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return fmt.Errorf("private key %q: mode %04o lets others read it; use chmod 600", path, perm)
	}
	return nil
}

// For returns the certificate to use as the canonical domain: one configured for it, one that names it, the default, or nil.
func (k *Keys) For(domain string) *tls.Certificate {
	if k == nil {
		return nil
	}
	if own := k.byDomain[domain]; own != nil {
		return &own.tls
	}
	for i := range k.entries {
		if domain != "" && k.entries[i].names.Match(domain) != NoKind {
			return &k.entries[i].tls
		}
	}
	if k.fallback != nil {
		return &k.fallback.tls
	}
	return nil
}

// forHello chooses by the name in the handshake first, then by the domain of the stream header, which came before it in clear.
func (k *Keys) forHello(sni, domain string) *tls.Certificate {
	if k == nil {
		return nil
	}
	if sni != "" {
		if j, err := jid.ParseDomain(sni); err == nil {
			if c := k.For(j.Domain()); c != nil && (k.fallback == nil || c != &k.fallback.tls) {
				return c
			}
		}
	}
	return k.For(domain)
}

// Facts lists the certificates for an operator.
func (k *Keys) Facts() []KeyFact {
	if k == nil {
		return nil
	}
	facts := make([]KeyFact, 0, len(k.entries))
	for i := range k.entries {
		e := &k.entries[i]
		facts = append(facts, KeyFact{File: e.file, Names: e.names, NotBefore: e.tls.Leaf.NotBefore, NotAfter: e.tls.Leaf.NotAfter, Default: e == k.fallback})
	}
	return facts
}
