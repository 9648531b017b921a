package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/account"
	"sallyport/server/vcard"
)

// NewUser is an account to add. What it has beside the password goes into its vCard.
type NewUser struct {
	User     string `json:"user"`
	Password string `json:"password"`
	Email    string `json:"email,omitempty"`
	Given    string `json:"given,omitempty"`
	Surname  string `json:"surname,omitempty"`
}

func (q NewUser) subject() string { return q.User }

// maxDetail is the most bytes of one part of a name.
const maxDetail = 256

func (o *Operations) add(ctx context.Context, q NewUser) (Done, error) {
	j, err := o.account(q.User)
	if err != nil {
		return Done{}, err
	}
	for _, s := range []string{q.Email, q.Given, q.Surname} {
		if len(s) > maxDetail {
			return Done{}, fmt.Errorf("%w: a name or address has at most %d bytes", ErrQuestion, maxDetail)
		}
		if !writable(s) {
			return Done{}, errControl("a name or address")
		}
	}
	if err := o.cfg.Accounts.Add(ctx, j, q.Password); err != nil {
		return Done{}, err
	}
	if card := q.card(j); card != nil {
		if err := o.cfg.Card(ctx, j, card); err != nil {
			return Done{Count: 1}, fmt.Errorf("%s was added, but its vCard was not: %w", j, err)
		}
	}
	return Done{Count: 1}, nil
}

// card is the vCard of what is known of somebody, nil for nothing.
func (q *NewUser) card(who jid.JID) *xmlstream.Element {
	if q.Email+q.Given+q.Surname == "" {
		return nil
	}
	leaf := func(name, text string) *xmlstream.Element { return tree.New(vcard.Space, name, tree.Text(text)) }
	full := strings.TrimSpace(q.Given + " " + q.Surname)
	if full == "" {
		full = who.Local()
	}
	parts := []*xmlstream.Element{
		leaf("FN", full),
		tree.New(vcard.Space, "N", tree.With(leaf("FAMILY", q.Surname), leaf("GIVEN", q.Given))),
	}
	if q.Email != "" {
		parts = append(parts, tree.New(vcard.Space, "EMAIL", tree.With(leaf("INTERNET", ""), leaf("USERID", q.Email))))
	}
	return tree.New(vcard.Space, "vCard", tree.With(parts...))
}

// remove refuses accounts that the configuration names: whoever had the name next would have the role.
func (o *Operations) remove(ctx context.Context, q Users) (Done, error) {
	for _, s := range q.Users {
		if j, err := o.account(s); err == nil && o.cfg.Named(j) != role.None {
			return Done{}, fmt.Errorf("%w: %s is an administrator by the configuration, and so would be whoever had the name next: "+
				"take it out of server.admins first, or disable it", ErrQuestion, j)
		}
	}
	return o.each(ctx, q, func(j jid.JID) error {
		// Disabled first, so that nobody comes back between the end of the sessions and that of the account.
		if err := o.cfg.Accounts.SetState(ctx, j, account.Disabled); err != nil {
			return err
		}
		o.end(j, "the account was removed")
		o.forget(j)
		defer o.cfg.Changed(j)
		return o.cfg.Accounts.Remove(ctx, j)
	})
}

func (o *Operations) disable(ctx context.Context, q Users) (Done, error) {
	why, err := reason(q.Reason, "the account was disabled")
	if err != nil {
		return Done{}, err
	}
	return o.each(ctx, q, func(j jid.JID) error {
		err := o.cfg.Accounts.SetState(ctx, j, account.Disabled)
		if err == nil {
			o.end(j, why)
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
	return Done{Count: 1}, o.cfg.Accounts.SetPassword(ctx, j, q.Password)
}

// Choice names something of the configuration for an account; empty: nothing of its own.
type Choice struct {
	User string `json:"user"`
	Name string `json:"name,omitempty"`
}

func (q Choice) subject() string {
	if q.Name == "" {
		return q.User + " none"
	}
	return fmt.Sprintf("%s %.64s", q.User, q.Name)
}

func (o *Operations) clearance(ctx context.Context, q Choice) (Done, error) {
	names, _ := o.cfg.Labels()
	return o.choose(ctx, q, names, "server.clearance", o.cfg.Accounts.SetClearance)
}

func (o *Operations) catalogue(ctx context.Context, q Choice) (Done, error) {
	_, names := o.cfg.Labels()
	return o.choose(ctx, q, names, "server.catalogue", o.cfg.Accounts.SetCatalogue)
}

// choose gives an account something that a table of the configuration has.
func (o *Operations) choose(ctx context.Context, q Choice, names []string, table string, set func(context.Context, jid.JID, string) error) (Done, error) {
	j, err := o.account(q.User)
	switch {
	case err != nil:
		return Done{}, err
	case q.Name == "" || slices.Contains(names, q.Name):
	case len(names) == 0:
		return Done{}, fmt.Errorf("%w: the configuration has no [%s.NAME]", ErrQuestion, table)
	default:
		return Done{}, fmt.Errorf("%w: the configuration has no [%s.%.64s]; there are %s", ErrQuestion, table, q.Name, strings.Join(names, ", "))
	}
	defer o.cfg.Changed(j)
	return Done{Count: 1}, set(ctx, j, q.Name)
}

// kick ends sessions, of all clients of an account or of one; who wants can log in again.
func (o *Operations) kick(ctx context.Context, q Users) (Done, error) {
	why, err := reason(q.Reason, "ended by an administrator")
	if err != nil {
		return Done{}, err
	}
	list, err := o.all(ctx, q, o.client)
	if err != nil {
		return Done{}, err
	}
	var done Done
	for _, j := range list {
		done.Count += o.end(j, why)
	}
	return done, nil
}

// maxReason is the most bytes of what somebody is told whose session ends.
const maxReason = 500

// reason is what was given, or other where nothing was.
func reason(given, other string) (string, error) {
	given = strings.TrimSpace(given)
	switch {
	case given == "":
		return other, nil
	case len(given) > maxReason:
		return "", fmt.Errorf("%w: a reason has at most %d bytes", ErrQuestion, maxReason)
	case !writable(given):
		return "", errControl("the reason")
	}
	return given, nil
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
	Lost      bool      `json:"lost,omitempty"` // it has no connection, and may come back
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
		s := Session{Client: p.JID.String(), Since: p.Bound, Available: p.Available, Active: p.Active, Lost: p.Lost, Priority: p.Priority}
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
