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
	"sallyport/server/account"
)

const (
	noteRole = "role"
	// roleAge is how old a role may be that is used; one that is given or taken here counts at once.
	roleAge  = 5 * time.Second
	maxRoles = 10_000 // remembered
	// maxAdmins is the most administrators of a domain.
	maxAdmins = 100
)

type knownRole struct {
	role role.Role
	at   time.Time
}

// Role is what somebody may do at a domain of ours by a verb: what the configuration says of his account, or, where the verb is about no more
// than a domain, what he was made in his own. Who cannot be looked up may nothing.
func (o *Operations) Role(ctx context.Context, who, domain jid.JID, verb string) role.Role {
	bare := who.Bare()
	if who.Local() == "" || !o.cfg.Serves(who.Domain()) || !o.cfg.Serves(domain.Domain()) {
		return role.None
	}
	has := o.cfg.Named(bare)
	if bare.DomainJID() == domain && o.ofDomain[verb] {
		has = max(has, o.made(ctx, bare))
	}
	return has
}

// made is the role that the store has.
func (o *Operations) made(ctx context.Context, bare jid.JID) role.Role {
	now := o.cfg.Now()
	o.mu.Lock()
	known, ok := o.roles[bare]
	o.mu.Unlock()
	if ok && now.Sub(known.at) < roleAge {
		return known.role
	}
	content, err := o.cfg.Store.Note(ctx, bare, noteRole)
	noted, ok := role.ParseGiven(string(content))
	switch {
	case err != nil && !errors.Is(err, account.ErrNotFound):
		return role.None
	case err != nil || !ok:
		noted = role.None
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.roles) >= maxRoles {
		clear(o.roles)
	}
	o.roles[bare] = knownRole{noted, now}
	return noted
}

func (o *Operations) forget(bare jid.JID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.roles, bare)
}

// Administrator is one of a domain.
type Administrator struct {
	User  string `json:"user"`
	Role  string `json:"role"`
	Fixed bool   `json:"fixed,omitempty"` // the configuration says so
}

// DomainQuestion names a domain.
type DomainQuestion struct {
	Domain string `json:"domain"`
}

func (q DomainQuestion) subject() string { return q.Domain }

// admins lists those that were made in a domain, and those of its accounts that the configuration names.
func (o *Operations) admins(ctx context.Context, q DomainQuestion) ([]Administrator, error) {
	domain, err := o.served(q.Domain)
	if err != nil {
		return nil, err
	}
	noted, err := o.cfg.Store.Noted(ctx, domain.Domain(), noteRole, maxAdmins)
	if err != nil {
		return nil, fmt.Errorf("administrators of %s: %w", domain, err)
	}
	list := []Administrator{}
	for who, content := range noted {
		made, _ := role.ParseGiven(string(content))
		named := o.cfg.Named(who)
		list = append(list, Administrator{User: who.String(), Role: max(made, named).String(), Fixed: named >= made})
	}
	for _, who := range o.cfg.NamedIn(domain) {
		if _, twice := noted[who]; !twice {
			list = append(list, Administrator{User: who.String(), Role: o.cfg.Named(who).String(), Fixed: true})
		}
	}
	slices.SortFunc(list, func(a, b Administrator) int { return strings.Compare(a.User, b.User) })
	return list, nil
}

// AdminsQuestion gives a role to accounts of one domain, or takes it away (none). Exactly: nobody else of the domain keeps one.
type AdminsQuestion struct {
	Domain  string   `json:"domain"`
	Users   []string `json:"users"`
	Role    string   `json:"role"`
	Exactly bool     `json:"exactly,omitempty"`
}

func (q AdminsQuestion) subject() string {
	return strings.Join(append([]string{q.Role}, q.Users...), " ")
}

// setAdmins changes who administers a domain. What the configuration says stays.
func (o *Operations) setAdmins(ctx context.Context, q AdminsQuestion) (Done, error) {
	domain, err := o.served(q.Domain)
	if err != nil {
		return Done{}, err
	}
	given, ok := role.ParseGiven(q.Role)
	if !ok {
		return Done{}, fmt.Errorf("%w: %.40q is no role; there are view, operate and none", ErrQuestion, q.Role)
	}
	var chosen []jid.JID
	if len(q.Users) > 0 {
		if chosen, err = o.all(ctx, Users{Users: q.Users}, o.account); err != nil {
			return Done{}, err
		}
	}
	noted, err := o.cfg.Store.Noted(ctx, domain.Domain(), noteRole, maxAdmins+1)
	if err != nil {
		return Done{}, fmt.Errorf("administrators of %s: %w", domain, err)
	}
	added, kept := 0, []string(nil)
	for _, who := range chosen {
		if who.DomainJID() != domain {
			return Done{}, fmt.Errorf("%w: %s is not of %s", ErrQuestion, who, domain)
		}
		if _, there := noted[who]; !there {
			added++
		}
		if has := o.cfg.Named(who); has > given {
			kept = append(kept, fmt.Sprintf("%s keeps the role %s, which server.admins in the configuration gives it", who, has))
		}
	}
	if given != role.None && len(noted)+added > maxAdmins {
		return Done{}, fmt.Errorf("%w: more than %d administrators of a domain", ErrQuestion, maxAdmins)
	}
	done := Done{Note: strings.Join(kept, "; ")}
	put := func(who jid.JID, content []byte) error {
		defer o.forget(who)
		if err := o.cfg.Store.PutNote(ctx, who, noteRole, content); err != nil {
			return fmt.Errorf("role of %s: %w", who, err)
		}
		done.Count++
		return nil
	}
	for who, had := range noted { // those who lose it come first
		if q.Exactly && !slices.Contains(chosen, who) && had != nil {
			if err := put(who, nil); err != nil {
				return done, err
			}
		}
	}
	for _, who := range chosen {
		var content []byte
		if given != role.None {
			content = []byte(given.String())
		}
		if q.Exactly && string(noted[who]) != "" || string(noted[who]) == string(content) {
			continue // who has one keeps it
		}
		if err := put(who, content); err != nil {
			return done, err
		}
	}
	return done, nil
}
