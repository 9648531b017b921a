package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server/account"
)

func (o *Operations) add(ctx context.Context, q User) (Done, error) {
	j, err := o.account(q.User)
	if err != nil {
		return Done{}, err
	}
	return Done{1}, o.cfg.Accounts.Add(ctx, j, q.Password)
}

func (o *Operations) remove(ctx context.Context, q Users) (Done, error) {
	return o.each(ctx, q, func(j jid.JID) error {
		// Disabled first, so that nobody comes back between the end of the sessions and that of the account.
		if err := o.cfg.Accounts.SetState(ctx, j, account.Disabled); err != nil {
			return err
		}
		o.end(j, "the account was removed")
		o.forget(j)
		return o.cfg.Accounts.Remove(ctx, j)
	})
}

func (o *Operations) disable(ctx context.Context, q Users) (Done, error) {
	return o.each(ctx, q, func(j jid.JID) error {
		err := o.cfg.Accounts.SetState(ctx, j, account.Disabled)
		if err == nil {
			o.end(j, reason(q.Reason, "the account was disabled"))
		}
		return err
	})
}

func (o *Operations) enable(ctx context.Context, q Users) (Done, error) {
	return o.each(ctx, q, func(j jid.JID) error { return o.cfg.Accounts.SetState(ctx, j, account.Enabled) })
}

func (o *Operations) password(ctx context.Context, q User) (Done, error) {
	j, err := o.account(q.User)
	if err != nil {
		return Done{}, err
	}
	return Done{1}, o.cfg.Accounts.SetPassword(ctx, j, q.Password)
}

// kick ends sessions, of all clients of an account or of one; who wants can log in again.
func (o *Operations) kick(ctx context.Context, q Users) (Done, error) {
	list, err := o.all(ctx, q, o.client)
	if err != nil {
		return Done{}, err
	}
	var done Done
	for _, j := range list {
		done.Count += o.end(j, reason(q.Reason, "ended by an administrator"))
	}
	return done, nil
}

// maxReason is the most bytes of what somebody is told whose session ends.
const maxReason = 500

func reason(given, other string) string {
	if given = strings.TrimSpace(given); given == "" || len(given) > maxReason {
		return other
	}
	return given
}

func (o *Operations) end(who jid.JID, text string) int {
	return o.cfg.Sessions().End(who, stanza.StreamPolicyViolation, text)
}

// Session is one client.
type Session struct {
	Client    string    `json:"client"`
	Address   string    `json:"address,omitempty"`
	Since     time.Time `json:"since"`
	Available bool      `json:"available"`
	Active    bool      `json:"active"`
	Priority  int8      `json:"priority"`
}

// Of is an account or a domain.
type Of struct {
	Of string `json:"of"`
}

func (q Of) subject() string { return q.Of }

// sessions lists the clients of an account or of a domain, up to MaxList.
func (o *Operations) sessions(_ context.Context, q Of) ([]Session, error) {
	of, err := o.client(q.Of)
	if err != nil {
		if of, err = o.served(q.Of); err != nil {
			return nil, err
		}
	}
	list := []Session{}
	for _, p := range o.cfg.Sessions().Present(of) {
		s := Session{Client: p.JID.String(), Since: p.Bound, Available: p.Available, Active: p.Active, Priority: p.Priority}
		if p.Address.IsValid() {
			s.Address = p.Address.String()
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Session) int { return strings.Compare(a.Client, b.Client) })
	return list[:min(len(list), MaxList)], nil
}

// LastLogin is when somebody was there.
type LastLogin struct {
	User   string    `json:"user"`
	Online bool      `json:"online"` // then At is when the newest client came, else when the last one left
	At     time.Time `json:"at,omitzero"`
}

func (o *Operations) last(ctx context.Context, q Users) ([]LastLogin, error) {
	var found []LastLogin
	_, err := o.each(ctx, q, func(j jid.JID) error {
		one := LastLogin{User: j.String()}
		for _, p := range o.cfg.Sessions().Present(j) {
			if one.Online = true; p.Bound.After(one.At) {
				one.At = p.Bound
			}
		}
		if !one.Online {
			seen, err := o.cfg.Store.Seen(ctx, j)
			if err != nil && !errors.Is(err, account.ErrNotFound) {
				return err
			}
			one.At = seen.At
		}
		found = append(found, one)
		return nil
	})
	return found, err
}

// Stats are figures of an account.
type Stats struct {
	User     string    `json:"user"`
	State    string    `json:"state"`
	Contacts int       `json:"contacts"`
	Sessions []Session `json:"sessions"`
}

func (o *Operations) stats(ctx context.Context, q User) (Stats, error) {
	j, err := o.account(q.User)
	if err != nil {
		return Stats{}, err
	}
	a, err := o.cfg.Accounts.Store.Account(ctx, j)
	if err != nil {
		return Stats{}, err
	}
	contacts, err := o.contacts(ctx, j)
	if err != nil {
		return Stats{}, err
	}
	sessions, err := o.sessions(ctx, Of{j.String()})
	return Stats{User: j.String(), State: a.State.String(), Contacts: len(contacts), Sessions: sessions}, err
}
