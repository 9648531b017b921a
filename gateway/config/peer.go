package config

import (
	"time"

	"sallyport/internal/tlsid"
)

// Peer is a neighbour: a server or another gateway.
type Peer struct {
	Name string `toml:"-"`

	// The side it is on.
	Side string `toml:"side" required:"true"`
	// Domains it owns: `a.example` is that domain alone, `*.a.example` all below it, at any depth.
	Domains []Pattern `toml:"domains"`
	// It also holds every domain that no other peer owns. One peer at most.
	Default bool `toml:"default"`
	// Domains it does not own but may relay stanzas from.
	SpeaksFor []Pattern `toml:"speaks-for"`
	// Nothing is exchanged with it, and connections are turned away. For a domain to be kept out although a wider entry covers it.
	Refuse bool `toml:"refuse"`

	// Ways it may prove who it is: `external` is a verified certificate (SASL EXTERNAL), `dialback` only that DNS leads back to it (XEP-0220).
	Authenticate []Authentication `toml:"authenticate" enum:"external,dialback"`
	// The oldest TLS version it may use.
	MinTLS TLSVersion `toml:"min-tls" enum:"1.2,1.3"`
	// Its key or certificate must be one of these: `spki-sha256:` with the hash of the public key (SubjectPublicKeyInfo), or `cert-sha256:` with that of the whole certificate, in base64 or hexadecimal. Empty: any with a certificate that verifies.
	Pins []tlsid.Pin `toml:"pins"`
	// The purpose (extended key usage) its certificate must name: either one, or `client` or `server` strictly. Public CAs stop issuing the client purpose.
	Usage Usage `toml:"usage" enum:"any,client,server"`

	// Where to connect: `HOST:PORT`, tried in order. Empty: the resolver of its side is asked.
	Route []Target `toml:"route"`
	// How TLS begins on a `route`. Found by DNS, the record itself says it.
	TLS TLSMode `toml:"tls" enum:"starttls,direct"`
	// One stream for both directions, if the peer can (XEP-0288).
	Bidi bool `toml:"bidi"`
	// Acknowledgements and resumption, if the peer can (XEP-0198).
	StreamManagement bool `toml:"stream-management"`
	// What becomes of a stanza that was written but not confirmed when the connection broke: an error to its sender, who may then send it twice, or written again, which may deliver it twice.
	InDoubt InDoubt `toml:"in-doubt" enum:"bounce,resend"`
	// How delivery is confirmed by a peer without stream management: a ping after the stanza (XEP-0199), or not at all.
	Confirm Confirm `toml:"confirm" enum:"ping,none"`
	// A connection without stanzas is closed after this time.
	Idle time.Duration `toml:"idle" min:"1m" max:"7d"`

	// Stanzas that may wait for it. Beyond, what comes in is held back at its source.
	QueueStanzas int `toml:"queue-stanzas" min:"1" max:"1000000"`
	// Bytes that may wait for it.
	QueueBytes Size `toml:"queue-bytes" min:"1 MiB" max:"4 GiB"`
	// How long a stanza may wait for it before its sender gets an error.
	QueueAge time.Duration `toml:"queue-age" min:"1s" max:"7d"`
	// The largest stanza taken from it. A larger one is answered with an error, the connection stays.
	MaxStanzaBytes Size `toml:"max-stanza-bytes" min:"10000" max:"16 MiB"`

	// The traffic it takes part in, from it and to it. Nothing, unless said here.
	Kinds Kinds `toml:"kinds"`

	// File with its security clearance (ESS in DER or base64, or STANAG 4774 XML). Without one it is cleared for nothing that has a label.
	Clearance File `toml:"clearance"`
	// What a message from it without a label is: refused, or judged under `default-label`.
	Unlabelled Unlabelled `toml:"unlabelled" enum:"refuse,default"`
	// File with the label that its unlabelled messages are judged under.
	DefaultLabel File `toml:"default-label"`
	// Label syntaxes it may use. The first is the one it is sent.
	LabelSyntaxes []LabelSyntax `toml:"label-syntaxes" enum:"ess,nato4774"`
	// What it is sent in the way of labels: what came, also the default label of the sending peer where none came, or never
	// any.
	SendLabels SendLabels `toml:"send-labels" enum:"as-received,always,never"`

	// Other names for its domains: on the left as the peer itself writes a domain, on the right as everybody else does.
	DomainMap []Mapping `toml:"domain-map,pairs"`
}

// Kinds is the traffic a peer takes part in. The zero value is none.
type Kinds struct {
	// Messages between people.
	Message bool `toml:"message"`
	// Presence and subscriptions.
	Presence bool `toml:"presence"`
	// Rooms: groupchat messages, invitations and the presence of occupants.
	MUC bool `toml:"muc"`
	// Personal eventing and publish-subscribe.
	PubSub bool `toml:"pubsub"`
	// Requests (iq), by the namespace of their payload, such as `jabber:iq:version`. `*` is every one the profile allows.
	IQ []string `toml:"iq"`
}

// Any reports whether k lets anything through.
func (k *Kinds) Any() bool {
	return k.Message || k.Presence || k.MUC || k.PubSub || len(k.IQ) > 0
}

// Mapping gives a domain another name.
type Mapping struct {
	Far  string // as the peer writes it
	Near string // as everybody else writes it
}

// Pair lets two peers talk.
type Pair struct {
	// The names of the two peers.
	Between []string `toml:"between" required:"true"`
	// Both ways, or only from the first peer to the second; answers to what was sent come back in either case.
	Direction Direction `toml:"direction" enum:"both,first-to-second"`
	// Needed to let two peers of one side talk through the gateway.
	SameSide bool `toml:"same-side"`
}

// First is the peer that may always send.
func (p *Pair) First() string { return p.Between[0] }

// Second is the other one.
func (p *Pair) Second() string { return p.Between[1] }
