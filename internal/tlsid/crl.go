package tlsid

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// maxCRLFile bounds a file of revocation lists, in bytes.
const maxCRLFile = 64 << 20

// crlSet holds revocation lists by the raw name of their issuer. Signatures are checked at use, when the issuer's key is at hand.
type crlSet struct {
	byIssuer map[string][]*crl
}

type crl struct {
	list    *x509.RevocationList
	revoked map[string]struct{} // serial numbers, big endian
}

func (s *crlSet) load(path string) error {
	data, err := readBounded(path, maxCRLFile)
	if err != nil {
		return err
	}
	found := false
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "X509 CRL" {
			continue
		}
		found = true
		if err := s.add(block.Bytes); err != nil {
			return err
		}
	}
	if found {
		return nil
	}
	return s.add(data) // DER
}

func (s *crlSet) add(der []byte) error {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	// A critical extension changes what the list covers (RFC 5280 §5.2: delta, partitioned, indirect lists); none is understood here.
	for _, ext := range list.Extensions {
		if ext.Critical {
			return fmt.Errorf("critical extension %v is not supported (only complete lists of their own issuer are)", ext.Id)
		}
	}
	c := &crl{list: list, revoked: make(map[string]struct{}, len(list.RevokedCertificateEntries))}
	for _, e := range list.RevokedCertificateEntries {
		for _, ext := range e.Extensions {
			if ext.Critical {
				return fmt.Errorf("entry with critical extension %v is not supported", ext.Id)
			}
		}
		c.revoked[string(e.SerialNumber.Bytes())] = struct{}{}
	}
	if list.NextUpdate.IsZero() {
		return errors.New("no nextUpdate: its freshness cannot be told")
	}
	if s.byIssuer == nil {
		s.byIssuer = make(map[string][]*crl)
	}
	key := string(list.RawIssuer)
	s.byIssuer[key] = append(s.byIssuer[key], c)
	return nil
}

// revocationState is what the lists say of one certificate.
type revocationState uint8

const (
	revocationUnknown revocationState = iota // no fresh list of its issuer
	revocationGood
	revocationRevoked
)

// check looks a certificate up in every list that its issuer really signed. A stale list still revokes; only a fresh one clears.
func (s *crlSet) check(cert, issuer *x509.Certificate, now time.Time) revocationState {
	state := revocationUnknown
	for _, c := range s.byIssuer[string(cert.RawIssuer)] {
		if c.list.CheckSignatureFrom(issuer) != nil {
			continue
		}
		if _, listed := c.revoked[string(cert.SerialNumber.Bytes())]; listed {
			return revocationRevoked
		}
		if !now.Before(c.list.ThisUpdate) && now.Before(c.list.NextUpdate) {
			state = revocationGood
		}
	}
	return state
}

// checkChain walks a verified chain, leaf first; the anchor at its end is trusted by decree and not looked up.
func (s *crlSet) checkChain(chain []*x509.Certificate, now time.Time) revocationState {
	state := revocationGood
	for i := 0; i+1 < len(chain); i++ {
		switch s.check(chain[i], chain[i+1], now) {
		case revocationRevoked:
			return revocationRevoked
		case revocationUnknown:
			state = revocationUnknown
		case revocationGood:
		}
	}
	return state
}
