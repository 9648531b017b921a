package gateway

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/internal/disk"
	"sallyport/labels"
	"sallyport/peering"
)

// A security policy only goes forward: a file with a lower version, or with other content under the same version, is
// refused unless an operator rolls back on purpose. What was active is kept in a file of the state directory, so that
// this holds across restarts, and for policies that were taken out of the configuration in between.
//
// Whoever can write the state directory can undo this; what they do not undo is the audit log, which has every
// policy that became active and every step back.
const (
	historyFile    = "policies.json"
	maxHistoryFile = 1 << 20
)

// Rollbacks says whether a reload may go back to older security policies. The zero value does not.
type Rollbacks uint8

// The ways to reload.
const (
	RefuseRollbacks Rollbacks = iota
	AllowRollbacks
)

// Rollback is one security policy that would go back.
type Rollback struct {
	File string // as the configuration names it
	Err  error  // why it does not follow the one that was active
}

// RollbackAdvice is what to do about a Rollback.
const RollbackAdvice = "give the file a higher version, take the newer file again, or go back on purpose: 'sallyport reload --allow-rollback'"

// historyEntry is the latest edition of one policy that was active.
type historyEntry struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Digest  string    `json:"digest"`
	Since   time.Time `json:"since"`
}

func (e *historyEntry) edition() (labels.Edition, error) {
	out := labels.Edition{ID: e.ID, Name: e.Name, Version: e.Version}
	sum, err := hex.DecodeString(e.Digest)
	if err != nil || len(sum) != len(out.Digest) || e.ID == "" {
		return out, fmt.Errorf("the entry of policy %s is damaged", labels.Quote(e.Name))
	}
	copy(out.Digest[:], sum)
	return out, nil
}

// history is the latest edition of every policy that was active, by identifier. It is never changed, only replaced.
type history []historyEntry

// loadHistory reads what was active. No file is an empty history; a damaged one is an error, since taking it for
// empty would let every policy go back.
func loadHistory(state string) (h history, err error) {
	wrap := func(err error) error {
		return fmt.Errorf("read which security policies were active from %s in %s: %w; with the file moved away, any version is taken once", historyFile, state, err)
	}
	dir, err := disk.OpenDir(state)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	b, err := disk.ReadFile(dir, historyFile, maxHistoryFile)
	if errors.Is(err, disk.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	if err == nil {
		for i := range h {
			if _, err = h[i].edition(); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, wrap(err)
	}
	return h, nil
}

func (h history) save(state string) error {
	b, err := json.MarshalIndent(h, "", "  ")
	if err != nil {
		return err
	}
	dir, err := disk.MakeDir(state)
	if err == nil {
		err = errors.Join(disk.Replace(dir, historyFile, append(b, '\n')), dir.Close())
	}
	if err != nil {
		return fmt.Errorf("write which security policies are active: %w", err)
	}
	return nil
}

// rollbacks are the policies of reg that do not follow what was active. Files are those of the configuration, one for
// each policy in the order of the registry.
func (h history) rollbacks(reg *labels.Registry, files []config.File) []Rollback {
	var out []Rollback
	for i, p := range reg.Policies() {
		j := slices.IndexFunc(h, func(e historyEntry) bool { return e.ID == p.ID() })
		if j < 0 {
			continue
		}
		was, err := h[j].edition()
		if err == nil {
			err = p.Follows(was)
		}
		if err != nil {
			r := Rollback{Err: err}
			if i < len(files) {
				r.File = string(files[i])
			}
			out = append(out, r)
		}
	}
	return out
}

// with is the history after the policies of reg became active.
func (h history) with(reg *labels.Registry, now time.Time) (next history, changed bool) {
	next = slices.Clone(h)
	for _, p := range reg.Policies() {
		e := p.Edition()
		entry := historyEntry{e.ID, e.Name, e.Version, hex.EncodeToString(e.Digest[:]), now.UTC()}
		switch i := slices.IndexFunc(next, func(o historyEntry) bool { return o.ID == e.ID }); {
		case i < 0:
			next, changed = append(next, entry), true
		case next[i].Version != entry.Version || next[i].Digest != entry.Digest:
			next[i], changed = entry, true
		}
	}
	slices.SortFunc(next, func(a, b historyEntry) int { return cmp.Compare(a.ID, b.ID) })
	return next, changed
}

// remember keeps the policies of reg as active, and returns what takes that back.
func (h history) remember(state string, reg *labels.Registry, now time.Time) (forget func() error, err error) {
	next, changed := h.with(reg, now)
	if !changed {
		return func() error { return nil }, nil
	}
	return func() error { return h.save(state) }, next.save(state)
}

// FindRollbacks says which security policies of a configuration the node would refuse, because a newer or another
// edition of them has been active. It reads the state directory.
func FindRollbacks(cfg *config.Config, p *peering.Policy) ([]Rollback, error) {
	h, err := loadHistory(string(cfg.Node.State))
	if err != nil {
		return nil, err
	}
	return h.rollbacks(p.Labels(), cfg.Policy.SPIF), nil
}

// refusedRollbacks is the error for policies that would go back, nil for none.
func refusedRollbacks(back []Rollback) error {
	if len(back) == 0 {
		return nil
	}
	return fmt.Errorf("%s; %s", rollbackWords(back), RollbackAdvice)
}

func rollbackWords(back []Rollback) string {
	words := make([]string, len(back))
	for i, r := range back {
		words[i] = r.File + ": " + r.Err.Error()
	}
	return strings.Join(words, "; ")
}

// forward checks the security policies of a configuration against what was active. It returns that, and which of them
// go back with permission.
func (g *Gateway) forward(cfg *config.Config, p *peering.Policy, allowed Rollbacks) (history, []Rollback, error) {
	h, err := loadHistory(g.state)
	if err != nil {
		return nil, nil, err
	}
	back := h.rollbacks(p.Labels(), cfg.Policy.SPIF)
	if allowed == AllowRollbacks {
		return h, back, nil
	}
	return h, nil, refusedRollbacks(back)
}

// forwardAtStart refuses to start under policies that go back, and records that.
func (g *Gateway) forwardAtStart(cfg *config.Config, p *peering.Policy) error {
	_, _, err := g.forward(cfg, p, RefuseRollbacks)
	if err == nil {
		return nil
	}
	rec := audit.Record{Kind: audit.Reload, Time: g.now(), Node: g.node, From: "start", Outcome: "refused", Reason: err.Error()}
	return errors.Join(err, g.append(&rec))
}

// rememberAtStart keeps the policies that the node starts with. Nothing can have come between: a second node on this
// state directory could not have opened the audit log.
func (g *Gateway) rememberAtStart() error {
	h, err := loadHistory(g.state)
	if err != nil {
		return err
	}
	_, err = h.remember(g.state, g.engine.Policy().Labels(), g.now())
	return err
}
