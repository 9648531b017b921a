package server

import (
	"context"
	"errors"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/server/roster"
)

// End ends the sessions of an account, or of one client where the address is full, with a stream error, and tells how many there were.
// What they had not acknowledged is kept for the account.
func (s *Server) End(who jid.JID, c stanza.StreamCondition, text string) int {
	u := s.find(who.Bare())
	if u == nil {
		return 0
	}
	ends := u.some(func(r *resource) bool { return who.IsBare() || r.jid == who })
	for _, r := range ends {
		r.session.Close(stream.Close{Condition: c, Text: text})
	}
	return len(ends)
}

// ChangeContact changes one contact in the roster of an account as do says, as roster.Book has it, and tells its clients. Whoever changes
// a roster otherwise than by this changes it for clients that log in later. The presence of contacts is not told.
func (s *Server) ChangeContact(ctx context.Context, owner, contact jid.JID, do func(*roster.Item) error) (roster.Item, error) {
	u := s.hold(owner.Bare())
	defer u.release()
	u.rosters.Lock()
	defer u.rosters.Unlock()
	item, err := s.cfg.Book.Change(ctx, u.bare, contact, do)
	if err != nil {
		return item, err
	}
	u.learn(item)
	s.push(u, item)
	return item, nil
}

// Sees reports whether somebody sees the presence of an account, as contacts do and the account itself does.
func (s *Server) Sees(ctx context.Context, account, who jid.JID) (bool, error) {
	if account.Bare() == who.Bare() {
		return true, nil
	}
	u := s.hold(account.Bare())
	defer u.release()
	known, err := u.load(ctx)
	return shows(known[who.Bare()]), err
}

// RemoveContact takes a contact out of the roster of an account, as one of its clients would (RFC 6121 §2.5): clients are told, and the
// subscriptions end. It reports whether there was such a contact.
func (s *Server) RemoveContact(ctx context.Context, owner, contact jid.JID) (bool, error) {
	u := s.hold(owner.Bare())
	defer u.release()
	w := wanted{contact: contact.Bare(), remove: true}
	was, err := u.set(ctx, w)
	if errors.Is(err, errNoItem) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.end(u, w.contact, was)
	return true, nil
}
