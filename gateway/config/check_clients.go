package config

import (
	"slices"

	"sallyport/internal/tlsid"
)

// clients looks at how clients of the server connect.
func (c *checker) clients() {
	s := &c.cfg.Server
	if !s.Open() {
		if s.Side != "" && !c.errorAt("server.listen") && !c.errorAt("server.listen-direct") {
			c.risk("server.listen", "is missing, so that no client can connect", "set listen or listen-direct")
		}
		return
	}
	if s.Side == "" && !c.errorAt("server.side") {
		c.bad("server.side", "is missing, and clients can connect", "name the side that the accounts are on")
	}
	if len(s.Domains) == 0 && !c.errorAt("server.domains") {
		c.bad("server.domains", "is missing, and clients can connect", "list the domains that have accounts")
	}
	if len(c.cfg.Certificates) == 0 && !c.errorAt("certificate") {
		c.bad("certificate", "clients connect, but there is no certificate to show", "add a [[certificate]] with cert and key")
	}
	if len(s.Login.Mechanisms) == 0 && !c.errorAt("server.login.mechanisms") {
		c.bad("server.login.mechanisms", "is empty; nobody could log in", `write ["SCRAM-SHA-256"], for example`)
	}
	if slices.Contains(s.Login.Mechanisms, PlainText) {
		c.risk("server.login.mechanisms", "with PLAIN the server, and whoever breaks into it, sees passwords", "leave PLAIN out where clients know SCRAM")
	}
	if s.Login.Binding == BindingRequire && slices.Equal(s.Login.Mechanisms, []Mechanism{PlainText}) {
		c.bad("server.login.channel-binding", "is required, and PLAIN has none", "add a mechanism of SCRAM")
	}
}

// clientCertificates wants a certificate for each domain that clients log in to.
func (c *checker) clientCertificates(keys *tlsid.Keys) {
	if !c.cfg.Server.Open() || len(c.cfg.Certificates) == 0 {
		return
	}
	for i, d := range c.cfg.Server.Domains {
		if domain, wide := d.Base(); !wide && domain != "" && keys.For(domain) == nil {
			c.bad(entryKey("server.domains", i+1), "no certificate names "+domain+", so that no client would trust the server", "add a [[certificate]] that names it")
		}
	}
}

// ofServerAlone reports whether nobody is on a side but the server of this node.
func (c *checker) ofServerAlone(side string) bool {
	return c.cfg.Server.Open() && c.cfg.Server.Side == side &&
		!slices.ContainsFunc(c.cfg.Peers, func(p Peer) bool { return p.Side == side && !p.Ourselves })
}
