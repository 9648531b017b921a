package gateway

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"sallyport/gateway/config"
	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/compact"
	"sallyport/links/hf"
	"sallyport/peering"
	"sallyport/s5066"
)

// radioConfig is one link of kind hf, as configured: domains are functions of the policy, a codec is one link's, so both are made when it
// begins.
type radioConfig struct {
	link      hf.Config
	events    bool              // what its node tells is recorded
	owned     []peering.Pattern // domains that the peer may speak for
	model     []byte
	addresses []jid.JID
}

// radioLinks are all links of kind hf. A link whose configuration stays is not touched by a reload.
type radioLinks struct {
	sink links.Sink
	env  hf.Env
	log  *zap.Logger

	state string // directory

	policy   atomic.Pointer[peering.Policy] // says whom we speak for
	ordering sync.Mutex                     // one at a time changes links or their silence, and may wait for the disk; taken before mu
	mu       sync.Mutex                     // held for a moment; guards what follows
	links    map[string]*radioLink
	orders   silenceOrders
	watches  map[string]*radioWatch // by address of the node
	started  bool
	watching sync.WaitGroup // all watches, also those that have been told to end
}

type radioLink struct {
	*hf.Link
	cfg     radioConfig
	silence *silenceOrder // nil: it may send
}

// newRadioLinks makes the links. Nothing runs yet.
func newRadioLinks(cfgs carrierConfigs, state string, sink links.Sink, env hf.Env, log *zap.Logger) (*radioLinks, error) {
	r := &radioLinks{state: state, sink: sink, env: env, log: log, links: map[string]*radioLink{}}
	var err error
	if r.orders, err = loadSilence(state); err != nil {
		return nil, err
	}
	r.policy.Store(cfgs.policy)
	for _, one := range cfgs.radios {
		l, err := r.make(one)
		if err != nil {
			return nil, fmt.Errorf("link %s: %w", one.link.Name, err)
		}
		r.links[one.link.Name] = l
	}
	return r, nil
}

func (r *radioLinks) make(cfg radioConfig) (*radioLink, error) {
	one := cfg.link
	one.Remote = func(domain jid.JID) bool {
		return slices.ContainsFunc(cfg.owned, func(o peering.Pattern) bool { return o.Matches(domain.Domain()) })
	}
	one.Local = func(domain jid.JID) bool { return hosts(r.policy.Load(), one.Side, domain) }
	if one.Mode == hf.Compact {
		var err error
		if one.Codec, err = cfg.codec(); err != nil {
			return nil, err
		}
	}
	silence := r.silenceFor(one.Name, one.Silent)
	one.Silent = silence != nil
	l, err := hf.NewLink(one, r.sink, r.env)
	if err != nil {
		return nil, err
	}
	return &radioLink{l, cfg, silence}, nil
}

// codec is that of one link.
func (c *radioConfig) codec() (*compact.Codec, error) {
	cc := compact.Config{Addresses: c.addresses}
	if len(c.model) > 0 {
		var err error
		if cc.Model, err = compact.Load(c.model); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
	}
	return compact.NewCodec(cc)
}

// radioConfigs makes the configuration of the links of kind hf, files included.
func radioConfigs(cfg *config.Config) (out []radioConfig, err error) {
	for i := range cfg.Links {
		l := &cfg.Links[i]
		if l.Kind != config.KindHF {
			continue
		}
		one, err := radioConfigOf(cfg, l)
		if err == nil && one.link.Mode == hf.Compact {
			_, err = one.codec()
		}
		if err != nil {
			return nil, fmt.Errorf("link %s: %w", l.Name, err)
		}
		out = append(out, one)
	}
	return out, nil
}

func radioConfigOf(cfg *config.Config, l *config.Link) (out radioConfig, err error) {
	p := cfg.Peer(l.Peer)
	if p == nil || len(l.Connect) == 0 {
		return out, fmt.Errorf("no peer %q, or no node", l.Peer)
	}
	r := &l.HF
	out.events = r.Events
	out.owned = patterns(slices.Concat(p.Domains, p.SpeaksFor))
	out.link = hf.Config{
		Name: l.Name, Side: p.Side, Peer: p.Name, LocalDomain: defaultDomain(cfg, p.Side), Profile: profileOf(l), Node: l.Connect[0].String(),
		SAP: s5066.SAP(r.SAP), Rank: s5066.Rank(r.Rank), App: uint16(r.Application), Datagrams: r.Datagrams, Silent: r.Silent, //nolint:gosec // bounded by the configuration
		Managed: l.Framing == config.Managed,
	}
	if r.ClientConfirmation {
		out.link.Confirm = s5066.ConfirmClient
	}
	if out.link.Mode, err = hf.ParseMode(string(r.Mode)); err != nil {
		return out, err
	}
	if out.link.Address, err = s5066.ParseAddress(r.Remote); err != nil {
		return out, err
	}
	for _, d := range p.Domains {
		if _, sub := d.Base(); !sub && out.link.PeerDomain.IsZero() {
			if out.link.PeerDomain, err = jid.ParseDomain(string(d)); err != nil {
				return out, err
			}
		}
	}
	if out.link.Compression, err = compression(l); err != nil {
		return out, err
	}
	if out.link.Broadcast, err = broadcastOf(r, out.link.Address); err != nil {
		return out, err
	}
	for _, text := range r.Addresses {
		a, err := jid.Parse(text)
		if err != nil {
			return out, fmt.Errorf("addresses: %w", err)
		}
		out.addresses = append(out.addresses, a)
	}
	if r.Model != "" {
		out.model, err = os.ReadFile(string(r.Model))
	}
	return out, err
}

func broadcastOf(r *config.Radio, peer s5066.Address) (*hf.Broadcast, error) {
	if len(r.Broadcast) == 0 {
		return nil, nil //nolint:nilnil // none is configured
	}
	b := &hf.Broadcast{To: peer, Copies: uint8(r.BroadcastCopies)} //nolint:gosec // bounded by the configuration
	for lane, word := range config.RadioClasses() {
		b.Lanes[lane] = slices.Contains(r.Broadcast, word)
	}
	if r.BroadcastTo == "" {
		return b, nil
	}
	var err error
	b.To, err = s5066.ParseAddress(r.BroadcastTo)
	return b, err
}

func (r *radioLinks) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = true
	for _, l := range r.links {
		l.Start()
	}
	r.watch()
}

// use takes another configuration. What cannot be made is logged, and tried again by the next reload.
func (r *radioLinks) use(all carrierConfigs) {
	r.policy.Store(all.policy)
	r.ordering.Lock()
	defer r.ordering.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	next := map[string]*radioLink{}
	for _, cfg := range all.radios {
		name := cfg.link.Name
		if old := r.links[name]; old != nil && reflect.DeepEqual(old.cfg, cfg) {
			next[name] = old
			delete(r.links, name)
		}
	}
	r.close()
	for _, cfg := range all.radios {
		name := cfg.link.Name
		if next[name] != nil {
			continue
		}
		l, err := r.make(cfg)
		if err != nil {
			r.log.Error("a radio link cannot be made; it stays down until the next reload", zap.String("link", name), zap.Error(err))
			continue
		}
		next[name] = l
		if r.started {
			l.Start()
		}
	}
	r.links = next
	r.watch()
}

// close ends all links that are left. Caller holds mu.
func (r *radioLinks) close() {
	for _, l := range r.links {
		l.Shutdown()
	}
}

func (r *radioLinks) shutdown() {
	r.mu.Lock()
	r.close()
	r.started = false
	for _, w := range r.watches {
		w.cancel()
	}
	r.mu.Unlock()
	r.watching.Wait() // without the lock, which their last words take
}

// link returns the one of that name, or nil.
func (r *radioLinks) link(name string) *hf.Link {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.links[name]; l != nil {
		return l.Link
	}
	return nil
}

func (r *radioLinks) all() (out []*hf.Link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.links {
		out = append(out, l.Link)
	}
	return out
}
