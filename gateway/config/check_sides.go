package config

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"sallyport/internal/tlsid"
)

// bound is an address that a part of the gateway listens on.
type bound struct {
	key  string
	addr netip.AddrPort
}

// addresses refuses to listen twice on one port of one address.
func (c *checker) addresses() {
	var all []bound
	for i := range c.cfg.Sides {
		s := &c.cfg.Sides[i]
		key := joinKey("side", s.Name)
		for n, a := range s.Listen {
			all = append(all, bound{entryKey(key+".listen", n+1), a})
		}
		for n, a := range s.ListenDirect {
			all = append(all, bound{entryKey(key+".listen-direct", n+1), a})
		}
	}
	for n, a := range c.cfg.Server.Listen {
		all = append(all, bound{entryKey("server.listen", n+1), a})
	}
	for n, a := range c.cfg.Server.ListenDirect {
		all = append(all, bound{entryKey("server.listen-direct", n+1), a})
	}
	for n, a := range c.cfg.Server.Web.Listen {
		all = append(all, bound{entryKey("server.web.listen", n+1), a})
	}
	for n, a := range c.cfg.Server.Components.Listen {
		all = append(all, bound{entryKey("server.components.listen", n+1), a})
	}
	for i := range c.cfg.Links {
		if l := &c.cfg.Links[i]; l.Kind == KindX2X {
			for n, a := range l.Listen {
				all = append(all, bound{entryKey(joinKey("link", l.Name)+".listen", n+1), a})
			}
		}
	}
	all = append(all, bound{"metrics.listen", c.cfg.Metrics.Listen})
	byPort := map[uint16][]bound{}
	for _, b := range all {
		port := b.addr.Port()
		if port == 0 { // any free one, or refused by the decoder
			continue
		}
		for _, earlier := range byPort[port] {
			if clash(earlier.addr.Addr(), b.addr.Addr()) {
				c.bad(b.key, fmt.Sprintf("%s is taken by %s", b.addr, earlier.key), "use another address or port")
				break
			}
		}
		byPort[port] = append(byPort[port], b)
	}
}

func clash(a, b netip.Addr) bool { return a == b || a.IsUnspecified() || b.IsUnspecified() }

func (c *checker) sides() {
	if len(c.cfg.Sides) == 0 && !c.errorAt("side") {
		c.bad("side", "there is no side, so nobody to stand between", "define [side.inside] and [side.outside]")
	}
	for i := range c.cfg.Sides {
		c.side(&c.cfg.Sides[i])
	}
}

func (c *checker) side(s *Side) {
	key := joinKey("side", s.Name)
	c.name(key, s.Name)
	if len(s.Listen)+len(s.ListenDirect) == 0 && !c.ofServerAlone(s.Name) && !c.errorAt(key+".listen") && !c.errorAt(key+".listen-direct") {
		c.risk(key+".listen", "no address to listen on; only streams that the gateway opens can be used", "set listen")
	}
	if len(s.Listen)+len(s.ListenDirect) > 0 && len(c.cfg.Certificates) == 0 && !c.errorAt("certificate") {
		c.bad("certificate", "side "+s.Name+" listens, but there is no certificate to show", "add a [[certificate]] with cert and key")
	}
	if s.AllowSpecialAddresses && len(s.Resolver) > 0 {
		c.risk(key+".allow-special-addresses", "DNS answers can lead the gateway to loopback and link-local addresses",
			"give peers on such addresses a route instead")
	}
	c.trust(key, s)
	c.revocation(key, s)
}

// certified reports whether a peer of the side proves itself by certificate, and whether
// one of them has no pinned key.
func (c *checker) certified(side string) (any, unpinned bool) {
	for i := range c.cfg.Peers {
		p := &c.cfg.Peers[i]
		if p.Side == side && !p.Refuse && c.cfg.UsesS2S(p) && slices.Contains(p.Authenticate, External) {
			any, unpinned = true, unpinned || len(p.Pins) == 0
		}
	}
	return any, unpinned
}

func (c *checker) trust(key string, s *Side) {
	if _, unpinned := c.certified(s.Name); unpinned && len(s.Trust) == 0 && !c.errorAt(key+".trust") {
		c.bad(key+".trust", "no CA is trusted, so no peer of this side can prove itself by certificate",
			"name the CA certificates, or pin the keys of the peers")
	}
	for i, file := range s.Trust {
		c.proven(entryKey(key+".trust", i+1), string(file), tlsid.TrustSpec{AnchorFiles: []string{string(file)}})
	}
}

// proven loads a file as the gateway will.
func (c *checker) proven(key, path string, spec tlsid.TrustSpec) {
	if path == "" || c.errorAt(key) {
		return
	}
	if _, err := tlsid.LoadTrust(spec); err != nil {
		c.bad(key, err.Error(), "")
	}
}

func (c *checker) revocation(key string, s *Side) {
	used, _ := c.certified(s.Name)
	c.revoked(key, s.CRL, s.CRLRequired, used)
}

// revoked looks at revocation lists; used: certificates are checked against them.
func (c *checker) revoked(key string, lists []File, required, used bool) {
	switch {
	case len(lists) > 0 || c.errorAt(key+".crl"):
	case required:
		c.bad(key+".crl-required", "wants revocation lists, but crl names none; every certificate would be refused", "set crl")
	case used:
		c.risk(key+".crl", "no revocation list; a stolen key is good until its certificate expires", "set crl, and crl-required = true")
	}
	for i, file := range lists {
		at := entryKey(key+".crl", i+1)
		c.proven(at, string(file), tlsid.TrustSpec{CRLFiles: []string{string(file)}})
		if until := nextUpdate(file); !until.IsZero() && c.now.After(until) {
			c.risk(at, fmt.Sprintf("%s should have been renewed on %s", shown(string(file)), until.Format("2006-01-02")), "fetch the current one")
		}
	}
}

// nextUpdate is when the first list in a file becomes stale; zero if that cannot be told.
func nextUpdate(file File) time.Time {
	b, err := os.ReadFile(string(file))
	if err != nil {
		return time.Time{}
	}
	if block, _ := pem.Decode(b); block != nil {
		b = block.Bytes
	}
	list, err := x509.ParseRevocationList(b)
	if err != nil {
		return time.Time{}
	}
	return list.NextUpdate
}
