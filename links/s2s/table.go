package s2s

import (
	"slices"
	"strings"

	"sallyport/internal/resolve"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// table is a compiled Config. Immutable: streams hold the one of now through Link.table.
type table struct {
	cfg      Config
	limits   Limits
	timing   stream.Timing
	secret   stream.Secret
	sides    map[string]*side
	exact    map[string]*Peer
	below    map[string]*Peer // key "a.example" for "*.a.example"
	fallback *Peer
}

// side is a Side with what is made of it.
type side struct {
	Side
	resolver *resolve.Resolver
	elements xmlstream.Limits // the widest any of its peers may use
}

func compile(cfg Config, env *Env) (*table, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	t := &table{
		cfg: cfg, limits: cfg.Limits.withDefaults(), timing: cfg.Timing, secret: stream.NewSecret(cfg.Secret),
		sides: make(map[string]*side), exact: make(map[string]*Peer), below: make(map[string]*Peer),
	}
	for _, s := range cfg.Sides {
		rc := s.Resolver
		if rc.Intn == nil {
			rc.Intn = env.intn
		}
		t.sides[s.Name] = &side{Side: s, resolver: resolve.New(rc), elements: xmlstream.ServerLimits()}
	}
	for i := range cfg.Peers {
		p := cfg.Peers[i] // a copy of our own
		p.Queue = p.Queue.withDefaults()
		for _, d := range p.Domains {
			if base, ok := strings.CutPrefix(string(d), "*."); ok {
				t.below[base] = &p
			} else {
				t.exact[string(d)] = &p
			}
		}
		if p.Default {
			t.fallback = &p
		}
		e := &t.sides[p.Side].elements
		e.ElementBytes = max(e.ElementBytes, p.MaxStanzaBytes)
	}
	return t, nil
}

// peer returns who holds a domain: named exactly, else below the longest suffix, else the default, else nobody (nil).
// A refused peer is nobody.
func (t *table) peer(domain jid.JID) *Peer {
	p := t.holder(domain.Domain())
	if p == nil || p.Refuse {
		return nil
	}
	return p
}

func (t *table) holder(domain string) *Peer {
	if domain == "" {
		return nil
	}
	if p := t.exact[domain]; p != nil {
		return p
	}
	for rest := domain; ; {
		_, parent, ok := strings.Cut(rest, ".")
		if !ok {
			return t.fallback
		}
		if p := t.below[parent]; p != nil {
			return p
		}
		rest = parent
	}
}

// peerOn is peer for a domain that must be on that side.
func (t *table) peerOn(side string, domain jid.JID) *Peer {
	if p := t.peer(domain); p != nil && p.Side == side {
		return p
	}
	return nil
}

// relays reports whether the peer that has proven remote may speak for the domain from.
func (t *table) relays(side string, remote, from jid.JID) bool {
	p := t.peerOn(side, remote)
	return p != nil && slices.ContainsFunc(p.SpeaksFor, func(d peering.Pattern) bool { return d.Matches(from.Domain()) })
}

func (t *table) hosts(side string, domain jid.JID) bool {
	s := t.sides[side]
	return s != nil && s.Hosts != nil && s.Hosts(domain)
}

// policy is what the machine may do for a pair on a stream with that TLS version (0: not yet, or clear text).
func (t *table) policy(side string, remote jid.JID, tls uint16) stream.Policy {
	if remote.IsZero() { // nobody named itself yet: offer what somebody may use; each proof is asked for again
		return stream.Policy{
			TLS: stream.RequireTLS, Auth: stream.AllowExternal | stream.AllowCertificateDialback | stream.AllowDialback,
			Bidi: true, Manage: true,
		}
	}
	p := t.peerOn(side, remote)
	if p == nil || tls != 0 && tls < p.Identity.MinTLS {
		return stream.Policy{}
	}
	out := stream.Policy{TLS: stream.RequireTLS, Bidi: p.Bidi, Manage: p.StreamManagement}
	if p.Proofs.External {
		out.Auth |= stream.AllowExternal | stream.AllowCertificateDialback
	}
	if p.Proofs.Dialback && len(p.Identity.Pins) == 0 { // a pin is a demand that dialback cannot meet
		out.Auth |= stream.AllowCertificateDialback | stream.AllowDialback
	}
	return out
}

// timingFor is the timing of a stream to a peer (nil: not known yet).
func (t *table) timingFor(p *Peer) stream.Timing {
	timing := t.timing
	if p != nil && p.Idle > 0 {
		timing.Idle = p.Idle
	}
	return timing
}

// limitsFor is what one element from a peer may be.
func (t *table) limitsFor(p *Peer) xmlstream.Limits {
	l := xmlstream.ServerLimits()
	if p.MaxStanzaBytes > 0 {
		l.ElementBytes = p.MaxStanzaBytes
	}
	return l
}
