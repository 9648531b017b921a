package tlsid

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"sallyport/internal/xmpp/jid"
)

// Bounds on what a peer may present (bad input E11).
const (
	MaxChain   = 8
	MaxRSABits = 8192
	minRSABits = 2048
	minECBits  = 256
)

// Role is the part the certificate's owner plays in the connection.
type Role uint8

// The zero role is none: nothing verifies.
const (
	NoRole    Role = iota
	Initiator      // the peer dialled us: TLS client
	Responder      // we dialled the peer: TLS server
)

// Usage says which extended key usages are good enough. Public authorities are ending clientAuth, so servers appear on the initiating
// side with serverAuth only; Either accepts that.
type Usage uint8

// The zero value is Either, as the checklists ask.
const (
	Either     Usage = iota // serverAuth or clientAuth, whichever role
	Strict                  // clientAuth from an initiator, serverAuth from a responder
	ClientOnly              // clientAuth, whichever role
	ServerOnly              // serverAuth, whichever role
)

// Policy is what a peer's certificate must show. The zero value accepts nothing: it has neither anchors nor pins.
type Policy struct {
	// Trust, when set, must lead to the certificate. Without Trust only Pins can help.
	Trust *Trust
	// Pins, when set, must include the leaf's key or the leaf itself. A pin stands beside Trust, or alone; it never replaces the
	// comparison of names.
	Pins  []Pin
	Usage Usage
	// MinTLS is the lowest acceptable protocol version; 0 means TLS 1.2.
	MinTLS uint16
}

// Presented is what a handshake brought.
type Presented struct {
	Chain []*x509.Certificate // as sent, leaf first
	Role  Role
	TLS   uint16 // negotiated version
}

// FromState takes the certificates of a finished handshake. role is the peer's.
func FromState(cs *tls.ConnectionState, role Role) Presented {
	return Presented{Chain: cs.PeerCertificates, Role: role, TLS: cs.Version}
}

// Verified is the outcome. The zero value proves nothing.
type Verified struct {
	Reason Reason
	Cause  error // private detail for the log; nil when Reason says it all
	Leaf   *x509.Certificate
	Names  Names
	Chain  []*x509.Certificate // as verified; leaf alone when a pin stood alone
	Pinned bool                // a pin matched
	// Unrevoked says that fresh lists covered the chain; false under RevocationSoft means that nobody knows.
	Unrevoked bool
	// UnusualUsage says that the certificate has only the other role's extended key usage, and was accepted (Either).
	UnusualUsage bool

	constrained bool // an authority in the chain is limited to some DNS names
}

// OK reports whether the certificate is good, whoever it names.
func (v *Verified) OK() bool { return v != nil && v.Reason == OK }

// Proves reports whether the certificate proves the canonical domain.
func (v *Verified) Proves(domain string) bool {
	_, reason := v.Match(domain)
	return reason == OK
}

// Match says by which identity the certificate proves the domain, or why it does not.
func (v *Verified) Match(domain string) (Kind, Reason) {
	switch {
	case v == nil:
		return NoKind, NotChecked
	case v.Reason != OK:
		return NoKind, v.Reason
	}
	names := v.Names
	if v.constrained {
		// dNSName constraints do not bind otherName (RFC 4985 §3), so a constrained authority could name anybody there.
		names = Names{DNS: names.DNS}
	}
	if k := names.Match(domain); k != NoKind {
		return k, OK
	}
	return NoKind, NameMismatch
}

// Accounts are the accounts that the certificate proves its owner to be, of whatever domains (RFC 6120 §13.7.1.4).
func (v *Verified) Accounts() []jid.JID {
	if !v.OK() || v.constrained { // see Match
		return nil
	}
	var list []jid.JID
	for _, a := range v.Names.Accounts {
		if j, err := jid.Parse(a); err == nil && j.IsBare() {
			list = append(list, j)
		}
	}
	return list
}

// NotAfter is when the first certificate of the verified chain expires.
func (v *Verified) NotAfter() time.Time {
	var first time.Time
	for _, c := range v.Chain {
		if first.IsZero() || c.NotAfter.Before(first) {
			first = c.NotAfter
		}
	}
	return first
}

// Verify judges what was presented. It never returns nil. Cheap bounds come before anything that costs time.
func (p *Policy) Verify(in Presented, now time.Time) *Verified {
	v := &Verified{}
	v.Reason, v.Cause = p.verify(v, in, now)
	return v
}

func (p *Policy) verify(v *Verified, in Presented, now time.Time) (Reason, error) {
	if r := bounds(in); r != OK {
		return r, nil
	}
	leaf := in.Chain[0]
	v.Leaf = leaf
	if in.TLS < max(p.MinTLS, tls.VersionTLS12) {
		return ProtocolTooOld, nil
	}
	names, err := ParseNames(leaf)
	if err != nil {
		return MalformedNames, err
	}
	v.Names = names
	switch {
	case now.Before(leaf.NotBefore):
		return NotYetValid, nil
	case now.After(leaf.NotAfter):
		return Expired, nil
	case leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return WrongUsage, errors.New("key usage without digitalSignature")
	}
	usages, unusual, ok := p.Usage.accept(leaf, in.Role)
	if !ok {
		return WrongUsage, errors.New("extended key usage")
	}
	v.UnusualUsage = unusual
	return p.establish(v, in, usages, now)
}

// establish finds out why the leaf should be believed: pins, anchors, or both.
func (p *Policy) establish(v *Verified, in Presented, usages []x509.ExtKeyUsage, now time.Time) (Reason, error) {
	if len(p.Pins) > 0 {
		if !slices.ContainsFunc(p.Pins, func(pin Pin) bool { return pin.matches(v.Leaf) }) {
			return PinMismatch, nil
		}
		v.Pinned = true
		if p.Trust == nil {
			v.Chain = []*x509.Certificate{v.Leaf}
			return OK, nil
		}
	}
	if p.Trust == nil {
		return UnknownCA, errors.New("policy names neither anchors nor pins")
	}
	return p.Trust.build(v, in.Chain, usages, now)
}

// bounds refuses what would cost too much to look at, and everybody who presents nothing.
func bounds(in Presented) Reason {
	switch {
	case len(in.Chain) == 0 || in.Role == NoRole:
		return NoCertificate
	case len(in.Chain) > MaxChain:
		return ChainTooLong
	}
	for _, c := range in.Chain {
		if r := keyBounds(c); r != OK {
			return r
		}
		sans := len(c.DNSNames) + len(c.EmailAddresses) + len(c.IPAddresses) + len(c.URIs)
		constraints := len(c.PermittedDNSDomains) + len(c.ExcludedDNSDomains) + len(c.PermittedIPRanges) +
			len(c.ExcludedIPRanges) + len(c.PermittedEmailAddresses) + len(c.ExcludedEmailAddresses) +
			len(c.PermittedURIDomains) + len(c.ExcludedURIDomains)
		if sans > MaxNames || constraints > MaxNames {
			return TooManyNames
		}
	}
	return weakSignature(in.Chain[0])
}

func keyBounds(c *x509.Certificate) Reason {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		switch bits := k.N.BitLen(); {
		case bits > MaxRSABits:
			return KeyTooLarge
		case bits < minRSABits:
			return WeakKey
		}
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize < minECBits {
			return WeakKey
		}
	}
	return OK
}

// weakSignature names what x509 would report only as an unknown authority. Above the leaf x509 refuses by itself.
func weakSignature(c *x509.Certificate) Reason {
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return WeakSignature
	default:
		return OK
	}
}

// accept decides about the leaf's extended key usage and says what x509 should ask of the chain.
func (u Usage) accept(leaf *x509.Certificate, role Role) (usages []x509.ExtKeyUsage, unusual, ok bool) {
	own, other := x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth
	if u == ServerOnly || role == Responder && u != ClientOnly {
		own, other = other, own
	}
	if len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 ||
		slices.Contains(leaf.ExtKeyUsage, own) || slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return []x509.ExtKeyUsage{own}, false, true
	}
	if u == Either && slices.Contains(leaf.ExtKeyUsage, other) {
		return []x509.ExtKeyUsage{other}, true, true
	}
	return nil, false, false
}
