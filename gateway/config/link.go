package config

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"sallyport/internal/tlsid"
)

// Link is a way to carry stanzas.
type Link struct {
	Name string `toml:"-"`

	// What it is: `x2x` is the zero-handshake stream (XEP-0361) over TCP, `dtls` the same over datagrams, `hf` a node of an HF radio network (STANAG 5066). The link that is called `s2s`, ordinary server-to-server streams, is always there and takes only a clearance.
	Kind LinkKind `toml:"kind" enum:"s2s,x2x,dtls,hf"`
	// The peer that it reaches.
	Peer string `toml:"peer"`
	// Of several links to a peer the one with the lowest number is used while it works. `links` of the peer overrules it.
	Priority int `toml:"priority" min:"0" max:"1000"`
	// Addresses to listen on, for a peer that opens the link.
	Listen []netip.AddrPort `toml:"listen"`
	// Where to connect: `HOST:PORT`, tried in order. With `listen` as well, whoever has something to say opens.
	Connect []Target `toml:"connect"`
	// Only what the peer sends comes over it; nothing is sent to the peer, but acknowledgements.
	InboundOnly bool `toml:"inbound-only"`

	// How the peer is known: by certificate (`tls`), or by the address it has (`clear`, for `x2x` only: whoever can send from there is believed).
	Security LinkSecurity `toml:"security" enum:"tls,clear"`
	// The peer's key or certificate must be one of these, written as for a peer. Empty: its certificate must verify under the `trust` of its side, and name `certificate-name`.
	Pins []tlsid.Pin `toml:"pins"`
	// The name that the certificate of the peer must show. Empty: the first of its domains.
	CertificateName string `toml:"certificate-name"`
	// Addresses that the peer has, such as `192.0.2.7` or `192.0.2.0/24`. With certificates, none is any.
	From []Network `toml:"from"`
	// File with a key of 16 to 64 bytes that only the two ends hold, in place of certificates (`dtls` only).
	SharedKey SecretFile `toml:"shared-key"`
	// The name under which the opening end presents the shared key. Both ends need the same.
	SharedKeyName string `toml:"shared-key-name"`
	// What both ends speak: `custody` between gateways of our own, exactly once over losses and restarts; `managed` with acknowledgements of XEP-0198 from the first stanza on; `plain` as other vendors have it, without confirmation.
	Framing Framing `toml:"framing" enum:"custody,managed,plain"`

	// Files with the clearances of the link, one under each security policy: whatever it carries must be within them, both ways. Without any it bounds nothing.
	Clearance Files `toml:"clearance"`

	// Usable bits per second. Zero: rate is no concern.
	BitsPerSecond int `toml:"bits-per-second" min:"0" max:"100000000000"`
	// Usual time from a question to its answer.
	RoundTrip time.Duration `toml:"round-trip" min:"0s" max:"1h"`
	// Only one end speaks at a time.
	HalfDuplex bool `toml:"half-duplex"`
	// Times of day, in UTC, in which the link may be used, such as `22:00-06:30`. None: always.
	Windows []Window `toml:"window"`
	// How long the link may be silent before something is sent over it. Zero: for ever.
	KeepAlive time.Duration `toml:"keep-alive" min:"0s" max:"1d"`
	// A connection without stanzas is closed after this time, and opened again for the next. Zero: it stays.
	Idle time.Duration `toml:"idle" min:"0s" max:"7d"`
	// Multiplies the time limits of the protocol.
	Patience int `toml:"patience" min:"1" max:"100"`
	// Compresses what is sent: `fresh` without memory from stanza to stanza, `shared` with it, so that sizes tell one sender something of another's text. Both ends need the same.
	Compression Compression `toml:"compression" enum:"none,fresh,shared"`
	// File with a dictionary that both ends have, as `sallyport link train` makes it.
	Dictionary File `toml:"dictionary"`
	// What the classes of precedence may have of it, each.
	Budget Budgets `toml:"budget"`
	// The largest stanza taken over it.
	MaxStanzaBytes Size `toml:"max-stanza-bytes" min:"10000" max:"16 MiB"`

	// What only a link of kind `hf` has.
	HF Radio `toml:"hf"`
}

// LinkKind is a kind of link. The zero value is none.
type LinkKind string

// The kinds.
const (
	KindS2S  LinkKind = "s2s"
	KindX2X  LinkKind = "x2x"
	KindDTLS LinkKind = "dtls"
	KindHF   LinkKind = "hf"
)

// LinkSecurity is how the peer on a link is known.
type LinkSecurity string

// The securities.
const (
	LinkTLS   LinkSecurity = "tls"
	LinkClear LinkSecurity = "clear"
)

// Framing is what both ends of a link speak.
type Framing string

// The framings.
const (
	Custody Framing = "custody"
	Managed Framing = "managed"
	Plain   Framing = "plain"
)

// Compression is how a link compresses.
type Compression string

// The compressions.
const (
	CompressNone   Compression = "none"
	CompressFresh  Compression = "fresh"
	CompressShared Compression = "shared"
)

// Network is a range of addresses.
type Network struct{ netip.Prefix }

// Window is a part of the day in UTC.
type Window struct{ From, To time.Duration }

// DefaultLink is what holds where the table of a link says nothing.
func DefaultLink() Link {
	return Link{Security: LinkTLS, Framing: Custody, Patience: 1, Compression: CompressNone, MaxStanzaBytes: 512 << 10, HF: Radio{SAP: 6, BroadcastCopies: 1}}
}

// S2S is the name of the link that is always there.
const S2S = "s2s"

// IsS2S reports whether it is the link that is always there.
func (l *Link) IsS2S() bool { return l.Name == S2S }

// Link returns a link by name, or nil. The one that is always there may have no table.
func (c *Config) Link(name string) *Link {
	for i := range c.Links {
		if c.Links[i].Name == name {
			return &c.Links[i]
		}
	}
	return nil
}

// LinksOf names the links that reach a peer, best first: those it lists, else all that name it in order of priority, else s2s.
func (c *Config) LinksOf(p *Peer) []string {
	if len(p.Links) > 0 {
		return p.Links
	}
	var own []*Link
	for i := range c.Links {
		if l := &c.Links[i]; !l.IsS2S() && l.Peer == p.Name {
			own = append(own, l)
		}
	}
	if len(own) == 0 {
		return []string{S2S}
	}
	slices.SortStableFunc(own, func(a, b *Link) int { return cmp.Compare(a.Priority, b.Priority) })
	names := make([]string, len(own))
	for i, l := range own {
		names[i] = l.Name
	}
	return names
}

// HasCustody reports whether a peer is a gateway of our own.
func (c *Config) HasCustody(p *Peer) bool {
	for _, name := range c.LinksOf(p) {
		if l := c.Link(name); l != nil && !l.IsS2S() && l.Framing == Custody {
			return true
		}
	}
	return false
}

// UsesS2S reports whether server-to-server streams are among the links of a peer.
func (c *Config) UsesS2S(p *Peer) bool { return slices.Contains(c.LinksOf(p), S2S) }

// Spooled reports whether what goes to a peer is kept on disk until it has been delivered: where that is asked for, and where
// there is another link than server-to-server streams.
func (c *Config) Spooled(p *Peer) bool {
	if p.Ourselves {
		return false
	}
	names := c.LinksOf(p)
	return p.Spool || len(names) > 1 || names[0] != S2S
}

// Spool says what is kept on disk for peers that cannot be reached at once.
type Spool struct {
	// Directory of the spool. Default: `spool` in the state directory. Two nodes never share one.
	Dir Dir `toml:"dir"`
	// Bytes that may wait in all. Beyond, new work is refused and what is there is kept.
	MaxBytes Size `toml:"max-bytes" min:"1 MiB" max:"1024 GiB"`
	// Bytes that may wait for one peer.
	MaxPeerBytes Size `toml:"max-peer-bytes" min:"1 MiB" max:"1024 GiB"`
	// How long a stanza may wait before its sender gets an error.
	Lifetime time.Duration `toml:"lifetime" min:"1s" max:"30d"`
	// The same for single classes of precedence, where it differs.
	Lifetimes Lifetimes `toml:"lifetimes"`
	// A message or presence that has waited this long says so to its recipient when it leaves (XEP-0203). Zero: never.
	DelayAfter time.Duration `toml:"delay-after" min:"0s" max:"30d"`
	// How long a message in a room waits for its copies, for peers whose `[thin]` table has `rooms = "merged"`. Zero: never.
	MergeWindow time.Duration `toml:"merge-window" min:"0s" max:"10m"`
}

// Lifetimes are those of single classes of precedence. Zero is the general one.
type Lifetimes struct {
	// What is routine.
	Routine time.Duration `toml:"routine" min:"0s" max:"30d"`
	// What has priority.
	Priority time.Duration `toml:"priority" min:"0s" max:"30d"`
	// What is immediate.
	Immediate time.Duration `toml:"immediate" min:"0s" max:"30d"`
	// What is flash.
	Flash time.Duration `toml:"flash" min:"0s" max:"30d"`
}

// Of is the lifetime of a class, routine first.
func (s *Spool) Of(class uint8) time.Duration {
	l := &s.Lifetimes
	if own := [...]time.Duration{l.Routine, l.Priority, l.Immediate, l.Flash}; int(class) < len(own) && own[class] > 0 {
		return own[class]
	}
	return s.Lifetime
}
