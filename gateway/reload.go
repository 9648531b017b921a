package gateway

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/links/s2s"
)

// reload reads the configuration again, proves all of it, then swaps policy and links.
// With any error the old one keeps running, and the log, the audit log and status say why.
func (g *Gateway) reload(by string, back Rollbacks) (control.Reloaded, error) {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	before := g.engine.Policy().Version()
	done, err := g.tryReload(by, back)
	if err != nil {
		g.mu.Lock()
		g.lastReload = err.Error()
		g.mu.Unlock()
		g.counters.ReloadsBad.Add(1)
		g.log.Error("reload refused, the old configuration keeps running", zap.String("by", by), zap.Error(err))
		rec := audit.Record{Kind: audit.Reload, Time: g.now(), Node: g.node, From: by, Outcome: "refused", Reason: err.Error()}
		return control.Reloaded{}, errors.Join(err, g.append(&rec))
	}
	g.counters.Reloads.Add(1)
	done.Before = before.String()
	g.log.Info("configuration reloaded", zap.String("by", by), zap.String("policy", done.Policy), zap.Bool("changed", done.Changed))
	return done, nil
}

// tryReload is called with reloading held. Everything that can fail comes before the
// record, and the record before the new policy judges.
func (g *Gateway) tryReload(by string, back Rollbacks) (control.Reloaded, error) {
	old := g.active()
	next, problems := config.Load(old.Source.Path)
	if problems.Failed() {
		return control.Reloaded{}, problems.Err()
	}
	if err := fixed(old, next); err != nil {
		return control.Reloaded{}, err
	}
	policy, resolved, err := buildPolicy(next)
	if err != nil {
		return control.Reloaded{}, err
	}
	active, gone, err := g.forward(next, policy, back)
	if err != nil {
		return control.Reloaded{}, err
	}
	links, err := s2sConfig(next, policy)
	if err != nil {
		return control.Reloaded{}, err
	}
	others, err := carriersOf(next, policy)
	if err != nil {
		return control.Reloaded{}, err
	}
	if err := g.depot.open(next); err != nil {
		return control.Reloaded{}, err
	}
	use, drop, err := g.prepare(next, links, others)
	if err != nil {
		return control.Reloaded{}, err
	}
	changed := policy.Version() != g.engine.Policy().Version()
	rec := audit.Record{
		Kind: audit.Reload, Time: g.now(), Node: g.node, From: by, Outcome: "active", PolicyVersion: policy.Version().String(),
		Reason: "configuration " + next.Source.Digest,
	}
	if len(gone) > 0 {
		rec.Reason += "; gone back on purpose: " + rollbackWords(gone)
	}
	forget, err := active.remember(g.state, policy.Labels(), g.now())
	if err != nil {
		drop()
		return control.Reloaded{}, err
	}
	if err := g.append(&rec); err != nil {
		drop()
		return control.Reloaded{}, errors.Join(fmt.Errorf("the reload cannot be recorded: %w", err), forget())
	}
	g.depot.know(next)
	use()
	g.countPeers(policy)
	g.people.use(resolved)
	g.engine.Swap(policy)
	g.activate(next)
	g.certificates(next)
	g.home.use(next)
	g.depot.use(next)
	out := control.Reloaded{Changed: changed, Policy: policy.Version().String()}
	for _, p := range problems {
		out.Warnings = append(out.Warnings, p.String())
	}
	return out, nil
}

// prepare has all links, and the server, do what can fail of a new configuration.
func (g *Gateway) prepare(next *config.Config, streams s2s.Config, others carrierConfigs) (use, drop func(), err error) {
	use1, drop1, err := g.link.Prepare(streams)
	if err != nil {
		return nil, nil, fmt.Errorf("links: %w", err)
	}
	use2, drop2, err := g.carriers.prepare(others)
	if err != nil {
		drop1()
		return nil, nil, fmt.Errorf("links: %w", err)
	}
	use3, drop3, err := g.serveAs(next)
	if err != nil {
		drop1()
		drop2()
		return nil, nil, err
	}
	return func() { use1(); use2(); use3() }, func() { drop1(); drop2(); drop3() }, nil
}

func (g *Gateway) activate(next *config.Config) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cfg, g.lastReload, g.reloaded = next, "", g.now()
	if g.setGrants != nil {
		g.setGrants(grants(&next.Control))
	}
}

// fixed refuses changes that a running node cannot make.
func fixed(old, next *config.Config) error {
	var changed []string
	for _, f := range []struct {
		key  string
		same bool
	}{
		{"node.name", old.Node.Name == next.Node.Name},
		{"node.state", old.Node.State == next.Node.State},
		{"audit.dir", old.Audit.Dir == next.Audit.Dir},
		{"audit.sign-key", old.Audit.SignKey == next.Audit.SignKey},
		{"audit.head-sink", slices.Equal(old.Audit.HeadSinks, next.Audit.HeadSinks)},
		{"audit.content", old.Audit.Content == next.Audit.Content},
		{"audit.io-uring", old.Audit.IOUring == next.Audit.IOUring},
		{"audit.segment-bytes", old.Audit.SegmentBytes == next.Audit.SegmentBytes},
		{"audit.max-bytes", old.Audit.MaxBytes == next.Audit.MaxBytes},
		{"control.socket", old.Control.Socket == next.Control.Socket},
		{"control.group", old.Control.Group == next.Control.Group},
		{"metrics.listen", old.Metrics == next.Metrics},
		{"log", old.Log == next.Log},
		{"spool.dir", old.Spool.Dir == next.Spool.Dir},
		{"spool.max-bytes", old.Spool.MaxBytes == next.Spool.MaxBytes},
		{"spool.max-peer-bytes", old.Spool.MaxPeerBytes == next.Spool.MaxPeerBytes},
		{"spool.merge-window", old.Spool.MergeWindow == next.Spool.MergeWindow},
	} {
		if !f.same {
			changed = append(changed, f.key)
		}
	}
	if changed = append(changed, fixedServer(&old.Server, &next.Server)...); len(changed) > 0 {
		return fmt.Errorf("%s cannot change while the node runs: restart it, or take that back; nothing else was changed either", strings.Join(changed, ", "))
	}
	return nil
}
