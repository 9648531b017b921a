package x2x

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/deflate"
	"sallyport/peering"
)

// Security says how a peer is known. The zero value lets nobody in.
type Security uint8

// The securities.
const (
	NoSecurity Security = iota
	TLS                 // TLS 1.3 with certificates on both sides, by pin or by authority
	Clear               // TCP: the address is the identity, and whoever can send from it is believed
)

// Peer is who is at the other end.
type Peer struct {
	Name      string
	Domains   []peering.Pattern
	SpeaksFor []peering.Pattern // domains it does not hold and may send from all the same
}

// Config is one link. It is a value: Set.Prepare takes others.
type Config struct {
	// Name is the link's name, which a Released must carry.
	Name, Side string
	Peer       Peer
	// Hosts says which domains we speak for on this link. Nil hosts none.
	Hosts func(domain jid.JID) bool
	// DefaultDomain is who we are: our certificate is chosen by it.
	DefaultDomain jid.JID

	Mode    Mode
	Profile links.Profile
	// Listen and Connect say who opens: either may be empty, not both.
	Listen  []netip.AddrPort
	Connect []resolve.Target

	Security Security
	// Identity is what the peer's certificate must show (TLS): a pin alone is enough; without one that matches, it must also prove
	// CertificateName.
	Identity        tlsid.Policy
	CertificateName string // empty: the first of the peer's domains that is not a pattern
	Keys            *tlsid.Keys
	// Classical makes the key exchange X25519 alone: a handshake is 2.2 kB smaller, and whoever records it may open it with a quantum
	// computer one day. One end is enough.
	Classical bool
	// From are the addresses that the peer has. With TLS, none is any.
	From []netip.Prefix

	Compression    *deflate.Config
	Queue          QueueLimits
	Window         custody.Window // zero fields follow from the profile
	MaxStanzaBytes int            // 0: the default of xmlstream
}

// QueueLimits bound what waits in the link. Zero fields take DefaultQueue.
type QueueLimits struct {
	Stanzas int
	Bytes   int
	Age     time.Duration // without custody; under custody the spool counts the time
}

// DefaultQueue returns the bounds used for zero fields.
func DefaultQueue() QueueLimits {
	return QueueLimits{Stanzas: 1_000, Bytes: 4 << 20, Age: 2 * time.Minute}
}

// Fingerprint names what both ends must have configured alike; the XEP has no way to find out on the wire.
func (c *Config) Fingerprint() string {
	compression := "none"
	if z := c.Compression; z != nil {
		compression = fmt.Sprintf("%d %s", z.Context, z.Dictionary.ID())
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "x2x %s\n%v\n%d\n%s", version, c.Mode, c.Security, compression))
	return hex.EncodeToString(sum[:6])
}

// Warnings are what the operator should know of the configuration, in words.
func (c *Config) Warnings() []string {
	var out []string
	if c.Security == Clear {
		out = append(out, "the peer is known by its address alone: whoever can send from there is believed, and whoever is between reads everything")
	}
	if c.Mode == Plain {
		out = append(out, "nothing is confirmed: what was written when the link breaks is in doubt")
	}
	if c.Compression != nil && c.Compression.Context == deflate.Shared {
		out = append(out, "senders share a compression context: sizes tell one of them about the other's text")
	}
	if c.Security == TLS && c.Classical {
		out = append(out, "the key exchange does not withstand a later quantum computer")
	}
	if c.Compression != nil && c.Mode != Custody {
		out = append(out, "the two ends cannot notice on the wire that their dictionaries differ: compare the fingerprints")
	}
	return out
}

// onDemand reports that a carrier exists only while there is traffic.
func (c *Config) onDemand() bool { return len(c.Connect) > 0 && c.Profile.IdleClose > 0 }

// certificateName is whom the peer's certificate must name where no pin matches.
func (c *Config) certificateName() string {
	if c.CertificateName != "" {
		return c.CertificateName
	}
	for _, d := range c.Peer.Domains {
		if !strings.HasPrefix(string(d), "*") {
			return string(d)
		}
	}
	return ""
}

func (c *Config) withDefaults() {
	d := DefaultQueue()
	if c.Queue.Stanzas <= 0 {
		c.Queue.Stanzas = d.Stanzas
	}
	if c.Queue.Bytes <= 0 {
		c.Queue.Bytes = d.Bytes
	}
	if c.Queue.Age <= 0 {
		c.Queue.Age = c.Profile.Timeout(d.Age)
	}
	if c.Hosts == nil {
		c.Hosts = func(jid.JID) bool { return false }
	}
}

// remote says whether the peer may speak for a domain.
func (c *Config) remote(domain jid.JID) bool {
	holds := func(p peering.Pattern) bool { return p.Matches(domain.Domain()) }
	return !domain.IsZero() && (slices.ContainsFunc(c.Peer.Domains, holds) || slices.ContainsFunc(c.Peer.SpeaksFor, holds))
}

// reaches says whether stanzas for a domain go over the link.
func (c *Config) reaches(domain jid.JID) bool {
	return slices.ContainsFunc(c.Peer.Domains, func(p peering.Pattern) bool { return p.Matches(domain.Domain()) })
}

// from says whether an address may be the peer's.
func (c *Config) from(a netip.Addr) bool {
	if len(c.From) == 0 {
		return c.Security == TLS
	}
	return slices.ContainsFunc(c.From, func(p netip.Prefix) bool { return p.Contains(a) })
}

func (c *Config) limits() xmlstream.Limits {
	l := xmlstream.ServerLimits()
	if c.MaxStanzaBytes > 0 {
		l.ElementBytes = c.MaxStanzaBytes
	}
	return l
}

// Validate reports every contradiction, not only the first.
func (c *Config) Validate() error {
	var problems []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Errorf("link %q: "+format, append([]any{c.Name}, args...)...))
		}
	}
	complain(c.Name == "", "no name")
	complain(c.Peer.Name == "" || len(c.Peer.Domains) == 0, "no peer, or a peer without domains")
	complain(len(c.Listen) == 0 && len(c.Connect) == 0, "neither listens nor connects")
	complain(c.Security == NoSecurity, "no security chosen: TLS, or clear with addresses")
	complain(c.Security == Clear && len(c.From) == 0, "clear text without the peer's addresses")
	complain(c.Security == TLS && c.Keys == nil, "TLS without a certificate of ours")
	complain(c.Security == TLS && c.Identity.Trust == nil && len(c.Identity.Pins) == 0, "TLS without a pin or an authority: nobody could be known")
	complain(c.Security == TLS && c.certificateName() == "", "no name that the peer's certificate must show")
	complain(c.DefaultDomain.IsZero(), "no domain of our own")
	return errors.Join(problems...)
}
