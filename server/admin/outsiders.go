package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
)

// The names of the lists of a domain (XEP-0133 §4.11, §4.12). They are stored.
const (
	blacklist = "blacklist"
	whitelist = "whitelist"
)

// MaxListed is how many addresses a list of a domain can have.
const MaxListed = 1000

// Lists say which others may have to do with the people of a domain, ordered by address. One stands for itself and all below it: a domain for everybody
// there, a bare address for all of its resources. With an empty white list nobody is left out for not being on it.
type Lists struct {
	Blacklist []string `json:"blacklist"`
	Whitelist []string `json:"whitelist"`
}

// Outsiders gives the lists of a domain from the store.
func Outsiders(ctx context.Context, s Store, domain string) (l Lists, err error) {
	if l.Blacklist, err = outsidersOn(ctx, s, domain, blacklist); err == nil {
		l.Whitelist, err = outsidersOn(ctx, s, domain, whitelist)
	}
	return l, err
}

func outsidersOn(ctx context.Context, s Store, domain, name string) ([]string, error) {
	content, err := s.Setting(ctx, domain, name)
	if errors.Is(err, account.ErrNotFound) {
		return []string{}, nil
	}
	var list []string
	if err == nil {
		err = json.Unmarshal(content, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", name, domain, err)
	}
	return list, nil
}

// ListChange changes a list of a domain: some are removed, then some are added. Exactly: nobody else stays on it.
type ListChange struct {
	Domain  string   `json:"domain"`
	Add     []string `json:"add,omitempty"`
	Remove  []string `json:"remove,omitempty"`
	Exactly bool     `json:"exactly,omitempty"`
}

func (q ListChange) subject() string {
	words := []string{q.Domain}
	if q.Exactly {
		words = append(words, "exactly")
	}
	words = append(words, q.Add...)
	for _, gone := range q.Remove {
		words = append(words, "without "+gone)
	}
	return strings.Join(words, " ")
}

// outsiders shows both lists.
func (o *Operations) outsiders(ctx context.Context, q DomainQuestion) (Lists, error) {
	domain, err := o.served(q.Domain)
	if err != nil {
		return Lists{}, err
	}
	return Outsiders(ctx, o.cfg.Store, domain.Domain())
}

// changeList changes one of them, which counts from then on.
func (o *Operations) changeList(name string) func(context.Context, ListChange) (Done, error) {
	return func(ctx context.Context, q ListChange) (Done, error) {
		domain, err := o.served(q.Domain)
		if err != nil {
			return Done{}, err
		}
		add, err := o.others(q.Add)
		if err != nil {
			return Done{}, err
		}
		remove, err := o.others(q.Remove)
		if err != nil {
			return Done{}, err
		}
		o.listing.Lock() // from what there is to what there will be
		defer o.listing.Unlock()
		had, err := outsidersOn(ctx, o.cfg.Store, domain.Domain(), name)
		if err != nil {
			return Done{}, err
		}
		list := slices.DeleteFunc(slices.Clone(had), func(j string) bool { return q.Exactly || slices.Contains(remove, j) })
		list = append(list, add...)
		slices.Sort(list)
		list = slices.Compact(list)
		if len(list) > MaxListed {
			return Done{}, fmt.Errorf("%w: a list has at most %d addresses", ErrQuestion, MaxListed)
		}
		content, err := json.Marshal(list)
		if err != nil {
			return Done{}, fmt.Errorf("write the %s of %s: %w", name, domain, err)
		}
		if err := o.cfg.Store.PutSetting(ctx, domain.Domain(), name, content); err != nil {
			return Done{}, fmt.Errorf("keep the %s of %s: %w", name, domain, err)
		}
		return Done{Count: len(list)}, o.cfg.Listed(ctx, domain.Domain())
	}
}

// others reads addresses that are none of this server: an account of its own is disabled.
func (o *Operations) others(in []string) ([]string, error) {
	var list []string
	for _, s := range in {
		j, err := jid.Parse(s)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %.100q is not an address", ErrQuestion, s)
		case o.cfg.Serves(j.Domain()):
			return nil, fmt.Errorf("%w: %s is of this server: disable the account", ErrQuestion, j)
		}
		list = append(list, j.String())
	}
	return list, nil
}
