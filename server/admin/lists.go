package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
)

// Which accounts a list is of.
type Which string

// The lists of XEP-0133.
const (
	Registered Which = "registered"
	Disabled   Which = "disabled"
	Online     Which = "online" // with a client that is available
	Active     Which = "active"
	Idle       Which = "idle"
)

// MaxList is the most entries of an answer.
const MaxList = 1000

// ListQuestion asks for accounts of a domain.
type ListQuestion struct {
	Domain string `json:"domain"`
	Which  Which  `json:"which"`
	Limit  int    `json:"limit,omitempty"` // 0: the number alone
}

func (q ListQuestion) subject() string { return q.Domain }

// List is the answer.
type List struct {
	Count int      `json:"count"` // of all
	Users []string `json:"users,omitempty"`
}

func (o *Operations) list(ctx context.Context, q ListQuestion) (List, error) {
	domain, err := o.served(q.Domain)
	if err != nil {
		return List{}, err
	}
	limit := min(max(q.Limit, 0), MaxList)
	switch q.Which {
	case Registered:
		return o.accounts(ctx, domain.Domain(), limit, func(account.Account) bool { return true })
	case Disabled:
		return o.accounts(ctx, domain.Domain(), limit, func(a account.Account) bool { return a.State == account.Disabled })
	case Online, Active, Idle:
		return o.people(domain, q.Which, limit), nil
	}
	return List{}, fmt.Errorf("%w: there is no list of %.40q; there are %s, %s, %s, %s and %s", ErrQuestion, string(q.Which), Registered, Disabled, Online, Active, Idle)
}

// accounts goes through the accounts of a domain, one page after the other.
func (o *Operations) accounts(ctx context.Context, domain string, limit int, of func(account.Account) bool) (l List, err error) {
	after := ""
	for {
		page, err := o.cfg.Accounts.Store.ListAccounts(ctx, domain, after, account.MaxPage)
		if err != nil {
			return l, fmt.Errorf("list the accounts of %s: %w", domain, err)
		}
		for _, a := range page {
			if !of(a) {
				continue
			}
			if l.Count++; len(l.Users) < limit {
				l.Users = append(l.Users, a.JID.String())
			}
		}
		if len(page) < account.MaxPage {
			return l, nil
		}
		after = page[len(page)-1].JID.Local()
	}
}

// people are those who are there.
func (o *Operations) people(domain jid.JID, which Which, limit int) (l List) {
	active := make(map[jid.JID]bool)
	for _, p := range o.cfg.Sessions().Present(domain) {
		if p.Available {
			active[p.JID.Bare()] = active[p.JID.Bare()] || p.Active
		}
	}
	for who, is := range active {
		if which == Online || is == (which == Active) {
			l.Users = append(l.Users, who.String())
		}
	}
	l.Count = len(l.Users)
	slices.SortFunc(l.Users, strings.Compare)
	l.Users = l.Users[:min(len(l.Users), limit)]
	return l
}
