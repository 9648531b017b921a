// Package accounttest has a store of accounts in memory: for tests of what uses one, and as the model that real stores
// are held against. It keeps nothing, so nothing but a test may use it.
package accounttest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
)

type key struct{ domain, name string }

// Memory is an account.Store. The zero value is empty and ready.
type Memory struct {
	mu       sync.Mutex
	domains  map[string]account.Domain
	accounts map[jid.JID]account.Account
	groups   map[key]account.Group
}

var _ account.Store = (*Memory)(nil)

// CreateAccount is account.Accounts.
func (m *Memory) CreateAccount(ctx context.Context, a account.Account) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.accounts[a.JID]; ok {
		return account.ErrExists
	}
	if _, ok := m.domains[a.JID.Domain()]; !ok {
		return account.ErrNotFound
	}
	if m.accounts == nil {
		m.accounts = make(map[jid.JID]account.Account)
	}
	a.Revision = 1
	m.accounts[a.JID] = sorted(a)
	return ctx.Err()
}

// sorted orders credentials as every store gives them back.
func sorted(a account.Account) account.Account {
	a.Credentials = slices.SortedFunc(slices.Values(a.Credentials), func(x, y account.Credential) int { return int(y.Hash) - int(x.Hash) })
	return a
}

// Account is account.Accounts.
func (m *Memory) Account(ctx context.Context, bare jid.JID) (account.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.accounts[bare]
	if !ok {
		return account.Account{}, account.ErrNotFound
	}
	a.Credentials = slices.Clone(a.Credentials)
	return a, ctx.Err()
}

// ReplaceAccount is account.Accounts.
func (m *Memory) ReplaceAccount(ctx context.Context, a account.Account) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.accounts[a.JID]
	switch {
	case !ok:
		return account.ErrNotFound
	case old.Revision != a.Revision:
		return account.ErrChanged
	}
	a.Revision++
	a.Created = old.Created
	m.accounts[a.JID] = sorted(a)
	return ctx.Err()
}

// RemoveAccount is account.Accounts.
func (m *Memory) RemoveAccount(ctx context.Context, bare jid.JID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.accounts[bare]; !ok {
		return account.ErrNotFound
	}
	delete(m.accounts, bare)
	for k, g := range m.groups {
		if i := slices.Index(g.Members, bare); k.domain == bare.Domain() && i >= 0 {
			g.Members = slices.Delete(slices.Clone(g.Members), i, i+1)
			g.Revision++
			m.groups[k] = g
		}
	}
	return ctx.Err()
}

// ListAccounts is account.Accounts.
func (m *Memory) ListAccounts(ctx context.Context, domain, after string, limit int) ([]account.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []account.Account
	for _, a := range m.accounts {
		if a.JID.Domain() == domain && a.JID.Local() > after {
			a.Credentials = nil
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b account.Account) int { return strings.Compare(a.JID.Local(), b.JID.Local()) })
	return first(all, limit), ctx.Err()
}

func first[T any](all []T, limit int) []T {
	return all[:min(len(all), max(limit, 0), account.MaxPage)]
}

// PutGroup is account.Groups.
func (m *Memory) PutGroup(ctx context.Context, g account.Group) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := key{g.Domain, g.Name}
	old, there := m.groups[k]
	_, known := m.domains[g.Domain]
	switch {
	case g.Revision == 0 && there:
		return account.ErrExists
	case g.Revision == 0 && !known, g.Revision != 0 && !there:
		return account.ErrNotFound
	case old.Revision != g.Revision:
		return account.ErrChanged
	}
	g.Members = slices.SortedFunc(slices.Values(g.Members), func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	if len(slices.Compact(slices.Clone(g.Members))) != len(g.Members) {
		return account.ErrExists
	}
	g.Revision++
	if m.groups == nil {
		m.groups = make(map[key]account.Group)
	}
	m.groups[k] = g
	return ctx.Err()
}

// Group is account.Groups.
func (m *Memory) Group(ctx context.Context, domain, name string) (account.Group, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g, ok := m.groups[key{domain, name}]
	if !ok {
		return account.Group{}, account.ErrNotFound
	}
	g.Members = append([]jid.JID(nil), g.Members...) // nil when there are none
	return g, ctx.Err()
}

// RemoveGroup is account.Groups.
func (m *Memory) RemoveGroup(ctx context.Context, domain, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.groups[key{domain, name}]; !ok {
		return account.ErrNotFound
	}
	delete(m.groups, key{domain, name})
	return ctx.Err()
}

// ListGroups is account.Groups.
func (m *Memory) ListGroups(ctx context.Context, domain, after string, limit int) ([]account.Group, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []account.Group
	for k, g := range m.groups {
		if k.domain == domain && k.name > after {
			g.Members = nil
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b account.Group) int { return strings.Compare(a.Name, b.Name) })
	return first(all, limit), ctx.Err()
}

// GroupsOf is account.Groups.
func (m *Memory) GroupsOf(ctx context.Context, domain string, member jid.JID) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for k, g := range m.groups {
		if k.domain == domain && slices.Contains(g.Members, member.Bare()) {
			names = append(names, k.name)
		}
	}
	slices.Sort(names)
	return names, ctx.Err()
}

// EnsureDomain is account.Domains.
func (m *Memory) EnsureDomain(ctx context.Context, d account.Domain) (account.Domain, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.domains == nil {
		m.domains = make(map[string]account.Domain)
	}
	if _, ok := m.domains[d.Name]; !ok {
		m.domains[d.Name] = d
	}
	return m.domains[d.Name], ctx.Err()
}

// Domain is account.Domains.
func (m *Memory) Domain(ctx context.Context, name string) (account.Domain, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.domains[name]
	if !ok {
		return account.Domain{}, account.ErrNotFound
	}
	return d, ctx.Err()
}

// ListDomains is account.Domains.
func (m *Memory) ListDomains(ctx context.Context, after string) ([]account.Domain, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []account.Domain
	for _, name := range slices.Sorted(maps.Keys(m.domains)) {
		if name > after {
			all = append(all, m.domains[name])
		}
	}
	return first(all, account.MaxPage), ctx.Err()
}

// RemoveDomain is account.Domains.
func (m *Memory) RemoveDomain(ctx context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.domains[name]; !ok {
		return account.ErrNotFound
	}
	delete(m.domains, name)
	maps.DeleteFunc(m.accounts, func(j jid.JID, _ account.Account) bool { return j.Domain() == name })
	maps.DeleteFunc(m.groups, func(k key, _ account.Group) bool { return k.domain == name })
	return ctx.Err()
}

// CountAccounts is account.Domains.
func (m *Memory) CountAccounts(ctx context.Context, domain string) (accounts, groups int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for j := range m.accounts {
		if j.Domain() == domain {
			accounts++
		}
	}
	for k := range m.groups {
		if k.domain == domain {
			groups++
		}
	}
	return accounts, groups, ctx.Err()
}
