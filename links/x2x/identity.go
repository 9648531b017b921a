package x2x

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/peering"
)

// identify says what a finished handshake proves: a pinned key is the peer's, and so is a good certificate that names it.
func (c *Config) identify(p tlsid.Presented, now time.Time) (proof peering.Proof, reason tlsid.Reason) {
	v := c.Identity.Verify(p, now)
	switch {
	case !v.OK():
		return peering.Proof{}, v.Reason
	case v.Pinned:
	default:
		if _, reason := v.Match(c.certificateName()); reason != tlsid.OK {
			return peering.Proof{}, reason
		}
	}
	return peering.Proof{Method: peering.External, TLS: p.TLS, Pinned: v.Pinned}, tlsid.OK
}

// stillKnown says why a living carrier would not be let in today, or nothing.
func (c *Config) stillKnown(x *carrier, now time.Time) string {
	if !c.from(x.remote.Addr()) {
		return "address"
	}
	if (c.Security == TLS) != (x.proof.TLS != 0) {
		return "security"
	}
	if c.Security == TLS {
		if _, reason := c.identify(x.presented, now); reason != tlsid.OK {
			return reason.String()
		}
	}
	return ""
}

// refusal is our own veto in a handshake.
type refusal struct{ reason tlsid.Reason }

func (r *refusal) Error() string { return "certificate refused: " + r.reason.String() }

// base is what both sides share: TLS 1.3, tickets on. A ticket holds the certificate it was given for, and the judge looks at that
// again under the trust of today, so it outlives no change of trust. There is no early data in crypto/tls.
func (c *Config) base(judge func(*tls.ConnectionState) error) tlsid.Options {
	return tlsid.Options{Keys: c.Keys, Domain: c.DefaultDomain.Domain(), Remote: c.certificateName(), MinTLS: tls.VersionTLS13, Judge: judge}
}

// serverTLS is for one accepted connection; judge picks whose it is.
func (c *Config) serverTLS(tickets [][32]byte, judge func(*tls.ConnectionState) error) *tls.Config {
	t := tlsid.ServerConfig(c.base(judge))
	t.SessionTicketsDisabled = false
	t.SetSessionTicketKeys(tickets)
	c.exchange(t)
	return t
}

func (c *Config) clientTLS(sessions tls.ClientSessionCache, judge func(*tls.ConnectionState) error) (*tls.Config, error) {
	t, err := tlsid.ClientConfig(c.base(judge))
	if err != nil {
		return nil, err
	}
	t.SessionTicketsDisabled = false
	t.ClientSessionCache = sessions
	c.exchange(t)
	return t, nil
}

// exchange chooses the key exchange; left alone, crypto/tls prefers one that is post-quantum.
func (c *Config) exchange(t *tls.Config) {
	if c.Classical {
		t.CurvePreferences = []tls.CurveID{tls.X25519}
	}
}

// plainly is an error without the noise of packages.
func plainly(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return fmt.Sprintf("we refused its certificate: %v", r.reason)
	}
	text := err.Error()
	return text[:min(len(text), maxDetail)]
}
