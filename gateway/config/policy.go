package config

import (
	"time"

	"sallyport/labels/icism"
)

// Policy describes what a stanza must satisfy.
type Policy struct {
	// Files with security policies (Open XML SPIF). Without one no label can be read, and what must have a label is refused.
	SPIF []File `toml:"spif"`
	// File with the label for unlabelled messages for which nothing else gives one.
	DefaultLabel File `toml:"default-label"`
	// How labels in the attributes of IC-ISM are read and written. Without it they are not known, and refused.
	ICISM *icism.Mapping `toml:"ic-ism"`
	// The profile that every stanza must fit: `strict`, `chat` or `federation`, or the name of a [profile.NAME] table.
	Profile string `toml:"profile"`
	// How long a released stanza may wait for its link before it expires. Zero: the queue limits of the peer alone decide.
	Expiry time.Duration `toml:"expiry" min:"0s" max:"30d"`
	// Gives each request (iq) an id of the gateway's own, so that ids carry nothing across.
	ReissueIDs bool `toml:"reissue-ids"`
}

// DefaultLabel is a label for messages that come without one. Exactly one of `rooms`, `users`, `domains`, or `from` and `to`, says for which.
type DefaultLabel struct {
	// Name in audit and explain.
	ID string `toml:"id" required:"true"`
	// File with the label.
	Label File `toml:"label" required:"true"`
	// Senders: an address, a domain for everybody there, or `*.domain`. With `to`, both must fit.
	From []string `toml:"from"`
	// Destinations.
	To []string `toml:"to"`
	// Rooms: for messages to them and out of them.
	Rooms []string `toml:"rooms"`
	// Users who send.
	Users []string `toml:"users"`
	// Domains or services that send.
	Domains []string `toml:"domains"`
}

// Limits bounds what others can make the gateway spend.
type Limits struct {
	// Connections from one address (of clients in IPv6: from one /64) that have not authenticated yet, of other servers and of clients, each for itself. Where very many people are behind one address, and all come back at once after a failure, it may have to be larger: those who are turned away try again.
	UnauthenticatedPerAddress int `toml:"unauthenticated-per-address" min:"1" max:"10000"`
	// Connections that have not authenticated yet, from all addresses together, of other servers and of clients, each for itself.
	Unauthenticated int `toml:"unauthenticated" min:"1" max:"1000000"`
	// Time to authenticate.
	AuthenticateTimeout time.Duration `toml:"authenticate-timeout" min:"1s" max:"10m"`
	// Time for a TLS handshake.
	HandshakeTimeout time.Duration `toml:"handshake-timeout" min:"1s" max:"1m"`
	// Time to wait for an orderly end of a stream, and for queues to empty on shutdown.
	CloseTimeout time.Duration `toml:"close-timeout" min:"100ms" max:"1m"`
	// Unacknowledged stanzas of a stream with stream management.
	UnackedStanzas int `toml:"unacked-stanzas" min:"10" max:"1000000"`
	// Unacknowledged bytes of a stream with stream management.
	UnackedBytes Size `toml:"unacked-bytes" min:"64 KiB" max:"1 GiB"`
	// How long a broken stream can be resumed.
	ResumeWindow time.Duration `toml:"resume-window" min:"0s" max:"1h"`
}
