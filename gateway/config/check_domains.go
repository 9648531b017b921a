package config

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
)

// matches reports whether the pattern names the canonical domain.
func (p Pattern) matches(domain string) bool {
	base, subdomains := p.Base()
	if !subdomains {
		return domain == base
	}
	return strings.HasSuffix(domain, "."+base)
}

// covers reports whether every domain of q is one of p.
func (p Pattern) covers(q Pattern) bool {
	base, subdomains := q.Base()
	if !subdomains {
		return p.matches(base)
	}
	mine, wide := p.Base()
	return wide && (mine == base || strings.HasSuffix(base, "."+mine))
}

func parsePattern(s string) (Pattern, error) {
	base, subdomains := strings.CutPrefix(s, "*.")
	j, err := jid.ParseDomain(base)
	if err != nil {
		return "", err
	}
	if subdomains {
		return Pattern("*." + j.Domain()), nil
	}
	return Pattern(j.Domain()), nil
}

// claim is a domain that a peer owns.
type claim struct {
	pattern Pattern
	peer    *Peer
	key     string
}

// owners refuses that two peers own a domain, and relays that may speak for the other side.
func (c *checker) owners() {
	var claims []claim
	for i := range c.cfg.Peers {
		p := &c.cfg.Peers[i]
		key := p.table()
		for n, pattern := range p.Domains {
			claims = append(claims, claim{pattern, p, c.domainKey(p, n)})
		}
		claims = append(claims, c.mappings(key, p)...)
	}
	first := map[Pattern]claim{}
	for _, cl := range claims {
		other, taken := first[cl.pattern]
		switch {
		case cl.pattern == "": // refused by the decoder
		case taken && other.peer == cl.peer:
			c.risk(cl.key, shown(string(cl.pattern))+" is listed twice", "remove one")
		case taken:
			c.bad(cl.key, fmt.Sprintf("%s is owned by peer %s already, in line %d", cl.pattern, other.peer.Name, c.index.lineOf(other.key)),
				"a domain has one owner; a relay uses speaks-for")
		default:
			first[cl.pattern] = cl
		}
	}
	for i := range c.cfg.Peers {
		c.speaksFor(&c.cfg.Peers[i], claims)
	}
}

// mappings makes the domains of a map canonical and returns the near names as claims.
func (c *checker) mappings(key string, p *Peer) []claim {
	var claims []claim
	for i := range p.DomainMap {
		m := &p.DomainMap[i]
		at := joinKey(key+".domain-map", m.Far)
		far, err := parsePattern(m.Far)
		near, err2 := parsePattern(m.Near)
		_, wideFar := far.Base()
		_, wideNear := near.Base()
		switch {
		case err != nil || wideFar:
			c.bad(at, shown(m.Far)+" is not a domain", `write "far.example" = "near.example"`)
			continue
		case err2 != nil || wideNear:
			c.bad(at, shown(m.Near)+" is not a domain", `write "far.example" = "near.example"`)
			continue
		case !p.Default && !anyMatches(p.Domains, string(far)):
			c.bad(at, shown(m.Far)+" is not a domain of this peer", "add it to domains")
		}
		m.Far, m.Near = string(far), string(near)
		if far != near {
			claims = append(claims, claim{near, p, at})
		}
	}
	return claims
}

func anyMatches(patterns []Pattern, domain string) bool {
	for _, p := range patterns {
		if p.matches(domain) {
			return true
		}
	}
	return false
}

// speaksFor warns of a relay that may take the name of somebody beyond the gateway.
func (c *checker) speaksFor(p *Peer, claims []claim) {
	for n, pattern := range p.SpeaksFor {
		var names []string
		for _, cl := range claims {
			if pattern != "" && cl.pattern != "" && cl.peer.Side != p.Side && pattern.covers(cl.pattern) {
				names = append(names, fmt.Sprintf("%s of peer %s", cl.pattern, cl.peer.Name))
			}
		}
		if more := len(names) - 3; more > 0 {
			names = append(names[:3], fmt.Sprintf("%d more", more))
		}
		if len(names) > 0 {
			c.risk(entryKey(joinKey("peer", p.Name)+".speaks-for", n+1),
				"this peer can claim to be on the other side: "+strings.Join(names, ", "), "narrow the pattern")
		}
	}
}

// expiresSoon is when a certificate of ours is worth a warning.
const expiresSoon = 14 * 24 * time.Hour

// certificates loads every certificate of ours and looks which domains have none.
func (c *checker) certificates() {
	var good []tlsid.KeyPair
	fallback := ""
	for i := range c.cfg.Certificates {
		cert, key := &c.cfg.Certificates[i], entryKey("certificate", i+1)
		if cert.Default && fallback != "" {
			c.bad(key+".default", "the certificate in line "+fallback+" is the default already", "only one can be")
		} else if cert.Default {
			fallback = fmt.Sprint(c.index.lineOf(key))
		}
		if c.errorAt(key+".cert") || c.errorAt(key+".key") || cert.Cert == "" || cert.Key == "" {
			continue
		}
		pair := tlsid.KeyPair{CertFile: string(cert.Cert), KeyFile: string(cert.Key)}
		if c.certificate(key, pair) {
			pair.Domains, pair.Default = domainNames(cert.Domains), cert.Default
			good = append(good, pair)
		}
	}
	if len(good) < len(c.cfg.Certificates) || c.errorAt("certificate") {
		return
	}
	keys, err := tlsid.LoadKeys(good)
	if err != nil {
		c.bad("certificate", err.Error(), "give each domain one certificate")
		return
	}
	c.uncertified(keys)
	c.clientCertificates(keys)
}

// certificate proves that a pair of files can be used.
func (c *checker) certificate(key string, pair tlsid.KeyPair) bool {
	if _, err := tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile); err != nil {
		c.bad(key+".cert", fmt.Sprintf("%s does not work with its key: %v", shown(pair.CertFile), err), "check that the two belong together and are PEM")
		return false
	}
	keys, err := tlsid.LoadKeys([]tlsid.KeyPair{pair})
	if err != nil {
		c.bad(key+".cert", err.Error(), "")
		return false
	}
	for _, fact := range keys.Facts() {
		if fact.Names.Len() == 0 {
			c.bad(key+".cert", shown(pair.CertFile)+" names no domain (only subjectAltName counts)", "have it issued with the domains")
		}
		c.period(key+".cert", &fact)
	}
	return true
}

// period warns of a certificate that nobody believes, or will not for long.
func (c *checker) period(key string, fact *tlsid.KeyFact) {
	const then = "renew it; sallyport reload shows the new one"
	switch left := fact.NotAfter.Sub(c.now); {
	case fact.NotBefore.After(c.now):
		c.risk(key, shown(fact.File)+" is not good before "+c.day(fact.NotBefore), "if that is past, the clock of this machine is wrong")
	case left < 0:
		c.risk(key, shown(fact.File)+" expired on "+c.day(fact.NotAfter), then)
	case left < expiresSoon:
		c.risk(key, shown(fact.File)+" expires on "+c.day(fact.NotAfter), then)
	}
}

// day is the date of a moment, with the time where the date alone would say too little.
func (c *checker) day(t time.Time) string {
	if t.Sub(c.now).Abs() < 48*time.Hour {
		return t.UTC().Format("2006-01-02 at 15:04 UTC")
	}
	return t.UTC().Format("2006-01-02")
}

func domainNames(patterns []Pattern) []string {
	names := make([]string, len(patterns))
	for i, p := range patterns {
		names[i] = string(p)
	}
	return names
}

// uncertified warns of domains that the gateway speaks for without a certificate: those
// of each peer, under the names that the peers it is paired with know. Those of accounts are
// looked at elsewhere, and nobody speaks for others to them.
func (c *checker) uncertified(keys *tlsid.Keys) {
	for i := range c.cfg.Peers {
		p := &c.cfg.Peers[i]
		if p.Refuse || !c.spokenFor(p) {
			continue
		}
		for n, pattern := range p.Domains {
			if c.errorAt(c.domainKey(p, n)) {
				continue
			}
			domain, wide := pattern.Base()
			for _, m := range p.DomainMap {
				if m.Far == domain {
					domain = m.Near
				}
			}
			if !wide && domain != "" && keys.For(domain) == nil {
				c.risk(c.domainKey(p, n),
					"the gateway speaks for "+domain+" on the other side, but has no certificate for it",
					"add a [[certificate]] that names it")
			}
		}
	}
}

// spokenFor reports whether a peer is in a pair with one that is another server.
func (c *checker) spokenFor(p *Peer) bool {
	return slices.ContainsFunc(c.cfg.Pairs, func(pair Pair) bool {
		at := slices.Index(pair.Between, p.Name)
		if at < 0 || len(pair.Between) != 2 {
			return false
		}
		far := c.peer[pair.Between[1-at]]
		return far != nil && !far.Ourselves
	})
}
