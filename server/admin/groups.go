package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
)

// maxGroupName is the most bytes of the name of a group, and of its title.
const maxGroupName = 128

// GroupQuestion names a group, and what it is to be called or whom it is about.
type GroupQuestion struct {
	Domain string   `json:"domain"`
	Name   string   `json:"name"`
	Title  string   `json:"title,omitempty"`
	Users  []string `json:"users,omitempty"` // of any domain
}

func (q GroupQuestion) subject() string {
	return strings.Join(append([]string{fmt.Sprintf("%s of %s", q.Name, q.Domain)}, q.Users...), " ")
}

// shown wants what stands in tables and rosters to be a line of text.
func shown(what, s string) error {
	if len(s) > maxGroupName || strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }) {
		return fmt.Errorf("%w: %.140q is not the %s of a group: up to %d bytes of text without spaces around it", ErrQuestion, s, what, maxGroupName)
	}
	return nil
}

// read wants a group of ours to be named.
func (q *GroupQuestion) read(o *Operations) (domain string, err error) {
	d, err := o.served(q.Domain)
	if err == nil && q.Name == "" {
		err = fmt.Errorf("%w: the group has no name", ErrQuestion)
	}
	return d.Domain(), errors.Join(err, shown("name", q.Name), shown("title", q.Title))
}

func (o *Operations) addGroup(ctx context.Context, q GroupQuestion) (Done, error) {
	domain, err := q.read(o)
	if err != nil {
		return Done{}, err
	}
	return Done{Count: 1}, o.cfg.Accounts.AddGroup(ctx, domain, q.Name, q.Title)
}

func (o *Operations) titleGroup(ctx context.Context, q GroupQuestion) (Done, error) {
	return o.changeGroup(ctx, q, func(g *account.Group, _ []jid.JID) { g.Title = q.Title })
}

// joinGroup and leaveGroup leave who is what he should be already.
func (o *Operations) joinGroup(ctx context.Context, q GroupQuestion) (Done, error) {
	for _, s := range q.Users {
		if j, err := o.account(s); err == nil {
			if _, err := o.cfg.Accounts.Store.Account(ctx, j); err != nil { // of other domains nobody knows
				return Done{}, fmt.Errorf("%s: %w", j, err)
			}
		}
	}
	return o.changeGroup(ctx, q, func(g *account.Group, members []jid.JID) {
		for _, m := range members {
			if !slices.Contains(g.Members, m) {
				g.Members = append(g.Members, m)
			}
		}
	})
}

func (o *Operations) leaveGroup(ctx context.Context, q GroupQuestion) (Done, error) {
	return o.changeGroup(ctx, q, func(g *account.Group, members []jid.JID) {
		g.Members = slices.DeleteFunc(g.Members, func(m jid.JID) bool { return slices.Contains(members, m) })
	})
}

func (o *Operations) changeGroup(ctx context.Context, q GroupQuestion, change func(*account.Group, []jid.JID)) (Done, error) {
	domain, err := q.read(o)
	if err != nil {
		return Done{}, err
	}
	var members []jid.JID
	for _, s := range q.Users {
		j, err := jid.Parse(s)
		if err != nil || j.Local() == "" || !j.IsBare() {
			return Done{}, fmt.Errorf("%w: %.100q is not an address of the form name@domain", ErrQuestion, s)
		}
		members = append(members, j)
	}
	err = o.cfg.Accounts.ChangeGroup(ctx, domain, q.Name, func(g *account.Group) error {
		change(g, members)
		return nil
	})
	if err != nil {
		return Done{}, err
	}
	o.cfg.Sessions().Regroup()
	return Done{Count: 1}, nil
}

func (o *Operations) removeGroup(ctx context.Context, q GroupQuestion) (Done, error) {
	domain, err := q.read(o)
	if err != nil {
		return Done{}, err
	}
	if err := o.cfg.Accounts.Store.RemoveGroup(ctx, domain, q.Name); err != nil {
		return Done{}, fmt.Errorf("group %q of %s: %w", q.Name, domain, err)
	}
	return Done{Count: 1}, nil
}

// OldDomain names a domain that is not served any more.
type OldDomain struct {
	Domain       string `json:"domain"`
	WithAccounts bool   `json:"with_accounts,omitempty"` // and groups
}

func (q OldDomain) subject() string { return q.Domain }

func (o *Operations) removeDomain(ctx context.Context, q OldDomain) (Done, error) {
	d, err := jid.ParseDomain(q.Domain)
	if err != nil {
		return Done{}, fmt.Errorf("%w: %.100q is not a domain", ErrQuestion, q.Domain)
	}
	domain := d.Domain()
	if o.cfg.Serves(domain) {
		return Done{}, fmt.Errorf("%w: %s is served; take it out of server.domains in the configuration first", ErrQuestion, domain)
	}
	accounts, groups, err := o.cfg.Accounts.Store.CountAccounts(ctx, domain)
	if err == nil && !q.WithAccounts && accounts+groups > 0 {
		return Done{}, fmt.Errorf("%w: %s has accounts (%d) or groups (%d); --with-accounts removes them, too", ErrQuestion, domain, accounts, groups)
	}
	if err == nil {
		err = o.cfg.Accounts.Store.RemoveDomain(ctx, domain)
	}
	if err != nil {
		return Done{}, fmt.Errorf("remove %s: %w", domain, err)
	}
	return Done{Count: int(accounts)}, nil
}
