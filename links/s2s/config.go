package s2s

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/peering"
)

// Config is everything a Link runs by. It is a value: Reload takes another one.
type Config struct {
	// Name is the link's name, which a Released must carry.
	Name  string
	Sides []Side
	Peers []Peer
	// Keys are our certificates for all domains.
	Keys *tlsid.Keys
	// Secret makes dialback keys; all processes that speak for a domain share it.
	Secret string
	Limits Limits
	// Timing, Manage: zero fields take the defaults of internal/xmpp/stream.
	Timing stream.Timing
	Manage stream.ManageConfig
}

// Side is one network that the gateway has a leg in.
type Side struct {
	Name string
	// Listen has the STARTTLS addresses, ListenDirect those with TLS from the first byte.
	Listen, ListenDirect []netip.AddrPort
	// Hosts says which domains we speak for on this side. Nil hosts none.
	Hosts func(domain jid.JID) bool
	// DefaultDomain is who we are towards a peer that named nobody we host.
	DefaultDomain jid.JID
	// Resolver is asked for peers without a route. Without servers every peer needs a route.
	Resolver resolve.Config
}

// Proofs are the ways in which a peer may prove who it is. The zero value accepts none.
type Proofs struct {
	External bool // a certificate that names the domain
	Dialback bool // DNS leads back to it (XEP-0220)
}

// InDoubt says what becomes of a stanza that was written and not confirmed when its stream was lost.
type InDoubt uint8

// The zero value bounces, which may tell a sender of a loss that was none, but never doubles.
const (
	InDoubtBounce InDoubt = iota // report links.InDoubt
	InDoubtResend                // write messages and presence again; requests are reported (xmpp-checklists §7)
)

// Confirm says how delivery is confirmed without stream management.
type Confirm uint8

// The zero value pings.
const (
	ConfirmPing Confirm = iota // XEP-0199 after the stanza
	ConfirmNone                // time: what a living stream took long ago counts as delivered
)

// Peer is a neighbour as this link sees it. The zero value, and any domain in no Peer, is refused.
type Peer struct {
	Name, Side string
	Domains    []peering.Pattern
	Default    bool              // also holds every domain that no other peer does
	SpeaksFor  []peering.Pattern // domains it does not hold and may send from all the same
	Refuse     bool

	Proofs Proofs
	// Identity is what its certificate must show; its MinTLS holds for every stream, its pins rule out plain dialback.
	Identity tlsid.Policy
	// Route is where to connect, in order. Empty: DNS.
	Route []resolve.Target

	Bidi             bool
	StreamManagement bool
	// Multiplex proves further pairs on a stream to the same peer instead of opening one for each (XEP-0220 §2.5). Many servers
	// cannot, and some drop the stream.
	Multiplex      bool
	InDoubt        InDoubt
	Confirm        Confirm
	Idle           time.Duration // 0: Config.Timing
	Queue          QueueLimits
	MaxStanzaBytes int // 0: the default of xmlstream
}

// QueueLimits bound what waits for one pair. Zero fields take DefaultQueue.
type QueueLimits struct {
	Stanzas int
	Bytes   int
	Age     time.Duration
}

// DefaultQueue returns the bounds used for zero fields.
func DefaultQueue() QueueLimits {
	return QueueLimits{Stanzas: 10_000, Bytes: 16 << 20, Age: 2 * time.Minute}
}

// Limits bound what the world can make the link hold. Zero fields take DefaultLimits.
type Limits struct {
	PerAddress   int           // connections from one address that have not authenticated (D13)
	Unproven     int           // all such connections
	Verifies     int           // dialback verifications under way
	Parked       int           // lost sessions that wait to be resumed
	WriteTimeout time.Duration // one write to a peer that does not read
	Handshake    time.Duration // one TLS handshake (E07)
	Flight       int           // written and unconfirmed stanzas of one stream without stream management
	FlightBytes  int
}

// DefaultLimits returns the bounds used for zero fields.
func DefaultLimits() Limits {
	return Limits{
		PerAddress: 50, Unproven: 2_000, Verifies: 100, Parked: 1_000, WriteTimeout: 2 * time.Minute,
		Handshake: 10 * time.Second, Flight: 5_000, FlightBytes: 4 << 20,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ have, def *int }{
		{&l.PerAddress, &d.PerAddress},
		{&l.Unproven, &d.Unproven},
		{&l.Verifies, &d.Verifies},
		{&l.Parked, &d.Parked},
		{&l.Flight, &d.Flight},
		{&l.FlightBytes, &d.FlightBytes},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	if l.WriteTimeout <= 0 {
		l.WriteTimeout = d.WriteTimeout
	}
	if l.Handshake <= 0 {
		l.Handshake = d.Handshake
	}
	return l
}

func (q QueueLimits) withDefaults() QueueLimits {
	d := DefaultQueue()
	if q.Stanzas <= 0 {
		q.Stanzas = d.Stanzas
	}
	if q.Bytes <= 0 {
		q.Bytes = d.Bytes
	}
	if q.Age <= 0 {
		q.Age = d.Age
	}
	return q
}

// Validate reports every contradiction, not only the first.
func (c *Config) Validate() error {
	var problems []error
	complain := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Name == "" {
		complain("link without a name")
	}
	sides := make(map[string]bool)
	for _, s := range c.Sides {
		if s.Name == "" || sides[s.Name] {
			complain("side %q: empty or twice", s.Name)
		}
		sides[s.Name] = true
	}
	names, domains, defaults := make(map[string]bool), make(map[peering.Pattern]string), 0
	for _, p := range c.Peers {
		if p.Name == "" || names[p.Name] {
			complain("peer %q: empty or twice", p.Name)
		}
		names[p.Name] = true
		if !sides[p.Side] {
			complain("peer %q: no side %q", p.Name, p.Side)
		}
		for _, d := range p.Domains {
			if other, taken := domains[d]; taken {
				complain("peer %q: domain %q already belongs to %q", p.Name, d, other)
			}
			domains[d] = p.Name
		}
		if p.Proofs.Dialback && c.Secret == "" {
			complain("peer %q: dialback needs a secret", p.Name)
		}
		if p.Default {
			defaults++
		}
	}
	if defaults > 1 {
		complain("%d peers are the default, one may be", defaults)
	}
	return errors.Join(problems...)
}
