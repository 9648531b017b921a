package config

import "net/netip"

// Side is one network the gateway has a leg in.
type Side struct {
	Name string `toml:"-"`

	// Addresses and ports where servers of this side connect, with STARTTLS (usually port 5269).
	Listen []netip.AddrPort `toml:"listen"`
	// Addresses and ports where servers of this side connect with TLS from the first byte (XEP-0368, usually port 5270).
	ListenDirect []netip.AddrPort `toml:"listen-direct"`
	// DNS servers for peers of this side that have no `route`. Empty: DNS is never asked, each peer needs a `route`.
	Resolver []netip.AddrPort `toml:"resolver"`
	// Files with the CA certificates (PEM) that vouch for peers of this side. The system's own list is never used.
	Trust []File `toml:"trust"`
	// Files with certificate revocation lists (PEM or DER) of these CAs. Read again on reload.
	CRL []File `toml:"crl"`
	// Refuses a certificate when there is no current revocation list of the CA that signed it.
	CRLRequired bool `toml:"crl-required"`
	// Permits connections to loopback, link-local and other special addresses that DNS answered. Addresses in a `route` are always permitted.
	AllowSpecialAddresses bool `toml:"allow-special-addresses"`
	// The security policy, by name or object identifier, that governs labels on this side: peers read labels under it unless they name another, and labels that come to it under another are translated where the peer that sends them says how (`translate-in`).
	LabelPolicy string `toml:"label-policy"`
	// File with the label for unlabelled messages from peers of this side for which nothing else gives one.
	DefaultLabel File `toml:"default-label"`
}

// Certificate is one certificate with its key.
type Certificate struct {
	// File with the certificate, then its intermediates (PEM). Read again on reload, without dropping streams.
	Cert File `toml:"cert" required:"true"`
	// File with the private key (PEM). Only its owner may be able to read it.
	Key SecretFile `toml:"key" required:"true"`
	// Domains for which it is shown, beyond those it names.
	Domains []Pattern `toml:"domains"`
	// It is shown where no other fits. One certificate at most.
	Default bool `toml:"default"`
}
