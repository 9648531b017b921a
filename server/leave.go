package server

import (
	"context"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/server/presence"
)

// Leave is said before an account is removed, and what it gives once it is: then nothing is remembered of it, and its subscriptions end
// with those of the contacts that it had, or whoever comes to its name would have them.
func (s *Server) Leave(ctx context.Context, account jid.JID) (gone func()) {
	account = account.Bare().Clone()
	items, _, err := s.cfg.Book.Store.Roster(ctx, account)
	if err != nil { // it goes all the same
		s.cfg.Log.Error("the contacts of an account that is removed cannot be told", zap.Stringer("account", account), zap.Error(err))
	}
	return func() {
		for i := range s.features {
			if f := s.features[i].Forget; f != nil {
				f(account)
			}
		}
		u := s.hold(account)
		defer u.release()
		u.say(func() {
			for i := range items {
				for _, p := range s.endings(u, items[i].Contact, stateOf(&items[i])) {
					s.cfg.Gate.Submit(s.saying, p, 0, func() {})
				}
			}
		})
	}
}

// endings are what a contact is told when all subscriptions with him end (RFC 6121 §2.5.2).
func (s *Server) endings(u *user, contact jid.JID, was presence.State) (list []stanza.Stanza) {
	for _, e := range []struct {
		is bool
		t  stanza.Type
	}{{was.To || was.PendingOut, stanza.PresenceUnsubscribe}, {was.From || was.PendingIn, stanza.PresenceUnsubscribed}} {
		if !e.is {
			continue
		}
		if p, err := tree.Presence(e.t, u.bare, contact); err == nil {
			if p, err = s.passOut(u.bare, p); err == nil {
				list = append(list, p)
			}
		}
	}
	return list
}
