package gateway

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
	"sallyport/server/admin"
)

// outsiders knows who beyond the domains of this node may not have to do with their people, by the lists of administrators. It adds to the
// policy and takes nothing away from it.
type outsiders struct {
	store  admin.Store // nil: this node has no accounts
	serves func(domain string) bool

	mu    sync.Mutex // of those who change fence
	known map[string]bool
	fence atomic.Pointer[map[string]fence] // by domain; nil where no list has anybody
}

// fence are the lists of one domain; shut where they could not be read.
type fence struct {
	black, white map[jid.JID]bool
	shut         bool
}

func newFence(l *admin.Lists) (fence, error) {
	var f fence
	for _, one := range []struct {
		into *map[jid.JID]bool
		from []string
	}{{&f.black, l.Blacklist}, {&f.white, l.Whitelist}} {
		*one.into = make(map[jid.JID]bool, len(one.from))
		for _, s := range one.from {
			j, err := jid.Parse(s)
			if err != nil {
				return fence{}, fmt.Errorf("%q: %w", s, err)
			}
			(*one.into)[j] = true
		}
	}
	return f, nil
}

// has finds an address, or what it is below.
func has(list map[jid.JID]bool, who jid.JID) bool {
	return list[who] || list[who.Bare()] || list[who.DomainJID()]
}

// open reads the lists of those domains that are not known yet.
func (o *outsiders) open(ctx context.Context, domains []jid.JID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range domains {
		if o.known[d.Domain()] {
			continue
		}
		if err := o.read(ctx, d.Domain()); err != nil {
			return err
		}
	}
	return nil
}

// changed reads the lists of a domain again. Where that fails, nobody beyond the node gets to the domain until it works.
func (o *outsiders) changed(ctx context.Context, domain string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.read(ctx, domain)
}

// read is called with the lock held.
func (o *outsiders) read(ctx context.Context, domain string) error {
	lists, err := admin.Outsiders(ctx, o.store, domain)
	var f fence
	if err == nil {
		f, err = newFence(&lists)
	}
	if err != nil {
		f = fence{shut: true}
	}
	next := make(map[string]fence)
	if had := o.fence.Load(); had != nil {
		for d, is := range *had {
			next[d] = is
		}
	}
	delete(next, domain)
	if f.shut || len(f.black)+len(f.white) > 0 {
		next[domain] = f
	}
	if o.known == nil {
		o.known = make(map[string]bool)
	}
	o.known[domain] = err == nil
	o.fence.Store(&next)
	if len(next) == 0 {
		o.fence.Store(nil)
	}
	if err != nil {
		return fmt.Errorf("lists of %s: %w", domain, err)
	}
	return nil
}

// fill puts down which end of an arrival is kept out. What the server says of what it has taken before is not held against it, but who is
// there is.
func (o *outsiders) fill(p *peering.Policy, a *peering.Arrival) {
	fences := o.fence.Load()
	if fences == nil || a.Stanza.IsZero() || a.Facts.OwnWords && a.Stanza.Kind() != stanza.Presence {
		return
	}
	from, to := p.Near(a.Peer, a.Stanza.From()), a.Stanza.To()
	near, far := o.serves(from.Domain()), o.serves(to.Domain())
	switch {
	case near == far: // among ourselves, or past us
	case far:
		f := (*fences)[to.Domain()]
		a.Facts.Excluded = f.excludes(from, a.Peer == peerLocal, peering.SenderListed, peering.SenderUnlisted)
	default:
		f := (*fences)[from.Domain()]
		a.Facts.Excluded = f.excludes(to, len(f.white) > 0 && ofServer(p, to), peering.RecipientListed, peering.RecipientUnlisted)
	}
}

// excludes asks both lists. Components of this node need not be on a white list.
func (f *fence) excludes(who jid.JID, component bool, listed, unlisted peering.Exclusion) peering.Exclusion {
	switch {
	case f.shut:
		return unlisted
	case has(f.black, who):
		return listed
	case len(f.white) > 0 && !component && !has(f.white, who):
		return unlisted
	}
	return peering.NotExcluded
}
