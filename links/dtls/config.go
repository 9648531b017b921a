package dtls

import (
	"errors"
	"fmt"
	"net/netip"

	"sallyport/internal/tlsid"
	"sallyport/links"
)

// Bounds of a pre-shared key (RFC 4279 §5.3 asks for identities of up to 128 octets and keys of up to 64).
const (
	minSecretBytes   = 16
	maxSecretBytes   = 64
	maxIdentityBytes = 128
)

// Config is everything an Endpoint runs by.
type Config struct {
	// Local is where the socket is bound; the zero value is any port of any address, for an Endpoint that only dials.
	Local netip.AddrPort
	// Keys are our certificates, and Domain is whom we speak as. Nil where there are only pre-shared keys.
	Keys   *tlsid.Keys
	Domain string
	Peers  []Peer
	Limits Limits
	// Lanes is how many ordered streams an association has; 0 means one for each class of precedence. Both ends must agree.
	Lanes int
	// MaxMessage bounds a message in bytes; 0 means DefaultMaxMessage.
	MaxMessage int
}

// DefaultMaxMessage holds a stanza of the greatest usual size with its frame.
const DefaultMaxMessage = 544 << 10

// maxLanes is as many as conversations may be spread over.
const maxLanes = 64

// Peer is a neighbour. The zero value, and whoever is in no Peer, is refused.
type Peer struct {
	Name string
	// Address is where to dial; the zero value is nowhere: the neighbour opens.
	Address netip.AddrPort
	// From is where its datagrams may come from. Empty: anywhere. Once every peer has some, others reach nobody.
	From []netip.Prefix
	// Shared is the key that only it and we hold. Without one its certificate counts.
	Shared *SharedKey
	// Identity is what its certificate must show, and Domains are the canonical domains of which it must name one.
	Identity tlsid.Policy
	Domains  []string
	Profile  links.Profile
}

// SharedKey is a pre-shared key and the name under which the initiator presents it.
type SharedKey struct {
	Identity string
	Secret   []byte
}

func (c Config) withDefaults() Config {
	c.Limits = c.Limits.withDefaults()
	if c.Lanes == 0 {
		c.Lanes = links.Lanes
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = DefaultMaxMessage
	}
	return c
}

// Validate reports every contradiction, not only the first.
func (c *Config) Validate() error {
	var problems []error
	complain := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Lanes < 0 || c.Lanes > maxLanes {
		complain("%d lanes, at most %d", c.Lanes, maxLanes)
	}
	names, identities := make(map[string]bool), make(map[string]string)
	for i := range c.Peers {
		p := &c.Peers[i]
		if p.Name == "" || names[p.Name] {
			complain("peer %q: empty or twice", p.Name)
		}
		names[p.Name] = true
		if p.Shared == nil {
			if len(p.Domains) == 0 {
				complain("peer %q: neither a shared key nor domains for its certificate", p.Name)
			}
			if c.Keys == nil {
				complain("peer %q: goes by certificate, and we have none", p.Name)
			}
			continue
		}
		id, n := p.Shared.Identity, len(p.Shared.Secret)
		if id == "" || len(id) > maxIdentityBytes {
			complain("peer %q: identity of %d bytes, 1 to %d", p.Name, len(id), maxIdentityBytes)
		}
		if other := identities[id]; other != "" {
			complain("peer %q: identity %q belongs to %q", p.Name, id, other)
		}
		identities[id] = p.Name
		if n < minSecretBytes || n > maxSecretBytes {
			complain("peer %q: shared key of %d bytes, %d to %d", p.Name, n, minSecretBytes, maxSecretBytes)
		}
	}
	return errors.Join(problems...)
}

// admits reports whether anybody's datagrams may come from there.
func (c *Config) admits(a netip.Addr) bool {
	for i := range c.Peers {
		if c.Peers[i].admits(a) {
			return true
		}
	}
	return false
}

func (p *Peer) admits(a netip.Addr) bool {
	if len(p.From) == 0 || p.Address.Addr().Unmap() == a {
		return true
	}
	for _, prefix := range p.From {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

func (c *Config) peer(name string) *Peer {
	for i := range c.Peers {
		if c.Peers[i].Name == name {
			return &c.Peers[i]
		}
	}
	return nil
}
