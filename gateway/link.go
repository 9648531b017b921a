package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"sallyport/gateway/config"
	"sallyport/internal/resolve"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/links/s2s"
	"sallyport/peering"
)

// s2sConfig makes the configuration of the server-to-server link. Everything that comes
// from files is read here, so that a reload either has all of it or nothing.
func s2sConfig(cfg *config.Config, policy *peering.Policy) (s2s.Config, error) {
	store, err := tlsid.OpenStore(identityFiles(cfg))
	if err != nil {
		return s2s.Config{}, fmt.Errorf("certificates: %w", err)
	}
	secret, err := loadOrCreateSecret(string(cfg.Node.DialbackSecret))
	if err != nil {
		return s2s.Config{}, fmt.Errorf("dialback secret: %w", err)
	}
	l := &cfg.Limits
	out := s2s.Config{
		Name: linkS2S, Keys: store.Keys(), Secret: secret,
		Limits: s2s.Limits{
			PerAddress: l.UnauthenticatedPerAddress, Unproven: l.Unauthenticated, Handshake: l.HandshakeTimeout,
		},
		Timing: stream.Timing{Negotiation: l.AuthenticateTimeout, Close: l.CloseTimeout, Handshake: l.HandshakeTimeout},
		Manage: stream.ManageConfig{MaxItems: l.UnackedStanzas, MaxBytes: int(l.UnackedBytes), ResumeFor: resumeFor(l.ResumeWindow)},
	}
	for i := range cfg.Sides {
		out.Sides = append(out.Sides, side(cfg, &cfg.Sides[i], policy))
	}
	for i := range cfg.Peers {
		p := linkPeer(&cfg.Peers[i], store)
		p.Refuse = p.Refuse || !cfg.UsesS2S(&cfg.Peers[i]) // it has links of its own, and comes over no other
		out.Peers = append(out.Peers, p)
	}
	return out, nil
}

// resumeFor says "not at all" as the stream machine does, which takes zero for its default.
func resumeFor(window time.Duration) time.Duration {
	if window == 0 {
		return -1
	}
	return window
}

func identityFiles(cfg *config.Config) tlsid.StoreSpec {
	spec := tlsid.StoreSpec{Trust: make(map[string]tlsid.TrustSpec)}
	for _, c := range cfg.Certificates {
		pair := tlsid.KeyPair{CertFile: string(c.Cert), KeyFile: string(c.Key), Default: c.Default}
		for _, d := range c.Domains {
			pair.Domains = append(pair.Domains, string(d))
		}
		spec.Keys = append(spec.Keys, pair)
	}
	for _, s := range cfg.Sides {
		spec.Trust[s.Name] = trustFiles(s.Trust, s.CRL, s.CRLRequired)
	}
	return spec
}

func trustFiles(anchors, crls []config.File, required bool) (t tlsid.TrustSpec) {
	for _, f := range anchors {
		t.AnchorFiles = append(t.AnchorFiles, string(f))
	}
	for _, f := range crls {
		t.CRLFiles = append(t.CRLFiles, string(f))
	}
	if required {
		t.Revocation = tlsid.RevocationHard
	}
	return t
}

// side describes one network. On it we speak for every domain that a peer of another
// side holds and that some peer of this side may talk to.
func side(cfg *config.Config, c *config.Side, policy *peering.Policy) s2s.Side {
	s := s2s.Side{
		Name: c.Name, Listen: c.Listen, ListenDirect: c.ListenDirect,
		Resolver: resolve.Config{Servers: c.Resolver, AllowSpecial: c.AllowSpecialAddresses, Intn: mathrand.IntN},
	}
	name := c.Name
	s.Hosts = func(domain jid.JID) bool { return hosts(policy, name, domain) }
	s.DefaultDomain = defaultDomain(cfg, c.Name)
	return s
}

// defaultDomain is who we are on a side before anybody has said whom he wants: the first domain of another side.
func defaultDomain(cfg *config.Config, side string) jid.JID {
	for i := range cfg.Peers {
		p := &cfg.Peers[i]
		if p.Side == side || p.Refuse {
			continue
		}
		for _, d := range p.Domains {
			if _, sub := d.Base(); sub {
				continue
			}
			if domain, err := jid.ParseDomain(string(d)); err == nil {
				return domain
			}
		}
	}
	return jid.JID{}
}

// hosts reports whether domain is one we speak for on a side.
func hosts(policy *peering.Policy, side string, domain jid.JID) bool {
	holder := policy.Holding(domain)
	if holder == nil || holder.Refuse {
		return false
	}
	for _, p := range policy.Peers() {
		if p.Side == side && p.Name != holder.Name && (policy.MayTalk(p.Name, holder.Name) || policy.MayTalk(holder.Name, p.Name)) {
			return true
		}
	}
	return false
}

func linkPeer(c *config.Peer, store *tlsid.Store) s2s.Peer {
	p := s2s.Peer{
		Name: c.Name, Side: c.Side, Domains: patterns(c.Domains), Default: c.Default, SpeaksFor: patterns(c.SpeaksFor),
		Refuse: c.Refuse, Bidi: c.Bidi, StreamManagement: c.StreamManagement, Idle: c.Idle, MaxStanzaBytes: int(c.MaxStanzaBytes),
		Queue: s2s.QueueLimits{Stanzas: c.QueueStanzas, Bytes: int(c.QueueBytes), Age: c.QueueAge},
		Identity: tlsid.Policy{
			Trust: store.Trust(c.Side), Usage: usage(c.Usage), MinTLS: tlsVersion(c.MinTLS),
		},
	}
	for _, a := range c.Authenticate {
		p.Proofs.External = p.Proofs.External || a == config.External
		p.Proofs.Dialback = p.Proofs.Dialback || a == config.Dialback
	}
	for _, t := range c.Route {
		p.Route = append(p.Route, resolve.Target{Host: t.Host, Port: t.Port, Direct: c.TLS == config.DirectTLS, Static: true})
	}
	if c.InDoubt == config.Resend {
		p.InDoubt = s2s.InDoubtResend
	}
	if c.Confirm == config.ConfirmNone {
		p.Confirm = s2s.ConfirmNone
	}
	p.Identity.Pins = slices.Clone(c.Pins)
	return p
}

func usage(u config.Usage) tlsid.Usage {
	switch u {
	case config.UsageAny:
		return tlsid.Either
	case config.UsageClient:
		return tlsid.ClientOnly
	case config.UsageServer:
		return tlsid.ServerOnly
	}
	return tlsid.Strict
}

// loadOrCreateSecret reads the dialback secret, or makes 32 random bytes on first start.
func loadOrCreateSecret(path string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw := make([]byte, 32)
		if _, err := rand.Read(raw); err != nil {
			return "", err
		}
		text := hex.EncodeToString(raw)
		return text, os.WriteFile(path, []byte(text+"\n"), 0o600)
	}
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(b))
	if len(text) < 16 {
		return "", fmt.Errorf("%s holds less than 16 characters; remove it to have a new one made", path)
	}
	return text, nil
}
