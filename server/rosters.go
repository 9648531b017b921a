package server

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/hybrid"
	"sallyport/server/presence"
	"sallyport/server/roster"
)

const nsRoster = "jabber:iq:roster"

// rosters answers what a client asks of its roster (RFC 6121 §2).
func (s *Server) rosters() Feature {
	return Feature{Name: "roster", IQ: []IQRoute{{
		Space: nsRoster, Local: "query", At: []Target{AtAccount},
		Handle: func(ctx context.Context, q *Request) Answer {
			r := s.connected(q.From)
			switch {
			case r == nil || !q.Local:
				return Answer{Condition: stanza.Forbidden}
			case q.Set:
				return s.setRoster(ctx, r.user, q)
			}
			return s.getRoster(ctx, r, q)
		},
	}}}
}

// getRoster answers before anything is pushed that has changed since.
func (s *Server) getRoster(ctx context.Context, r *resource, q *Request) Answer {
	r.user.rosters.Lock()
	defer r.user.rosters.Unlock()
	a := s.rosterFor(ctx, r, q)
	s.reply(q, &a)
	return Answer{Later: true}
}

// noVersion is that of a roster in which nothing has ever been. No change leads from it, so that who comes with it is told the whole.
const noVersion = "0"

// rosterFor is the whole, or nothing where the client's copy is current or can be made so by pushes (§2.6).
func (s *Server) rosterFor(ctx context.Context, r *resource, q *Request) Answer {
	u := r.user
	if _, err := u.loaded(ctx); err != nil { // groups come in first
		return s.rosterError(u, err)
	}
	have, versioned := q.Payload.Attr("ver")
	u.mu.Lock()
	r.interested = true
	u.mu.Unlock()
	if id, err := hybrid.Parse(have); versioned && have != "" && err == nil {
		changes, whole, err := s.cfg.Book.Store.RosterSince(ctx, u.bare, id)
		if err != nil {
			return s.rosterError(u, err)
		}
		if !whole {
			return Answer{Then: func() { s.pushTo(r, changes) }}
		}
	}
	items, version, err := s.cfg.Book.Store.Roster(ctx, u.bare)
	if err != nil {
		return s.rosterError(u, err)
	}
	children := make([]*xmlstream.Element, 0, len(items))
	for _, i := range items {
		if !i.Hidden {
			children = append(children, itemElement(i))
		}
	}
	ver := version.String()
	if version.IsZero() {
		ver = noVersion
	}
	return Answer{Payload: tree.New(nsRoster, "query", tree.Attr("ver", ver), tree.With(children...))}
}

func (s *Server) rosterError(u *user, err error) Answer {
	err = rosterFault(err)
	var b *Bounce
	if !errors.As(err, &b) {
		s.cfg.Log.Error("no roster", zap.Stringer("account", u.bare), zap.Error(err))
	}
	return Answer{Condition: conditionOf(err)}
}

// itemElement is one contact as clients see it.
func itemElement(i roster.Item) *xmlstream.Element {
	subscription, ask, approved := i.Subscription.String(), "", ""
	if i.Removed {
		subscription = "remove"
	}
	if i.Ask {
		ask = "subscribe"
	}
	if i.Approved {
		approved = "true"
	}
	groups := make([]*xmlstream.Element, 0, len(i.Groups))
	for _, g := range i.Groups {
		groups = append(groups, tree.New(nsRoster, "group", tree.Text(g)))
	}
	return tree.New(nsRoster, "item", tree.Attr("approved", approved), tree.Attr("ask", ask), tree.Attr("jid", i.Contact.String()),
		tree.Attr("name", i.Name), tree.Attr("subscription", subscription), tree.With(groups...))
}

// push tells every client that has asked for the roster of a change (§2.1.6). u.rosters is held, so that all of them see all changes in
// one order.
func (s *Server) push(u *user, i roster.Item) {
	for _, r := range u.some(isInterested) {
		s.pushTo(r, []roster.Item{i})
	}
}

func (s *Server) pushTo(r *resource, changes []roster.Item) {
	for _, i := range changes {
		if i.Hidden {
			continue
		}
		payload := tree.New(nsRoster, "query", tree.Attr("ver", i.Version.String()), tree.With(itemElement(i)))
		if m, err := tree.IQ(stanza.IQSet, r.user.bare, r.jid, rand.Text(), payload); err == nil {
			s.tell(r, m)
		}
	}
}

// wanted is what a client wants an item to be.
type wanted struct {
	contact jid.JID
	name    string
	groups  []string
	remove  bool
}

// readItem checks what a client sets (§2.1.5, §2.3.3).
func readItem(q *Request) (wanted, stanza.Condition) {
	var w wanted
	n := 0
	var item *xmlstream.Element
	for c := range q.Payload.Children() {
		item = c
		n++
	}
	if n != 1 || !item.Is(nsRoster, "item") {
		return w, stanza.BadRequest
	}
	contact, err := jid.Parse(tree.Value(item, "jid"))
	switch {
	case err != nil:
		return w, stanza.BadRequest
	case contact.Bare() == q.From.Bare():
		return w, stanza.NotAllowed
	}
	w.contact, w.name, w.remove = contact.Bare(), tree.Value(item, "name"), tree.Value(item, "subscription") == "remove"
	for g := range item.Children() {
		switch {
		case !g.Is(nsRoster, "group"):
		case len(w.groups) > roster.MaxItemGroups:
			return w, stanza.NotAcceptable
		case slices.Contains(w.groups, g.Text()):
			return w, stanza.BadRequest
		default:
			w.groups = append(w.groups, g.Text())
		}
	}
	return w, stanza.NoCondition
}

// setRoster adds, changes or removes one contact.
func (s *Server) setRoster(ctx context.Context, u *user, q *Request) Answer {
	w, bad := readItem(q)
	if bad != stanza.NoCondition {
		return Answer{Condition: bad}
	}
	was, err := u.set(ctx, w)
	switch {
	case errors.Is(err, errNoItem):
		return Answer{Condition: stanza.ItemNotFound}
	case err != nil:
		return s.rosterError(u, err)
	}
	return Answer{Then: func() {
		if w.remove {
			s.end(u, w.contact, was)
		}
	}}
}

var errNoItem = errors.New("no such contact")

func (u *user) set(ctx context.Context, w wanted) (was presence.State, err error) {
	u.rosters.Lock()
	defer u.rosters.Unlock()
	item, err := u.server.cfg.Book.Change(ctx, u.bare, w.contact, func(i *roster.Item) error {
		was = stateOf(i)
		if w.remove {
			if i.Version.IsZero() || i.Hidden {
				return errNoItem
			}
			i.Removed = true
			return nil
		}
		i.Name, i.Groups, i.Hidden = w.name, w.groups, false
		return nil
	})
	if err != nil {
		return was, err
	}
	u.learn(item)
	u.server.push(u, item)
	return was, nil
}

// end ends the subscriptions with a contact that was removed (§2.5.2).
func (s *Server) end(u *user, contact jid.JID, was presence.State) {
	if was.From {
		u.say(func() { s.turn(u, contact, presence.Effect{Vanish: true}) })
	}
	for _, p := range s.endings(u, contact, was) {
		u.submit(p)
	}
}
