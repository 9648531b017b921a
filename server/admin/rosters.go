package admin

import (
	"context"
	"fmt"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/roster"
)

// Contact is one entry of a roster.
type Contact struct {
	Contact      string   `json:"contact"`
	Name         string   `json:"name,omitempty"`
	Subscription string   `json:"subscription"`
	Ask          bool     `json:"ask,omitempty"` // the owner's request waits for an answer
	Groups       []string `json:"groups,omitempty"`
}

func (o *Operations) contacts(ctx context.Context, owner jid.JID) ([]roster.Item, error) {
	items, _, err := o.cfg.Store.Roster(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("roster of %s: %w", owner, err)
	}
	var list []roster.Item
	for _, i := range items {
		if !i.Hidden && !i.Removed {
			list = append(list, i)
		}
	}
	return list, nil
}

func (o *Operations) roster(ctx context.Context, q User) ([]Contact, error) {
	list, err := o.all(ctx, Users{Users: []string{q.User}}, o.account)
	if err != nil {
		return nil, err
	}
	items, err := o.contacts(ctx, list[0])
	if err != nil {
		return nil, err
	}
	contacts := []Contact{}
	for _, i := range items {
		contacts = append(contacts, Contact{Contact: i.Contact.String(), Name: i.Name, Subscription: i.Subscription.String(), Ask: i.Ask, Groups: i.Groups})
	}
	return contacts, nil
}

// resetRoster takes every contact out of a roster, as the account's own client would: subscriptions end on both sides. Members of groups
// come in again at the next login.
func (o *Operations) resetRoster(ctx context.Context, q User) (Done, error) {
	list, err := o.all(ctx, Users{Users: []string{q.User}}, o.account)
	if err != nil {
		return Done{}, err
	}
	items, err := o.contacts(ctx, list[0])
	if err != nil {
		return Done{}, err
	}
	var done Done
	for _, i := range items {
		was, err := o.cfg.Sessions().RemoveContact(ctx, list[0], i.Contact)
		if err != nil {
			return done, fmt.Errorf("remove %s: %w (%d before)", i.Contact, err, done.Count)
		}
		if was {
			done.Count++
		}
	}
	return done, nil
}
