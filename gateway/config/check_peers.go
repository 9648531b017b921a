package config

import (
	"fmt"
	"net/netip"
	"slices"
)

func (c *checker) peers() {
	defaultPeer := ""
	for i := range c.cfg.Peers {
		p := &c.cfg.Peers[i]
		key := p.table()
		if p.Name == Local && c.cfg.Server.Open() && !p.Ourselves {
			c.bad(key, "is what the server of this node is called", "give yours another name")
		}
		c.name(key, p.Name)
		c.sideOf(key, p)
		if p.Ourselves {
			c.labels(p.tableOfLabels(), p)
			continue
		}
		if len(p.Domains) == 0 && !p.Default && !c.errorAt(key+".domains") {
			c.bad(key+".domains", "is missing; nobody would ever be this peer", "list its domains, or say default = true")
		}
		if p.Default {
			if defaultPeer != "" {
				c.bad(key+".default", "peer "+defaultPeer+" is the default already", "only one can be")
			}
			defaultPeer = p.Name
		}
		if p.Refuse {
			c.refused(key, p)
			continue
		}
		c.proof(key, p)
		c.reach(key, p)
		c.traffic(key, p)
		c.labels(key, p)
	}
}

func (c *checker) sideOf(key string, p *Peer) {
	if p.Side == "" || c.cfg.Side(p.Side) != nil {
		return
	}
	names := make([]string, len(c.cfg.Sides))
	for i := range c.cfg.Sides {
		names[i] = c.cfg.Sides[i].Name
	}
	c.undefined(key+".side", p.Side, "side", names)
}

// undefined notes a name that nothing defines.
func (c *checker) undefined(key, name, what string, names []string) {
	advice := fmt.Sprintf("define [%s.%s]", what, name)
	if hint := nearest(name, names[:min(len(names), maxProblems)]); hint != "" {
		advice = "did you mean " + shown(hint) + "?"
	}
	c.bad(key, fmt.Sprintf("there is no %s %s", what, shown(name)), advice)
}

func (c *checker) refused(key string, p *Peer) {
	if p.Default {
		c.risk(key+".default", "whoever is not listed is refused anyway", "remove this peer")
	}
	if n := c.paired[p.Name]; n > 0 {
		c.bad(entryKey("pair", n)+".between", "peer "+p.Name+" has refuse = true", "remove the pair, or refuse")
	}
}

// proof looks at how a peer shows who it is.
func (c *checker) proof(key string, p *Peer) {
	if len(p.Authenticate) == 0 && !c.errorAt(key+".authenticate") {
		c.bad(key+".authenticate", "is empty; nothing the peer proves would do", `write ["external"]`)
	}
	switch external := slices.Contains(p.Authenticate, External); {
	case !slices.Contains(p.Authenticate, Dialback):
	case external:
		c.risk(key+".authenticate", "without a certificate that verifies, DNS alone vouches for the peer",
			`write ["external"] if it has one`)
	default:
		c.risk(key+".authenticate", "DNS alone vouches for the peer; whoever controls DNS answers can be it",
			`write ["external"] if it has a certificate`)
	}
	if p.Default {
		c.risk(key+".default", "every domain of the world that nobody else owns can be this peer", "list its domains if you know them")
	}
}

// reach looks at how a peer is found.
func (c *checker) reach(key string, p *Peer) {
	side := c.cfg.Side(p.Side)
	if side == nil || !c.cfg.UsesS2S(p) || len(side.Resolver) > 0 || c.errorAt(key+".route") || c.errorAt(joinKey("side", side.Name)+".resolver") {
		return
	}
	for i, t := range p.Route {
		if _, err := netip.ParseAddr(t.Host); err != nil {
			c.bad(entryKey(key+".route", i+1), t.Host+" is a name, and side "+p.Side+" has no resolver to find it", "set resolver on the side, or write an IP address")
		}
	}
	if len(p.Route) > 0 {
		return
	}
	c.bad(key+".route", "is missing, and side "+p.Side+" has no resolver; the peer cannot be reached",
		`set route = ["HOST:PORT"], or resolver on the side`)
}

func (c *checker) traffic(key string, p *Peer) {
	if !p.Kinds.Any() && !c.errorAt(key+".kinds") {
		c.risk(key+".kinds", "nothing can come from this peer or go to it", "allow kinds of traffic, such as message = true")
	}
	for i, ns := range p.Kinds.IQ {
		if ns == "*" {
			c.risk(entryKey(key+".kinds.iq", i+1), "every request that the profile allows can cross", "list the namespaces that are needed")
		}
	}
	if c.paired[p.Name] == 0 && !c.errorAt("pair") {
		c.risk(key, "is in no pair, so it can talk to nobody", "add a [[pair]] between it and another peer")
	}
}

func (c *checker) pairs() {
	seen := map[[2]string]int{}
	names := make([]string, len(c.cfg.Peers))
	for i := range c.cfg.Peers {
		names[i] = c.cfg.Peers[i].Name
	}
	for i := range c.cfg.Pairs {
		pair, key := &c.cfg.Pairs[i], entryKey("pair", i+1)
		if c.errorAt(key + ".between") {
			continue
		}
		if len(pair.Between) != 2 || pair.First() == pair.Second() {
			c.bad(key+".between", "does not name two peers", `write between = ["a", "b"]`)
			continue
		}
		sides := map[string]bool{}
		for n, name := range pair.Between {
			if p := c.peer[name]; p != nil {
				sides[p.Side] = true
			} else {
				c.undefined(entryKey(key+".between", n+1), name, "peer", names)
			}
		}
		if len(sides) == 1 && !pair.SameSide && !c.errorAt(key+".between") {
			c.bad(key+".between", "joins two peers of one side", "say same-side = true if that is meant")
		}
		both := [2]string{min(pair.First(), pair.Second()), max(pair.First(), pair.Second())}
		if first := seen[both]; first > 0 {
			c.bad(key+".between", fmt.Sprintf("is listed already, in line %d", c.index.lineOf(entryKey("pair", first))), "keep one of the two")
		} else {
			seen[both] = i + 1
		}
	}
	if len(c.cfg.Pairs) == 0 && slices.ContainsFunc(c.cfg.Peers, func(p Peer) bool { return !p.Ourselves }) && !c.errorAt("pair") {
		c.risk("pair", "there is none, so nothing crosses", "add a [[pair]]")
	}
}
