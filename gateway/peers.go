package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/internal/xmpp/stream"
	"sallyport/links/s2s"
	"sallyport/peering"
)

// peerCounters is what became of the stanzas of one peer.
type peerCounters struct {
	In, Out   atomic.Int64 // taken from it, released to it
	Delivered atomic.Int64 // to it
	Refused   atomic.Int64 // from it
	Answered  atomic.Int64 // requests to it that were answered here
	Saved     atomic.Int64 // bytes of these answers, which did not cross
}

// countPeers makes counters for the peers of a policy; those there are go on.
func (g *Gateway) countPeers(p *peering.Policy) {
	next := make(map[string]*peerCounters)
	old := g.peers.Load()
	for _, peer := range p.Peers() {
		if old != nil && (*old)[peer.Name] != nil {
			next[peer.Name] = (*old)[peer.Name]
			continue
		}
		next[peer.Name] = &peerCounters{}
	}
	g.peers.Store(&next)
}

func (g *Gateway) peer(name string) *peerCounters {
	if c := (*g.peers.Load())[name]; c != nil {
		return c
	}
	return &g.strangers
}

// Peers lists the configured peers with their state.
func (g *Gateway) Peers(context.Context) ([]control.PeerStatus, error) {
	cfg, st := g.active(), g.link.Status()
	out := make([]control.PeerStatus, 0, len(cfg.Peers))
	for i := range cfg.Peers {
		out = append(out, g.peerStatus(&cfg.Peers[i], &st))
	}
	return out, nil
}

func (g *Gateway) peerStatus(c *config.Peer, st *s2s.Status) control.PeerStatus {
	counters := g.peer(c.Name)
	p := control.PeerStatus{
		Name: c.Name, Side: c.Side, State: control.PeerIdle,
		Delivered: counters.Delivered.Load(), Refused: counters.Refused.Load(),
		Answered: counters.Answered.Load(), Saved: counters.Saved.Load(),
	}
	for _, s := range st.Streams {
		for _, pair := range s.Pairs {
			if pair.Peer != c.Name {
				continue
			}
			if p.Proof == "" || pair.Method == peering.Dialback.String() {
				p.Proof = pair.Method
			}
			p.Streams++
			break
		}
	}
	for _, q := range st.Queues {
		if q.Peer == c.Name {
			p.Queued += q.Stanzas
			if q.LastError != "" {
				p.Error = q.LastError
			}
		}
	}
	switch {
	case c.Ourselves:
		if p.State = control.PeerDown; g.listening.Load() {
			p.State, p.Proof = control.PeerUp, peering.Local.String()
		}
	case c.Refuse:
		p.State = control.PeerRefused
	case p.Streams > 0:
		p.State = control.PeerUp
	case p.Error != "":
		p.State = control.PeerDown
	case p.Queued > 0:
		p.State = control.PeerTrying
	}
	return p
}

// Peer shows one peer in full.
func (g *Gateway) Peer(_ context.Context, name string) (control.PeerDetail, error) {
	cfg, st := g.active(), g.link.Status()
	c := cfg.Peer(name)
	policy := g.engine.Policy()
	if c == nil || policy.Peer(name) == nil {
		return control.PeerDetail{}, fmt.Errorf("no peer %q in this configuration; see sallyport peer list", name)
	}
	d := control.PeerDetail{
		PeerStatus: g.peerStatus(c, &st), Default: c.Default, Kinds: kindWords(&c.Kinds), Security: floorWords(policy.Peer(name)),
	}
	for _, p := range c.Domains {
		d.Domains = append(d.Domains, string(p))
	}
	for _, p := range c.SpeaksFor {
		d.SpeaksFor = append(d.SpeaksFor, string(p))
	}
	for _, t := range c.Route {
		d.Route = append(d.Route, t.String())
	}
	if c.Ourselves {
		d.Route = []string{"this node"}
	}
	for _, q := range c.Answers.Questions {
		d.Answers = append(d.Answers, string(q))
	}
	if s := g.home.stock(name); s != nil {
		d.Kept = s.cache.Stats().Entries
	}
	if held := policy.Peer(name).Clearances; !held.IsEmpty() {
		d.Clearance = held.String()
	}
	for _, other := range policy.Peers() {
		if policy.MayTalk(name, other.Name) {
			d.Pairs = append(d.Pairs, other.Name)
		}
	}
	for i := range st.Streams {
		if slices.ContainsFunc(st.Streams[i].Pairs, func(p s2s.PairStatus) bool { return p.Peer == name }) {
			d.Open = append(d.Open, streamStatus(&st.Streams[i], name))
		}
	}
	for _, q := range st.Queues {
		if q.Peer == name && q.Retry.After(d.NextTry) {
			d.NextTry = q.Retry
		}
	}
	return d, nil
}

func streamStatus(s *s2s.StreamStatus, peer string) control.StreamStatus {
	out := control.StreamStatus{
		Address: s.Address.String(), Since: s.Since, TLS: strings.TrimSpace(s.TLS + " " + s.Cipher), Management: s.Managed, Unacked: s.Unconfirmed,
	}
	directions := map[string]bool{}
	for _, p := range s.Pairs {
		if p.Peer == peer {
			out.Local, out.Remote, out.Proof = p.Local, p.Remote, p.Method
			directions[p.Direction] = true
		}
	}
	out.Direction = "in"
	switch {
	case len(directions) > 1:
		out.Direction = "both"
	case directions[stream.Outbound.String()]:
		out.Direction = "out"
	}
	return out
}

func kindWords(k *config.Kinds) []string {
	var out []string
	for _, f := range []struct {
		on   bool
		word string
	}{{k.Message, "message"}, {k.Presence, "presence"}, {k.MUC, "muc"}, {k.PubSub, "pubsub"}} {
		if f.on {
			out = append(out, f.word)
		}
	}
	for _, ns := range k.IQ {
		out = append(out, "iq "+ns)
	}
	return out
}

func floorWords(p *peering.Peer) string {
	if p.Name == peerLocal && slices.Equal(p.Floor.Methods, []peering.Method{peering.Local}) {
		return "the server of this node"
	}
	var methods []string
	for _, m := range p.Floor.Methods {
		methods = append(methods, m.String())
	}
	words := strings.Join(methods, " or ") + ", " + tls.VersionName(p.Floor.MinTLS) + " or later"
	if p.Floor.Pinned {
		words += ", pinned key"
	}
	return words
}

func (g *Gateway) sideStatus(s *config.Side) control.SideStatus {
	out := control.SideStatus{Name: s.Name}
	for _, direct := range []bool{false, true} {
		for _, a := range g.link.Addresses(s.Name, direct) {
			text := a.String()
			if direct {
				text += " (direct TLS)"
			}
			out.Listen = append(out.Listen, text)
		}
	}
	st := g.link.Status()
	for _, stream := range st.Streams {
		switch {
		case stream.Side != s.Name:
		case stream.Ready:
			out.Streams++
		default:
			out.Pending++
		}
	}
	return out
}
