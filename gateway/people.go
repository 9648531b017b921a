package gateway

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/gateway/config"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
	"sallyport/server/account"
)

const (
	// peopleAge is how old what is known of an account may be: how soon a change of its clearance counts.
	peopleAge = 5 * time.Second
	// maxPeople bounds what is remembered.
	maxPeople = 100_000
	// peoplePatience is how long a stanza waits for the store to say what somebody is cleared for.
	peoplePatience = 10 * time.Second
)

// nowFunc is the clock of a node.
type nowFunc = func() time.Time

// people knows what the accounts of this node are cleared for. An account names a clearance of the configuration; who names one that
// is not there, and who cannot be looked up, is cleared for nothing.
type people struct {
	store  account.Accounts // nil: this node has no accounts
	serves func(domain string) bool
	now    nowFunc
	labels atomic.Pointer[config.Labels] // that are active

	mu    sync.Mutex
	known map[jid.JID]person
	gone  uint64 // counts what was forgotten

	// lately is known of some, each at the place that its address gives, so that most are found without the lock. It is written under it.
	lately [1024]atomic.Pointer[acquaintance]
	seed   maphash.Seed
}

// acquaintance is somebody known.
type acquaintance struct {
	who jid.JID
	person
}

// person is what an account says of itself.
type person struct {
	clearance, catalogue string
	at                   time.Time
	err                  error
}

// open knows the accounts in a store from now on.
func (p *people) open(s account.Accounts, cfg *config.Server, now nowFunc) {
	p.store, p.serves, p.now, p.known = s, cfg.Serves, now, make(map[jid.JID]person)
	p.seed = maphash.MakeSeed()
}

// use makes clearances and catalogues of a configuration the ones that count.
func (p *people) use(l *config.Labels) { p.labels.Store(l) }

// fill puts what the accounts are cleared for into the facts of something that can have a label.
func (p *people) fill(a *peering.Arrival) {
	if p.store == nil || a.Stanza.IsZero() || a.Stanza.Kind() == stanza.Presence {
		return
	}
	if a.Peer == peerLocal && a.Facts.Sender.Source == "" {
		a.Facts.Sender = p.clearance(a.Stanza.From(), a.Time)
	}
	if a.Facts.Recipient.Source == "" {
		a.Facts.Recipient = p.clearance(a.Stanza.To(), a.Time)
	}
}

// clearance is what an account is cleared for now; nothing is known of one that names no clearance, and of whoever is no account.
func (p *people) clearance(who jid.JID, now time.Time) peering.ClearanceFact {
	if p.store == nil || who.Local() == "" || !p.serves(who.Domain()) {
		return peering.ClearanceFact{}
	}
	is := p.person(who.Bare(), now)
	if is.err == nil && is.clearance == "" || errors.Is(is.err, account.ErrNotFound) {
		return peering.ClearanceFact{}
	}
	fact := peering.ClearanceFact{Source: "account " + who.Bare().String(), Age: max(0, now.Sub(is.at))}
	if is.err != nil {
		return fact
	}
	fact.Clearances = p.labels.Load().Accounts[is.clearance]
	return fact
}

// person looks an account up, unless it was lately.
func (p *people) person(who jid.JID, now time.Time) person {
	at := p.place(who)
	if a := at.Load(); a != nil && a.who == who && now.Sub(a.at) < peopleAge {
		return a.person
	}
	p.mu.Lock()
	is, ok := p.known[who]
	gone := p.gone
	ok = ok && now.Sub(is.at) < peopleAge
	if ok {
		p.acquaint(at, who, is)
	}
	p.mu.Unlock()
	if ok {
		return is
	}
	ctx, cancel := context.WithTimeout(context.Background(), peoplePatience)
	defer cancel()
	entry, err := p.store.Account(ctx, who)
	is = person{clearance: entry.Clearance, catalogue: entry.Catalogue, at: now, err: err}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxPeople {
		clear(p.known)
	}
	if p.gone == gone { // else what was read may be what has changed
		who = who.Clone() // not all of the stanza
		p.known[who] = is
		p.acquaint(at, who, is)
	}
	return is
}

// place is where somebody is in lately.
func (p *people) place(who jid.JID) *atomic.Pointer[acquaintance] {
	return &p.lately[maphash.String(p.seed, who.String())%uint64(len(p.lately))]
}

// acquaint remembers somebody there, unless somebody else is known there as well. mu is held.
func (p *people) acquaint(at *atomic.Pointer[acquaintance], who jid.JID, is person) {
	if a := at.Load(); a == nil || a.who == who || is.at.Sub(a.at) >= peopleAge {
		at.Store(&acquaintance{who.Clone(), is})
	}
}

// forget has the next stanza of or for an account judged by what the store says then.
func (p *people) forget(who jid.JID) {
	if p.store == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, who)
	p.gone++
	p.place(who).Store(nil)
}
