package config

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"sallyport/internal/tlsid"
)

// clients looks at how clients of the server connect.
func (c *checker) clients() {
	s := &c.cfg.Server
	if !s.Open() {
		if s.Side != "" && !c.errorAt("server.listen") && !c.errorAt("server.listen-direct") {
			c.risk("server.listen", "is missing, so that no client can connect", "set listen, listen-direct or web.listen")
		}
		return
	}
	if s.Side == "" && !c.errorAt("server.side") {
		c.bad("server.side", "is missing, and clients can connect", "name the side that the accounts are on")
	}
	c.web(&s.Web, &s.Login)
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
	if s.Login.Compression {
		c.risk("server.login.compression", "lengths tell who watches the encrypted connection something of the text (CRIME)", "leave it out where links are not thin")
	}
	if s.Login.Legacy {
		c.risk("server.login.legacy", "the server, and whoever breaks into it, sees the passwords of clients from before SASL", "leave it out where no client needs it")
		if s.Login.Binding == BindingRequire {
			c.bad("server.login.legacy", "binds no login to its connection, which server.login.channel-binding requires", "leave one of them out")
		}
	}
	c.clientTrust(&s.Login)
	if s.Login.Binding == BindingRequire && slices.Equal(s.Login.Mechanisms, []Mechanism{PlainText}) {
		c.bad("server.login.channel-binding", "is required, and PLAIN has none", "add a mechanism of SCRAM")
	}
}

// clientTrust looks at who vouches for people that log in by certificate.
func (c *checker) clientTrust(l *ServerLogin) {
	const key = "server.login"
	named := len(l.Trust)+len(l.CRL) > 0
	switch {
	case !slices.Contains(l.Mechanisms, ByCertificate):
		if named || l.CRLRequired {
			c.bad(key+".trust", "trust, crl and crl-required mean nothing without EXTERNAL", `add "EXTERNAL" to mechanisms, or remove them`)
		}
		return
	case len(l.Trust) == 0 && !c.errorAt(key+".trust"):
		c.bad(key+".trust", "is missing, so that nobody can log in with EXTERNAL", "name the CA that people's certificates come from")
	}
	for i, file := range l.Trust {
		c.proven(entryKey(key+".trust", i+1), string(file), tlsid.TrustSpec{AnchorFiles: []string{string(file)}})
	}
	c.revoked(key, l.CRL, l.CRLRequired, true)
}

// web looks at what is reached by HTTP.
func (c *checker) web(w *ServerWeb, l *ServerLogin) {
	if w.Certificates && !slices.Contains(l.Mechanisms, ByCertificate) {
		c.bad("server.web.certificates", "means nothing without EXTERNAL", `add "EXTERNAL" to server.login.mechanisms, or remove it`)
	}
	if w.URL != "" {
		if u, err := url.Parse(w.URL); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			c.bad("server.web.url", shown(w.URL)+" is not an address of the form https://HOST:PORT", "clients need HTTPS")
		}
	}
	for i, o := range w.Origins {
		if _, err := path.Match(o, "x"); err != nil || o == "" || strings.Contains(o, "/") {
			c.bad(entryKey("server.web.origins", i+1), shown(o)+" is not a host", "write web.example, or *.web.example")
		} else if o == "*" && w.Certificates {
			c.bad(entryKey("server.web.origins", i+1), "any page could log in as the user of a browser that shows certificates", "name the hosts of your web clients")
		} else if o == "*" {
			c.risk(entryKey("server.web.origins", i+1), "any page in the browser of a user may connect", "name the hosts of your web clients")
		}
	}
	f := &w.Files
	switch {
	case f.Quota == 0:
	case len(w.Listen) == 0:
		c.bad("server.web.files.quota-bytes", "there is no address where files could be fetched", "set server.web.listen")
	case f.Quota < f.MaxFile:
		c.bad("server.web.files.max-file-bytes", "is more than all files of an account may take", "lower it, or raise quota-bytes")
	default:
		c.risk("server.web.files.quota-bytes", "what is in a file has no label and is not judged; whoever is told its address can read it",
			"leave files out where labels matter")
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
