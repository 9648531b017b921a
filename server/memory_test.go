package server_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/hybrid"
	"sallyport/server/offline"
	"sallyport/server/roster"
)

// memory keeps rosters and offline messages.
type memory struct {
	mu      sync.Mutex
	rosters map[jid.JID][]roster.Item // the last change of each contact
	last    uint64
	waiting map[jid.JID][]offline.Entry
	full    bool
	most    int   // messages of one account; 0: any
	puts    int   // changes of what waits
	broken  error // what everything answers
}

var (
	_ roster.Store  = (*memory)(nil)
	_ offline.Store = (*memory)(nil)
)

func (m *memory) version(owner jid.JID) (v hybrid.ID) {
	for _, i := range m.rosters[owner] {
		if i.Version.Compare(v) > 0 {
			v = i.Version
		}
	}
	return v
}

func (m *memory) Roster(_ context.Context, owner jid.JID) (list []roster.Item, v hybrid.ID, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, v, m.broken
	}
	for _, i := range m.rosters[owner] {
		if !i.Removed {
			list = append(list, i)
		}
	}
	return list, m.version(owner), nil
}

func (m *memory) RosterSince(_ context.Context, owner jid.JID, v hybrid.ID) (list []roster.Item, whole bool, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v.Compare(m.version(owner)) > 0 {
		return nil, true, nil
	}
	for _, i := range m.rosters[owner] {
		if i.Version.Compare(v) > 0 {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b roster.Item) int { return a.Version.Compare(b.Version) })
	return list, false, nil
}

func (m *memory) PutItem(_ context.Context, owner jid.JID, before hybrid.ID, i roster.Item) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.version(owner) != before {
		return account.ErrChanged
	}
	if m.rosters == nil {
		m.rosters = make(map[jid.JID][]roster.Item)
	}
	list := slices.DeleteFunc(slices.Clone(m.rosters[owner]), func(o roster.Item) bool { return o.Contact == i.Contact })
	list = append(list, i)
	slices.SortFunc(list, func(a, b roster.Item) int { return compare(a.Contact, b.Contact) })
	m.rosters[owner] = list
	return nil
}

func compare(a, b jid.JID) int { return slices.Compare([]byte(a.String()), []byte(b.String())) }

func (m *memory) PutOffline(_ context.Context, owner jid.JID, at time.Time, stanzas ...[]byte) ([]uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.puts++
	ids := make([]uint64, len(stanzas))
	switch {
	case m.broken != nil:
		return nil, m.broken
	case m.full:
		return ids, nil
	}
	if m.waiting == nil {
		m.waiting = make(map[jid.JID][]offline.Entry)
	}
	for i, stanza := range stanzas {
		if m.most > 0 && len(m.waiting[owner]) >= m.most {
			continue
		}
		m.last++
		ids[i] = m.last
		m.waiting[owner] = append(m.waiting[owner], offline.Entry{ID: m.last, At: at, Stanza: stanza})
	}
	return ids, nil
}

func (m *memory) OfflineAfter(_ context.Context, owner jid.JID, after uint64) (page []offline.Entry, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, m.broken
	}
	for _, e := range m.waiting[owner] {
		if e.ID > after && len(page) < 3 {
			page = append(page, e)
		}
	}
	return page, nil
}

func (m *memory) DropOffline(_ context.Context, owner jid.JID, ids []uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	m.waiting[owner] = slices.DeleteFunc(m.waiting[owner], func(e offline.Entry) bool { return slices.Contains(ids, e.ID) })
	return nil
}

func (m *memory) CountOffline(_ context.Context, owner jid.JID) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.waiting[owner]), nil
}
