package server

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/roster"
)

// contacts are those of a roster that see its owner or are seen by it.
type contacts map[jid.JID]roster.Subscription

// load gives what the roster says of subscriptions, from memory once it was read. The first time, groups put their members in.
func (u *user) load(ctx context.Context) (contacts, error) {
	u.rosters.Lock()
	defer u.rosters.Unlock()
	return u.loaded(ctx)
}

// loaded is load for who has u.rosters.
func (u *user) loaded(ctx context.Context) (contacts, error) {
	if known := u.copied(); known != nil {
		return known, nil
	}
	if _, err := u.fill(ctx); err != nil {
		return nil, err
	}
	items, _, err := u.server.cfg.Book.Store.Roster(ctx, u.bare)
	if err != nil {
		return nil, fmt.Errorf("read the roster of %s: %w", u.bare, err)
	}
	known := make(contacts)
	for _, i := range items {
		if i.Subscription != roster.None {
			known[i.Contact] = i.Subscription
		}
	}
	u.mu.Lock()
	if len(u.resources) > 0 { // else it would not be kept up to date
		u.contacts = known
	}
	u.mu.Unlock()
	return known, nil
}

// copied is what is in memory; it is never changed in place.
func (u *user) copied() contacts {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.contacts
}

// learn keeps the memory up to date. u.rosters is held.
func (u *user) learn(i roster.Item) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.contacts == nil {
		return
	}
	was, known := u.contacts[i.Contact]
	now := i.Subscription
	if i.Removed {
		now = roster.None
	}
	if known && was == now || !known && now == roster.None {
		return
	}
	next := make(contacts, len(u.contacts)+1)
	for c, s := range u.contacts {
		next[c] = s
	}
	delete(next, i.Contact)
	if now != roster.None {
		next[i.Contact] = now
	}
	u.contacts = next
}

// refill looks for new members of the account's groups, where the roster is in memory already, and tells the clients of them.
func (s *Server) refill(u *user) {
	s.meet(u, s.gather(u), nil)
}

// gather puts new members of the account's groups into a roster that is in memory, pushes them, and gives them.
func (s *Server) gather(u *user) []roster.Item {
	if u.copied() == nil {
		return nil // who loads it fills it
	}
	u.rosters.Lock()
	defer u.rosters.Unlock()
	added, err := u.fill(s.ctx)
	for _, i := range added {
		u.learn(i)
		s.push(u, i)
	}
	if err != nil {
		s.cfg.Log.Error("groups could not be looked at", zap.Stringer("account", u.bare), zap.Error(err))
	}
	return added
}

// meet shows an account's clients to new contacts, and asks for theirs but of those who show themselves.
func (s *Server) meet(u *user, added []roster.Item, come map[jid.JID]bool) {
	for _, i := range added {
		for n, r := range u.available() {
			s.show(r, i.Contact, r.last())
			if !come[i.Contact] && (n == 0 || s.ours(i.Contact)) { // who is elsewhere answers all of them
				s.probeOne(r, i.Contact)
			}
		}
	}
}

// fill puts the members of the account's groups into the roster, and gives those that are new in it.
func (u *user) fill(ctx context.Context) ([]roster.Item, error) {
	store := u.server.cfg.Directory.Store
	names, err := store.GroupsOf(ctx, u.bare.Domain(), u.bare)
	if err != nil {
		return nil, fmt.Errorf("groups of %s: %w", u.bare, err)
	}
	var groups []account.Group
	for _, name := range names {
		g, err := store.Group(ctx, u.bare.Domain(), name)
		if err != nil {
			return nil, fmt.Errorf("group %s of %s: %w", name, u.bare.Domain(), err)
		}
		groups = append(groups, g)
	}
	if len(groups) == 0 {
		return nil, nil
	}
	return u.server.cfg.Book.Fill(ctx, u.bare, groups)
}

// sees reports whether a subscription shows the contact to the owner, and shows the other way round.
func sees(s roster.Subscription) bool  { return s == roster.To || s == roster.Both }
func shows(s roster.Subscription) bool { return s == roster.From || s == roster.Both }

// exists reports whether there is an account that may be reached. Who is connected need not be looked up.
func (s *Server) exists(u *user) (bool, error) {
	if len(u.some(isConnected)) > 0 {
		return true, nil
	}
	return s.standing(u)
}

// standing reports whether there is an account that may log in.
func (s *Server) standing(u *user) (bool, error) {
	r, err := s.cfg.Directory.Answer(s.ctx, u.bare, account.NoHash, sasl.Question{Want: sasl.WantStanding})
	return r.Standing == sasl.Good, err
}
