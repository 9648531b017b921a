// Package recent remembers what was read from a store of accounts, so that it need not be read for every stanza.
//
// Inside: [Memory]. Not inside: reading, and the changes of other nodes: who remembers says for how many accounts, and another node
// sees a change when it forgets.
//
// It must never remember what was read before a change that was made here.
package recent

import (
	"sync"

	"sallyport/internal/xmpp/jid"
)

// Memory holds values of accounts in two generations: when the young one is full it becomes the old one, and what was not asked for
// since is forgotten. It is safe for concurrent use.
type Memory[V any] struct {
	size int

	mu         sync.Mutex
	young, old map[jid.JID]V
	changes    uint64
}

// New makes a memory of up to twice size accounts.
func New[V any](size int) *Memory[V] { return &Memory[V]{size: size, young: make(map[jid.JID]V)} }

// Get gives what is remembered of an account, or reads it.
func (m *Memory[V]) Get(account jid.JID, read func() (V, error)) (V, error) {
	v, changes, ok := m.find(account)
	if ok {
		return v, nil
	}
	v, err := read()
	if err == nil {
		m.keep(account, v, changes)
	}
	return v, err
}

// find also tells how often anything was changed until now.
func (m *Memory[V]) find(account jid.JID) (v V, changes uint64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok = m.young[account]
	if !ok {
		if v, ok = m.old[account]; ok {
			m.put(account.Clone(), v)
		}
	}
	return v, m.changes, ok
}

// keep remembers what was read, unless something was changed since.
func (m *Memory[V]) keep(account jid.JID, v V, changes uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changes == changes {
		m.put(account.Clone(), v)
	}
}

// Forget is said after a change.
func (m *Memory[V]) Forget(account jid.JID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	delete(m.young, account)
	delete(m.old, account)
}

func (m *Memory[V]) put(account jid.JID, v V) {
	if len(m.young) >= m.size {
		m.young, m.old = make(map[jid.JID]V), m.young
	}
	m.young[account] = v
}
