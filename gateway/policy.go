package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"

	"sallyport/gateway/config"
	"sallyport/internal/xmpp/jid"
	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/peering"
	"sallyport/rules"
)

// The names of the links that are always there, and of the server of this node as a peer.
const (
	linkS2S   = config.S2S
	linkLocal = config.Local
	peerLocal = config.Local
)

// policyBuild gathers a definition and everything that is wrong with it.
type policyBuild struct {
	cfg      *config.Config
	resolved *config.Labels
	def      peering.Definition
	problems []error
}

func (b *policyBuild) bad(format string, args ...any) {
	b.problems = append(b.problems, fmt.Errorf(format, args...))
}

// BuildPolicy makes the policy that a configuration describes, or says everything that is
// wrong with it. It reads the files the configuration names.
func BuildPolicy(cfg *config.Config) (*peering.Policy, error) {
	policy, _, err := buildPolicy(cfg)
	return policy, err
}

// buildPolicy is BuildPolicy with what the configuration says of labels.
func buildPolicy(cfg *config.Config) (*peering.Policy, *config.Labels, error) {
	b := policyBuild{cfg: cfg}
	b.source([]byte(cfg.Source.Digest))
	b.securityPolicies()
	b.labels()
	b.subjects()
	b.profile()
	b.rules()
	for i := range cfg.Peers {
		b.peer(&cfg.Peers[i])
	}
	for i := range cfg.Pairs {
		p := &cfg.Pairs[i]
		b.def.Pairs = append(b.def.Pairs, peering.Pair{
			From: p.First(), To: p.Second(), Both: p.Direction == config.Both, SameSide: p.SameSide,
		})
	}
	if p := b.cfg.Peer(peerLocal); p != nil && p.Ourselves {
		b.def.Pairs = append(b.def.Pairs, peering.Pair{From: p.Name, To: p.Name, SameSide: true, Open: true})
	}
	b.def.Expiry, b.def.ReissueIDs, b.def.LinkFloor = cfg.Policy.Expiry, cfg.Policy.ReissueIDs, linkFloors(cfg)
	if len(b.problems) > 0 {
		return nil, nil, errors.Join(b.problems...)
	}
	policy, problems := peering.Compile(b.def)
	for _, p := range problems {
		b.bad("%w", p)
	}
	return policy, b.resolved, errors.Join(b.problems...)
}

// source adds bytes to what the version of the policy is a digest of.
func (b *policyBuild) source(data []byte) { b.def.Sources = append(b.def.Sources, data) }

func (b *policyBuild) sourceFile(f config.File) {
	data, err := os.ReadFile(string(f))
	if err != nil {
		b.bad("read policy part: %w", err)
		return
	}
	b.source(data)
}

func (b *policyBuild) securityPolicies() {
	var policies []*labels.Policy
	for _, f := range b.cfg.Policy.SPIF {
		b.sourceFile(f)
		p, problems := spif.Load(string(f))
		if p == nil {
			for _, problem := range problems {
				b.bad("%s", problem)
			}
			continue
		}
		policies = append(policies, p)
	}
	reg, err := labels.NewRegistry(policies...)
	if err != nil {
		b.bad("label policies: %w", err)
		reg, _ = labels.NewRegistry()
	}
	b.def.Labels = reg
}

func (b *policyBuild) profile() {
	spec := rules.DefaultProfile(b.cfg.Policy.Profile)
	for _, own := range b.cfg.Profiles {
		if own.Name == b.cfg.Policy.Profile {
			spec = own
		}
	}
	profile, problems := rules.CompileProfile(spec)
	for _, p := range problems {
		b.bad("profile %s", p)
	}
	b.def.Profile = profile
}

func (b *policyBuild) rules() {
	set, problems := rules.CompileRules(b.resolved.Rules)
	for _, p := range problems {
		b.bad("rule %s", p)
	}
	b.def.Rules = set
}

func (b *policyBuild) peer(c *config.Peer) {
	p := peering.Peer{
		Name: c.Name, Side: c.Side, Default: c.Default, Refuse: c.Refuse, Links: b.cfg.LinksOf(c),
		Domains: patterns(c.Domains), SpeaksFor: patterns(c.SpeaksFor),
		Floor: peering.Floor{MinTLS: tlsVersion(c.MinTLS), Pinned: len(c.Pins) > 0},
		Kinds: peering.Kinds{
			Message: c.Kinds.Message, Presence: c.Kinds.Presence, MUC: c.Kinds.MUC, PubSub: c.Kinds.PubSub, IQ: c.Kinds.IQ,
		},
	}
	if c.Ourselves {
		p.Floor = peering.Floor{Methods: []peering.Method{peering.Local}}
	}
	for _, a := range c.Authenticate {
		switch a {
		case config.External:
			p.Floor.Methods = append(p.Floor.Methods, peering.External)
		case config.Dialback:
			p.Floor.Methods = append(p.Floor.Methods, peering.Dialback)
		}
	}
	b.labelling(c, &p.Labelling)
	for _, m := range c.DomainMap {
		far, errFar := jid.ParseDomain(m.Far)
		near, errNear := jid.ParseDomain(m.Near)
		if err := errors.Join(errFar, errNear); err != nil {
			b.bad("peer %s: domain-map: %w", c.Name, err)
			continue
		}
		p.DomainMap = append(p.DomainMap, peering.DomainMapping{Far: far, Near: near})
	}
	b.def.Peers = append(b.def.Peers, p)
}

func patterns(in []config.Pattern) []peering.Pattern {
	out := make([]peering.Pattern, len(in))
	for i, p := range in {
		out[i] = peering.Pattern(p)
	}
	return out
}

func tlsVersion(v config.TLSVersion) uint16 {
	switch v {
	case config.TLS12:
		return tls.VersionTLS12
	case config.TLS13:
		return tls.VersionTLS13
	}
	return tls.VersionTLS13
}
