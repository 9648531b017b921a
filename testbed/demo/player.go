package main

import (
	"fmt"
	"net/netip"

	"sallyport/testbed/player"
)

// domain is one player, and what the node calls him.
type domain struct {
	*player.Player
	peer string
	cert string // name of its certificate
}

// castOf makes the two players that the configuration expects.
func castOf(st *state) (inside, outside *domain, err error) {
	if inside, err = newDomain(st, "inside", insidePeer, insideDomain, outsideDomain); err != nil {
		return nil, nil, err
	}
	if outside, err = newDomain(st, "outside", outsidePeer, outsideDomain, insideDomain); err != nil {
		return nil, nil, err
	}
	return inside, outside, nil
}

func newDomain(st *state, name, peer, own, other string) (*domain, error) {
	listen, node, err := addressesOfPlayer(st, peer)
	if err != nil {
		return nil, err
	}
	p, err := player.New(player.Options{
		Name: name, Domain: own, Other: other, Listen: listen, Node: node, Labels: st.labels,
		Cert: st.path("certs", name+".pem"), Key: st.path("certs", name+".key"), CA: st.path("certs", "ca.pem"),
		Clearance: st.path("policy", "inside.clearance.xml"), Unlabelled: st.path("policy", "unclassified.label.xml"),
	})
	if err != nil {
		return nil, err
	}
	return &domain{p, peer, name}, nil
}

// addressesOfPlayer finds where a player is expected to listen, and where the node does.
func addressesOfPlayer(st *state, peer string) (own, node netip.AddrPort, err error) {
	for i := range st.cfg.Peers {
		c := &st.cfg.Peers[i]
		if c.Name != peer {
			continue
		}
		for j := range st.cfg.Sides {
			if s := &st.cfg.Sides[j]; s.Name == c.Side && len(s.Listen) > 0 {
				node = s.Listen[0]
			}
		}
		if len(c.Route) > 0 {
			addr, err := netip.ParseAddr(c.Route[0].Host)
			if err != nil {
				return own, node, fmt.Errorf("the route of peer %s has to be an IP address for the demonstration: %w", c.Name, err)
			}
			own = netip.AddrPortFrom(addr, c.Route[0].Port)
		}
	}
	if !own.IsValid() || !node.IsValid() {
		return own, node, fmt.Errorf("%s has no peer %s with a route, on a side that listens", shown(st.config), peer)
	}
	return own, node, nil
}
