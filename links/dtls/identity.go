package dtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pion/dtls/v3"

	"sallyport/internal/tlsid"
	"sallyport/peering"
)

// Suites have forward secrecy and authenticated encryption, also those with a shared key (RFC 7905).
func sharedSuites() []dtls.CipherSuiteID {
	return []dtls.CipherSuiteID{dtls.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256}
}

func certificateSuites() []dtls.CipherSuiteID {
	return []dtls.CipherSuiteID{
		dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, dtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		dtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, dtls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// known is who the neighbour proved to be.
type known struct {
	peer  *Peer
	proof peering.Proof
}

// ErrIdentity is why a handshake with a stranger fails.
var ErrIdentity = errors.New("no configured peer")

// judge decides who finished the handshake. expected is set when we dialled.
func (c *Config) judge(s *dtls.State, expected *Peer, now time.Time) (known, error) {
	if slices.Contains(sharedSuites(), s.CipherSuiteID) {
		return c.judgeShared(s, expected)
	}
	role := tlsid.Initiator
	candidates := make([]*Peer, 0, len(c.Peers))
	if expected != nil {
		role = tlsid.Responder
		candidates = append(candidates, expected)
	} else {
		for i := range c.Peers {
			candidates = append(candidates, &c.Peers[i])
		}
	}
	chain, err := parseChain(s.PeerCertificates)
	if err != nil {
		return known{}, err
	}
	in := tlsid.Presented{Chain: chain, Role: role, TLS: tls.VersionTLS12}
	reasons := make([]error, 0, len(candidates))
	for _, p := range candidates {
		if p.Shared != nil {
			continue
		}
		v := p.Identity.Verify(in, now)
		if slices.ContainsFunc(p.Domains, v.Proves) {
			return known{p, peering.Proof{Method: peering.External, TLS: tls.VersionTLS12, Pinned: v.Pinned}}, nil
		}
		reason := v.Reason
		if v.OK() {
			reason = tlsid.NameMismatch
		}
		reasons = append(reasons, fmt.Errorf("peer %q: certificate: %v", p.Name, reason))
	}
	return known{}, fmt.Errorf("%w: %w", ErrIdentity, errors.Join(reasons...))
}

// judgeShared is for suites with a shared key: who knew the key of an identity is its peer. The key itself was proven by Finished.
func (c *Config) judgeShared(s *dtls.State, expected *Peer) (known, error) {
	p := expected
	if p == nil {
		p = c.holder(string(s.IdentityHint))
	}
	if p == nil || p.Shared == nil {
		return known{}, ErrIdentity
	}
	return known{p, peering.Proof{Method: peering.SharedKey, TLS: tls.VersionTLS12}}, nil
}

func (c *Config) holder(identity string) *Peer {
	for i := range c.Peers {
		if p := &c.Peers[i]; p.Shared != nil && p.Shared.Identity == identity {
			return p
		}
	}
	return nil
}

// parseChain reads what was presented, within the bounds that tlsid sets to it.
func parseChain(raw [][]byte) ([]*x509.Certificate, error) {
	if len(raw) > tlsid.MaxChain {
		return nil, fmt.Errorf("%w: chain of %d certificates", ErrIdentity, len(raw))
	}
	chain := make([]*x509.Certificate, 0, len(raw))
	for _, der := range raw {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate: %w", ErrIdentity, err)
		}
		chain = append(chain, cert)
	}
	return chain, nil
}
