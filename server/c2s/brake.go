package c2s

import (
	"math"
	"net/netip"
	"sync"
	"time"

	"sallyport/internal/accept"
	"sallyport/internal/xmpp/jid"
)

// How failed logins slow down those that follow (bad-inputs F14). An account is never locked, or anybody could lock out anybody.
const (
	freeFailures    = 5 // before the first delay
	firstDelay      = 100 * time.Millisecond
	addressDelay    = 8 * time.Second  // the longest of an address
	accountDelay    = 2 * time.Second  // the longest of an account: who knows the password gets in all the same
	maxFailures     = 100              // of an address, before its passwords are not looked at any more
	forgiveEvery    = 30 * time.Second // one failure is forgotten
	maxRemembered   = 100_000          // addresses, and accounts; beyond it some are forgotten
	forgottenAtOnce = maxRemembered / 100
)

// brake remembers failed logins. Any goroutine may call it.
type brake struct {
	mu        sync.Mutex
	addresses map[netip.Prefix]failures
	accounts  map[jid.JID]failures
}

func newBrake() *brake {
	return &brake{addresses: make(map[netip.Prefix]failures), accounts: make(map[jid.JID]failures)}
}

// failures is a count that goes down by itself.
type failures struct {
	count float64
	at    time.Time
}

func (f failures) now(now time.Time) float64 {
	return max(0, f.count-float64(now.Sub(f.at))/float64(forgiveEvery))
}

// delay doubles with every failure that is not free.
func (f failures) delay(now time.Time, longest time.Duration) time.Duration {
	n := int(math.Ceil(f.now(now))) - freeFailures
	if n < 0 {
		return 0
	}
	return min(longest, firstDelay<<min(n, 20))
}

// before says how long to wait before an attempt, and whether it may be made at all.
func (b *brake) before(now time.Time, from netip.Addr, account jid.JID) (wait time.Duration, barred bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	address := b.addresses[accept.Network(from)]
	wait = max(address.delay(now, addressDelay), b.accounts[account].delay(now, accountDelay))
	return wait, address.now(now) >= maxFailures
}

// failed remembers a failure.
func (b *brake) failed(now time.Time, from netip.Addr, account jid.JID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	one(b.addresses, accept.Network(from), now)
	if !account.IsZero() {
		one(b.accounts, account.Clone(), now)
	}
}

// succeeded forgets the failures of the account. Those of the address stay: an attacker may have an account of his own.
func (b *brake) succeeded(account jid.JID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.accounts, account)
}

func one[K comparable](table map[K]failures, key K, now time.Time) {
	if _, known := table[key]; !known && len(table) >= maxRemembered {
		thin(table, now)
	}
	table[key] = failures{count: min(table[key].now(now)+1, 2*maxFailures), at: now}
}

// thin makes room: first what has been forgiven, then anything.
func thin[K comparable](table map[K]failures, now time.Time) {
	for key, f := range table {
		if f.now(now) == 0 {
			delete(table, key)
		}
	}
	for key := range table {
		if len(table) <= maxRemembered-forgottenAtOnce {
			return
		}
		delete(table, key)
	}
}
